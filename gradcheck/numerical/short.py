"""Short ladders for the many functions that are smooth at the size of their variable.

A few extrapolations over a few steps, each a fixed linear combination of central quotients, so that all entries take
one matrix product. Finer witnesses have to see the chosen value within noise, and no kink; what they contradict gets an
infinite bound and is left to a longer ladder.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.found import Found
from gradcheck.numerical.ladder import ULPS, Ladder
from gradcheck.numerical.steps import out_and_in, perturbed, relative_steps
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

Window = tuple[int, int]  # first step, number of steps

WITNESSES, SIDES = np.array([14, 22]), np.array([1, -1])
BLOCK_VALUES = 1 << 15
# Among thousands of entries some are noisier than a table of few points says; what a witness is for is far off.
SLACK = 8


@dataclass(frozen=True)
class Plan:
    """The exponents of the steps; the windows that are extrapolated, each with neighbours that tell its truncation."""

    steps: tuple[int, ...]
    windows: dict[Window, tuple[Window, ...]]


BRIEF = Plan((6, 7, 8, 9), {(0, 4): ((0, 3), (1, 3)), (1, 3): ((1, 2), (2, 2), (0, 3))})
LONGER = Plan(
    (3, 4, 5, 6, 7, 8),
    {(0, 6): ((0, 5), (1, 5)), (1, 5): ((1, 4), (2, 4), (0, 5)), (2, 4): ((2, 3), (3, 3), (1, 4))},
)
# Beside a singularity that is near for the scale: log(x) at x = 1/64, say.
FINER = Plan((10, 11, 12, 13), BRIEF.windows)


def weights(steps: Array, first: int, length: int) -> Array:
    """Return the w with Σ wᵢ D(hᵢ) = the polynomial in h² through a window's quotients, at 0 (Lagrange)."""
    row = np.zeros(len(steps))
    t = steps[first : first + length] ** 2
    for i in range(length):
        others = np.delete(t, i)
        row[first + i] = np.prod(others / (others - t[i]))
    return row


@lru_cache(maxsize=32)
def _mixtures(
    windows: tuple[tuple[Window, tuple[Window, ...]], ...], exponents: tuple[int, ...]
) -> tuple[Array, Array]:
    """Return the rows that make candidates, and then their distances from neighbours, out of quotients.

    And how much of the noise at step 1 each candidate has.
    """
    steps = relative_steps(np.array(exponents))
    rows = [weights(steps, *window) for window, _ in windows]
    gaps = [weights(steps, *window) - weights(steps, *other) for window, others in windows for other in others]
    return np.stack(rows + gaps), np.abs(rows) @ (1 / steps)


@dataclass(frozen=True)
class _Moves:
    """Where f is evaluated, `(points, colours, entries)`: all steps out, all steps in, and the witnesses.

    `width`: from the step out to the step in; `taken`: the witnesses' steps.
    """

    steps: Array
    fine: Array
    scale: Array
    new: Array
    width: Array
    taken: Array

    @classmethod
    def of(cls, evaluator: Evaluator, index: Array, ladder: Ladder, plan: Plan) -> _Moves:
        x, scale = evaluator.x[index], ladder.scale[index]
        steps = relative_steps(np.minimum(plan.steps, ladder.finest))
        fine = SIDES * relative_steps(np.minimum(WITNESSES, ladder.finest))
        new, (out, back) = out_and_in(x, steps[:, None, None] * scale, ladder.domain)
        near, taken = perturbed(x, fine[:, None, None] * scale, ladder.domain)
        width = out - back
        width[(out == 0) | (back == 0)] = np.nan
        return cls(steps, fine, scale, np.concatenate([*new, near]), width, taken)

    def part(self, colours: slice) -> _Moves:
        arrays = self.new[:, colours], self.width[:, colours], self.taken[:, colours]
        return _Moves(self.steps, self.fine, self.scale[colours], *arrays)


