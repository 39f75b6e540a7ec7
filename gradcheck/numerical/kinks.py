"""Where the two sides of a point have different derivatives (a kink) or different values (a jump)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numerical.extrapolate import Best
from gradcheck.numerical.ladder import Quotients
from gradcheck.numerical.selection import select
from gradcheck.problem import Array

BEYOND = 3  # steps
FINE = 5  # this many of the finest steps that rise above the noise have to show a kink


@dataclass
class Sides:
    """One-sided derivatives with their bounds, and whether they disagree (a kink)."""

    left: Best
    right: Best
    apart: Array


def one_sided(q: Quotients) -> Sides:
    """Return both one-sided derivatives.

    They are apart where they disagree beyond their bounds *and* the finest steps still show that gap: a stiff but
    smooth
    function comes together there.
    """
    noise = q.side_noise
    sides = (_within_reach(q.ahead, q.behind, q), _within_reach(q.behind, q.ahead, q))
    right, left = (select(side, q.steps, n, 1, q.point) for side, n in zip(sides, noise, strict=True))
    gap = right.value - left.value
    with np.errstate(invalid="ignore"):
        apart = np.isfinite(gap) & (np.abs(gap) > left.bound + right.bound)
        clear = 20 * np.maximum(*noise) < np.abs(gap)
        finest = np.cumsum(clear[::-1], axis=0)[::-1]
        fine = clear & (finest <= FINE)
        shown = np.abs(q.ahead - q.behind - gap) <= 0.2 * np.abs(gap)
    return Sides(left, right, apart & (fine.sum(axis=0) == FINE) & (shown | ~fine).all(axis=0))


def _within_reach(side: Array, other: Array, q: Quotients) -> Array:
    """Return a side's quotients without steps much longer than |x|, or than the way to where f ends on the other side.

    The end (of a logarithm's or a root's domain) sets f's scale. No end is set where the other side is unknown
    altogether.
    """
    ends = np.isnan(other)
    far = np.zeros(side.shape, dtype=bool)
    far[:-BEYOND] = ends[BEYOND:] & ~ends.all(axis=0)
    far |= q.steps[:, None] > 64 * q.point.near
    return np.where(far, np.nan, side)


def bent(q: Quotients) -> Array:
    """Return where the two sides' quotients do not approach each other: f(x + h) + f(x − h) − 2 f(x) is not o(h)."""
    difference = select(q.ahead - q.behind, q.steps, np.add(*q.side_noise), 1, q.point)
    with np.errstate(invalid="ignore"):
        return ~(np.abs(difference.value) <= difference.bound)


def jumps(change: Array, amplitude: Array) -> Array:
    """Return where a one-sided change of the value `(steps, entries)` does not shrink with the step.

    Over the finest 20 steps (six decades) even a square root at 0 shrinks by a thousand.
    """
    if len(change) < 21:
        return np.zeros(change.shape[1], dtype=bool)
    size = np.abs(change)
    with np.errstate(invalid="ignore"):
        stays: Array = (size[-1] > 8 * amplitude[-1]) & (size[-1] >= 0.5 * size[-21])
    return stays
