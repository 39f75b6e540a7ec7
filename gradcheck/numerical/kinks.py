"""Where the two sides of a point have different derivatives (a kink) or different values (a jump)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numerical.extrapolate import Best, select
from gradcheck.problem import Array


@dataclass
class Sides:
    """One-sided derivatives with their bounds, where they were needed."""

    left: Best
    right: Best

    @property
    def apart(self) -> Array:
        """Whether the two disagree beyond their bounds."""
        gap = np.abs(self.left.value - self.right.value)
        return np.isfinite(gap) & (gap > self.left.bound + self.right.bound)


def one_sided(ahead: Array, behind: Array, steps: Array, noise: Array) -> Sides:
    """Return both one-sided derivatives from forward and backward quotients `(steps, entries)`."""
    return Sides(right=select(ahead, steps, 2 * noise, 1), left=select(behind, steps, 2 * noise, 1))


def bent(ahead: Array, behind: Array, steps: Array, noise: Array) -> Array:
    """Return where the two sides' quotients do not approach each other: f(x + h) + f(x − h) − 2 f(x) is not o(h)."""
    difference = select(ahead - behind, steps, 4 * noise, 1)
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
        return (size[-1] > 8 * amplitude[-1]) & (size[-1] >= 0.5 * size[-21])
