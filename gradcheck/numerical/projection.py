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
norm is that of the gradient's error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from gradcheck.numerical import noise as noises
from gradcheck.numerical.directional import Domains, directional, room
from gradcheck.numerical.evaluate import Evaluator, Forward
from gradcheck.numerical.extrapolate import smallest
from gradcheck.numerical.ladder import ULPS
from gradcheck.numerical.steps import relative_steps
from gradcheck.problem import Array, Values

VJP = Callable[[list[Array]], Mapping[str, Array]]
ESCAPE = 1e-9
DIRECTIONS, COTANGENTS = 3, 3
WIDTH = math.sqrt(12)
# A short ladder for a direction whose entries move by about their own size times the step.
STEPS = relative_steps(np.array([9, 10, 11]))
# The noise is measured at seven points so far apart; the outer ones are witnesses that f is smooth down to there.
SPACING = 2.0**-26
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
    widths = [(place, WIDTH * _size(point.flat[place])) for place in point.places.values()]
    d = np.empty(point.flat.size)
    outputs = forward(dict(values))
    shapes = [np.shape(output) for output in outputs]
    scalar = len(shapes) == 1 and int(np.prod(shapes[0])) == 1
    probes: list[Probe] = []
    culprit: Culprit | None = None
    evaluations = 1
    for _ in range(1 if scalar else cotangents):
        u = [np.ones(shape) if scalar else rng.choice([-1.0, 1.0], shape) for shape in shapes]
        told = vjp(u)
        claim = np.concatenate([np.asarray(told[name], dtype=np.float64).ravel() for name in wrt])
        weighted = _Weighted(forward, point, u, domains, seed, eps)
        weighted.base = weighted.mixed(outputs)
        for _ in range(directions):
            rng.random(out=d)
            d -= 0.5
            for place, width in widths:
                d[place] *= width
            probe = weighted.probe(claim, d)
            probes.append(probe)
            if probe.wrong and culprit is None:
                culprit = _bisect(weighted, claim, d)
        evaluations += weighted.evaluations
    worst = max(probe.bound for probe in probes)
    rho = 4 * worst / (math.sqrt(6) * escape ** (1 / directions))
    return Projection(tuple(probes), rho, escape, culprit, evaluations)


