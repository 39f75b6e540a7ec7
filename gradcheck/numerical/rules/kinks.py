"""Where the two sides of a point have different derivatives (a kink) or different values (a jump)."""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.evaluation.quotients import Quotients
from gradcheck.numerical.rules.extrapolation import candidates
from gradcheck.numerical.rules.limits import smallest
from gradcheck.numerical.rules.staircases import ROUNDING
from gradcheck.problem import Array

TAILED = 4  # times what is foretold may hide
STEPS = 20  # over these finest steps, six decades, even a square root at 0 shrinks by a thousand


def bent(q: Quotients) -> Array:
    """Return where the two sides' quotients do not approach each other: f(x + h) + f(x − h) − 2 f(x) is not o(h)."""
    with np.errstate(all="ignore"):
        noise = 4 * q.amplitude / q.h
        difference = smallest(candidates(q.ahead - q.behind, q.steps, noise, 1))
        return ~(np.abs(difference.value) <= difference.bound)


def jumps(change: Array, size: Array) -> Array:
    """Return where a one-sided change of the value `(steps, entries)` does not shrink with the step.

    `size (steps, entries)`: |f|. What is small beside it is rounded at the point.
    """
    if len(change) <= STEPS:
        return np.zeros(change.shape[1], dtype=bool)
    left = np.abs(change)
    with np.errstate(invalid="ignore"):
        stays: Array = (left[-1] > ROUNDING * size[-1]) & (left[-1] >= 0.5 * left[-1 - STEPS])
    return stays


def tail_of_the_other_side(q: Quotients, value: Array, bound: Array, sign: int) -> Array:
    """Return what may be missing of one side's derivative `value`, because the other side, `sign`, is another function.

    A kink next to the point has no tail there, but what is smooth has, if it is below the noise: at the longest step t
    on the other side that does not see it, it is as large as the noise, and its slope at the point at most `bound`,
    what is open of the derivative without this side. Over the next steps it grows by S: an exponential that does so
    while the step grows from t to ρ t has shrunk by S^(1/(ρ − 1)) between t and the point, all others by more.
    """
    here = np.arange(value.size)
    change, amplitude = q.up if sign > 0 else q.down, q.amplitude
    with np.errstate(all="ignore"):
        off = np.abs(change - sign * value * q.h)
        number = np.arange(len(q.steps))[:, None]
        first = np.where(off > 2 * amplitude, number, -1).max(axis=0)
        beyond = np.minimum(first + 1, len(q.steps) - 1)
        grown = np.ones(value.size)
        for more in (0, 1, 2):
            k = np.maximum(first - more, 0)
            by = np.maximum(off[k, here] / (2 * amplitude[beyond, here]), 1)
            grown = np.fmax(grown, by ** (1 / np.maximum(q.steps[k] / q.steps[beyond] - 1, 0.5)))
    return np.where((first >= 0) & np.isfinite(bound), TAILED * bound / grown, 0)
