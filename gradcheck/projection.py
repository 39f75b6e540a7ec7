"""What is past the budget is compared along random directions, instead of entry by entry.

A claimed row v = g·J is compared with the measured derivative of g·f along t: an error E of the Jacobian shows as
g·E·t. The entries of t are Gaussian, times the scale s = max(|x|, 1) of the input; so are those of g, unless there is
one output. With one output g·E·t is Gaussian with the standard deviation ρ = ‖s ∘ E‖; it stays within the tolerance τ
in all of n directions with a probability of at most (√(2/π) τ/ρ)ⁿ. With several outputs the worst case is an E of
rank one, where g·E·t is ρ times a product of two Gaussians, |z₁z₂| ≤ u = τ/ρ with a probability of at most
(2/π) u (1.12 + ln(1 + 1/u)). The ρ at which that is 1e-9 is printed: an error with a norm above it escapes with a
probability below 1e-9. That assumes that the error does not depend on the random numbers, and that τ bounds what
is measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gradcheck import numerical
from gradcheck.compare import RESOLVED, Comparison
from gradcheck.cotangents import Cotangents
from gradcheck.problem import Array, Problem
from gradcheck.results import AtPoint, Entry, Verdict
from gradcheck.sampling import Point

DIRECTIONS = 8
ESCAPES = 1e-9


def cotangents(outputs: int, rng: np.random.Generator) -> Cotangents:
    """One Gaussian cotangent for each direction; one for all of them where there is one output."""
    rows = np.ones((1, 1)) if outputs == 1 else rng.normal(size=(DIRECTIONS, outputs))
    return Cotangents(rows, len(rows))


def detectable(tolerance: float, outputs: int, directions: int = DIRECTIONS) -> float:
    """The norm ρ above which an error escapes with a probability below 1e-9.

    >>> detectable(1e-10, 1) < 2e-9
    True
    """
    each = math.exp(math.log(ESCAPES) / directions)
    if outputs == 1:
        return tolerance * math.sqrt(2 / math.pi) / each
    low, high = 0.0, 1.0
    for _ in range(60):
        u = (low + high) / 2
        within = 2 / math.pi * u * (1.12 + math.log1p(1 / u))
        low, high = (u, high) if within < each else (low, u)
    return tolerance / low


@dataclass(frozen=True)
class _Measured:
    """Claimed and measured derivative along one direction, and what the difference may be."""

    claim: float
    value: float
    tolerance: float

    @property
    def ratio(self) -> float:
        error = abs(self.claim - self.value)
        return error / self.tolerance if self.tolerance > 0 else math.inf if error > 0 else 0.0


class _Ruler:
    """Measures the derivative of g·f by one variable along directions."""

    def __init__(self, problem: Problem, point: Point, name: str, dtype: str, seed: int) -> None:
        self.problem, self.point, self.name, self.seed = problem, point, name, seed
        self.eps = float(np.finfo(dtype).eps)
        self.shape = np.shape(point.values[name])
        self.domain = None if point.boundary else problem.variable(name).domain

    def along(self, direction: Array, cotangent: Array, claim: Array) -> _Measured:
        """Compare `claim · direction` with the derivative of `cotangent · f` along the direction."""
        found = numerical.directional(
            self.problem.forward,
            self.point.values,
            {self.name: direction.reshape(self.shape)},
            domains={self.name: self.domain},
            seed=self.seed,
        )
        value = np.concatenate([np.ravel(v) for v, _ in found])
        bound = np.concatenate([np.ravel(b) for _, b in found])
        terms = claim * direction
        # The claim's own roundings are independent from entry to entry: they add as squares.
        rounding = 4 * self.eps * (float(np.linalg.norm(terms)) + float(np.abs(cotangent) @ np.abs(value)))
        tolerance = float(np.abs(cotangent) @ bound) + rounding
        return _Measured(float(terms.sum()), float(cotangent @ value), tolerance)


def project(
    problem: Problem, point: Point, name: str, claim: Array, asked: Cotangents, dtype: str, seed: int
) -> Comparison:
    """Hold claimed rows, the answers to `cotangents`, against derivatives along random directions."""
    ruler = _Ruler(problem, point, name, dtype, seed)
    x = np.asarray(point.values[name], dtype=float).ravel()
    scale = np.maximum(np.abs(x), 1.0)
    rng = np.random.default_rng([seed, 8])
    measured: list[_Measured] = []
    worst: Entry | None = None
    for number in range(DIRECTIONS):
        row = min(number, len(claim) - 1)
        direction = rng.normal(size=x.size) * scale
        one = ruler.along(direction, asked.rows[row], claim[row])
        measured.append(one)
        if not one.ratio <= 1 and math.isfinite(one.tolerance) and worst is None:
            worst = _bisect(ruler, direction, asked.rows[row], claim[row])
    tolerance = max(one.tolerance for one in measured)
    size = max(abs(one.value) for one in measured)
    wrong = sum(not one.ratio <= 1 for one in measured if math.isfinite(one.tolerance))
    limit = RESOLVED.get(dtype, RESOLVED["float64"])
    known = math.isfinite(tolerance) and (tolerance <= limit * size or size == 0)
    verdict: Verdict = "wrong" if wrong else "correct" if known else "skipped" if point.special else "unresolved"
    outputs = asked.rows.shape[1]
    smallest = detectable(tolerance, outputs)
    norm = "‖max(|x|, 1) ∘ error‖"
    at = AtPoint(
        point=point.label,
        dtype=dtype,
        verdict=verdict,
        entries=outputs * x.size,
        error=max(abs(one.claim - one.value) for one in measured),
        tolerance=tolerance,
        truncation=math.nan,
        rounding=math.nan,
        claim_rounding=math.nan,
        ratio=max(one.ratio for one in measured),
        resolution=smallest,
        scale=size,
        message=f"compared along {DIRECTIONS} random directions: an error with {norm} above {smallest:.2g} "
        f"escapes with a probability below {ESCAPES:g}",
    )
    return Comparison(at, worst, (), np.zeros((0, 0)), wrong)


def _bisect(ruler: _Ruler, direction: Array, cotangent: Array, claim: Array) -> Entry:
    """Halve the direction, keeping the half that is further off, down to one entry."""
    left, right = 0, direction.size
    while right - left > 1:
        middle = (left + right) // 2
        halves = []
        for start, stop in ((left, middle), (middle, right)):
            part = np.zeros_like(direction)
            part[start:stop] = direction[start:stop]
            halves.append((ruler.along(part, cotangent, claim).ratio, start, stop))
        _, left, right = max(halves)
    alone = np.zeros_like(direction)
    alone[left] = 1.0
    one = ruler.along(alone, cotangent, claim)
    return Entry(
        output=(),
        index=tuple(int(i) for i in np.unravel_index(left, ruler.shape)),
        claim=one.claim,
        estimate=one.value,
        bound=one.tolerance,
        tolerance=one.tolerance,
    )
