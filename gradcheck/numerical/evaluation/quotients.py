"""Difference quotients of many entries at once, on both sides, with the noise to expect in each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.numerical.evaluation import noise as noises
from gradcheck.numerical.evaluation.evaluate import Evaluator
from gradcheck.numerical.evaluation.noise import ULPS
from gradcheck.numerical.evaluation.steps import Domain, both_sides, perturbed, relative_steps
from gradcheck.numerical.evaluation.structure import Structure
from gradcheck.problem import Array

# Noise spacings: from 2^-10 of the scale, where a sixth difference of a smooth function is below rounding.
SPACINGS = np.arange(10, 200, 8)
SPARE = 8  # a step is at least 2^8 roundings of the point
HEARD = 8  # the noise of a step is heard at spacings finer by 2^8
SMALLEST = float(np.finfo(np.float64).smallest_subnormal)


@dataclass(frozen=True)
class Quotients:
    """Changes of f and their quotients `(steps, entries)` ahead of the point and behind it.

    Entry e is output `output[e]` by the entries of colour `colour[e]`. `h (steps, entries)`: the steps as they were
    meant, `amplitude (steps, entries)`: the noise of f, `size (steps, entries)`: |f|.
    """

    evaluator: Evaluator
    structure: Structure
    scale: Array
    domain: Domain
    colour: Array
    output: Array
    steps: Array
    h: Array
    up: Array
    down: Array
    ahead: Array
    behind: Array
    central: Array
    amplitude: Array
    size: Array

    @classmethod
    def at(cls, evaluator: Evaluator, structure: Structure, scale: Array, domain: Domain, least: Array) -> Quotients:
        """Evaluate every colour at all steps. `least (outputs,)`: the noise that f has, heard or not."""
        x, index, (colours, outputs) = evaluator.x, structure.index, structure.shape
        exponents = np.arange(finest(x.dtype) + 1)
        steps = relative_steps(exponents)
        new, taken = both_sides(x[index], steps[:, None, None] * scale[index], domain)
        points = np.broadcast_to(index, new.shape).reshape(-1, index.shape[1])
        up, down = evaluator(points, new.reshape(points.shape), "steps").reshape(2, len(steps), -1)
        h_up, h_down = structure.spread(taken).reshape(2, len(steps), -1)
        spacings = SPACINGS[: max(1, np.searchsorted(SPACINGS, exponents[-1], side="right"))]
        heard = noises.by_colour(evaluator, structure, scale, spacings, domain)
        heard = heard[:, noises.audible(spacings, exponents, HEARD)].reshape(3, len(steps), -1)
        output = np.tile(np.arange(outputs), colours)
        with np.errstate(all="ignore"):
            ahead, behind = up / h_up, down / h_down
            central = (up - down) / (h_up - h_down)
            central[(h_up == 0) | (h_down == 0)] = np.nan
            size = np.abs(evaluator.f0[output]) + np.fmax(np.abs(up), np.abs(down))
            floor = np.fmax(last_bits(size, evaluator.eps), least[output])
            # A kink disturbs one or two of the three tables; noise is heard in all.
            amplitude = np.fmax(np.median(heard, axis=0), floor)
        scales = np.broadcast_to(structure.spread(scale[index]), structure.shape).ravel()
        return cls(
            evaluator,
            structure,
            scale,
            domain,
            np.repeat(np.arange(colours), outputs),
            output,
            steps,
            steps[:, None] * scales,
            up,
            down,
            ahead,
            behind,
            central,
            amplitude,
            size,
        )

    @property
    def last_bits(self) -> Array:
        """What a value of f is rounded by in any case."""
        return last_bits(self.size, self.evaluator.eps)

    def take(self, which: Array) -> Quotients:
        """Return some entries."""
        names = ("h", "up", "down", "ahead", "behind", "central", "amplitude", "size", "colour", "output")
        return replace(self, **{name: getattr(self, name)[..., which] for name in names})

    def noisier(self, amplitude: Array) -> Quotients:
        """Return the same with noise of at least an amplitude per entry."""
        return replace(self, amplitude=np.maximum(self.amplitude, amplitude))

    def probe(self, t: Array) -> Array:
        """Return how f changes for every entry at its own relative step `t (entries,)`: of a colour one after another.

        NaN where the step cannot be taken.
        """
        slot = self.structure.slot[self.output]
        key = self.colour * self.structure.index.shape[1] + slot
        order = np.lexsort((t, key))
        another = np.diff(key[order], prepend=-1) != 0
        new = another | (np.diff(t[order], prepend=np.nan) != 0)  # entries that ask for the same point share it
        number = np.cumsum(new)
        turn = np.empty(len(key), dtype=np.intp)
        turn[order] = number - np.maximum.accumulate(np.where(another, number, 0))
        asked, point = np.unique(self.colour * (turn.max(initial=0) + 1) + turn, return_inverse=True)
        index = self.structure.index[asked // (turn.max(initial=0) + 1)]
        moves = np.zeros(index.shape)
        moves[point, slot] = t
        new, taken = perturbed(self.evaluator.x[index], moves * self.scale[index], self.domain)
        changes = self.evaluator(index, new, "a closer look")[point, self.output]
        return np.where(taken[point, slot] == 0, np.nan, changes)


def last_bits(size: Array, eps: float) -> Array:
    """Return what values as large as `size` are never taken to be better than."""
    return ULPS * (eps * size + SMALLEST)


def finest(dtype: np.dtype[Any]) -> int:
    """Return the exponent of the shortest steps."""
    eps = np.finfo(dtype).eps if dtype.kind == "f" else np.finfo(np.float64).eps
    return int(-np.log2(float(eps))) - SPARE
