"""One-sided quotients that follow a power of the step which is no whole number, or its logarithm.

Those that grow with h^(p − 1), p < 1, or like log h, have no limit: the derivative is infinite. Those with 1 < p < 2
have one, of which extrapolation in whole powers knows nothing, and which they are far from even at the finest step.
"""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.evaluation.steps import last_true
from gradcheck.problem import Array

SPAN = 4  # steps, over each of three of which the change is measured
CLEAR, CHANGED = 64, 4  # times its noise a quotient is, to be counted, and its change over a span
# The change over one span after the other goes like h^e. −1 is a jump's, 1 a smooth function's; above 0 it has a limit.
STEEPEST, LEVEL, SMOOTH = -0.97, 0.01, 0.9
STEADY = 0.1  # by which e may change from one pair of spans to the next, and the quotients' own power at each step
SAFETY = 2  # times what is to come


def follow(quotients: Array, steps: Array, noise: Array) -> tuple[Array, Array, Array]:
    """Return for quotients `(steps, entries)` the sign of an infinite derivative (else 0), and where a slow limit is.

    As the middle of an interval and its half-width, 0 where the limit is approached as it should be.
    """
    here = np.arange(quotients.shape[1])
    with np.errstate(all="ignore"):
        last = last_true(np.abs(quotients) > CLEAR * noise)
        at = last - SPAN * np.arange(4)[:, None]
        q, log = quotients[np.maximum(at, 0), here], np.log(steps[np.maximum(at, 0)])
        change = (q[:-1] - q[1:]) / (log[1:] - log[:-1])  # for each unit of −log h, the last span first
        middle = (log[1:] + log[:-1]) / 2
        power = np.diff(np.log(np.abs(change)), axis=0) / np.diff(middle, axis=0)
        known = (at[-1] >= SPAN) & (np.abs(power[1] - power[0]) <= STEADY)
        known &= (np.abs(np.diff(q, axis=0)) > CHANGED * noise[np.maximum(at[:-1], 0), here]).all(axis=0)
        known &= (np.sign(change) == np.sign(change[0])).all(axis=0)
        # Stairs of a few risers may follow a power from span to span, but not at every step between.
        each = np.maximum(last - np.arange(3 * SPAN + 1)[:, None], 0)
        own = np.diff(np.log(np.abs(quotients[each, here])), axis=0) / np.diff(np.log(steps[each]), axis=0)
        known &= (np.abs(np.diff(own, axis=0)) <= STEADY).all(axis=0)
        grows = known & (power >= STEEPEST).all(axis=0) & (power <= LEVEL).all(axis=0) & (change[0] * q[0] > 0)
        slow = known & (power > LEVEL).all(axis=0) & (power <= SMOOTH).all(axis=0)
        # A change like h^e for each unit of log h adds up to 1/e of the last one.
        to_come = SAFETY * np.abs(change[0]) / power.min(axis=0) * np.exp(power.min(axis=0) * (log[0] - middle[0]))
        return np.where(grows, np.sign(q[0]), 0), np.where(slow, q[0], 0), np.where(slow, to_come, 0)
