"""The points at which a subject is checked: generic ones, and on purpose the ones where mistakes hide.

Everything follows from one seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from gradcheck.errors import CannotBuild
from gradcheck.problem import Array, Problem, Sizes, Subject
from gradcheck.sampling import draw
from gradcheck.sampling.arrange import ARRANGED, Arrange, as_it_is, whole_numbers
from gradcheck.sampling.domains import finite, with_domains
from gradcheck.sampling.draw import Draw


@dataclass(frozen=True)
class Point:
    """Where a subject is checked: the problem, float64 `values`, and how arrays are handed to the claims.

    `arrange` puts an array into the memory layout (or integer type) that the point is about. `dtypes` names
    those in which the point makes sense; `types` are those of variables that are handed over in one of their own.
    `edge`: what is special about the values, `size` about the shapes, `setting` about arguments, `data` about what the
    values mean, in words that follow "wrong". A `special` point
    may only prove a claim wrong; at the `boundary` of a domain, steps may leave it. `typical`: the contract is tried
    here as well. A `case` is a problem of the subject's own, and not what it builds.
    """

    label: str
    problem: Problem
    values: dict[str, Array]
    arrange: Arrange = as_it_is
    dtypes: tuple[str, ...] = ("float64", "float32", "float16")
    boundary: bool = False
    special: bool = False
    types: Mapping[str, str] = field(default_factory=dict)
    typical: bool = False
    case: bool = False
    edge: str = ""
    size: str = ""
    setting: str = ""
    data: str = ""

    def precision(self, dtype: str) -> str:
        """The coarsest type among the variables, where the others are of `dtype`: no claim can be held to more."""
        floats = {dtype, *(name for name in self.types.values() if name.startswith("float"))}
        return min(floats, key=lambda name: np.finfo(name).precision)


WHERE: tuple[tuple[str, str, Draw], ...] = (
    ("positive only", "", draw.positive),
    ("negative only", "", draw.negative),
    ("exact zeros", "at 0", draw.some((0.0,))),
    ("ties", "at ties", draw.ties),
    ("from 2 to 8", "", draw.wide),
    ("saturation ±40", "at ±40", draw.some((40.0, -40.0))),
    # Not exactly opposite: in a sum, their odd powers would cancel and leave nothing but rounding.
    ("saturation ±1000", "at ±1000", draw.some((1000.0, -968.0))),
    ("tiny (1e-8)", "near 0 (1e-8)", draw.scaled(2.0**-27)),
    ("huge (1e6)", "for huge inputs (1e6)", draw.scaled(2.0**19)),
)
SHAPES: tuple[tuple[str, str, Sizes], ...] = (
    ("generic", "", Sizes()),
    ("generic, second seed", "", Sizes(7, 2, 5)),
    ("generic, third seed", "", Sizes(7, 5, 2)),
    ("batch of one", "for a batch of one", Sizes(1, 4, 3)),
    ("one feature", "for one feature", Sizes(5, 1, 3)),
)


def points(subject: Subject, seed: int) -> Iterator[Point]:
    """Yield the points of `subject`: generic ones first, its own cases last."""
    for point in _points(subject, seed):
        yield point if point.problem.dtype == "float64" else _narrowed(point)


def _narrowed(point: Point) -> Point:
    """The same in the widest type that forward takes."""
    widest = point.problem.dtype
    values = {name: value.astype(widest) if value.dtype.kind == "f" else value for name, value in point.values.items()}
    dtypes = tuple(name for name in point.dtypes if np.finfo(name).eps >= np.finfo(widest).eps)
    return replace(point, values=values, dtypes=dtypes)


def _points(subject: Subject, seed: int) -> Iterator[Point]:
    if subject.fixed:
        problem = subject.build(Sizes(), np.random.default_rng([seed, 0]))
        yield from _given(problem, seed, "what is given", short=subject.examples)
    else:
        yield from _sampled(subject, seed)
    for number, case in enumerate(subject.cases(), start=1):
        yield from (replace(point, case=True) for point in _of_case(case, number, seed))


def _of_case(case: Problem, number: int, seed: int) -> Iterator[Point]:
    """In float64, as everything is, and as it came where that is in other types."""
    types = {v.name: v.example.dtype.name for v in case.variables if not v.constant}
    own = set(types.values()) != {"float64"}
    given = _given(case, seed, case.label or f"its case {number}", short=True, size=case.label)
    if own:
        yield replace(next(given), typical=False)
        yield _in_own_types(case, types, f"its case {number}, in its own types")
    else:
        yield from given


def _sampled(subject: Subject, seed: int) -> Iterator[Point]:
    def rng(*key: int) -> np.random.Generator:
        return np.random.default_rng([seed, *key])

    for number, (label, size, sizes) in enumerate(SHAPES):
        try:
            problem = with_domains(_distinct(subject, sizes, partial(rng, 0, number)), seed)
        except CannotBuild:
            if not number:
                raise
            continue  # what is not made for these sizes is checked at the others
        yield Point(label, problem, _fill(problem, rng(1, number), draw.generic), typical=number == 0, size=size)
    problem = with_domains(_distinct(subject, Sizes(), partial(rng, 0, 0)), seed)
    yield from _special(problem, rng)


def _distinct(subject: Subject, sizes: Sizes, rng: Callable[[], np.random.Generator]) -> Problem:
    """Build with another batch where a layer that was built by hand, say 5 to 5, would meet one of its own size.

    There a matrix for all rows and a number per entry have the same shape, and could be taken for each other.
    """
    problem = subject.build(sizes, rng())
    shapes = [np.shape(v.example) for v in problem.variables if v.role == "input"]
    if any(len(shape) == 2 and shape[0] == shape[1] == sizes.batch > 1 for shape in shapes):
        return subject.build(replace(sizes, batch=sizes.batch + 1), rng())
    return problem


def _fill(
    problem: Problem, rng: np.random.Generator, how: Draw, *, edge: str = "", soft: bool = False
) -> dict[str, Array]:
    return {v.name: draw.value(v, rng, how, edge, soft) for v in problem.variables}


def _special(problem: Problem, rng: Callable[..., np.random.Generator]) -> Iterator[Point]:
    real = [v for v in problem.variables if v.data == "real" and not v.constant and v.role == "input"]
    for number, (label, edge, how) in enumerate(WHERE):
        if real:
            dtypes = ("float64", "float32") if "1e" in label or "1000" in label else ("float64", "float32", "float16")
            yield Point(label, problem, _fill(problem, rng(2, number), how), dtypes=dtypes, special=True, edge=edge)
    if any(v.domain is not None for v in real):
        yield from _at_the_ends(problem, _fill(problem, rng(5), draw.generic))
    if any(v.data == "probabilities" for v in problem.variables):
        yield Point(
            "probabilities near 0 and 1",
            problem,
            _fill(problem, rng(3, 0), draw.generic, edge="near"),
            dtypes=("float64", "float32"),
            special=True,
            edge="where probabilities are nearly 0 or 1",
        )
        yield Point(
            "probabilities at 0 and 1",
            problem,
            _fill(problem, rng(3, 1), draw.generic, edge="at"),
            boundary=True,
            edge="where probabilities are 0 or 1",
        )
        values = _fill(problem, rng(3, 3), draw.generic)
        if _compares(problem, values):
            anything = {
                v.name: draw.wide(rng(3, 4), np.shape(v.example)) / 2 if v.data == "probabilities" else values[v.name]
                for v in problem.variables
            }
            yield Point("predictions of any size", problem, anything, boundary=True, special=True)
    if any(v.data == "one-hot" for v in problem.variables):
        yield Point("soft labels", problem, _fill(problem, rng(3, 2), draw.generic, soft=True), edge="for soft labels")
    values = _fill(problem, rng(1, 0), draw.generic)  # those of the first point: nothing but the order is another
    for label, edge, arrange in ARRANGED:
        yield Point(label, problem, values, arrange, dtypes=("float64",), special=True, edge=edge)
    if real:
        whole = {
            v.name: draw.inside(np.rint(4 * values[v.name]), v.domain) if v in real else values[v.name]
            for v in problem.variables
        }
        yield Point("integers", problem, whole, whole_numbers, dtypes=("float64",), special=True)


def _at_the_ends(problem: Problem, values: dict[str, Array]) -> Iterator[Point]:
    """A third of the entries at the very end of a domain, where forward is finite there (√x at 0)."""
    for v in problem.variables:
        for end in v.domain or ():
            if not np.isfinite(end) or v.data != "real" or v.role != "input" or v.constant:
                continue
            at = values[v.name].copy()
            at.flat[:: 3 if at.size > 1 else 1] = end
            if finite(problem, {**values, v.name: at}):
                yield Point(
                    f"{v.name} at {end:g}",
                    problem,
                    {**values, v.name: at},
                    dtypes=("float64",),
                    boundary=True,
                    special=True,
                    edge=f"where {v.name} is {end:g}",
                )


def _compares(problem: Problem, values: Mapping[str, Array]) -> bool:
    """Whether forward depends on differences of its inputs only, as a regression loss: any number is a prediction."""
    shifted = {v.name: values[v.name] + 0.5 if v.role == "input" else values[v.name] for v in problem.variables}
    if sum(v.role == "input" for v in problem.variables) < 2:
        return False
    try:
        with np.errstate(all="ignore"):
            pairs = list(zip(problem.forward(dict(values)), problem.forward(shifted), strict=True))
    except Exception:  # other people's code may refuse what is no probability
        return False
    return all(np.allclose(a, b, rtol=1e-9, atol=0) for a, b in pairs)


def _in_own_types(problem: Problem, types: Mapping[str, str], label: str) -> Point:
    """The example's numbers, every variable in the type that it came in (weights in float64, data in float32)."""
    values = {v.name: np.asarray(v.example).astype(np.float32).astype(float) for v in problem.variables}
    return Point(label, problem, values, dtypes=("float64",), types=types, typical=True)


