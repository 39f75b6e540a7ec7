"""Whether a claim is the derivative of forward at a point: u · (J v) from forward against (u J) · v from the claim.

Where both are enclosed, they overlap to 60 bits, or one formula is not the other. The random u and v make any entry
count; their entries are odd multiples of 2⁻¹⁶, so that nothing cancels by luck.

What follows from it: between decisions, forward and claim are analytic, and two analytic functions that agree at a
random point of a piece agree on all of it, but for a choice of points of measure zero. So "identical" here means right
for every input that takes the same branches, as far as points drawn from a finite grid, and balls of so many bits, can
say.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from flint import arb

from gradcheck.exact import session
from gradcheck.exact.arrays.array import Array
from gradcheck.exact.claims import Claim, ask
from gradcheck.exact.comparison import Comparison, at_kink, compare, row_scale
from gradcheck.exact.errors import NotExact
from gradcheck.exact.evaluate import OneSided, Values, each_along, jacobian, one_sided
from gradcheck.problem import Method, Problem

# At a kink, the Jacobian is made entry by entry up to this many.
KINKS = 256


@dataclass(frozen=True)
class Formula:
    """What was found about one claim by one variable at one point.

    `comparison`: of the claim's product with the derivative's (on the side that is nearer, at a kink); None where it
    could not be made, with the reason in `left`: "claim" or "forward" left exact arithmetic (`why` says where), forward
    has a "jump" here, or a "kink" in too many entries. `at_kink`: the two one-sided derivatives differ; entries are
    then compared one by one. `piece`: of forward's decisions. `cotangent` (over all outputs) and `direction`: u and v;
    `scale`: what the difference is a share of.
    """

    wrt: str
    comparison: Comparison | None
    left: str = ""
    why: NotExact | None = None
    at_kink: bool = False
    piece: int = 0
    forward: OneSided | None = None
    claim: Claim | None = None
    cotangent: Array = field(default_factory=lambda: np.zeros(0))
    direction: Array = field(default_factory=lambda: np.zeros(0))
    scale: float = 0.0


def random_direction(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Odd multiples of 2⁻¹⁶ from ½ to 1, of either sign."""
    odd = 2 * rng.integers(2**14, 2**15, size=shape) + 1
    return np.asarray(odd * rng.choice([-1.0, 1.0], size=shape) / 2.0**16)


class ExactPoint:
    """A point of a problem with what is run exactly there, each at most once: forward along a direction per variable.

    `options` as for `evaluate.along`.
    """

    def __init__(self, problem: Problem, values: Values, rng: np.random.Generator, **options: Any) -> None:
        self.problem = problem
        self.values = values
        self.options = options
        self.directions = {v.name: random_direction(rng, np.shape(values[v.name])) for v in problem.variables}
        self._sides: dict[str, OneSided | NotExact] = {}
        self._together: dict[str, OneSided] | None = None
        self._jacobians: dict[str, tuple[Array, Array]] = {}
        self._cotangents: Array | None = None
        self._rng = rng

    def forward(self, name: str) -> OneSided:
        """Forward along the direction of one variable (raises NotExact)."""
        if self._together is None:
            self._together = self._in_one_run()
        if name not in self._sides:
            try:
                direction = {name: self.directions[name]}
                self._sides[name] = self._together.get(name) or one_sided(
                    self.problem.forward, self.values, direction, **self.options
                )
            except NotExact as error:
                self._sides[name] = error
        side = self._sides[name]
        if isinstance(side, NotExact):
            raise side
        return side

    def _in_one_run(self) -> dict[str, OneSided]:
        """Forward along the direction of every variable that a method is about, where one run tells them all."""
        about = dict.fromkeys(name for method in self.problem.methods for name in method.wrt)
        names = [name for name in about if np.asarray(self.values[name]).dtype.kind == "f"]
        if len(names) < 2:
            return {}
        directions = {name: self.directions[name] for name in names}
        try:
            return each_along(self.problem.forward, self.values, directions, **self.options)
        except NotExact:  # said of each
            return {}

    def sides(self, name: str) -> tuple[Array, Array]:
        """Both one-sided Jacobians by one variable, right and left (raises NotExact)."""
        if name not in self._jacobians:
            right, left = (
                jacobian(self.problem.forward, self.values, name, side=side, **self.options) for side in (1, -1)
            )
            self._jacobians[name] = right, left
        return self._jacobians[name]

    def cotangents(self, method: Method, outputs: int) -> Array:
        """One random row over all outputs; 1 for a scalar, as losses are asked; ones for a method of kind "sum"."""
        if method.kind == "sum" or outputs == 1:
            return np.ones((1, outputs))
        if self._cotangents is None:
            self._cotangents = random_direction(self._rng, (1, outputs))
        return self._cotangents

    def compare(self, method: Method) -> dict[str, Formula]:
        """Compare what `method` claims with the derivative, by each of its variables.

        Of a variable of which the method says nothing, nothing is said here either; of constant data, 0 is nothing.
        """
        names = [name for name in method.wrt if np.asarray(self.values[name]).dtype.kind == "f"]
        found: dict[str, Formula] = {}
        sides: dict[str, OneSided] = {}
        for name in names:
            try:
                sides[name] = self.forward(name)
            except NotExact as error:
                found[name] = Formula(name, None, "forward", error)
        if not sides:
            return found
        outputs = next(iter(sides.values())).value
        u = self.cotangents(method, sum(part.size for part in outputs))
        try:
            said = ask(self.problem, method, self.values, [part.shape for part in outputs], u, **self.options)
        except NotImplementedError:
            return found
        except NotExact as error:
            return found | {name: Formula(name, None, "claim", error, forward=side) for name, side in sides.items()}
        for name, side in sides.items():
            if name in said.unreadable:
                why = NotExact(said.unreadable[name])
                found[name] = Formula(name, None, "claim", why, forward=side, claim=said)
            elif name in said.rows and not (self.problem.variable(name).constant and _is_zero(said.rows[name])):
                try:
                    found[name] = _compared(self, name, said, side, u[0])
                except NotExact as error:
                    found[name] = Formula(name, None, "forward", error, forward=side, claim=said)
        return found


