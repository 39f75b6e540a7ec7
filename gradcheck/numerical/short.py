"""Short ladders for the many functions that are smooth at the size of their variable.

A few extrapolations over a few steps, each a fixed linear combination of central quotients, so that all entries take
one matrix product. Finer witnesses have to see the chosen value within noise, and no kink; what they contradict gets an
infinite bound and is left to a longer ladder.
"""

from __future__ import annotations

import math
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
BLOCK_VALUES = 1 << 17
# A value is mostly much nearer to the derivative than to its neighbours, but not always.
SURER = 2
# Among thousands of entries some are noisier than a table of few points says; what a witness is for is far off.
SLACK = 8


@dataclass(frozen=True)
class Plan:
    """The exponents of the steps; the windows that are extrapolated, each with neighbours that tell its truncation."""

    steps: tuple[int, ...]
    windows: dict[Window, tuple[Window, ...]]


BRIEF = Plan((9, 10, 11), {(0, 3): ((1, 2),)})
LONGER = Plan(
    (3, 4, 5, 6, 7, 8),
    {(0, 6): ((0, 5), (1, 5)), (1, 5): ((1, 4), (2, 4), (0, 5)), (2, 4): ((2, 3), (3, 3), (1, 4))},
)
# Beside a singularity that is near for the scale: log(x) at x = 1/64, say.
FINER = Plan((10, 11, 12, 13), {(0, 4): ((0, 3), (1, 3)), (1, 3): ((1, 2), (2, 2), (0, 3))})


def weights(steps: Array, first: int, length: int) -> Array:
    """Return the w with Σ wᵢ D(hᵢ) = the polynomial in h² through a window's quotients, at 0 (Lagrange)."""
    row = np.zeros(len(steps))
    t = steps[first : first + length] ** 2
    for i in range(length):
        others = np.delete(t, i)
        row[first + i] = np.prod(others / (others - t[i]))
    return row


@lru_cache(maxsize=32)
def mixtures(windows: tuple[tuple[Window, tuple[Window, ...]], ...], exponents: tuple[int, ...]) -> tuple[Array, Array]:
    """Return the rows that make candidates, and then their distances from neighbours, out of quotients.

    And how much of the noise at step 1 each candidate has.
    """
    steps = relative_steps(np.array(exponents))
    rows = [weights(steps, *window) for window, _ in windows]
    gaps = [weights(steps, *window) - weights(steps, *other) for window, others in windows for other in others]
    return np.stack(rows + [SURER * gap for gap in gaps]), np.abs(rows) @ (1 / steps)


@dataclass(frozen=True)
class _Rungs:
    """What is the same for all colours: relative steps, witnesses, mixtures of quotients, and noise at the first step.

    `share`: how much of the noise at a step of 1 each window's value has.
    """

    plan: Plan
    steps: Array
    fine: Array
    rows: Array
    share: Array
    noise: Array

    @classmethod
    def of(cls, ladder: Ladder, plan: Plan, witnesses: Array) -> _Rungs:
        exponents = np.minimum(plan.steps, ladder.finest)
        fine = SIDES[: len(witnesses)] * relative_steps(np.minimum(witnesses, ladder.finest))
        rows, share = mixtures(tuple(plan.windows.items()), tuple(exponents.tolist()))
        return cls(plan, relative_steps(exponents), fine, rows, share, ladder.noise_at(exponents[:1])[0])


@dataclass(frozen=True)
class _Moves:
    """Where f is evaluated, `(points, colours, entries)`: all steps out, all steps in, and the witnesses.

    `width`: from the step out to the step in; `taken`: the witnesses' steps.
    """

    scale: Array
    new: Array
    width: Array
    taken: Array

    @classmethod
    def of(cls, evaluator: Evaluator, index: Array, ladder: Ladder, rungs: _Rungs) -> _Moves:
        x, scale = evaluator.x[index], ladder.scale[index]
        new, (out, back) = out_and_in(x, rungs.steps[:, None, None] * scale, ladder.domain)
        near, taken = perturbed(x, rungs.fine[:, None, None] * scale, ladder.domain)
        width = out - back
        width[(out == 0) | (back == 0)] = np.nan
        return cls(scale, np.concatenate([*new, near]), width, taken)

    def part(self, colours: slice) -> _Moves:
        return _Moves(self.scale[colours], self.new[:, colours], self.width[:, colours], self.taken[:, colours])


