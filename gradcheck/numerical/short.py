"""A short ladder for the many functions that are smooth at the size of their variable.

Three extrapolations over six steps (all of them; without the coarsest; without the two coarsest), each a fixed linear
combination of central quotients, so that all entries take one matrix product. Finer witnesses have to see the
chosen value within
noise, and no kink; what they contradict gets an infinite bound and is left to the whole ladder.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.found import Found
from gradcheck.numerical.ladder import ULPS, Ladder
from gradcheck.numerical.steps import both_sides, relative_steps
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

STEPS = np.array([3, 4, 5, 6, 7, 8])
WITNESSES = np.array([14, 22])
BLOCK_VALUES = 1 << 15
# Among thousands of entries some are noisier than a table of few points says; what a witness is for is far off.
SLACK = 8

# Candidate extrapolations (first step, number of steps), and the neighbours that tell what truncation is left in each.
CANDIDATES: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {
    (0, 6): ((0, 5), (1, 5)),
    (1, 5): ((1, 4), (2, 4), (0, 5)),
    (2, 4): ((2, 3), (3, 3), (1, 4)),
}


def weights(steps: Array, first: int, length: int) -> Array:
    """Return the w with Σ wᵢ D(hᵢ) = the polynomial in h² through a window's quotients, at 0 (Lagrange)."""
    row = np.zeros(len(steps))
    t = steps[first : first + length] ** 2
    for i in range(length):
        others = np.delete(t, i)
        row[first + i] = np.prod(others / (others - t[i]))
    return row


@lru_cache(maxsize=32)
def _mixtures(exponents: tuple[int, ...]) -> tuple[Array, Array]:
    """Return the rows that make candidates, and then their distances from neighbours, out of quotients.

    And how much of the noise at step 1 each candidate has.
    """
    steps = relative_steps(np.array(exponents))
    rows = [weights(steps, *candidate) for candidate in CANDIDATES]
    gaps = [weights(steps, *c) - weights(steps, *other) for c, others in CANDIDATES.items() for other in others]
    return np.stack(rows + gaps), np.abs(rows) @ (1 / steps)


def climb(evaluator: Evaluator, structure: Structure, ladder: Ladder) -> Found:
    """Return what short ladders find, a block of colours at a time."""
    value, truncation, rounding, step = np.empty((4, *structure.column.shape))
    size = max(1, BLOCK_VALUES // max(1, structure.slot.size * (len(STEPS) + len(WITNESSES))))
    with np.errstate(all="ignore"):
        for start in range(0, len(structure.index), size):
            part = slice(start, start + size)
            into = value[part], truncation[part], rounding[part], step[part]
            _block(evaluator, structure.part(part), ladder, *into)
    return Found.smooth(value, truncation, rounding, step)


def _block(
    evaluator: Evaluator,
    structure: Structure,
    ladder: Ladder,
    value: Array,
    truncation: Array,
    rounding: Array,
    step: Array,
) -> None:
    f0, index, n = evaluator.f0, structure.index, len(STEPS)
    exponents = np.minimum(np.concatenate([STEPS, WITNESSES]), ladder.finest)
    steps = relative_steps(exponents)
    new, (ahead, behind) = both_sides(evaluator.x[index], steps[:, None, None] * ladder.scale[index], ladder.domain)
    points = np.broadcast_to(index, new.shape).reshape(-1, index.shape[1])
    f = evaluator(points, new.reshape(points.shape), "steps").reshape(2, len(steps), *value.shape)
    width = ahead - behind
    width[(ahead == 0) | (behind == 0)] = np.nan
    central = f[0] - f[1]
    central /= structure.spread(width)
    rows, share = _mixtures(tuple(exponents[:n].tolist()))
    mixed = (rows @ central[:n].reshape(n, -1)).reshape(len(rows), *value.shape)
    values, gaps = mixed[: len(share)], np.abs(mixed[len(share) :], out=mixed[len(share) :])
    if not np.isfinite(mixed).all():
        values[~np.isfinite(values)], gaps[~np.isfinite(gaps)] = 0, np.inf

    largest = np.maximum(np.maximum(np.abs(f[0, 0]), np.abs(f[1, 0])), np.abs(f0))
    amplitude = np.maximum(ladder.noise_at(exponents[:1])[0], ULPS * ladder.eps * largest)
    unit = structure.spread(ladder.scale[index])
    # Where f steepens with the step, noise that was measured near the point is amplified likewise.
    growth = np.abs(central[0]) / np.maximum(np.abs(central[n - 1]), amplitude / (unit * steps[n - 1]))
    noise = amplitude * np.maximum(growth, 1) / unit  # of a quotient at a step of 1

    at, total = 0, np.full(value.shape, np.inf)
    value[:], truncation[:], rounding[:] = 0, np.inf, 0
    for i, neighbours in enumerate(CANDIDATES.values()):
        gap = np.maximum.reduce(gaps[at : at + len(neighbours)])
        at += len(neighbours)
        own = noise * share[i]
        better = gap + own < total
        np.copyto(total, gap + own, where=better)
        for kept, candidate in ((value, values[i]), (truncation, gap), (rounding, own)):
            np.copyto(kept, candidate, where=better)

    fine = steps[n:, None, None]
    left = 4 * np.abs(central[n - 1] - value) * (fine / steps[n - 1]) ** 2
    off = np.abs(central[n:] - value) > total + left + SLACK * noise / fine
    bend = np.abs(f[0, n - 1 :] + f[1, n - 1 :] - 2 * f0)
    kink = bend[1:] > 4 * bend[0] * (fine / steps[n - 1]) ** 2 + 2 * SLACK * amplitude
    truncation[(off | kink).any(axis=0)] = np.inf
    np.multiply(unit, steps[n - 1], out=step)