@dataclass(frozen=True)
class _Point:
    """The values, and those of them that are moved, one after the other in one array."""

    values: Values
    flat: Array
    places: dict[str, slice]

    @classmethod
    def of(cls, values: Values, wrt: tuple[str, ...]) -> _Point:
        """Return the point at which the variables `wrt` are moved."""
        ends = np.cumsum([values[name].size for name in wrt]).tolist()
        places = {name: slice(end - values[name].size, end) for name, end in zip(wrt, ends, strict=True)}
        return cls(values, np.concatenate([np.asarray(values[n], dtype=np.float64).ravel() for n in wrt]), places)

    def split(self, flat: Array) -> dict[str, Array]:
        """Return views of an array like `flat`, one for each variable."""
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
    base: list[Array] = field(default_factory=list)  # uᵀf at the point itself
    noise: float | None = None

    def __post_init__(self) -> None:
        self.scratch = np.empty(self.point.flat.size)

    def __call__(self, values: Values) -> list[Array]:
        self.evaluations += 1
        return self.mixed(self.forward(values))

    def mixed(self, outputs: list[Array]) -> list[Array]:
        """Return uᵀf."""
        return [np.asarray(sum(np.sum(u * f) for u, f in zip(self.cotangents, outputs, strict=True)))]

    def probe(self, claim: Array, direction: Array) -> Probe:
        """Return one projection."""
        measured, bound = self._measure(direction)
        terms = np.multiply(claim, direction, out=self.scratch)
        # What claims lose in their own rounding, and the sum of them here.
        rounding = 16 * self.eps * math.sqrt(terms.size * float(np.dot(terms, terms)))
        return Probe(float(terms.sum()), measured, bound + rounding)

    def _measure(self, direction: Array) -> tuple[float, float]:
        """Return uᵀJd and its bound: a short ladder, and the thorough way where that does not do."""
        tangents = self.point.split(direction)
        low, high = room(self.point.values, tangents, self.domains) if self.domains else (-math.inf, math.inf)
        if low < -STEPS[0] and STEPS[0] < high:
            value, bound = self._short(_Line(self, direction))
            if bound <= ENOUGH * max(abs(value), abs(float(self.base[0]))):
                return value, bound
        ((v, b),) = directional(self, self.point.values, tangents, domains=self.domains, seed=self.seed)
        return float(v), float(b)

    def _short(self, line: _Line) -> tuple[float, float]:
        """Return the derivative at three steps and its bound; the first line has finer witnesses, for all of them."""
        evaluator = Evaluator(line, {"t": np.zeros(1)}, "t")
        f0 = float(evaluator.f0[0])
        f = evaluator(None, np.concatenate([STEPS, -STEPS])[:, None], "steps")[:, 0]
        up, down = f[: len(STEPS)], f[len(STEPS) :]
        near = None
        if self.noise is None:
            near = evaluator(None, SPACING * np.array([[-3.0], [-2.0], [-1.0], [1.0], [2.0], [3.0]]), "noise")[:, 0]
            with np.errstate(all="ignore"):
                self.noise = noises.SAFETY * float(noises.table(np.insert(near, 3, f0)[:, None])[0])
        noise = max(self.noise, ULPS * EPS * max(abs(f0), float(np.abs(f).max())))
        best = smallest(((up - down) / (2 * STEPS))[:, None], STEPS, noise / STEPS[:, None], 2)
        value, bound = float(best.value[0]), float(best.bound[0])
        if near is not None:
            reach = 3 * SPACING
            left = 4 * abs((up[-1] - down[-1]) / (2 * STEPS[-1]) - value) * (reach / STEPS[-1]) ** 2
            seen = abs((near[-1] - near[0]) / (2 * reach) - value) <= bound + left + 2 * noise / reach
            bend = 4 * abs(up[-1] + down[-1] - 2 * f0) * (reach / STEPS[-1]) ** 2
            smooth = abs(near[-1] + near[0] - 2 * f0) <= bend + 4 * noise
            bound = bound if seen and smooth else math.inf
        return value, bound


class _Line:
    """t ↦ f(values + t · direction), in the scratch array; f(values) is asked for once."""

    def __init__(self, weighted: _Weighted, direction: Array) -> None:
        self.weighted, self.direction = weighted, direction
        self.moved = weighted.scratch
        self.values = {**weighted.point.values, **weighted.point.split(self.moved)}

    def __call__(self, at: Values) -> list[Array]:
        t = float(at["t"][0])
        if t == 0:
            return self.weighted.base
        np.multiply(self.direction, t, out=self.moved)
        self.moved += self.weighted.point.flat
        return self.weighted(self.values)


def _bisect(weighted: _Weighted, claim: Array, direction: Array) -> Culprit | None:
    """Halve the entries of a direction that shows a mismatch until one is left that still does."""
    low, high = 0, direction.size
    while high - low > 1:
        middle = (low + high) // 2
        for half in ((low, middle), (middle, high)):
            d = np.zeros(direction.size)
            d[slice(*half)] = direction[slice(*half)]
            if weighted.probe(claim, d).wrong:
                low, high = half
                break
        else:
            return None  # the error is spread so thinly that no half shows it beyond its bound
    unit = np.zeros(direction.size)
    unit[low] = 1
    probe = weighted.probe(claim, unit)
    name = next(name for name, place in weighted.point.places.items() if place.start <= low < place.stop)
    place = np.unravel_index(low - weighted.point.places[name].start, np.shape(weighted.point.values[name]))
    return Culprit(name, tuple(int(k) for k in place), probe.claimed, probe.measured, probe.bound)


def _size(x: Array) -> float:
    """Return the root mean square of a vector, or 1 where that is 0."""
    return math.sqrt(float(np.dot(x, x)) / x.size) or 1.0 if x.size else 1.0