def climb(evaluator: Evaluator, structure: Structure, ladder: Ladder, plan: Plan) -> Found:
    """Return what short ladders find, a block of colours at a time."""
    value, truncation, rounding, step = np.empty((4, *structure.column.shape))
    points = len(plan.steps) + len(WITNESSES)
    inner = max(1, BLOCK_VALUES // (points * structure.slot.size))
    outer = inner * max(1, BLOCK_VALUES // (points * structure.index.shape[1] * inner))
    with np.errstate(all="ignore"):
        for first in range(0, len(structure.index), outer):
            moves = _Moves.of(evaluator, structure.index[first : first + outer], ladder, plan)
            for start in range(0, len(moves.scale), inner):
                part = slice(first + start, min(first + start + inner, first + outer))
                into = value[part], truncation[part], rounding[part], step[part]
                _block(evaluator, structure.part(part), ladder, plan, moves.part(slice(start, start + inner)), *into)
    return Found.smooth(value, truncation, rounding, step)


def _block(
    evaluator: Evaluator,
    structure: Structure,
    ladder: Ladder,
    plan: Plan,
    moves: _Moves,
    value: Array,
    truncation: Array,
    rounding: Array,
    step: Array,
) -> None:
    f0, steps, fine, n = evaluator.f0, moves.steps, moves.fine, len(plan.steps)
    points = np.broadcast_to(structure.index, moves.new.shape).reshape(-1, structure.index.shape[1])
    f = evaluator(points, moves.new.reshape(points.shape), "steps").reshape(-1, *value.shape)
    up, down, near = f[:n], f[n : 2 * n], f[2 * n :]
    central = up - down
    central /= structure.spread(moves.width)
    exponents = np.minimum(plan.steps, ladder.finest)
    rows, share = _mixtures(tuple(plan.windows.items()), tuple(exponents.tolist()))
    mixed = (rows @ central.reshape(n, -1)).reshape(len(rows), *value.shape)
    values, gaps = mixed[: len(share)], np.abs(mixed[len(share) :], out=mixed[len(share) :])
    if not np.isfinite(mixed).all():
        values[~np.isfinite(values)], gaps[~np.isfinite(gaps)] = 0, np.inf

    largest = np.maximum(np.maximum(np.abs(up[0]), np.abs(down[0])), np.abs(f0))
    amplitude = np.maximum(ladder.noise_at(exponents[:1])[0], ULPS * ladder.eps * largest)
    unit = structure.spread(moves.scale)
    # Where f steepens with the step, noise that was measured near the point is amplified likewise.
    growth = np.abs(central[0]) / np.maximum(np.abs(central[-1]), amplitude / (unit * steps[-1]))
    amplitude *= np.fmax(growth, 1)
    noise = amplitude / unit  # of a quotient at a step of 1

    at, total = 0, np.full(value.shape, np.inf)
    value[:], truncation[:], rounding[:] = 0, np.inf, 0
    for i, neighbours in enumerate(plan.windows.values()):
        gap = np.maximum.reduce(gaps[at : at + len(neighbours)])
        at += len(neighbours)
        own = noise * share[i]
        better = gap + own < total
        np.copyto(total, gap + own, where=better)
        for kept, candidate in ((value, values[i]), (truncation, gap), (rounding, own)):
            np.copyto(kept, candidate, where=better)

    # A witness has to stand on the parabola through the point with the value as its slope.
    h = structure.spread(moves.taken)
    bend = (up[-1] + down[-1] - 2 * f0) * (fine / steps[-1])[:, None, None] ** 2 / 2
    left = 4 * np.abs(central[-1] - value) * (fine / steps[-1])[:, None, None] ** 2
    off = np.abs(near - f0 - value * h - bend) > np.abs(h) * (total + left) + np.abs(bend) + SLACK * amplitude
    truncation[off.any(axis=0)] = np.inf
    np.multiply(unit, steps[-1], out=step)
