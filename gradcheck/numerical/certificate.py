"""Does the assembled Jacobian predict what really happens along random directions? A wrong structure does not."""

from __future__ import annotations

import math

import numpy as np

from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.found import Found
from gradcheck.numerical.ladder import ULPS, Ladder
from gradcheck.numerical.steps import random_numbers, relative_steps
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

DIRECTIONS = 2
FINER = 3, 7, 11  # exponents beyond the step at which the entries themselves were judged
SURE = 4
SAMPLE = 1024  # entries tell at which steps the others were judged
BLOCK_ENTRIES = 1 << 14  # so many at a time stay in the cache
# Few bits, so that x + h is exact at all but the finest steps. Eight of them: three bits of a number say which.
SHARES = np.array([-8, -7, -6, -5, 5, 6, 7, 8]) / 8
MOST = SHARES.max() / np.abs(SHARES).min()  # an entry moves so much more along one direction than along another


def random_directions(ladder: Ladder, rng: np.random.Generator) -> Array:
    """Return directions `(2, entries)` in which every entry moves by about its scale."""
    shape = DIRECTIONS, ladder.scale.size
    draw = random_numbers(rng, shape[0] * shape[1], np.uint8) & (len(SHARES) - 1)
    return np.take(SHARES, draw).reshape(shape) * ladder.scale


def disagreement(
    evaluator: Evaluator, structure: Structure, ladder: Ladder, found: Found, rng: np.random.Generator
) -> Array:
    """Return which outputs' derivatives along random directions differ from what the Jacobian predicts.

    The quotients along a direction are taken at steps somewhat finer than those that the entries needed (and finer
    by √n, because n entries move together).
    """
    x, bound = evaluator.x, found.bound
    exponents = _finer(structure, ladder, found.step, bound)
    steps = relative_steps(exponents)
    directions = random_directions(ladder, rng)
    with np.errstate(all="ignore"):
        near = 16 * float(np.max(np.abs(x) / np.abs(directions)))
        f, free = evaluator.along(directions, np.concatenate([steps, -steps]), ladder.domain, "certificate")
        up, down = f[:, : len(steps)], f[:, len(steps) :]
        central = (up - down) / (2 * steps[:, None])
        central[~(free[:, : len(steps)] & free[:, len(steps) :])] = np.nan
        largest = np.maximum(np.maximum(np.abs(up), np.abs(down)), np.abs(evaluator.f0))
        noise = np.maximum(ladder.noise_at(exponents), ULPS * ladder.eps * largest) / steps[:, None]
        # Where f steepens with the step, its noise does: compared with the two finer steps.
        slope = np.abs(central)
        least = np.fmax(slope, noise)
        finer = np.fmax(least[:, 1:], least[:, [*range(2, len(steps)), -1]])
        noise[:, :-1] *= np.fmax(slope[:, :-1] / finer, 1)
    return contradicted(structure, ladder, found, directions, steps, central, noise, near)


def _finer(structure: Structure, ladder: Ladder, step: Array, bound: Array) -> Array:
    """Return exponents of steps finer than those at which the entries (a sample of those with a bound) were judged."""
    some = slice(None, None, 1 + step.size // SAMPLE)
    ratio = step.ravel()[some] / ladder.scale[structure.column.ravel()[some]]
    ratio = ratio[(ratio > 0) & np.isfinite(bound.ravel()[some])]
    level = -math.log2(np.partition(ratio, ratio.size // 2)[ratio.size // 2]) if ratio.size else 5.0
    return np.array(
        sorted({min(int(level + math.log2(ladder.scale.size) / 2) + finer, ladder.finest) for finer in FINER})
    )


def contradicted(
    structure: Structure,
    ladder: Ladder,
    found: Found,
    directions: Array,
    steps: Array,
    central: Array,
    noise: Array,
    near: float,
) -> Array:
    """Return which outputs' quotients `central (directions, steps, outputs)` are not what the Jacobian predicts.

    An output disagrees if two of them in a row miss the prediction by more than bounds and `noise` explain, and not by
    less where the step is shorter, as truncation would. Outputs with a kink, or with an entry of which nothing is
    known, are left out: they are not linear. `near`: 16 |x| / |direction|, of the largest.
    """
    with np.errstate(all="ignore"):
        predicted, size, unsure = predict(structure, found, directions)
        size, unsure = MOST * size, MOST * unsure
        # A step is rounded to a float of x, and the sum of the prediction rounds too.
        slip = ladder.eps * (8 + len(ladder.scale) + near / steps[:, None]) * size
        gap = np.abs(central - predicted[:, None])
        off = gap > SURE * (unsure + slip + 2 * noise)
        wrong: Array = (off[:, :-1] & off[:, 1:] & (gap[:, 1:] > 0.25 * gap[:, :-1])).any(axis=(0, 1))
    if wrong.any():
        wrong &= ~(found.kink.any(axis=0) | found.jump.any(axis=0) | ~np.isfinite(found.bound).all(axis=0))
    return wrong


def predict(structure: Structure, found: Found, directions: Array) -> tuple[Array, Array, Array]:
    """Return J · d for each direction d, and Σ |J| |d| and Σ bound · |d| for the last one."""
    outputs = structure.slot.size
    predicted = np.zeros((len(directions), outputs))
    size, unsure = np.zeros((2, outputs))
    bound = found.bound
    step = max(1, BLOCK_ENTRIES // outputs)
    for start in range(0, len(structure.column), step):
        part = slice(start, start + step)
        value = found.value[part]
        for d, total in zip(directions, predicted, strict=True):
            weight = structure.spread(d[structure.index[part]])
            total += np.einsum("co,co->o", value, weight)
        weight = np.abs(weight)
        size += np.einsum("co,co->o", np.abs(value), weight)
        unsure += np.einsum("co,co->o", bound[part], weight)
    return predicted, size, unsure
