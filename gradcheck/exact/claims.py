"""What a claim says, exactly: its own code run on balls, asked for products with given cotangents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from flint import arb

from gradcheck.asking import layouts
from gradcheck.exact import session
from gradcheck.exact.arrays.array import Array, ExactArray, as_array, exact, of_floats
from gradcheck.exact.arrays.makers import holds_jets
from gradcheck.exact.evaluate import Values, balls, exact_input
from gradcheck.exact.run import MOST_BITS, exactly, is_narrow
from gradcheck.exact.session import BITS, BUDGET, Note
from gradcheck.exact.trace import Trace
from gradcheck.problem import Method, Problem

At = Callable[[Values], Callable[[list[Any]], list[Any]]]


@dataclass(frozen=True)
class Claim:
    """What one claim answered: `rows[name]`, `(asked, variable's size)`, an array of `flint.arb`.

    A variable of which it said nothing (None) has no entry; one whose answer could not be read is in `unreadable` with
    the reason. `trace` and `notes` as in `evaluate.Along`: the decisions of the claim's own code.
    """

    rows: Mapping[str, Array]
    unreadable: Mapping[str, str]
    trace: Trace
    notes: tuple[Note, ...]
    bits: int


def claim(
    at: At,
    values: Values,
    cotangents: Sequence[Sequence[Array]] = ((),),
    *,
    around: Iterable[Any] = (),
    modules: Iterable[ModuleType] = (),
    bits: int = BITS,
    most: int = MOST_BITS,
    budget: int = BUDGET,
) -> tuple[list[list[Any]], Trace, tuple[Note, ...], int]:
    """Run a claim's code on balls: `at(values)` once, then what it returns for every list of cotangents.

    Returns the answers as they came (an ExactArray or None per variable), the trace, the notes and the bits. Raises
    NotExact where the code leaves exact arithmetic.
    """
    given, asked = dict(values), [[np.asarray(g, dtype=float) for g in one] for one in cotangents]

    def compute() -> list[list[Any]]:
        ask = at({name: exact_input(value) for name, value in given.items()})
        return [_kept(ask([of_floats(g) for g in one])) for one in asked]

    found, run = exactly(
        compute, [at, *around], modules=modules, bits=bits, most=most, budget=budget, narrow=_is_narrow
    )
    return found, run.trace, tuple(run.notes), run.bits


def _kept(said: Sequence[Any]) -> list[Any]:
    """Copies: code that fills one array again and again must not change earlier answers."""
    return [_copied(one) for one in said]


def _copied(item: Any) -> Any:
    if isinstance(item, (list, tuple)) and not holds_jets(item):
        return [_copied(part) for part in item]
    if isinstance(item, (list, tuple)) and any(isinstance(part, np.ndarray) for part in item):
        return [_copied(part) for part in item]
    if item is None:
        return None
    found = as_array(item)
    if not isinstance(found, ExactArray):
        raise TypeError(f"expected a gradient of numbers, but got an array of dtype {found.dtype}")
    return found.copy()


def _is_narrow(found: list[list[Any]]) -> bool:
    return all(_item_is_narrow(item) for said in found for item in said)


def _item_is_narrow(item: Any) -> bool:
    if isinstance(item, list):
        return all(_item_is_narrow(part) for part in item)
    return item is None or is_narrow(balls(item).flat)


def ask(
    problem: Problem,
    method: Method,
    values: Values,
    shapes: Sequence[tuple[int, ...]],
    rows: Array,
    **options: Any,
) -> Claim:
    """Ask a method of a problem for the products `rows · J`, whatever its kind, with every variable of its `wrt`.

    `shapes`: those of forward's outputs; `rows`: `(asked, outputs)`, ones for a method of kind "sum", which says only
    the sum. A "jvp" is asked for the columns of J. Options as for `claim`. Raises NotExact.
    """
    asked: Sequence[Sequence[Array]] = [()]
    if method.kind == "jvp":
        asked = _unit_tangents(problem, method)
    elif method.kind == "vjp":
        asked = [split(row, shapes) for row in rows]
    said, trace, notes, bits = claim(method.at, values, asked, **options)
    with session.precisely(bits):
        if method.kind == "local":
            read = _read_local(problem, method, said[0], shapes, rows)
        elif method.kind == "jvp":
            read = _read_jvp(problem, method, said, rows)
        else:
            read = _read(problem, method, said)
    return Claim(
        {name: item for name, item in read.items() if isinstance(item, np.ndarray)},
        {name: item for name, item in read.items() if isinstance(item, str)},
        trace,
        notes,
        bits,
    )


def split(row: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Cut one row over all outputs into an array per output."""
    parts = np.split(row, np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _read(problem: Problem, method: Method, said: list[list[Any]]) -> dict[str, Array | str]:
    found: dict[str, Array | str] = {}
    for position, name in enumerate(method.wrt):
        items = [one[position] for one in said]
        if all(item is None for item in items):
            continue
        shape = np.shape(problem.variable(name).example)
        size = int(np.prod(shape))
        flat = [full_of_zeros(size) if item is None else balls(as_array(item)).reshape(-1) for item in items]
        if any(part.size != size for part in flat):
            wrong = next(np.shape(item) for item, part in zip(items, flat, strict=True) if part.size != size)
            found[name] = f"expected a gradient of shape {shape}, but got shape {wrong}"
        else:
            found[name] = np.stack(flat)
    return found


def full_of_zeros(size: int) -> Array:
    """Exact zeros."""
    made = np.empty(size, dtype=object)
    made.fill(arb(0))
    return made


def _read_local(
    problem: Problem, method: Method, said: list[Any], shapes: Sequence[tuple[int, ...]], rows: Array
) -> dict[str, Array | str]:
    """Multiply local derivatives with the cotangents, each in its own layout."""
    found: dict[str, Array | str] = {}
    for name, item in zip(method.wrt, said, strict=True):
        if item is None:
            continue
        variable = problem.variable(name)
        parts = item if isinstance(item, list) and len(shapes) > 1 else [item]
        try:
            if len(parts) != len(shapes):
                raise ValueError(f"expected a local gradient for each of {len(shapes)} outputs, but got {len(parts)}")
            vjps = [
                layouts.read(as_array(part), np.shape(variable.example), tuple(shape), variable.role)
                for part, shape in zip(parts, shapes, strict=True)
            ]
        except ValueError as error:
            found[name] = str(error)
            continue
        products = [
            sum(as_array(vjp(exact(g))).reshape(-1) for vjp, g in zip(vjps, split(row, shapes), strict=True))
            for row in rows
        ]
        found[name] = np.stack([balls(as_array(row)) for row in products])
    return found


def _unit_tangents(problem: Problem, method: Method) -> list[list[Array]]:
    zeros = [np.zeros(np.shape(problem.variable(name).example)) for name in method.wrt]
    asked = []
    for position, zero in enumerate(zeros):
        for place in range(zero.size):
            tangents = [one.copy() for one in zeros]
            tangents[position].flat[place] = 1.0
            asked.append(tangents)
    return asked


def _read_jvp(problem: Problem, method: Method, said: list[list[Any]], rows: Array) -> dict[str, Array | str]:
    columns = iter([np.concatenate([as_array(part).reshape(-1) for part in one]) for one in said])
    found: dict[str, Array | str] = {}
    for name in method.wrt:
        size = np.size(problem.variable(name).example)
        own = [next(columns) for _ in range(size)]
        if any(len(column) != rows.shape[1] for column in own):
            found[name] = f"expected a product with {rows.shape[1]} entries (one per output), but got {len(own[0])}"
        else:
            found[name] = balls(as_array(exact(rows) @ np.stack(own, axis=1)))
    return found
