"""Checking what is too large for a full Jacobian: random projections, their power, and the way to a wrong entry.

The claim is a linear map: all vector-Jacobian products u ↦ Jᵀu. For a random direction d and a cotangent u, uᵀJd is
measured by a
directional derivative with a bound β, and claimed as ⟨Jᵀu, d⟩. With d Gaussian of covariance diag(s²), an error
matrix E = claim − truth
makes the difference g = uᵀE d normal with standard deviation σ = ‖s ∘ Eᵀu‖, so that

    P(|g| ≤ 2β) ≤ (2β + 2β) / (σ √(2π)) = 4β / (σ √(2π)),

whatever E is (the density of g is at most 1/(σ √(2π))). k independent directions all miss it with at most the k-th
power. Solving
for σ gives ρ = 4 max β / (√(2π) p^(1/k)): an error with ‖s ∘ Eᵀu‖ above ρ escapes with probability below p.
The assumption: the measured derivatives are within β. For a scalar function u = 1, and the norm is that of the
gradient's error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.numerical.directional import Domains, directional, room
from gradcheck.numerical.evaluate import Evaluator, Forward
from gradcheck.numerical.judge import quick
from gradcheck.numerical.ladder import Ladder
from gradcheck.numerical.structure import dense
from gradcheck.problem import Array, Values

VJP = Callable[[list[Array]], Mapping[str, Array]]
ESCAPE = 1e-9
DIRECTIONS, COTANGENTS = 3, 3
# A short ladder for a direction whose entries move by about their own size times the step; the last step is a witness.
STEPS, WITNESS = np.array([9, 10, 11]), np.array([16])
SPACINGS = np.array([26])
ENOUGH = 1e-8


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
    eps: float = float(np.finfo(np.float64).eps),
) -> Projection:
    """Hold claimed vector-Jacobian products against directional derivatives.

    `vjp(cotangents)` takes one cotangent per output and returns the claimed gradient of each variable in `wrt`.
    Directions are
    Gaussian, scaled per variable by its root mean square (1 where it is zero); cotangents are signs (1 for one
    scalar output).
    `eps` is that of the claims' dtype. On a mismatch the directions are halved until a single entry is left.
    """
    rng = np.random.default_rng(seed)
    scale = {name: _size(values[name]) for name in wrt}
    shapes = [np.shape(output) for output in forward(dict(values))]
    scalar = len(shapes) == 1 and int(np.prod(shapes[0])) == 1
    probes: list[Probe] = []
    culprit: Culprit | None = None
    evaluations = 0
    for _ in range(1 if scalar else cotangents):
        u = [np.ones(shape) if scalar else rng.choice([-1.0, 1.0], shape) for shape in shapes]
        claim: dict[str, Array] = {name: np.asarray(g, dtype=np.float64) for name, g in vjp(u).items()}
        weighted = _Weighted(forward, values, u, domains, seed, eps)
        for _ in range(directions):
            d: dict[str, Array] = {n: np.asarray(rng.normal(size=values[n].shape)) * scale[n] for n in wrt}
            probe = weighted.probe(claim, d)
            probes.append(probe)
            if probe.wrong and culprit is None:
                culprit = _bisect(weighted, claim, d, rng)
        evaluations += weighted.evaluations
    worst = max(probe.bound for probe in probes)
    rho = 4 * worst / (math.sqrt(2 * math.pi) * escape ** (1 / directions))
    return Projection(tuple(probes), rho, escape, culprit, evaluations)


@dataclass
class _Weighted:
    """The scalar function uᵀf, and its derivatives along directions."""

    forward: Forward
    values: Values
    cotangents: list[Array]
    domains: Domains | None
    seed: int
    eps: float
    evaluations: int = 0
    noise: Array | None = None
    _base: list[Array] | None = None

    def base(self) -> list[Array]:
        """Return f at the point itself."""
        if self._base is None:
            self._base = self(self.values)
        return self._base

    def __call__(self, values: Values) -> list[Array]:
        self.evaluations += 1
        outputs = self.forward(values)
        return [np.asarray(sum(np.sum(u * f) for u, f in zip(self.cotangents, outputs, strict=True)))]

    def probe(self, claim: Mapping[str, Array], direction: Values) -> Probe:
        """Return one projection."""
        measured, bound = self._measure(direction)
        terms = np.concatenate([(claim[name] * d).ravel() for name, d in direction.items()])
        # What claims lose in their own rounding, and the sum of them here.
        size = float(np.linalg.norm(terms) + np.abs(terms).max())
        rounding = 8 * self.eps * math.sqrt(terms.size) * size
        return Probe(float(terms.sum()), measured, bound + rounding)

    def _measure(self, direction: Values) -> tuple[float, float]:
        """Return uᵀJd and its bound: a short ladder, and the thorough way where that does not do."""
        along = _Line(self, direction)
        evaluator = Evaluator(along, {"t": np.zeros(1)}, "t")
        ladder = Ladder.of(evaluator, room(self.values, direction, self.domains or {}))
        # The first direction has a finer witness; the others share its word that f is smooth there.
        exponents = STEPS
        if self.noise is None:
            exponents = np.concatenate([STEPS, WITNESS])
            ladder.listen(evaluator, np.random.default_rng(self.seed), SPACINGS)
            self.noise = ladder.noise
        ladder.noise = self.noise
        found = quick(ladder.quotients(evaluator, dense(1, 1), exponents, "steps"), len(STEPS))
        value, bound = float(found.value[0]), float(found.bound[0])
        if not bound <= ENOUGH * max(abs(value), abs(float(evaluator.f0[0]))):
            ((v, b),) = directional(self, self.values, direction, domains=self.domains, seed=self.seed)
            value, bound = float(v), float(b)
        return value, bound


class _Line:
    """t ↦ f(values + t · direction), into buffers of its own; f(values) is asked for once."""

    def __init__(self, weighted: _Weighted, direction: Values) -> None:
        self.weighted, self.direction = weighted, direction
        self.moved = {name: np.empty(d.shape) for name, d in direction.items()}

    def __call__(self, at: Values) -> list[Array]:
        t = float(at["t"][0])
        if t == 0:
            return self.weighted.base()
        for name, d in self.direction.items():
            np.multiply(d, t, out=self.moved[name])
            self.moved[name] += self.weighted.values[name]
        return self.weighted({**self.weighted.values, **self.moved})


def _bisect(
    weighted: _Weighted, claim: Mapping[str, Array], direction: Values, rng: np.random.Generator
) -> Culprit | None:
    """Halve the entries of a direction that shows a mismatch until one is left that still does."""
    places = [(name, i) for name, d in direction.items() for i in range(d.size)]
    while len(places) > 1:
        middle = len(places) // 2
        for half in (places[:middle], places[middle:]):
            d = {name: np.zeros(direction[name].size) for name in direction}
            for name, i in half:
                d[name][i] = direction[name].reshape(-1)[i]
            used = {name: d[name].reshape(direction[name].shape) for name in {name for name, _ in half}}
            if weighted.probe(claim, used).wrong:
                places = half
                break
        else:
            return None  # the error is spread so thinly that no half shows it beyond its bound
    name, i = places[0]
    unit = np.zeros(direction[name].size)
    unit[i] = 1
    probe = weighted.probe(claim, {name: unit.reshape(direction[name].shape)})
    index = tuple(int(k) for k in np.unravel_index(i, direction[name].shape))
    return Culprit(name, index, probe.claimed, probe.measured, probe.bound)


def _size(x: Array) -> float:
    size = float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) if x.size else 0.0
    return size or 1.0