def climb(
    evaluator: Evaluator, structure: Structure, ladder: Ladder, plan: Plan, witnesses: Array = WITNESSES
) -> Found:
    """Return what short ladders find, a block of colours at a time. `witnesses`: exponents of their steps."""
    value, truncation, rounding, step = np.empty((4, *structure.column.shape))
    points = len(plan.steps) + len(witnesses)
    inner = max(1, BLOCK_VALUES // (points * structure.slot.size))
    outer = inner * max(1, BLOCK_VALUES // (points * structure.index.shape[1] * inner))
    rungs = _Rungs.of(ladder, plan, witnesses)
    with np.errstate(all="ignore"):
        for first in range(0, len(structure.index), outer):
            moves = _Moves.of(evaluator, structure.index[first : first + outer], ladder, rungs)
            for start in range(0, len(moves.scale), inner):
                part = slice(first + start, min(first + start + inner, first + outer))
                into = value[part], truncation[part], rounding[part], step[part]
                own = moves.part(slice(start, start + inner))
                _block(evaluator, structure.part(part), ladder.eps, rungs, own, *into)
    return Found.smooth(value, truncation, rounding, step)


def _block(
    evaluator: Evaluator,
    structure: Structure,
    eps: float,
    rungs: _Rungs,
    moves: _Moves,
    value: Array,
    truncation: Array,
    rounding: Array,
    step: Array,
) -> None:
    f0, steps, n = evaluator.f0, rungs.steps, len(rungs.steps)
    f = evaluator(structure.index, moves.new.reshape(-1, structure.index.shape[1]), "steps").reshape(-1, *value.shape)
    up, down, near = f[:n], f[n : 2 * n], f[2 * n :]
    central = up - down
    central /= structure.spread(moves.width)
    mixed = (rungs.rows @ central.reshape(n, -1)).reshape(-1, *value.shape)
    values, gaps = mixed[: len(rungs.share)], mixed[len(rungs.share) :]
    np.abs(gaps, out=gaps)
    if not math.isfinite(mixed.sum()):
        values[~np.isfinite(values)], gaps[~np.isfinite(gaps)] = 0, np.inf

    unit = structure.spread(moves.scale)
    largest = np.maximum(np.maximum(np.abs(up[0]), np.abs(down[0])), np.abs(f0))
    amplitude = np.maximum(rungs.noise, ULPS * eps * largest)
    noise = amplitude / unit  # of a quotient at a step of 1
    # Where f steepens with the step, noise that was measured near the point is amplified likewise.
    growth = np.fmax(np.abs(central[0]) / np.maximum(np.abs(central[-1]), noise / steps[-1]), 1)
    amplitude *= growth
    noise *= growth

    total = _choose(rungs, values, gaps, noise, (value, truncation, rounding))

    # A witness has to stand on the parabola through the point with the value as its slope.
    h, nearer = structure.spread(moves.taken), ((rungs.fine / steps[-1]) ** 2)[:, None, None]
    bend = (up[-1] + down[-1] - 2 * f0) / 2
    off = near - f0
    off -= value * h
    off -= nearer * bend
    allowed = nearer * (4 * np.abs(central[-1] - value))
    allowed += total
    allowed *= np.abs(h)
    allowed += nearer * np.abs(bend)
    allowed += SLACK * amplitude
    missed = (np.abs(off, out=off) > allowed).any(axis=0)
    if missed.any():
        truncation[missed] = np.inf
    np.multiply(unit, steps[-1], out=step)


def _choose(rungs: _Rungs, values: Array, gaps: Array, noise: Array, into: tuple[Array, Array, Array]) -> Array:
    """Put value, truncation and rounding of every entry's best window into arrays, and return its total error."""
    value, truncation, rounding = into
    if len(rungs.share) == 1:
        np.copyto(value, values[0])
        np.maximum.reduce(gaps, out=truncation)
        np.multiply(noise, rungs.share[0], out=rounding)
        total: Array = truncation + rounding
    else:
        which, total = _smallest(rungs, gaps, noise)
        start = np.multiply(which, value.size, dtype=np.intp)
        start += np.arange(value.size).reshape(value.shape)
        np.take(values.reshape(-1), start, out=value, mode="clip")
        np.multiply(noise, np.take(rungs.share, which, mode="clip"), out=rounding)
        np.subtract(total, rounding, out=truncation)
    if not math.isfinite(total.sum()):
        unknown = ~(total < np.inf)
        value[unknown], truncation[unknown], rounding[unknown] = 0, np.inf, 0
    return total


def _smallest(rungs: _Rungs, gaps: Array, noise: Array) -> tuple[Array, Array]:
    """Return the number of every entry's best window, and its total error.

    Without a branch for every entry: a processor cannot foretell them.
    """
    total = np.empty(0)
    which = np.zeros(noise.shape, dtype=np.int8)
    at = 0
    for i, neighbours in enumerate(rungs.plan.windows.values()):
        error = np.maximum.reduce(gaps[at : at + len(neighbours)])
        error += noise * rungs.share[i]
        at += len(neighbours)
        if i:
            better = (error < total).view(np.int8)
            np.maximum(which, better * np.int8(i), out=which)
            np.minimum(total, error, out=total)
        else:
            total = error
    return which, total
