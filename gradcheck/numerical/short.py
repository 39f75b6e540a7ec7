"""A short ladder for the many functions that are smooth at the size of their variable.

Three extrapolations over six steps (all of them; without the coarsest; without the two coarsest), each a fixed linear
combination of central quotients, so that all entries take one matrix product. Finer witnesses have to see the
chosen value within
noise, and no kink; what they contradict gets an infinite bound and is left to the whole ladder.
"""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.judge import Found
from gradcheck.numerical.ladder import ULPS, Ladder
from gradcheck.numerical.steps import perturbed, relative_steps
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

STEPS = np.array([3, 4, 5, 6, 7, 8])
WITNESSES = np.array([14, 22])
BLOCK_VALUES = 1 << 15
# Among thousands of entries some are noisier than a table of few points says; what a witness is for is far off.
SLACK = 8

# Candidate extrapolations (first step, number of steps), and the neighbours that tell what truncation is left in each.
WINDOWS = ((0, 6), (1, 5), (0, 5), (2, 4), (1, 4), (2, 3), (3, 3))
NEIGHBOURS = {0: (2, 1), 1: (4, 3, 2), 3: (5, 6, 4)}


def weights(steps: Array, windows: tuple[tuple[int, int], ...]) -> Array:
    """Return the rows w with Σ wᵢ D(hᵢ) = the polynomial in h² through a window's quotients, at 0 (Lagrange)."""
    rows = np.zeros((len(windows), len(steps)))
    for row, (first, length) in zip(rows, windows, strict=True):
        t = steps[first : first + length] ** 2
        for i in range(length):
            others = np.delete(t, i)
            row[first + i] = np.prod(others / (others - t[i]))
    return rows


def climb(evaluator: Evaluator, structure: Structure, ladder: Ladder) -> Found:
    """Return what short ladders find, a block of colours at a time."""
    colours, outputs = structure.column.shape
    found = Found.nothing(colours, outputs)
    size = max(1, BLOCK_VALUES // max(1, outputs * (len(STEPS) + len(WITNESSES))))
    for start in range(0, colours, size):
        part = slice(start, start + size)
        found.put(part, _block(evaluator, structure.part(part), ladder))
    return found


def _block(evaluator: Evaluator, structure: Structure, ladder: Ladder) -> Found:
    x, f0, n = evaluator.x, evaluator.f0, len(STEPS)
    index = structure.index
    exponents = np.minimum(np.concatenate([STEPS, WITNESSES]), ladder.finest)
    steps = relative_steps(exponents)
    shape = (len(steps), len(index), f0.size)
    h = steps[:, None, None] * ladder.scale[index]
    here = np.broadcast_to(x[index], h.shape)
    points = np.broadcast_to(index, h.shape).reshape(-1, index.shape[1])
    new, ahead = perturbed(here, h, ladder.domain)
    up = evaluator(points, new.reshape(points.shape), "steps").reshape(shape)
    new, behind = perturbed(here, -h, ladder.domain)
    down = evaluator(points, new.reshape(points.shape), "steps").reshape(shape)
    with np.errstate(all="ignore"):
        width = ahead - behind
        width[(ahead == 0) | (behind == 0)] = np.nan
        central = (up - down) / structure.spread(width)
        step = structure.spread(h[0])
        largest = np.maximum(np.maximum(np.abs(up[0]), np.abs(down[0])), np.abs(f0))
        amplitude = np.maximum(ladder.noise_at(exponents[:1])[0], ULPS * ladder.eps * largest)
        # Where f steepens with the step, noise that was measured near the point is amplified likewise.
        growth = np.abs(central[0]) / np.maximum(np.abs(central[n - 1]), amplitude / (step * steps[n - 1] / steps[0]))
        noise = amplitude * np.maximum(growth, 1) * (steps[0] / step)
        table = weights(steps[:n], WINDOWS)
        values = (table @ central[:n].reshape(n, -1)).reshape(len(WINDOWS), *shape[1:])
        rounding = np.abs(table) @ (1 / steps[:n])
        value, truncation, chosen = np.zeros(shape[1:]), np.full(shape[1:], np.inf), np.zeros(shape[1:])
        for candidate, neighbours in NEIGHBOURS.items():
            gap = np.abs(values[candidate] - values[neighbours[0]])
            for other in neighbours[1:]:
                np.maximum(gap, np.abs(values[candidate] - values[other]), out=gap)
            better = gap + noise * rounding[candidate] < truncation + noise * chosen
            value = np.where(better, values[candidate], value)
            truncation = np.where(better, gap, truncation)
            chosen = np.where(better, rounding[candidate], chosen)
        bound = truncation + noise * chosen
        finest = np.abs(central[n - 1] - value)
        bend = np.abs(up[n - 1] + down[n - 1] - 2 * f0) / steps[n - 1] ** 2
        for k in range(n, len(steps)):
            heard = noise / steps[k]
            off = np.abs(central[k] - value) > bound + 4 * finest * (steps[k] / steps[n - 1]) ** 2 + SLACK * heard
            kink = np.abs(up[k] + down[k] - 2 * f0) > 4 * bend * steps[k] ** 2 + 2 * SLACK * amplitude
            truncation[off | kink] = np.inf
    no = np.zeros(value.shape, dtype=bool)
    return Found(value, truncation, noise * chosen, step * (steps[n - 1] / steps[0]), no, no.copy(), value, value)
