"""A point of one problem, evaluated: what forward returns there, and the estimates of its derivatives."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from gradcheck import callbacks, numerical
from gradcheck.asking import cotangents
from gradcheck.asking.claims import Answer, ask
from gradcheck.asking.cotangents import Cotangents
from gradcheck.in_dtype import InDtype, in_dtype, in_own_types
from gradcheck.numerical.directional import Domains, sides
from gradcheck.numerical.estimate import Estimate, largest_known
from gradcheck.problem import Array, Method, Problem, Values
from gradcheck.results import Curve, Entry, Taylor
from gradcheck.sampling import Point
from gradcheck.sampling.arrange import as_it_is
from gradcheck.taylor import taylor

# The gradient of a scalar function is taken entry by entry up to this many of them.
SCALAR = 5000

# So many points next to a tie are looked at, this far away (of the largest entry). The most numbers that are kept.
NEAR, AWAY, KEPT = 32, 2.0**-20, 1 << 22


@dataclass
class Ledger:
    """What is known over all points of a subject.

    `calls` and `rows` of forward by stage; `structures` found; of ordinary points the `sizes` of the derivatives (the
    largest, by variable) and the `reach` of the values. `columns`: of each problem, by its id, which entries of a
    variable move which outputs, as was found at its first point.
    """

    calls: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    structures: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)
    reach: float = 0.0
    columns: dict[tuple[int, str], tuple[Problem, Array]] = field(default_factory=dict)


class Evaluated:
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
        self._dtypes: dict[str, InDtype] = {}
        self._estimates: dict[str, Estimate] = {}
        self._own: dict[tuple[str, str], Estimate | None] = {}
        self._projected: dict[str, bool] = {}
        self._beside: dict[str, list[Array]] = {}
        self._ends: dict[tuple[tuple[str, ...], int], tuple[Values, tuple[Array, Array, Array]]] = {}

    def at(self, point: Point) -> Evaluated | None:
        """The same at a point that hands the same values over otherwise, with all that was estimated; else None."""
        old = self.point
        same = point.problem is old.problem and point.boundary == old.boundary and point.special >= old.special
        if not same or any(not np.array_equal(point.values[name], old.values[name]) for name in old.values):
            return None
        other = copy.copy(self)
        other.point, other._dtypes, other._own = point, {}, {}
        return other

    def again(self) -> Evaluated:
        """The point evaluated anew, for code that remembers calls, with all that was estimated there."""
        other = Evaluated(self.point, Ledger(), seed=self.seed, executor=self.executor, budget=self.budget)
        other._estimates.update(self._estimates)
        return other

    def in_dtype(self, dtype: str) -> InDtype:
        """What is known of the point in `dtype`."""
        if dtype not in self._dtypes:
            self._dtypes[dtype] = in_dtype(self.point, dtype, self.flat)
        return self._dtypes[dtype]

    def in_floats(self, dtype: str) -> InDtype:
        """The same where the point has whole numbers, with these as floating-point numbers."""
        floats = {name: kind for name, kind in self.point.types.items() if np.dtype(kind).kind not in "iub"}
        return in_dtype(replace(self.point, types=floats, arrange=as_it_is), dtype, self.flat)

    def in_own_types(self, dtype: str) -> InDtype:
        """The same with every weight in the type that its class gave it."""
        return in_own_types(self.point, dtype, self.flat)

    def ends(self, names: tuple[str, ...], number: int) -> tuple[Values, tuple[Array, Array, Array]]:
        """A direction in which all of `names` move, and the one-sided derivatives along it, low and high, with a bound.

        Number 0 moves all entries alike, the others by random signs.
        """
        if (names, number) not in self._ends:
            rng = np.random.default_rng([self.seed, 10, number])
            tangents = {}
            for name in names:
                x = np.asarray(self.point.values[name], dtype=float)
                signs = rng.choice([-1.0, 1.0], x.shape) if number else np.ones(x.shape)
                tangents[name] = signs * (float(np.abs(x).max(initial=0.0)) or 1.0)
            forward, domains = self.problem.forward, self.domains(names)
            found = sides(forward, self.point.values, tangents, domains=domains, seed=self.seed)
            self._ends[names, number] = tangents, found
        return self._ends[names, number]

    def domains(self, names: tuple[str, ...]) -> Domains:
        """Where steps have to stay: at the boundary of a domain, they may leave it."""
        return {} if self.point.boundary else {name: self.problem.variable(name).domain for name in names}

    @cached_property
    def lost(self) -> float:
        """The share of its largest output by which forward in float64 is off from long double; 0 where nobody knows."""
        values = {k: v.astype(np.longdouble) if v.dtype.kind == "f" else v for k, v in self.point.values.items()}
        try:
            with callbacks.raising():
                outputs = [np.asarray(output) for output in self.problem.forward(values)]
        except Exception:  # somebody else's forward need not take long double
            return 0.0
        if any(output.dtype != np.longdouble for output in outputs):
            return 0.0
        off = np.abs(np.concatenate([output.ravel() for output in outputs]) - self.flat)
        largest = float(np.abs(self.flat).max(initial=0.0))
        return float(off.max(initial=0.0)) / largest if largest and np.isfinite(off).all() else 0.0

    def estimate(self, name: str) -> Estimate:
        """The Jacobian of all outputs by the variable `name`, with its bounds; made in float64, when first wanted."""
        if name not in self._estimates:
            made = numerical.estimate(
                self.problem.forward,
                self.point.values,
                name,
                domain=None if self.point.boundary else self.problem.variable(name).domain,
                seed=self.seed,
                executor=self.executor,
                most=self.budget,
                accuracy=self.problem.accuracy,
                stackable=not self.problem.random,
            )
            self._estimates[name] = made
            self.ledger.calls.update(made.cost.calls)
            self.ledger.rows.update(made.cost.rows)
            self.ledger.structures.setdefault(name, made.structure)
            self.ledger.columns.setdefault((id(self.problem), name), (self.problem, made.column))
            if not self.point.special:
                size = largest_known(made.value, made.bound)
                self.ledger.sizes[name] = max(self.ledger.sizes.get(name, 0.0), size)
                self.ledger.reach = max(self.ledger.reach, self.reach)
        return self._estimates[name]

    def beside(self, name: str) -> Iterator[Array]:
        """The Jacobians by the variable `name` at points next to this one, each made when it is first wanted."""
        rng, x = np.random.default_rng([self.seed, 13]), np.asarray(self.point.values[name], dtype=float)
        domain = None if self.point.boundary else self.problem.variable(name).domain
        known = self._beside.setdefault(name, [])
        for number in range(NEAR):
            move = AWAY * (float(np.abs(x).max(initial=0.0)) or 1.0) * rng.uniform(-1, 1, x.shape)
            if number < len(known):
                yield known[number]
                continue
            values = {**self.point.values, name: x + move}
            made = numerical.estimate(self.problem.forward, values, name, domain=domain, seed=self.seed).dense()
            if NEAR * made.size <= KEPT:
                known.append(made)
            yield made

    def column(self, name: str) -> Array:
        """Which entries of the variable `name` move which outputs, as some estimate of the same problem has found."""
        key = id(self.problem), name
        if key not in self.ledger.columns:
            domain = None if self.point.boundary else self.problem.variable(name).domain
            column, cost = numerical.columns(
                self.problem.forward, self.point.values, name, domain=domain, seed=self.seed
            )
            self.ledger.columns[key] = self.problem, column  # kept alive: no other problem gets its id
            self.ledger.calls.update(cost.calls)
            self.ledger.rows.update(cost.rows)
        return self.ledger.columns[key][1]

    def estimate_in(self, name: str, here: InDtype) -> Estimate | None:
        """The estimate in the claim's own dtype, where forward takes another branch in it than in float64.

        That is so where the outputs differ, and the derivatives do beyond the bounds of both estimates.
        """
        if not here.other or self.is_large(name):
            return None
        if (name, here.dtype) not in self._own:
            values = {
                key: value.astype(here.dtype) if value.dtype.kind == "f" else value
                for key, value in self.point.values.items()
            }
            own = numerical.estimate(
                self.problem.forward,
                values,
                name,
                seed=self.seed,
                executor=self.executor,
                accuracy=self.problem.accuracy,
                stackable=not self.problem.random,
            )
            exact = self.estimate(name)
            apart = np.abs(own.dense() - exact.dense()) > own.dense("bound") + exact.dense("bound")
            self._own[name, here.dtype] = own if apart.any() else None
        return self._own[name, here.dtype]

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

    def cotangents(self, method: Method, names: Sequence[str] | None = None) -> dict[str, Cotangents]:
        """The cotangents with which `method` is asked, for each of its variables, or of some of them."""
        chosen = {}
        for name in method.wrt if names is None else names:
            rng = np.random.default_rng([self.seed, 6])
            ungrouped = self.problem.variable(name).constant or self.is_projected(name)
            estimate = None if ungrouped else self.estimate(name)
            chosen[name] = cotangents.choose(self.flat.size, estimate, method.kind, rng)
        return chosen

    def ask(self, method: Method, here: InDtype, asked: Mapping[str, Cotangents]) -> dict[str, Answer]:
        """What `method` says about each of the variables that are `asked` about."""
        rows = {name: one.rows for name, one in asked.items()}
        return ask(self.problem, method, here.given, self.shapes, rows, here.dtype)

    def ask_entries(self, method: Method, name: str, here: InDtype) -> tuple[Answer, Cotangents]:
        """What `method` says about one variable entry by entry, and the cotangents that make it so."""
        every = cotangents.basis(self.flat.size, method.kind)
        return self.ask(method, here, dict.fromkeys(method.wrt, every))[name], every

    def variable(self, name: str) -> Array:
        """The values of one variable, flat."""
        return np.asarray(self.point.values[name], dtype=float).ravel()

    @property
    def reach(self) -> float:
        """The largest number among the values."""
        return max((float(np.abs(v).max(initial=0.0)) for v in self.point.values.values()), default=0.0)

    def curve(self, name: str, entry: Entry | None) -> Curve | None:
        """Error against step size for one entry, for the picture."""
        estimate = self.estimate(name)
        if entry is None or len(entry.output) != len(self.shapes[0]) + (len(self.shapes) > 1):
            return None
        index = int(np.ravel_multi_index(entry.index, estimate.variable_shape)) if entry.index else 0
        output = _flat(entry.output, self.shapes)
        steps, quotients = numerical.curve(
            self.problem.forward, self.point.values, name, index, output, domain=self.problem.variable(name).domain
        )
        colours = np.flatnonzero(estimate.column[:, output] == index)
        if not colours.size:  # 0 by structure: no step was chosen
            return None
        value, step, rounding = (
            float(array[colours[0], output]) for array in (estimate.value, estimate.step, estimate.rounding)
        )
        return Curve(
            entry=f"∂output{list(entry.output)}/∂{name}{list(entry.index)}",
            steps=tuple(_short(step) for step in steps),
            errors=tuple(_short(abs(quotient - value)) for quotient in quotients),
            chosen=_short(abs(step)),
            noise=_short(rounding * abs(step)),
        )

    def taylor(self, name: str, claim: Array, weights: Array) -> Taylor | None:
        """How well a claim about `weights · f` foretells it along one direction, for the picture."""
        domain = None if self.point.boundary else self.problem.variable(name).domain
        return taylor(
            self.problem.forward, self.point.values, name, claim, weights, self.flat, domain, self.point.label
        )


def _short(number: float) -> float:
    """Three significant digits: what a picture shows, and the same on every machine."""
    return float(f"{number:.3g}")


def _flat(place: tuple[int, ...], shapes: Sequence[tuple[int, ...]]) -> int:
    """Turn an entry's place in its output (led by the output's number, if several) into one over all outputs."""
    number, inner = (place[0], place[1:]) if len(shapes) > 1 else (0, place)
    before = sum(int(np.prod(shape)) for shape in shapes[:number])
    return before + (int(np.ravel_multi_index(inner, shapes[number])) if inner else 0)