def _given(problem: Problem, seed: int, what: str, short: bool, size: str = "") -> Iterator[Point]:
    """A problem with values of its own: these, and where they are examples (`short`) some close to them."""
    # Somebody's numbers stay as they are, and are then only checked in the dtypes that have them; an example's are cut.
    values = {v.name: _exact(v.example, short) for v in problem.variables}
    label = "as given" if what == "what is given" else what
    yield Point(label, problem, values, dtypes=_holding(values), typical=not size, size=size)
    for number in range(2 if short else 0):
        rng = np.random.default_rng([seed, 7, number])
        near = {
            v.name: values[v.name] if v.constant else _exact(draw.near(values[v.name], rng), short=True)
            for v in problem.variables
        }
        yield Point(f"near {what}, {number + 1}", problem, near, dtypes=_holding(near), size=size)


def _exact(example: Array, short: bool) -> Array:
    """Class indices stay whole numbers; all else is differentiated in float64 (`short`: cut to float32's digits)."""
    array = np.asarray(example)
    if array.dtype.kind in "iub":
        return array
    return array.astype(np.float32).astype(float) if short else array.astype(float)


def _holding(values: dict[str, Array]) -> tuple[str, ...]:
    """Return the dtypes in which every value is the same number: a claim at a rounded point is about another one."""
    reals = [value for value in values.values() if value.dtype.kind == "f"]

    def holds(dtype: str) -> bool:
        with np.errstate(over="ignore"):
            return all(np.array_equal(value.astype(dtype).astype(float), value, equal_nan=True) for value in reals)

    return tuple(dtype for dtype in ("float64", "float32", "float16") if holds(dtype))