def _compared(point: ExactPoint, name: str, said: Claim, side: OneSided, u: Array) -> Formula:
    row, x = said.rows[name][0], np.asarray(point.values[name], dtype=float)
    v = point.directions[name]
    found = Formula(name, None, piece=side.trace.piece, forward=side, claim=said, cotangent=u, direction=v)
    if any(mask.any() for mask in side.jumps):
        return replace(found, left="jump")
    f = _dot(_flat(side.value), u)
    if any(mask.any() for mask in side.kinks):
        if x.size > KINKS:
            return replace(found, left="kink", at_kink=True)
        low, high = _sides(point, name, u)
        scale = row_scale(np.array([*row, *low, *high], dtype=object), f, x)
        return replace(found, comparison=at_kink(row, low, high, scale), at_kink=True, scale=float(scale))
    derivative = _dot(_flat(side.right), u)
    claimed = _dot(row, v.ravel())
    scale = row_scale(np.array([*row, derivative], dtype=object), f, x)
    return replace(found, comparison=compare(_array(claimed), _array(derivative), scale), scale=float(scale))


def _sides(point: ExactPoint, name: str, u: Array) -> tuple[Array, Array]:
    """Σ u of the smaller and of the larger one-sided derivatives by each entry, with 0 between them at a kink."""
    right, left = point.sides(name)
    low, high = np.empty((2, right.shape[1]), dtype=object)
    with session.precisely():
        for column in range(right.shape[1]):
            entries = zip(right[:, column], left[:, column], u, strict=True)
            ends = [_ends(ahead, behind, factor) for ahead, behind, factor in entries]
            low[column], high[column] = (sum(parts, arb(0)) for parts in zip(*ends, strict=True))
    return low, high


def _ends(right: Any, left: Any, factor: float) -> tuple[Any, Any]:
    a, b = right * float(factor), left * float(factor)
    if a.overlaps(b):
        return a, a
    return min(a, b, arb(0), key=float), max(a, b, arb(0), key=float)


def _is_zero(balls: Array) -> bool:
    return all(ball == 0 for ball in balls.flat)


def _flat(parts: list[Array]) -> Array:
    return np.concatenate([part.ravel() for part in parts])


def _dot(numbers: Any, floats: Any) -> Any:
    total = arb(0)
    with session.precisely():
        for ball, factor in zip(numbers, floats, strict=True):
            total += ball * float(factor)
    return total


def _array(ball: Any) -> Array:
    made = np.empty(1, dtype=object)
    made[0] = ball
    return made
