"""Functions that are affine in a variable (Dense, a bias, MSE's inside …): one long step per colour is exact."""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.entries import Entries
from gradcheck.numerical.evaluation.evaluate import Evaluator
from gradcheck.numerical.evaluation.noise import ULPS
from gradcheck.numerical.evaluation.steps import LONGEST, Domain, perturbed
from gradcheck.numerical.evaluation.structure import Structure
from gradcheck.problem import Array

# Exponents of the steps at which second differences have to vanish, and a slope to stay.
PROBES = np.array([0, 3, 7, 12, 18, 25])
BLOCK_VALUES = 1 << 15
# Roundings of a sum (whose terms may be that much larger) may be left of a second difference. More of them may be a
# wave, whose slope no long step sees.
WITHIN = 4096
# What is left may be curvature too, where it is more than so many roundings: of one entry it may be so many times that
# of all entries moving together by random signs.
ROUNDED, ALONE = 16, 8


def noise(evaluator: Evaluator, directions: Array, first: Array, domain: Domain) -> Array | None:
    """Return the noise of an affine f; None unless f moves as one along two directions, and mixed between them.

    Second differences must vanish at several steps. What is left of them is noise. `first (2, outputs)`: how f changes
    ahead and behind at the longest step along the first direction, which tells most functions.
    """
    steps = np.ldexp(1.0, -PROBES)
    with np.errstate(all="ignore"):
        size = np.abs(evaluator.f0) + np.abs(first).max(axis=0)
        if not np.all(np.abs(first.sum(axis=0)) <= WITHIN * evaluator.eps * size):
            return None
    f = np.empty((5, len(steps), size.size))  # ahead and behind along the first, the second, ahead half-way between
    f[:2, 0] = first
    both = np.concatenate([steps, -steps])
    rest, free = evaluator.along(directions[0], np.delete(both, [0, len(steps)]), domain, "affine")
    f[:2, 1:] = rest.reshape(2, len(steps) - 1, -1)
    second, free2 = evaluator.along(directions[1], both, domain, "affine")
    f[2:4] = second.reshape(2, len(steps), -1)
    f[4], free3 = evaluator.along(directions.sum(axis=0) / 2, steps, domain, "affine")
    if not (free.all() and free2.all() and free3.all()):
        return None
    with np.errstate(all="ignore"):
        bends = [f[0] + f[1], f[2] + f[3], 2 * f[4] - f[0] - f[2]]
        # A straight line through the longest step passes through all shorter ones.
        lines = [f[i] - f[i][0] * steps[:, None] for i in (0, 2)]
        left = np.max(np.abs([*bends, *lines]), axis=(0, 1))
        largest = np.max(np.abs(f), axis=(0, 1)) + np.abs(evaluator.f0)
        if not (np.isfinite(f).all() and np.all(left <= WITHIN * evaluator.eps * largest)):
            return None
        times = np.where(left > ROUNDED * evaluator.eps * largest, ALONE, 1)
    return np.asarray(np.maximum(2 * times * left, ULPS * evaluator.eps * largest))


def climb(evaluator: Evaluator, structure: Structure, scale: Array, amplitude: Array, domain: Domain) -> Entries:
    """Return one long forward quotient per colour."""
    value, rounding, step = np.empty((3, *structure.shape))
    double = 2 * amplitude
    for part in structure.blocks(BLOCK_VALUES):
        index = structure.index[part]
        new, taken = perturbed(evaluator.x[index], LONGEST * scale[index], domain)
        f = evaluator(index, new, "steps")
        h = structure.spread(taken)
        step[part] = h
        with np.errstate(all="ignore"):
            np.divide(f, h, out=value[part])
            np.divide(double, np.abs(h), out=rounding[part])
    truncation = np.broadcast_to(0.0, value.shape)
    if not (np.isfinite(value).all() and np.isfinite(rounding).all()):  # a step of 0: there is no room
        truncation = np.where(np.isfinite(value) & np.isfinite(rounding), 0, np.inf)
    return Entries.smooth(value, truncation, rounding, step)
