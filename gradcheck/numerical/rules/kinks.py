"""Where the two sides of a point have different derivatives (a kink) or different values (a jump)."""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.evaluation.quotients import Quotients
from gradcheck.numerical.rules.extrapolation import candidates
from gradcheck.numerical.rules.limits import smallest
from gradcheck.numerical.rules.staircases import ROUNDING
from gradcheck.problem import Array

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
