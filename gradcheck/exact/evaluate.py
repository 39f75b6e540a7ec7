"""What forward does, exactly: its value, its derivative along a direction, on both sides of a kink, its Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from flint import arb, arb_mat

from gradcheck.exact import session
from gradcheck.exact.arrays.array import Array, as_array, of_floats, plain
from gradcheck.exact.errors import Apart, NotExact
from gradcheck.exact.jets.decisions import value_of
from gradcheck.exact.jets.jet import Jet
from gradcheck.exact.jets.terms import term
from gradcheck.exact.run import MOST_BITS, exactly, is_narrow
from gradcheck.exact.session import BITS, BUDGET, Note, Run
from gradcheck.exact.trace import Decision, Trace

Values = Mapping[str, Array]
Forward = Callable[[Any], Sequence[Any]]

# This many columns of a Jacobian are carried through one run.
BLOCK = 64


@dataclass(frozen=True)
class Along:
    """Enclosures of every output of forward and of its derivative along the direction, as arrays of `flint.arb`.

    `trace`: the decisions that were made; `notes`: what was passed over (casts to shorter floats); `bits` were needed.
    """

    value: list[Array]
    derivative: list[Array]
    trace: Trace
    notes: tuple[Note, ...]
    bits: int


@dataclass(frozen=True)
class OneSided:
    """The derivative on both sides of a point, along a direction v: (f(x + hv) − f(x)) / h for h → 0⁺ and h → 0⁻.

    `kinks` and `jumps` are masks per output: where the two differ with certainty, and where the value itself does.
    `ties`: the decisions in which equal numbers met. Where there are none, f is analytic here along v.
    """

    value: list[Array]
    right: list[Array]
    left: list[Array]
    kinks: list[Array]
    jumps: list[Array]
    ties: tuple[Decision, ...]
    trace: Trace
    notes: tuple[Note, ...]


def along(
    forward: Forward,
    values: Values,
    tangents: Values,
    *,
    around: Iterable[Any] = (),
    modules: Iterable[ModuleType] = (),
    bits: int = BITS,
    most: int = MOST_BITS,
    budget: int = BUDGET,
) -> Along:
    """Run `forward(values)` on jets whose derivatives are `tangents` (by name; what has none is constant).

    `values` and `tangents` are arrays of floats, taken at exactly the numbers that they hold; integers that are not
    differentiated stay integers. Where values that are compared are equal, the direction decides.
    Raises NotExact where the code leaves exact arithmetic.
    """
    given, along_these = dict(values), dict(tangents)  # the caller's own may be among what holds jets meanwhile
    run_forward = _runner(forward, lambda: _seeded(given, {name: _slopes(t) for name, t in along_these.items()}))
    (value, slopes), run = exactly(
        run_forward,
        [forward, *around],
        modules=modules,
        bits=bits,
        most=most,
        budget=budget,
        narrow=lambda found: all(is_narrow(part.flat) for part in (*found[0], *found[1])),
    )
    return Along(value, slopes, run.trace, tuple(run.notes), run.bits)


def one_sided(forward: Forward, values: Values, tangents: Values, **options: Any) -> OneSided:
    """Both one-sided derivatives of `forward` along a direction; options as for `along`.

    The value is that of the point itself, where equal numbers are equal; the two sides are those of `along`. Raises
    NotExact as `along` does, and where a comparison is undecided to first order (x² > 0 at 0) or a side has no finite
    derivative.
    """
    ahead = along(forward, values, tangents, **options)
    if not ahead.trace.ties:
        never = [np.zeros(part.shape, dtype=bool) for part in ahead.value]
        return OneSided(ahead.value, ahead.derivative, ahead.derivative, never, never, (), ahead.trace, ahead.notes)
    behind = along(forward, values, {name: -np.asarray(t) for name, t in tangents.items()}, **options)
    here = along(forward, values, {}, **options)
    for side in (ahead, behind):
        if side.trace.flat:
            decision = side.trace.flat[0]
            raise NotExact(f"{decision.kind}: what is compared is equal with its derivative", str(decision.site))
    left = [_negative(part) for part in behind.derivative]
    return OneSided(
        value=here.value,
        right=ahead.derivative,
        left=left,
        kinks=[_apart(a, b) for a, b in zip(ahead.derivative, left, strict=True)],
        jumps=[_apart(a, c) | _apart(b, c) for a, b, c in zip(ahead.value, behind.value, here.value, strict=True)],
        ties=ahead.trace.ties,
        trace=ahead.trace,
        notes=ahead.notes,
    )


def each_along(forward: Forward, values: Values, tangents: Values, **options: Any) -> dict[str, OneSided]:
    """The derivative along each of several directions, one per variable, all in one run; options as for `along`.

    Nothing where equal numbers are compared: then every direction decides for itself. Raises NotExact as `along` does.
    """
    names, given = list(tangents), {name: np.ravel(tangent) for name, tangent in tangents.items()}

    def slopes() -> dict[str, list[Any]]:
        return {name: [_at(k, len(names), float(t)) for t in given[name]] for k, name in enumerate(names)}

    try:
        value, rows, run = _in_rows(forward, values, slopes, len(names), options)
    except Apart:
        return {}
    if run.trace.ties:
        return {}
    never = [np.zeros(part.shape, dtype=bool) for part in value]
    found: dict[str, OneSided] = {}
    for k, name in enumerate(names):
        parts = np.split(rows[:, k], np.cumsum([part.size for part in value])[:-1])
        derivative = [part.reshape(one.shape) for part, one in zip(parts, value, strict=True)]
        found[name] = OneSided(value, derivative, derivative, never, never, (), run.trace, tuple(run.notes))
    return found


def jacobian(forward: Forward, values: Values, wrt: str, *, side: int = 1, **options: Any) -> Array:
    """The Jacobian of all outputs by the variable `wrt`, `(outputs, variable's size)`, an array of `flint.arb`.

    A block of columns is carried through each run. At a kink, every column is the derivative on its own `side` (1:
    ahead of the point, −1: behind it). Options as for `along`.
    """
    size = np.size(values[wrt])
    blocks = [range(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK)]
    columns: list[Array] = []
    for block in blocks:
        try:
            columns.append(_block(forward, values, wrt, block, side, options))
        except (Apart, NotExact) as error:
            if isinstance(error, NotExact) and not error.undecided:
                raise
            columns += [_column(forward, values, wrt, place, side, options)[:, None] for place in block]
    if not columns:
        outputs = along(forward, values, {}, **options).value
        return np.empty((sum(part.size for part in outputs), 0), dtype=object)
    return np.concatenate(columns, axis=1)


def second(forward: Forward, values: Values, first: Values, again: Values, **options: Any) -> list[Array]:
    """The second derivative of every output along two directions, d²f(x)[v, w] (of a scalar, vᵀ H w).

    `first` and `again`: v and w, as tangents are given to `along`, whose options are taken. Jets of jets do it.
    """
    chosen = {name: value for name, value in options.items() if name != "around"}
    values, first, again = dict(values), dict(first), dict(again)

    def inputs() -> dict[str, Any]:
        made = {name: exact_input(value) for name, value in values.items()}
        for name in {**first, **again}:
            jets = of_floats(np.asarray(values[name], dtype=float))
            v, w = (_slopes(given.get(name, np.zeros(jets.shape))) for given in (first, again))
            flat = plain(jets).reshape(-1)
            flat[:] = [Jet(Jet(x.ball, a), None if b is None else Jet(b)) for x, a, b in zip(flat, v, w, strict=True)]
            made[name] = flat.reshape(jets.shape).view(type(jets))
        return made

    def compute() -> list[Array]:
        return [_each(as_array(part), _second_of) for part in forward(inputs())]

    found, _ = exactly(
        compute,
        [forward, *options.get("around", ())],
        narrow=lambda parts: all(is_narrow(part.flat) for part in parts),
        **chosen,
    )
    return found


def _second_of(x: Any) -> Any:
    slope = x.slope.slope if type(x.slope) is Jet else None
    return arb(0) if slope is None else value_of(slope)


def _block(forward: Forward, values: Values, wrt: str, block: range, side: int, options: Mapping[str, Any]) -> Array:
    """Some columns at once."""
    size = np.size(values[wrt])

    def slopes() -> dict[str, list[Any]]:
        made: list[Any] = [None] * size
        for number, place in enumerate(block):
            made[place] = _at(number, len(block), side)
        return {wrt: made}

    _, found, _ = _in_rows(forward, values, slopes, len(block), options)
    return found if side > 0 else _negative(found)


def _at(place: int, length: int, size: float) -> Any:
    """A row with one entry."""
    return arb_mat(1, length, [size * (k == place) for k in range(length)])


def _in_rows(
    forward: Forward,
    values: Values,
    slopes: Callable[[], Mapping[str, Sequence[Any]]],
    length: int,
    options: Mapping[str, Any],
) -> tuple[list[Array], Array, Run]:
    """One run for several directions: the slope of a jet is a row with an entry for each; so is that of an output."""
    chosen = {name: value for name, value in options.items() if name != "around"}
    values = dict(values)

    def compute() -> tuple[list[Array], Array]:
        outputs = [as_array(part) for part in forward(_seeded(values, slopes()))]
        rows = [_row(x.slope, length) for part in outputs for x in plain(part).flat]
        made = np.empty((len(rows), length), dtype=object)
        for number, row in enumerate(rows):
            made[number] = row
        return [balls(part) for part in outputs], made

    (value, made), run = exactly(
        compute,
        [forward, *options.get("around", ())],
        narrow=lambda found: all(is_narrow(part.flat) for part in (*found[0], found[1])),
        **chosen,
    )
    return value, made, run


def _column(forward: Forward, values: Values, wrt: str, place: int, side: int, options: Mapping[str, Any]) -> Array:
    direction = np.zeros(np.shape(values[wrt]))
    direction.flat[place] = side
    found = along(forward, values, {wrt: direction}, **options)
    column = np.concatenate([part.ravel() for part in found.derivative])
    return column if side > 0 else _negative(column)


def _row(slope: Any, length: int) -> list[Any]:
    return [arb(0)] * length if slope is None else list(slope.entries())


def _runner(forward: Forward, seeded: Callable[[], dict[str, Any]]) -> Callable[[], tuple[list[Array], list[Array]]]:
    def compute() -> tuple[list[Array], list[Array]]:
        outputs = [as_array(part) for part in forward(seeded())]
        return [balls(part) for part in outputs], [_slopes_of(part) for part in outputs]

    return compute


def _seeded(values: Values, slopes: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """The values as jets with these derivatives."""
    made = {name: exact_input(value) for name, value in values.items() if name not in slopes}
    for name, own in slopes.items():
        jets = of_floats(np.asarray(values[name], dtype=float))
        flat = plain(jets).reshape(-1)
        flat[:] = [x if slope is None else Jet(x.ball, jet_slope(slope)) for x, slope in zip(flat, own, strict=True)]
        made[name] = flat.reshape(np.shape(values[name])).view(type(jets))
    return made


def jet_slope(slope: Any) -> Any:
    """A derivative as the run wants its numbers."""
    return term(slope) if session.current().uses_terms and type(slope) is arb else slope


def exact_input(value: Any) -> Any:
    """Floats as jets; what are integers, stays so."""
    array = np.asarray(value)
    return of_floats(array) if array.dtype.kind == "f" else array


def _slopes(tangent: Any) -> list[Any]:
    return [arb(float(t)) if t else None for t in np.ravel(tangent)]


def balls(array: Any) -> Array:
    """The values of an array of jets, as balls."""
    return _each(array, value_of)


def _slopes_of(array: Any) -> Array:
    return _each(array, lambda x: arb(0) if x.slope is None else value_of(x.slope))


def _negative(array: Array) -> Array:
    return _each(array, lambda ball: -ball)


def _each(array: Any, function: Callable[[Any], Any]) -> Array:
    flat = plain(array).reshape(-1)
    made = np.empty(flat.shape, dtype=object)
    for place, x in enumerate(flat):
        made[place] = function(x)
    return made.reshape(np.shape(array))


def _apart(first: Array, second: Array) -> Array:
    """Where two balls have nothing in common."""
    found = [not a.overlaps(b) for a, b in zip(first.flat, second.flat, strict=True)]
    return np.array(found, dtype=bool).reshape(first.shape)
