"""One point of one problem: what forward returns there, the estimates, and how one claim compares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np

from gradcheck import numerical
from gradcheck.asking import cotangents
from gradcheck.asking.claims import Answer, ask
from gradcheck.asking.cotangents import Cotangents
from gradcheck.comparing.compare import Comparison, compare
from gradcheck.comparing.expected import USUAL, Loss, expected, largest
from gradcheck.comparing.projected import compare_projected
from gradcheck.errors import told
from gradcheck.numerical.estimate import Estimate, largest_known
from gradcheck.problem import Array, Method, Values
from gradcheck.results import Curve, Entry
from gradcheck.sampling import Point

# Outputs that differ by more than this share of the largest one may come from different branches.
BRANCH = 1e-3

# At a special point nothing is asked of a short type in which forward is off by so many of its eps.
IMPRECISE = 64

# A claim may lose so many times what forward loses.
LOST = 8.0

# The gradient of a scalar function is taken entry by entry up to so many of them.
SCALAR = 5000


@dataclass
class Ledger:
    """What is known over all points of a subject.

    `calls` and `rows` of forward by stage; `structures` found; of ordinary points the `sizes` of the derivatives (the
    largest, by variable) and the `reach` of the values.
    """

    calls: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    structures: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)
    reach: float = 0.0


class Visit:
    """A point with everything that is computed at most once there.

    `random`: two calls of forward on the same values differ, so that no difference of values means anything.
    Raises whatever `forward` raises at the point.
    """

    def __init__(
        self,
        point: Point,
        ledger: Ledger,
        *,
        seed: int = 0,
        executor: Executor | None = None,
        budget: int = 10_000_000,
    ) -> None:
        self.point = point
        self.problem = point.problem
        self.ledger = ledger
        self.seed = seed
        self.executor = executor
        self.budget = budget
        self.outputs = [np.asarray(output, dtype=float) for output in self.problem.forward(point.values)]
        again = [np.asarray(output, dtype=float) for output in self.problem.forward(point.values)]
        self.random = not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(self.outputs, again, strict=True))
        self.shapes = [output.shape for output in self.outputs]
        self.flat = np.concatenate([output.ravel() for output in self.outputs])
        self._estimates: dict[str, Estimate] = {}
        self._own: dict[tuple[str, str], Estimate | None] = {}
        self._off: dict[str, bool] = {}
        self._lost: dict[str, float] = {}
        self._precision: dict[str, str] = {}
        self._projected: dict[str, bool] = {}

    def estimate(self, name: str) -> Estimate:
        """The Jacobian of all outputs by the variable `name`, with its bounds; made in float64, when first wanted."""
        if name not in self._estimates:
            domain = None if self.point.boundary else self.problem.variable(name).domain
            made = numerical.estimate(
                self.problem.forward,
                self.point.values,
                name,
                domain=domain,
                seed=self.seed,
                executor=self.executor,
                most=self.budget,
            )
            self._estimates[name] = made
            self.ledger.calls.update(made.cost.calls)
            self.ledger.rows.update(made.cost.rows)
            self.ledger.structures.setdefault(name, made.structure)
            if not self.point.special:
                size = largest_known(made.value, made.bound)
                self.ledger.sizes[name] = max(self.ledger.sizes.get(name, 0.0), size)
                self.ledger.reach = max(self.ledger.reach, self._reach())
        return self._estimates[name]

    def is_large(self, name: str) -> bool:
        """Whether the whole Jacobian by `name` is past the budget.

        A scalar function has no structure: its gradient costs an evaluation of the whole function for every entry.
        """
        size = np.size(self.point.values[name])
        return self.flat.size * size > self.budget or (self.flat.size == 1 and size > SCALAR)

    def is_projected(self, name: str) -> bool:
        """Whether random directions are compared instead: a large Jacobian without a structure that makes it small."""
        if not self.is_large(name):
            return False
        if name not in self._projected:
            self._projected[name] = self.flat.size == 1 or not self._has_structure(name)
        return self._projected[name]

    def _has_structure(self, name: str) -> bool:
        try:
            self.estimate(name)
        except numerical.TooLarge:
            return False
        return True

    def given(self, dtype: str) -> Values:
        """The values as the claims get them: in `dtype`, and the inputs in the point's memory layout."""
        types = self.point.types
        cast = {name: _cast(value, types.get(name, dtype)) for name, value in self.point.values.items()}
        inputs = {v.name for v in self.problem.variables if v.role == "input"}
        return {name: self.point.arrange(value) if name in inputs else value for name, value in cast.items()}

    def precision(self, dtype: str) -> str:
        """The coarsest type that a claim meets here: of the variables, and that in which whole numbers are answered.

        A layer may compute on integers in float32, as PyTorch does: no claim can be held to more than that.
        """
        if dtype not in self._precision:
            given, own = self.given(dtype), self.point.precision(dtype)
            types = {own}
            if any(given[name].dtype.kind in "iu" and self.point.values[name].dtype.kind == "f" for name in given):
                answered = (np.asarray(output).dtype for output in self.problem.forward(given))
                types |= {found.name for found in answered if found.kind == "f"}
            self._precision[dtype] = min(types, key=lambda name: np.finfo(name).precision)
        return self._precision[dtype]

    def refusal(self, dtype: str) -> str:
        """Why nothing can be claimed in `dtype` here: forward raises or overflows on the values as given. Else ""."""
        try:
            outputs = self.problem.forward(self.given(dtype))
        except Exception as error:  # a layer may refuse integers, say
            return f"forward raised {told(error)}"
        flat = np.concatenate([np.asarray(output, dtype=float).ravel() for output in outputs])
        if not np.isfinite(flat).all():
            return f"forward is not finite in {dtype} here, so that it has no derivative"
        off = float(np.abs(flat - self.flat).max(initial=0.0))
        largest = np.abs(self.flat).max(initial=0.0)
        self._off[dtype] = bool(off > BRANCH * largest)
        self._lost[dtype] = off / largest if largest else 0.0
        if self.point.special and off > min(BRANCH, IMPRECISE * float(np.finfo(self.precision(dtype)).eps)) * largest:
            return f"forward in {dtype} is not what it is in float64 here"
        return ""

    def branches(self, name: str, dtype: str) -> Estimate | None:
        """The estimate in the claim's own dtype, where forward takes another branch in it than in float64.

        That is so where the outputs differ, and the derivatives do beyond the bounds of both estimates.
        """
        if not self._off.get(dtype) or self.is_large(name):
            return None
        if (name, dtype) not in self._own:
            values = {key: _cast(value, dtype) for key, value in self.point.values.items()}
            own = numerical.estimate(self.problem.forward, values, name, seed=self.seed, executor=self.executor)
            exact = self.estimate(name)
            apart = np.abs(own.dense() - exact.dense()) > own.dense("bound") + exact.dense("bound")
            self._own[name, dtype] = own if apart.any() else None
        return self._own[name, dtype]

    def cotangents(self, method: Method) -> dict[str, Cotangents]:
        """The cotangents with which `method` is asked, for each of its variables."""
        chosen = {}
        for name in method.wrt:
            rng = np.random.default_rng([self.seed, 6])
            ungrouped = self.problem.variable(name).constant or self.is_projected(name)
            estimate = None if ungrouped else self.estimate(name)
            chosen[name] = cotangents.choose(self.flat.size, estimate, method.kind, rng)
        return chosen

    def ask(self, method: Method, dtype: str, asked: Mapping[str, Cotangents]) -> dict[str, Answer]:
        """What `method` says about each of its variables."""
        rows = {name: one.rows for name, one in asked.items()}
        return ask(self.problem, method, self.given(dtype), self.shapes, rows, dtype)

    def ask_entries(self, method: Method, name: str, dtype: str) -> tuple[Answer, Cotangents]:
        """What `method` says about one variable entry by entry, and the cotangents that make it so."""
        every = cotangents.basis(self.flat.size, method.kind)
        return self.ask(method, dtype, dict.fromkeys(method.wrt, every))[name], every

    def expected(self, name: str, asked: Cotangents, dtype: str) -> tuple[Array, Array]:
        """What a right claim about `name` is for the cotangents `asked`, and its tolerance: `(rows, variable size)`."""
        estimate, values = self.branches(name, dtype) or self.estimate(name), self._variable(name)
        value, tolerance = np.empty((2, len(asked.rows), values.size))
        precision = self.precision(dtype)
        loss = self._loss(name, precision)
        for some in expected(estimate, asked, largest(estimate), self.flat, values, precision, loss=loss):
            value[some.row, some.position], tolerance[some.row, some.position] = some.value, some.tolerance
        return value, tolerance

    def compare(self, name: str, claim: Array, asked: Cotangents, dtype: str) -> Comparison:
        """Hold a claim, the answer to the cotangents `asked`, against the estimate.

        In float64 first: what is right there is right. Else in the claim's own dtype, if forward has other branches
        in it.
        """
        precision, label = self.precision(dtype), self.point.label
        found = self._hold(claim, asked, self.estimate(name), name, precision, label)
        own = None if found.at.verdict == "correct" else self.branches(name, dtype)
        if own is None:
            return found
        return self._hold(claim, asked, own, name, precision, f"{label}, dtype-dependent")

    def _hold(
        self, claim: Array, asked: Cotangents, estimate: Estimate, name: str, precision: str, label: str
    ) -> Comparison:
        """Compare; what is wrong in a short type is given what that type may lose, and float64 tells the rest."""
        short = precision != "float64"
        common = (
            claim,
            asked,
            estimate,
            self.flat,
            self._variable(name),
            label,
            precision,
            self.point.special or short,
        )
        found = compare(*common)
        if short and found.at.verdict == "wrong":
            found = compare(*common, self._loss(name, precision))
        return found

    def project(self, method: Method, name: str, dtype: str) -> Comparison:
        """Hold a claim past the budget against derivatives along random directions."""

        def vjp(cotangents: list[Array]) -> Array:
            row = np.concatenate([g.ravel() for g in cotangents])[None, :]
            answer = self.ask(method, dtype, dict.fromkeys(method.wrt, Cotangents(row, 1)))[name]
            found = np.full((1, np.size(self.point.values[name])), np.nan) if answer.rows is None else answer.rows
            return found.reshape(np.shape(self.point.values[name]))

        return compare_projected(self.problem, self.point, name, vjp, self.precision(dtype), self.seed)

    def is_wrong(self, method: Method, name: str, dtype: str) -> bool:
        """Whether `method` is wrong about `name` here, entry by entry."""
        answer, asked = self.ask_entries(method, name, dtype)
        if answer.rows is None:
            return answer.status in ("raised", "unreadable")
        return self.compare(name, answer.rows, asked, dtype).at.verdict == "wrong"

    def curve(self, name: str, entry: Entry | None) -> Curve | None:
        """Error against step size for one entry, for the picture."""
        estimate = self.estimate(name)
        if entry is None or len(entry.output) != len(self.shapes[0]) + (len(self.shapes) > 1):
            return None
        index = int(np.ravel_multi_index(entry.index, estimate.variable_shape)) if entry.index else 0
        output = _flat(entry.output, self.shapes)
        steps, quotients, chosen, noise = numerical.curve(
            self.problem.forward, self.point.values, name, index, output, domain=self.problem.variable(name).domain
        )
        colours = np.flatnonzero(estimate.column[:, output] == index)
        value = float(estimate.value[colours[0], output]) if colours.size else 0.0
        return Curve(
            entry=f"∂output{list(entry.output)}/∂{name}{list(entry.index)}",
            steps=tuple(_short(step) for step in steps),
            errors=tuple(_short(abs(quotient - value)) for quotient in quotients),
            chosen=_short(chosen),
            noise=_short(noise),
        )

    def _loss(self, name: str, precision: str) -> Loss:
        """What a claim may lose: in a short type more than usual."""
        if precision == "float64":
            return USUAL
        farther = max(1.0, self._reach() / self.ledger.reach) if self.ledger.reach else 1.0
        times = LOST * self._lost.get(precision, 0.0) / float(np.finfo(precision).eps)
        return Loss(self.ledger.sizes.get(name, 0.0) * farther, times)

    def _reach(self) -> float:
        """The largest number among the values."""
        return max((float(np.abs(v).max(initial=0.0)) for v in self.point.values.values()), default=0.0)

    def _variable(self, name: str) -> Array:
        return np.asarray(self.point.values[name], dtype=float).ravel()


def _cast(value: Array, dtype: str) -> Array:
    return value.astype(dtype) if value.dtype.kind == "f" else value


def _short(number: float) -> float:
    """Three significant digits: what a picture shows, and the same on every machine."""
    return float(f"{number:.3g}")


def _flat(place: tuple[int, ...], shapes: Sequence[tuple[int, ...]]) -> int:
    """Turn an entry's place in its output (led by the output's number, if several) into one over all outputs."""
    number, inner = (place[0], place[1:]) if len(shapes) > 1 else (0, place)
    before = sum(int(np.prod(shape)) for shape in shapes[:number])
    return before + (int(np.ravel_multi_index(inner, shapes[number])) if inner else 0)
