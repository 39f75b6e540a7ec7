"""Difference quotients of many entries at once, at the steps of a ladder, with the noise to expect in each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from gradcheck.numerical import noise as noises
from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.rounded import Point, together
from gradcheck.numerical.steps import GOLDEN, both_sides, last_true, random_numbers, relative_steps, scales
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

# Noise spacings: from 2^-10 of the scale, where a sixth difference of a smooth function is below rounding.
SPACINGS = np.arange(10, 200, 8)
# For a first guess, three: at one of them all points may be rounded alike. The coarsest is heard at the steps of a
# short ladder, of which it is finer by 2^4.
GUESS = np.array([13, 16, 21])
COARSEST = -2
TINY = 2.0**-10
# Even where the tables see no noise, a value of f is never taken to be better than this many units in the last place.
ULPS = 8
# Intermediate values are taken to be of the size of x: their rounding, in these units, comes out times the slope.
INSIDE = 0.5
SAMPLE = 256
# What share of its scale an entry moves along a random direction, where the noise is measured: numbers that need all of
# a float's bits, so that f has to round.
SHARES = np.array([sign * (1 + np.mod(i * GOLDEN, 1) / 4) for sign in (1, -1) for i in range(128)])


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
    sides: tuple[Array, Array]
    quiet: Array
    point: Point

    @property
    def noise(self) -> Array:
        """The amplitude of a central quotient's rounding error."""
        return self._over_step(self.amplitude)

    @property
    def side_noise(self) -> tuple[Array, Array]:
        """The same for quotients ahead and behind."""
        return self._over_step(2 * self.sides[0]), self._over_step(2 * self.sides[1])

    def _over_step(self, amplitude: Array) -> Array:
        with np.errstate(all="ignore"):
            quotient: Array = np.divide(amplitude, self.steps[:, None] * self.scale)
            return quotient

    def noisier(self, amplitude: Array) -> Quotients:
        """Return the same with noise of at least an amplitude per entry."""
        ahead, behind = (np.maximum(side, amplitude) for side in self.sides)
        quiet = np.maximum(self.quiet, amplitude)
        return replace(self, amplitude=np.maximum(self.amplitude, amplitude), sides=(ahead, behind), quiet=quiet)

    def take(self, which: Array) -> Quotients:
        """Return some entries."""
        columns = (
            self.up[:, which],
            self.down[:, which],
            self.base[which],
            self.ahead[:, which],
            self.behind[:, which],
            self.central[:, which],
            self.steps,
            self.scale[which],
            self.amplitude[:, which],
            (self.sides[0][:, which], self.sides[1][:, which]),
            self.quiet[:, which],
        )
        return Quotients(*columns, self.point.take(which))


