"""The points at which a subject is checked: generic ones, and on purpose the ones where mistakes hide.

Every number is a multiple of a power of two with few digits: short to print, and the same in float64, float32
and float16, so that one estimate serves them all. Everything follows from one seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from gradcheck.problem import Array, Problem, Sizes, Subject, Variable

Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]
Arrange = Callable[[Array], Array]


@dataclass(frozen=True)
class Point:
    """Where a subject is checked: the problem, float64 `values`, and how arrays are handed to the claims.

    `arrange` puts an array into the memory layout (or integer type) that the point is about. `dtypes` names
    those in which the point makes sense; `types` are those of variables that are handed over in one of their own.
    `typical`: the contract is tried here as well.
    """

    label: str
    problem: Problem
    values: dict[str, Array]
    arrange: Arrange = lambda array: array
    dtypes: tuple[str, ...] = ("float64", "float32", "float16")
    boundary: bool = False
    special: bool = False
    types: Mapping[str, str] = field(default_factory=dict)
    typical: bool = False

    def precision(self, dtype: str) -> str:
        """The coarsest type among the variables, where the others are of `dtype`: no claim can be held to more."""
        floats = {dtype, *(name for name in self.types.values() if name.startswith("float"))}
        return min(floats, key=lambda name: np.finfo(name).precision)


def generic(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Distinct, nonzero multiples of 1/32 (of a finer power of two where many are wanted), |x| ≤ 2."""
    size = int(np.prod(shape))
    steps = 64
    while steps < 2 * size:
        steps *= 2
    chosen = rng.choice(2 * steps, size=size, replace=False) - steps
    return np.where(chosen >= 0, chosen + 1, chosen).reshape(shape) * (2.0 / steps)


def _scaled(factor: float) -> Draw:
    return lambda rng, shape: generic(rng, shape) * factor


