"""Checking what is too large for a full Jacobian: random projections, their power, and the way to a wrong entry.

The claim is a linear map: all vector-Jacobian products u ↦ Jᵀu. For a random direction d and a cotangent u, uᵀJd is
measured by a directional derivative with a bound β, and claimed as ⟨Jᵀu, d⟩. With independent d uniform in ±√3 s (of
standard deviation s), an error matrix E = claim − truth makes the difference g = uᵀE d have the standard deviation
σ = ‖s ∘ Eᵀu‖. g/(2√3) is a unit cube's projection on a line, times σ: its density is a section of the cube, at most √2
(K. Ball, "Cube slicing in Rⁿ", Proc. AMS 97, 1986), so that

    P(|g| ≤ 2β) ≤ 4β √2 / (2√3 σ) = 4β / (√6 σ),

whatever E is. (Gaussian directions, √(2π) for √6, take four times as long to draw.) k independent directions all miss
it with at most the k-th power. Solving for σ gives ρ = 4 max β / (√6 p^(1/k)): an error with ‖s ∘ Eᵀu‖ above ρ escapes
with probability below p. The assumption: the measured derivatives are within β. For a scalar function u = 1, and the
norm is that of the gradient's error. (An entry of d takes 2³² values; their grid is nothing next to p^(1/k) = 1e-3.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradcheck.numerical.directional import Domains, directional, room
from gradcheck.numerical.evaluation.evaluate import Forward
from gradcheck.numerical.evaluation.noise import SAFETY, ULPS, table
from gradcheck.numerical.evaluation.steps import random_numbers
from gradcheck.numerical.ladders import short
from gradcheck.problem import Array, Values

VJP = Callable[[list[Array]], Mapping[str, Array]]
ESCAPE = 1e-9
DIRECTIONS, COTANGENTS = 3, 3
WIDTH = math.sqrt(12)
# A short ladder for a direction whose entries move by about their own size times the step.
STEPS = np.array(short.USUAL) / 4
ROWS, SHARE = short.weights(tuple(STEPS.tolist()))
# The noise is measured at seven points that are this far apart; the outer ones are witnesses that f is smooth down to
# there.
FINE = 2.0**-26 * np.array([1, 2, 3])
ENOUGH = 1e-8
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Probe:
    """One projection: ⟨Jᵀu, d⟩ as claimed, uᵀJd as measured, and the bound of the latter."""

    claimed: float
    measured: float
    bound: float

    @property
    def wrong(self) -> bool:
        """Whether claim and measurement differ by more than the bound (and the rounding of the sum, which it
        holds)."""
        return not abs(self.claimed - self.measured) <= self.bound


@dataclass(frozen=True)
class Culprit:
    """An entry of a gradient (for one cotangent) that is wrong: its place, the claim and what was measured."""

    wrt: str
    index: tuple[int, ...]
    claimed: float
    measured: float
    bound: float


@dataclass(frozen=True)
class Projection:
    """The probes, and their power: an error of scaled norm above `rho` escapes with probability below `escape`."""

    probes: tuple[Probe, ...]
    rho: float
    escape: float
    culprit: Culprit | None
    evaluations: int

    @property
    def wrong(self) -> bool:
        """Whether any probe contradicts the claim."""
        return any(probe.wrong for probe in self.probes)

    @property
    def power(self) -> str:
        """The power in words."""
        return f"an error with norm above {self.rho:.1e} escapes with probability below {self.escape:.0e}"


def project(
    forward: Forward,
    values: Values,
    vjp: VJP,
    wrt: tuple[str, ...],
    *,
    domains: Domains | None = None,
    seed: int = 0,
    directions: int = DIRECTIONS,
    cotangents: int = COTANGENTS,
    escape: float = ESCAPE,
    eps: float = EPS,
) -> Projection:
    """Hold claimed vector-Jacobian products against directional derivatives.

    `vjp(cotangents)` takes one cotangent per output and returns the claimed gradient of each variable in `wrt`.
    Directions are uniform, scaled per variable by its root mean square (1 where it is zero); cotangents are signs (1
    for one scalar output). `eps` is that of the claims' dtype. On a mismatch the directions are halved until a single
    entry is left.
    """
    rng = np.random.default_rng(seed)
    point = _Point.of(values, wrt)
    outputs = forward(dict(values))
    shapes = [np.shape(output) for output in outputs]
    scalar = len(shapes) == 1 and int(np.prod(shapes[0])) == 1
    probes: list[Probe] = []
    culprit: Culprit | None = None
    evaluations = 1
    for _ in range(1 if scalar else cotangents):
        u = [np.ones(shape) if scalar else rng.choice([-1.0, 1.0], shape) for shape in shapes]
        point.hold(vjp(u))
        weighted = _Weighted(forward, point, u, domains, seed, eps)
        weighted.base = weighted.mixed(outputs)
        for _ in range(directions):
            point.turn(rng)
            probe = weighted.probe()
            probes.append(probe)
            if probe.wrong and culprit is None:
                culprit = _bisect(weighted)
        evaluations += weighted.evaluations
    worst = max(probe.bound for probe in probes)
    rho = 4 * worst / (math.sqrt(6) * escape ** (1 / directions))
    return Projection(tuple(probes), rho, escape, culprit, evaluations)


@dataclass(frozen=True)
class _Point:
    """The values, and those of them that are moved, one after the other: each has a place, and a width of its moves.

    `lines (2, entries)`: where they are, and the direction in which they are moved; `moved (2, entries)`: where they
    are moved to, both ways; `claim (entries,)`: the gradient, as claimed.
    """

    values: Values
    places: dict[str, slice]
    widths: dict[str, float]
    lines: Array
    moved: Array
    claim: Array

    @classmethod
    def of(cls, values: Values, wrt: tuple[str, ...]) -> _Point:
        """Return the point at which the variables `wrt` are moved."""
        ends = np.cumsum([np.size(values[name]) for name in wrt]).tolist()
        places = {name: slice(end - np.size(values[name]), end) for name, end in zip(wrt, ends, strict=True)}
        rows = np.empty((5, ends[-1]))
        for name, place in places.items():
            rows[0, place] = np.ravel(values[name])
        widths = {name: WIDTH * _size(rows[0, place]) for name, place in places.items()}
        return cls(values, places, widths, rows[:2], rows[2:4], rows[4])

    @property
    def direction(self) -> Array:
        """The direction, flat."""
        line: Array = self.lines[1]
        return line

    def hold(self, claims: Mapping[str, Array]) -> None:
        """Copy the claimed gradients: what a caller returns, forward may overwrite."""
        for name, place in self.places.items():
            self.claim[place] = np.asarray(claims[name]).reshape(place.stop - place.start)

    def turn(self, rng: np.random.Generator) -> None:
        """Draw another direction."""
        drawn = random_numbers(rng, self.direction.size, np.int32)
        for name, place in self.places.items():
            np.multiply(drawn[place], math.ldexp(self.widths[name], -32), out=self.direction[place])

    def move(self, t: float) -> None:
        """Move the `sides` by t along the direction, and by −t."""
        np.matmul([[1.0, t], [1.0, -t]], self.lines, out=self.moved)

    @cached_property
    def sides(self) -> list[Values]:
        """The values as they were moved last."""
        return [{**self.values, **self.split(row)} for row in self.moved]

    def split(self, flat: Array) -> dict[str, Array]:
        """Return views of an array like `direction`, one for each variable."""
        return {name: flat[place].reshape(np.shape(self.values[name])) for name, place in self.places.items()}


@dataclass
class _Weighted:
    """The scalar function uᵀf, and its derivatives along directions."""

    forward: Forward
    point: _Point
    cotangents: list[Array]
    domains: Domains | None
    seed: int
    eps: float
    evaluations: int = 0
    base: float = math.nan  # uᵀf at the point itself
    noise: float | None = None

    def __call__(self, values: Values) -> list[Array]:
        self.evaluations += 1
        return [np.asarray(self.mixed(self.forward(values)))]

    def mixed(self, outputs: list[Array]) -> float:
        """Return uᵀf."""
        return sum(float(np.vdot(u, f)) for u, f in zip(self.cotangents, outputs, strict=True))

    def along(self, steps: Array, sides: int = 2) -> Array:
        """Return how uᵀf changes `(sides, steps)` ahead and behind along the direction; NaN where forward raises."""
        f = np.empty((sides, len(steps)))
        for i, t in enumerate(steps.tolist()):
            self.point.move(t)
            for side, values in enumerate(self.point.sides[:sides]):
                self.evaluations += 1
                try:
                    f[side, i] = self.mixed(self.forward(values)) - self.base
                except Exception:  # whatever a user's function raises there: nothing is known
                    f[side, i] = np.nan
        return f

    def probe(self) -> Probe:
        """Return the projection on the point's direction."""
        measured, bound = self._measure()
        terms = np.multiply(self.point.claim, self.point.direction, out=self.point.moved[0])
        # What claims lose in their own rounding, and the sum of them here.
        rounding = 16 * self.eps * math.sqrt(terms.size * float(np.dot(terms, terms)))
        return Probe(float(terms.sum()), measured, bound + rounding)

    def _measure(self) -> tuple[float, float]:
        """Return uᵀJd and its bound: a short ladder, and the thorough way where that does not do."""
        tangents = self.point.split(self.point.direction)
        low, high = room(self.point.values, tangents, self.domains) if self.domains else (-math.inf, math.inf)
        if low < -STEPS[2] and STEPS[2] < high:
            with np.errstate(all="ignore"):
                value, bound = self._short()
            if bound <= ENOUGH * max(abs(value), abs(self.base)):
                return value, bound
        ((v, b),) = directional(self, self.point.values, tangents, domains=self.domains, seed=self.seed)
        return float(v), float(b)

    def _short(self) -> tuple[float, float]:
        """Return the derivative by five values and its bound; the first line has finer witnesses, for all of them."""
        (up, down), (far,) = self.along(STEPS[:2]), self.along(STEPS[2:], 1)
        near = self.along(FINE) if self.noise is None else None
        if near is not None:
            self.noise = SAFETY * float(table(np.array([*near[1, ::-1], *near[0]])[:, None])[0])
        assert self.noise is not None
        noise = max(self.noise, ULPS * EPS * (abs(self.base) + float(np.abs([up, down]).max())))
        sides = np.stack([up, -down], axis=1) / STEPS[:2, None]
        value, gap, lower, _ = (ROWS @ np.append(sides, far / STEPS[2])).tolist()
        bound = max(abs(gap), abs(lower)) + SHARE * noise
        if near is None:
            return value, bound
        (ahead, behind), reach = near[:, -1], FINE[-1]
        left = 4 * abs((up[1] - down[1]) / (2 * STEPS[1]) - value) * (reach / STEPS[1]) ** 2
        smooth = abs((ahead - behind) / (2 * reach) - value) <= bound + left + 2 * noise / reach
        smooth &= abs(ahead + behind) <= 4 * abs(up[1] + down[1]) * (reach / STEPS[1]) ** 2 + 4 * noise
        return value, bound if smooth else math.inf


def _bisect(weighted: _Weighted) -> Culprit | None:
    """Halve the entries of a direction that shows a mismatch until one is left that still does."""
    point = weighted.point
    whole = point.direction.copy()
    low, high = 0, whole.size
    while high - low > 1:
        middle = (low + high) // 2
        for half in ((low, middle), (middle, high)):
            point.direction[:] = 0
            point.direction[slice(*half)] = whole[slice(*half)]
            if weighted.probe().wrong:
                low, high = half
                break
        else:
            return None  # the error is spread so thinly that no half shows it beyond its bound
    point.direction[:] = 0
    point.direction[low] = 1
    probe = weighted.probe()
    name = next(name for name, place in point.places.items() if place.start <= low < place.stop)
    index = np.unravel_index(low - point.places[name].start, np.shape(point.values[name]))
    return Culprit(name, tuple(int(k) for k in index), probe.claimed, probe.measured, probe.bound)


def _size(x: Array) -> float:
    """Return the root mean square of a vector, or 1 where that is 0."""
    return math.sqrt(float(np.dot(x, x)) / x.size) or 1.0 if x.size else 1.0