@dataclass
class Ladder:
    """The scale of every entry's steps, how far down they go, and the noise from each of its `spacings` on.

    `bent`: whether f is seen to leave a straight line within the coarsest of these spacings.
    """

    scale: Array
    finest: int
    domain: tuple[float, float] | None
    eps: float
    noise: Array
    spacings: Array = field(default_factory=lambda: GUESS[:1])
    bent: bool = False

    @classmethod
    def of(cls, evaluator: Evaluator, domain: tuple[float, float] | None) -> Ladder:
        """Return a ladder from 4 × max(|x|, 1) down to where a step is 256 roundings of the smallest entry."""
        x = evaluator.x
        types = [d for d in (x.dtype, *evaluator.dtypes) if d.kind == "f"]
        eps = max((float(np.finfo(d).eps) for d in types), default=float(np.finfo(np.float64).eps))
        scale = scales(x, 1.0)
        return cls(scale, finest(x, scale, eps), domain, eps, np.zeros((1, evaluator.f0.size)))

    @property
    def whole(self) -> Array:
        """The exponents of all steps."""
        return np.arange(COARSEST, self.finest + 1)

    def ordinary(self, evaluator: Evaluator) -> bool:
        """Return whether the variable is of the size of its scale, so that a short ladder near it makes sense."""
        size = np.abs(evaluator.x)
        return bool(2 * np.count_nonzero(size >= TINY) >= np.count_nonzero(size))

    def listen(
        self, evaluator: Evaluator, rng: np.random.Generator, spacings: Array = GUESS, together: int = 1
    ) -> None:
        """Measure the noise along a random direction, as a first guess for every entry.

        `together`: how many entries an output depends on. They move it √together times as far as one of them does, and
        far enough it would show its own curvature.
        """
        direction = SHARES[random_numbers(rng, self.scale.size, np.uint8)] * self.scale
        direction = np.ldexp(direction, -(int(np.log2(together)) // 2))
        self.spacings = self._within(spacings)
        noise, bend = noises.along(evaluator, direction, self.spacings, self.domain)
        heard = loudest(noise)
        # A few differences may be small by luck. Against |f|, no output is taken to be quieter than half of all are
        # (of a sample; an output of 0 has no share).
        size = np.abs(evaluator.f0)
        some = slice(None, None, 1 + size.size // SAMPLE)
        with np.errstate(all="ignore"):
            share = np.where(size[some] > 0, heard[:, some] / size[some], 0)
            middle = share.shape[1] // 2
            usual = np.partition(share, middle, axis=1)[:, middle, None]
            self.noise = np.fmax(heard, usual * size)
            self.bent = bool((bend[0] > 4 * (self.noise[0] + ULPS * self.eps * size)).any())

    def hear(self, amplitude: Array) -> None:
        """Take the noise of every output to be at least an amplitude."""
        self.noise = np.maximum(self.noise, amplitude)

    def _within(self, spacings: Array) -> Array:
        some: Array = spacings[spacings <= max(self.finest, spacings[0])]
        return some

    def climb(self, evaluator: Evaluator, structure: Structure) -> Quotients:
        """Evaluate every colour at all steps, with the noise measured for each of them alone."""
        moves = self.scale[structure.index] * SHARES[1]
        spacings = self._within(SPACINGS)
        found = noises.measure(evaluator, structure.index, moves, spacings, self.domain, True)
        heard = loudest(_lent(found).swapaxes(0, 1))[audible(spacings, self.whole, 8)]
        tables = heard.swapaxes(0, 1).reshape(3, len(self.whole), -1)
        return self.quotients(evaluator, structure, self.whole, "steps", tables)

    def quotients(
        self, evaluator: Evaluator, structure: Structure, exponents: Array, stage: str, noise: Array | None = None
    ) -> Quotients:
        """Evaluate every colour of a structure at some steps, on both sides."""
        x, f0 = evaluator.x, evaluator.f0
        steps = relative_steps(exponents)
        column, index = structure.column, structure.index
        new, taken = both_sides(x[index], steps[:, None, None] * self.scale[index], self.domain)
        points = np.broadcast_to(index, new.shape).reshape(-1, index.shape[1])
        f = evaluator(points, new.reshape(points.shape), stage).reshape(2, len(steps), -1)
        sides = [(f[i], structure.spread(taken[i]).reshape(len(steps), -1)) for i in (0, 1)]
        scale, size = self.scale[column].ravel(), np.abs(x[column].ravel().astype(np.float64))
        if noise is None:
            noise = np.tile(self.noise_at(exponents), len(column))[None]
        return self._assemble(sides, np.tile(f0, len(column)), steps, noise, scale, size)

    def noise_at(self, exponents: Array) -> Array:
        """Return the noise amplitude `(steps, outputs)` of a first guess."""
        rows: Array = self.noise[audible(self.spacings, exponents, 4)]
        return rows

    def _assemble(
        self,
        sides: list[tuple[Array, Array]],
        base: Array,
        steps: Array,
        noise: Array,
        scale: Array,
        size: Array,
    ) -> Quotients:
        (up, h_up), (down, h_down) = sides
        with np.errstate(all="ignore"):
            ahead, behind = (up - base) / h_up, (down - base) / h_down
            central = (up - down) / (h_up - h_down)
            central[(h_up == 0) | (h_down == 0)] = np.nan
            largest = np.fmax(np.fmax(np.abs(up), np.abs(down)), np.abs(base))
            floor = ULPS * self.eps * np.fmax(largest, INSIDE * np.abs(np.nan_to_num(central)) * size)
            # A kink disturbs one or two of the three tables; noise is heard in all.
            middle = np.maximum(np.median(noise, axis=0) if len(noise) > 1 else noise[0], floor)
            quotient_noise = middle / (steps[:, None] * scale)
            growth = _growth(ahead, steps, quotient_noise), _growth(behind, steps, quotient_noise)
            amplitude = middle * np.maximum(*growth)
            if len(noise) > 1:
                own = (np.minimum(middle, np.maximum(4 * noise[i], floor)) for i in (2, 0))
                two = tuple(a * g for a, g in zip(own, growth, strict=True))
            else:
                two = (amplitude, amplitude)
            point = Point.of(base, largest, steps, size, scale, _rounded(up, down, base), self.eps)
        return Quotients(
            up,
            down,
            base,
            ahead,
            behind,
            central,
            steps,
            scale,
            amplitude,
            two,
            np.maximum(noise.min(axis=0), floor),
            point,
        )


def finest(x: Array, scale: Array, eps: float) -> int:
    """Return the exponent of the shortest steps: about 256 roundings of the smallest entry that is not 0."""
    size = np.abs(x)
    least = float(np.min(size, where=size > 0, initial=np.inf))
    below = max(float(np.log2(scale.max() / least)), 0.0) if least < np.inf else 0.0
    return int(min(-np.log2(eps) - 8 + below, 150))


def _lent(noise: Array) -> Array:
    """Return the noise `(tables, spacings, colours, outputs)`; a colour that does not move an output borrows its noise.

    An output that stays as it is does not tell how it is rounded. Another colour that moves it does: the quietest, by
    the middle one of its tables, since a kink disturbs one or two.
    """
    still = (noise == 0).all(axis=(0, 1))
    heard = np.median(noise, axis=0)
    quietest = np.where(heard > 0, heard, np.inf).min(axis=1, keepdims=True)
    return np.where(still, np.where(np.isfinite(quietest), quietest, 0), noise)


def loudest(noise: Array) -> Array:
    """Return for every spacing (first axis) the largest noise that is known at it and all finer ones."""
    known = np.where(np.isfinite(noise), noise, 0)
    return np.maximum.accumulate(known[::-1], axis=0)[::-1]


def audible(spacings: Array, exponents: Array, finer: int) -> Array:
    """Return the coarsest spacing (its number) at which the noise of a step of an exponent is heard.

    It is finer by 2^finer: a smooth function's own differences vanish there. At least the two finest ones are heard.
    """
    first: Array = np.minimum(np.searchsorted(spacings, exponents + finer), max(len(spacings) - 2, 0))
    return first


def _rounded(up: Array, down: Array, base: Array) -> Array:
    """Return where both sides begin to move at about the same step, as rounding makes them and a tail does not."""
    sides = np.stack([up, down])
    last = last_true(np.isfinite(sides) & (sides != base))
    return together(last)


def _growth(quotients: Array, steps: Array, noise: Array) -> Array:
    """Return how much steeper f is at a step than at finer ones, at least 1.

    The noise was measured near the point; where f steepens (a power, an exponential), what is rounded inside of f is
    amplified likewise. Compared with the two next steps that are finer by 6 or more.
    """
    slope = np.abs(quotients)
    base = np.fmax(slope, noise)
    growth = np.ones(slope.shape)
    for k, step in enumerate(steps):
        finer = np.flatnonzero(steps <= step / 6)[:2]
        if finer.size:
            growth[k] = slope[k] / np.fmax.reduce(base[finer])
    return np.where(growth > 1, growth, 1)