def _positive(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.abs(generic(rng, shape))


def _negative(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return -np.abs(generic(rng, shape))


def _some(special: tuple[float, ...]) -> Draw:
    """Generic numbers, a third of them replaced by special ones."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        values = generic(rng, shape).ravel()
        count = min(values.size, max(len(special), values.size // 3))
        places = rng.permutation(values.size)[:count]
        values[places] = np.resize(special, count)
        return values.reshape(shape)

    return draw


def _wide(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Numbers of both signs at all distances from 2 to 8, where clips and thresholds are."""
    size = max(int(np.prod(shape)), 1)
    distance = 2 + 6 * (rng.permutation(size) + rng.uniform(0.25, 0.75)) / size
    signs = np.where(np.arange(size) % 2, -1, 1)
    return np.asarray(np.rint(distance * 32) / 32 * rng.permutation(signs)).reshape(shape)


def ties(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw from two numbers, so that many entries are equal."""
    return rng.choice([-1.25, 0.75], size=shape)


def _as_integer(array: Array) -> Array:
    return np.asarray(np.rint(array), dtype=np.int64)


def _non_contiguous(array: Array) -> Array:
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype) if array.ndim else array
    if array.ndim:
        wide[..., ::2] = array
        wide = wide[..., ::2]
    return wide


def _read_only(array: Array) -> Array:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def probabilities(rng: np.random.Generator, shape: tuple[int, ...], edge: str = "") -> Array:
    """Rows of positive multiples of 1/64 that sum to 1; `edge="near"` and `"at"` put entries near and at 0 and 1."""
    classes = shape[-1] if shape else 1
    rows = int(np.prod(shape[:-1]))
    values = np.empty((rows, classes))
    for row in values:
        if classes == 1:
            row[:] = rng.integers(1, 64) / 64
        elif classes <= 48:
            cuts = np.sort(rng.choice(63, size=classes - 1, replace=False) + 1)
            row[:] = np.diff([0, *cuts, 64]) / 64
        else:
            row[:] = rng.integers(1, 16, size=classes) / (8 * classes)
    if edge:
        small = 2.0**-20 if edge == "near" else 0.0
        special = (rows + 1) // 2
        values[:special] = small
        values[np.arange(special), rng.integers(0, classes, size=special)] = (
            1.0 - (classes - 1) * small if classes > 1 else 1.0 - small
        )
    return values.reshape(shape)


def labels(rng: np.random.Generator, shape: tuple[int, ...], soft: bool = False) -> Array:
    """One-hot rows, or rows of a distribution."""
    if soft or not shape:
        return probabilities(rng, shape)
    values = np.zeros((int(np.prod(shape[:-1])), shape[-1]))
    values[np.arange(len(values)), rng.integers(0, shape[-1], size=len(values))] = 1.0
    return values.reshape(shape)


def _fill(
    problem: Problem, rng: np.random.Generator, draw: Draw, *, edge: str = "", soft: bool = False
) -> dict[str, Array]:
    return {v.name: _value(v, rng, draw, edge, soft) for v in problem.variables}


def _value(variable: Variable, rng: np.random.Generator, draw: Draw, edge: str, soft: bool) -> Array:
    shape = np.shape(variable.example)
    if variable.data == "probabilities":
        return probabilities(rng, shape, edge)
    if variable.data == "one-hot":
        return labels(rng, shape, soft)
    if variable.data == "class-indices":
        return np.asarray(variable.example)
    if variable.constant:
        return generic(rng, shape)
    values = draw(rng, shape) if variable.role == "input" else generic(rng, shape)
    return values if variable.domain is None else _inside(values, variable.domain)


def _inside(values: Array, domain: tuple[float, float]) -> Array:
    """Fold numbers into an open interval without crowding its ends."""
    low, high = domain
    if np.isfinite(low) and np.isfinite(high):
        return low + (high - low) * (0.5 + np.clip(values, -2, 2) / 5)
    if np.isfinite(low):
        return low + np.abs(values) + 2.0**-5
    return high - np.abs(values) - 2.0**-5 if np.isfinite(high) else values


WHERE: tuple[tuple[str, Draw], ...] = (
    ("positive only", _positive),
    ("negative only", _negative),
    ("exact zeros", _some((0.0,))),
    ("ties", ties),
    ("from 2 to 8", _wide),
    ("saturation ±40", _some((40.0, -40.0))),
    # Not exactly opposite: in a sum, their odd powers would cancel and leave nothing but rounding.
    ("saturation ±1000", _some((1000.0, -968.0))),
    ("tiny (1e-8)", _scaled(2.0**-27)),
    ("huge (1e6)", _scaled(2.0**19)),
)
ARRANGED: tuple[tuple[str, Arrange], ...] = (
    ("Fortran order", np.asfortranarray),
    ("not contiguous", _non_contiguous),
    ("read-only", _read_only),
)
SHAPES: tuple[tuple[str, Sizes], ...] = (
    ("generic", Sizes()),
    ("generic, second seed", Sizes(7, 2, 5)),
    ("generic, third seed", Sizes(7, 5, 2)),
    ("batch of one", Sizes(1, 4, 3)),
    ("one feature", Sizes(5, 1, 3)),
)


def points(subject: Subject, seed: int) -> Iterator[Point]:
    """Yield the points of `subject`: generic ones first, its own cases last."""
    if subject.fixed:
        problem = subject.build(Sizes(), np.random.default_rng([seed, 0]))
        yield from _given(problem, seed, "what is given", short=subject.examples)
    else:
        yield from _sampled(subject, seed)
    for number, case in enumerate(subject.cases(), start=1):
        types = {v.name: v.example.dtype.name for v in case.variables if not v.constant}
        if set(types.values()) == {"float64"}:
            yield from _given(case, seed, f"its case {number}", short=True)
        else:
            yield _in_own_types(case, types, f"its case {number}, in its own types")


def _sampled(subject: Subject, seed: int) -> Iterator[Point]:
    def rng(*key: int) -> np.random.Generator:
        return np.random.default_rng([seed, *key])

    for number, (label, sizes) in enumerate(SHAPES):
        problem = _distinct(subject, sizes, partial(rng, 0, number))
        yield Point(label, problem, _fill(problem, rng(1, number), generic), typical=number == 0)
    problem = _distinct(subject, Sizes(), partial(rng, 0, 0))
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


def _special(problem: Problem, rng: Callable[..., np.random.Generator]) -> Iterator[Point]:
    real = any(v.data == "real" and not v.constant and v.role == "input" for v in problem.variables)
    for number, (label, draw) in enumerate(WHERE):
        if real:
            dtypes = ("float64", "float32") if "1e" in label or "1000" in label else ("float64", "float32", "float16")
            yield Point(label, problem, _fill(problem, rng(2, number), draw), dtypes=dtypes, special=True)
    if any(v.data == "probabilities" for v in problem.variables):
        yield Point(
            "probabilities near 0 and 1",
            problem,
            _fill(problem, rng(3, 0), generic, edge="near"),
            dtypes=("float64", "float32"),
            special=True,
        )
        yield Point("probabilities at 0 and 1", problem, _fill(problem, rng(3, 1), generic, edge="at"), boundary=True)
        values = _fill(problem, rng(3, 3), generic)
        if _compares(problem, values):
            anything = {
                v.name: _wide(rng(3, 4), np.shape(v.example)) / 2 if v.data == "probabilities" else values[v.name]
                for v in problem.variables
            }
            yield Point("predictions of any size", problem, anything, boundary=True, special=True)
    if any(v.data == "one-hot" for v in problem.variables):
        yield Point("soft labels", problem, _fill(problem, rng(3, 2), generic, soft=True))
    values = _fill(problem, rng(4), generic)
    for label, arrange in ARRANGED:
        yield Point(label, problem, values, arrange, dtypes=("float64",), special=True)
    if real:
        whole = {
            v.name: np.rint(4 * values[v.name]) if v.role == "input" and v.data == "real" else values[v.name]
            for v in problem.variables
        }
        yield Point("integers", problem, whole, _integers_only, dtypes=("float64",), special=True)


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


def _integers_only(array: Array) -> Array:
    return _as_integer(array) if np.array_equal(array, np.rint(array)) else array


def _in_own_types(problem: Problem, types: Mapping[str, str], label: str) -> Point:
    """The example's numbers, every variable in the type that it came in (weights in float64, data in float32)."""
    values = {v.name: np.asarray(v.example).astype(np.float32).astype(float) for v in problem.variables}
    return Point(label, problem, values, dtypes=("float64",), types=types, typical=True)


def _given(problem: Problem, seed: int, what: str, short: bool) -> Iterator[Point]:
    """A problem with values of its own: these, and where they are examples (`short`) some close to them."""
    # Somebody's numbers stay as they are, and are then only checked in the dtypes that have them; an example's are cut.
    values = {v.name: _exact(v.example, short) for v in problem.variables}
    label = "as given" if what == "what is given" else what
    yield Point(label, problem, values, dtypes=_holding(values), typical=True)
    for number in range(2 if short else 0):
        rng = np.random.default_rng([seed, 7, number])
        near = {v.name: values[v.name] if v.constant else _near(values[v.name], rng) for v in problem.variables}
        yield Point(f"near {what}, {number + 1}", problem, near, dtypes=_holding(near))


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


def _near(values: Array, rng: np.random.Generator) -> Array:
    """Change every number by up to an eighth of itself, so that its sign and its magnitude stay."""
    if values.dtype.kind != "f":
        return values
    return _exact(values * (1 + generic(rng, values.shape) / 16), short=True)
