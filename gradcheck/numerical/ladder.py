"""Difference quotients of many entries at once, at the steps of a ladder, with the noise to expect in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numerical import noise
from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.extrapolate import Point
from gradcheck.numerical.steps import perturbed, relative_steps, scales
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

# Noise spacings: from 2^-10 of the scale, where a sixth difference of a smooth function is below rounding.
FIRST_SPACING, SPACING_STRIDE = 10, 8
COARSEST = -2
WITNESS, BELOW = 14, 6
# Even where the tables see no noise, a value of f is never taken to be better than this many units in the last place.
ULPS = 8


@dataclass
class Quotients:
    """Values and quotients `(steps, entries)` on both sides; `steps` relative to every entry's `scale`."""

    up: Array
    down: Array
    base: Array
    ahead: Array
    behind: Array
    central: Array
    steps: Array
    scale: Array
    amplitude: Array
    point: Point

    @property
    def noise(self) -> Array:
        """The amplitude of a central quotient's rounding error."""
        with np.errstate(all="ignore"):
            return self.amplitude / (self.steps[:, None] * self.scale)

    def take(self, which: Array) -> Quotients:
        """Return some entries."""
        columns = (
            self.up[:, which],
            self.down[:, which],
            self.base[which],
            self.ahead[:, which],
            self.behind[:, which],
            self.central[:, which],
        )
        return Quotients(*columns, self.steps, self.scale[which], self.amplitude[:, which], self.point.take(which))


