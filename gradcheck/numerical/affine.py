"""Functions that are affine in a variable (Dense, a bias, MSE's inside …): one long step per colour is exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numerical.certificate import SHARES, contradicted, random_directions
from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.found import Found
from gradcheck.numerical.ladder import ULPS, Ladder
from gradcheck.numerical.steps import perturbed
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

# Exponents of the steps at which second differences have to vanish, and a slope to stay.
PROBES = np.array([0, 3, 7, 12, 18, 25])
QUIET = 0.65
LONG = 0.8125  # of the scale; few bits, so that it is exact
BLOCK_VALUES = 1 << 15


@dataclass(frozen=True)
class Affine:
    """What is known of a function that is affine: its noise `(outputs,)`, and its slopes along two directions.

    `slopes (2, steps, outputs)`: difference quotients over the steps −t … t, for t in `steps`.
    """

    noise: Array
    directions: Array
    steps: Array
    slopes: Array


def probe(evaluator: Evaluator, ladder: Ladder, rng: np.random.Generator) -> Affine | None:
    """Return how f moves along two random directions, or None where it is not affine within its noise.

    Along both, and mixed between them, second differences must vanish at several steps. What is left of them is noise,
    which has to be as small as the noise that difference tables show.
    """
    f0 = evaluator.f0
    if ladder.bent or not np.isfinite(f0).all():
        return None
    directions = random_directions(ladder, rng)
    steps = np.ldexp(1.0, -PROBES)
    # The longest step, ahead and behind, tells most functions.
    first, free = evaluator.along(directions[0], np.array([1.0, -1.0]), ladder.domain, "affine")
    if not (free.all() and np.isfinite(first).all()):
        return None
    with np.errstate(all="ignore"):
        size = np.abs(f0) + np.abs(first).max(axis=0)
        # The tables are disturbed where f is not smooth: not all that they show is noise.
        noise = np.minimum(ladder.noise.max(axis=0), ladder.eps**QUIET * size)
        allowed = 4 * (noise + 2 * ULPS * ladder.eps * size)
        if not np.all(np.abs(first.sum(axis=0) - 2 * f0) <= allowed):
            return None
    f = np.empty((5, len(steps), f0.size))  # ahead and behind along the first, the second, ahead half-way between
    f[:2, 0] = first
    both = np.concatenate([steps, -steps])
    rest, free = evaluator.along(directions[0], np.delete(both, [0, len(steps)]), ladder.domain, "affine")
    f[:2, 1:] = rest.reshape(2, len(steps) - 1, -1)
    second, free2 = evaluator.along(directions[1], both, ladder.domain, "affine")
    f[2:4] = second.reshape(2, len(steps), -1)
    f[4], free3 = evaluator.along(directions.sum(axis=0) / 2, steps, ladder.domain, "affine")
    if not (free.all() and free2.all() and free3.all()):
        return None
    with np.errstate(all="ignore"):
        bends = [f[0] + f[1] - 2 * f0, f[2] + f[3] - 2 * f0, 2 * f[4] - f[0] - f[2]]
        # A straight line through the longest step passes through all shorter ones.
        line = [f[i] - f0 - (f[i][0] - f0) * steps[:, None] for i in (0, 2)]
        left = np.max(np.abs([*bends, *line]), axis=(0, 1))
        largest = np.max(np.abs(f), axis=(0, 1))
        # A point is rounded to a float, which moves f by at most eps of what the whole step does.
        allowed = 4 * (noise + ULPS * ladder.eps * (largest + np.abs(f[0] - f0).max(axis=0)))
        if not (np.isfinite(f).all() and np.all(left <= allowed)):
            return None
    slopes = np.stack([f[0] - f[1], f[2] - f[3]]) / (2 * steps[:, None])
    return Affine(np.maximum(2 * left, ULPS * ladder.eps * largest), directions, steps, slopes)


def climb(evaluator: Evaluator, structure: Structure, ladder: Ladder, amplitude: Array) -> Found:
    """Return one long forward quotient per colour."""
    x, f0 = evaluator.x, evaluator.f0
    value, rounding, step = np.empty((3, *structure.column.shape))
    double = 2 * amplitude
    block = max(1, BLOCK_VALUES // max(structure.index.shape[1], f0.size))
    for start in range(0, len(structure.index), block):
        part = slice(start, start + block)
        index = structure.index[part]
        new, taken = perturbed(x[index], LONG * ladder.scale[index], ladder.domain)
        f = evaluator(index, new, "steps")
        h = structure.spread(taken)
        step[part] = h
        with np.errstate(all="ignore"):
            np.subtract(f, f0, out=f)
            np.divide(f, h, out=value[part])
            np.divide(double, h, out=rounding[part])
    truncation = np.broadcast_to(0.0, value.shape)
    if not (np.isfinite(value).all() and np.isfinite(rounding).all()):  # a step of 0: there is no room
        truncation = np.where(np.isfinite(value) & np.isfinite(rounding), 0, np.inf)
    return Found.smooth(value, truncation, rounding, step)


def foretold(line: Affine, evaluator: Evaluator, structure: Structure, ladder: Ladder, found: Found) -> bool:
    """Return whether the slopes along the two directions are what the Jacobian says: a wrong structure's are not."""
    with np.errstate(all="ignore"):
        near = 16 * float(np.max(np.abs(evaluator.x) / ladder.scale)) / np.abs(SHARES).min()
        noise = np.broadcast_to((line.noise / line.steps[:, None]), line.slopes.shape)
    args = line.directions, line.steps, line.slopes, noise, near
    return not contradicted(structure, ladder, found, *args).any()
