"""A one-sided derivative that is infinite: quotients that grow with h^(p − 1), p < 1, or like log h, without limit."""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.evaluation.steps import last_true
from gradcheck.problem import Array

SPAN = 4  # steps, over each of three of which the growth is measured
CLEAR = 64  # times its noise a quotient is, to be counted
# Growth over one span after the other goes like h^e with e in this interval: −1 is a jump's, above 0 there is a limit.
STEEPEST, LEVEL = -0.97, 0.01
STEADY = 0.1  # by which e may change from one pair of spans to the next


def unlimited(quotients: Array, steps: Array, noise: Array) -> Array:
    """Return the sign of a derivative that is infinite, 0 where it is not, of quotients `(steps, entries)`."""
    here = np.arange(quotients.shape[1])
    with np.errstate(all="ignore"):
        last = last_true(np.abs(quotients) > CLEAR * noise)
        at = last - SPAN * np.arange(4)[:, None]
        known = at[-1] >= SPAN
        q, log = quotients[np.maximum(at, 0), here], np.log(steps[np.maximum(at, 0)])
        growth = np.diff(q[::-1], axis=0) / np.diff(-log[::-1], axis=0)
        middle = (log[1:] + log[:-1])[::-1] / 2
        power = np.diff(np.log(np.abs(growth)), axis=0) / np.diff(middle, axis=0)
        same = (np.sign(growth) == np.sign(q[0])).all(axis=0)
        steady = np.abs(power[1] - power[0]) <= STEADY
        grows = known & same & steady & (power >= STEEPEST).all(axis=0) & (power <= LEVEL).all(axis=0)
        return np.where(grows, np.sign(q[0]), 0)