@dataclass
class Ladder:
    """The scale of every entry's steps, how far down they go, and the noise at every step."""

    scale: Array
    finest: int
    domain: tuple[float, float] | None
    eps: float
    noise: Array

    @classmethod
    def of(cls, evaluator: Evaluator, domain: tuple[float, float] | None) -> Ladder:
        """Return a ladder from 4 × max(|x|, 1) down to where a step is 256 roundings of the smallest entry."""
        x = evaluator.x
        types = [d for d in (x.dtype, *evaluator.dtypes) if d.kind == "f"]
        eps = max((float(np.finfo(d).eps) for d in types), default=float(np.finfo(np.float64).eps))
        scale = scales(x, 1.0)
        size = np.abs(x[x != 0].astype(np.float64))
        below = max(float(np.log2(scale.max() / size.min())), 0.0) if size.size else 0.0
        return cls(scale, int(min(-np.log2(eps) - 8 + below, 150)), domain, eps, np.zeros((1, evaluator.f0.size)))

    @property
    def whole(self) -> Array:
        """The exponents of all steps."""
        return np.arange(COARSEST, self.finest + 1)

    def witnesses(self, evaluator: Evaluator) -> Array:
        """Return exponents of fine steps that a short ladder has to agree with: one fixed, one below a tiny |x|."""
        size = np.abs(evaluator.x[evaluator.x != 0].astype(np.float64))
        below = np.log2(np.median(self.scale) / np.median(size)) + BELOW if size.size else 0
        exponents = np.array([WITNESS, int(below)] if below > WITNESS else [WITNESS])
        return np.minimum(exponents, self.finest)

    def listen(self, evaluator: Evaluator, rng: np.random.Generator) -> None:
        """Measure the noise at every step: `noise (steps, outputs)`, a row for every exponent of `whole`.

        The noise at a step is that at every spacing finer by 2^8, where a smooth function's own differences vanish, and
        never less than at the two finest spacings.
        """
        spacings = np.arange(FIRST_SPACING, self.finest + 1, SPACING_STRIDE)
        found = noise.measure(evaluator, self.scale, spacings, self.domain, rng)
        found[~np.isfinite(found)] = 0
        always = found[-2:].max(axis=0, initial=0)
        self.noise = np.repeat(always[None, :], len(self.whole), axis=0)
        for spacing, size in zip(spacings, found, strict=True):
            coarser = self.whole <= spacing - 8
            self.noise[coarser] = np.maximum(self.noise[coarser], size)

    def quotients(self, evaluator: Evaluator, structure: Structure, exponents: Array, stage: str) -> Quotients:
        """Evaluate every colour of a structure at some steps, on both sides."""
        x, f0 = evaluator.x, evaluator.f0
        steps = relative_steps(exponents)
        column, index = structure.column, structure.index
        shape = (len(steps), *column.shape)
        sides = []
        for sign in (1, -1):
            h = sign * steps[:, None, None] * self.scale[index]
            new, taken = perturbed(np.broadcast_to(x[index], h.shape), h, self.domain)
            points = np.broadcast_to(index, h.shape).reshape(-1, index.shape[1])
            f = evaluator(points, new.reshape(points.shape), stage)
            h_out = np.take_along_axis(taken, np.broadcast_to(structure.slot, shape), axis=2)
            sides.append((f.reshape(len(steps), -1), h_out.reshape(len(steps), -1)))
        scale, size = self.scale[column].ravel(), np.abs(x[column].ravel().astype(np.float64))
        return self._assemble(sides, np.tile(f0, len(column)), steps, exponents, scale, size)

    def along(self, evaluator: Evaluator, direction: Array, exponents: Array, stage: str) -> Quotients:
        """Evaluate x + t · direction: the quotients are by t, one entry per output."""
        x = evaluator.x
        steps = relative_steps(exponents)
        whole = np.broadcast_to(np.arange(x.size), (len(steps), x.size))
        sides = []
        for sign in (1, -1):
            new, taken = perturbed(x, sign * steps[:, None] * direction, self.domain)
            blocked = ((taken == 0) & (direction != 0)).any(axis=1)
            h = np.where(blocked, 0, sign * steps)
            sides.append((evaluator(whole, new, stage), np.repeat(h[:, None], evaluator.f0.size, axis=1)))
        one = np.ones(evaluator.f0.size)
        with np.errstate(all="ignore"):
            ratio = np.abs(x / direction)
        size = one * np.max(ratio, initial=0, where=np.isfinite(ratio))
        return self._assemble(sides, evaluator.f0, steps, exponents, one, size)

    def _assemble(
        self,
        sides: list[tuple[Array, Array]],
        base: Array,
        steps: Array,
        exponents: Array,
        scale: Array,
        size: Array,
    ) -> Quotients:
        (up, h_up), (down, h_down) = sides
        repeat = base.size // self.noise.shape[1]
        rows = np.minimum(exponents - COARSEST, len(self.noise) - 1)
        with np.errstate(all="ignore"):
            ahead, behind = (up - base) / h_up, (down - base) / h_down
            central = (up - down) / (h_up - h_down)
            central[(h_up == 0) | (h_down == 0)] = np.nan
            largest = np.fmax(np.fmax(np.abs(up), np.abs(down)), np.abs(base))
            amplitude = np.maximum(np.tile(self.noise[rows], repeat), ULPS * self.eps * largest)
            amplitude *= _growth(ahead, behind, steps, amplitude / (steps[:, None] * scale))
            near = 16 * np.where(size == 0, 1, size / scale)
            point = Point(np.abs(base) / scale, np.fmax.reduce(largest) / scale, near, self.eps)
        return Quotients(up, down, base, ahead, behind, central, steps, scale, amplitude, point)


def _growth(ahead: Array, behind: Array, steps: Array, noise: Array) -> Array:
    """Return how much steeper f is at a step than at finer ones, at least 1.

    The noise was measured near the point; where f steepens (a power, an exponential), what is rounded inside of f is
    amplified likewise. Compared with the two next steps that are finer by 6 or more.
    """
    slope = np.fmax(np.abs(ahead), np.abs(behind))
    base = np.fmax(slope, noise)
    growth = np.ones(slope.shape)
    for k, step in enumerate(steps):
        finer = np.flatnonzero(steps <= step / 6)[:2]
        if finer.size:
            growth[k] = slope[k] / np.fmax.reduce(base[finer])
    return np.where(growth > 1, growth, 1)
