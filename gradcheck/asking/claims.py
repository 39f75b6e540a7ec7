"""What the code says: every derivative method, whatever its kind, is asked for products with the same cotangents."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gradcheck.asking import layouts
from gradcheck.compiled import has_other_types
from gradcheck.errors import message, never_ran, told, trace
from gradcheck.problem import Array, Method, Problem, Values

Given = Callable[[], Values]
Status = Literal["answered", "silent", "unbound", "other types", "raised", "unreadable"]


@dataclass(frozen=True)
class Answer:
    """What one method said about one variable: a row of the variable's size for every cotangent.

    `status`: "silent" for `None` or NotImplementedError, "unbound" where the call does not fit its signature, "other
    types" where it is compiled for others than these, "raised" for another exception (`traceback` has the checked
    code's frames), "unreadable" for an answer of a size that cannot be the variable's.
    """

    wrt: str
    status: Status
    rows: Array | None = None
    message: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    traceback: str = ""


def split(row: Array, shapes: Sequence[tuple[int, ...]], dtype: Any) -> list[Array]:
    """Cut one row over all outputs into an array per output."""
    parts = np.split(row, np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1])
    return [part.reshape(shape).astype(dtype) for part, shape in zip(parts, shapes, strict=True)]


def ask(
    problem: Problem,
    method: Method,
    given: Given,
    shapes: Sequence[tuple[int, ...]],
    asked: dict[str, Array],
    dtype: Any,
) -> dict[str, Answer]:
    """Ask `method` for the rows of `asked[name] · J`, for those of its variables that are asked about.

    `given` makes the values anew for every call: the checked code may write into what it gets.
    """
    try:
        if method.kind == "local":
            return _read_local(problem, method, _kept(method.at(given())([])), shapes, asked)
        if method.kind == "sum":
            return _collect(problem, method, [_kept(method.at(given())([]))], dict.fromkeys(asked, 1))
        if method.kind == "jvp":
            return _ask_jvp(problem, method, given, asked, dtype)
        return _ask_vjp(problem, method, given, shapes, asked, dtype)
    except NotImplementedError as error:
        return {name: Answer(name, "silent", message=message(error)) for name in asked}
    except Exception as error:  # whatever other people's code raises is a finding, not a failure of the check
        status: Status = "unbound" if never_ran(error) else "other types" if has_other_types(error) else "raised"
        said, where = told(error), trace(error)
        return {name: Answer(name, status, message=said, traceback=where) for name in asked}


def _kept(said: Sequence[Any]) -> list[Any]:
    """Copy what came back: code that fills one array again and again must not change earlier answers."""
    return [copy.deepcopy(one) for one in said]


def _several(method: Method, given: Given, questions: Sequence[list[Array]]) -> list[list[Any]]:
    """Put several questions about one call; each about a call of its own where an answer uses the call up."""
    derivative = method.at(given())
    answers: list[list[Any]] = []
    used_up = False
    for question in questions:
        if used_up:
            derivative = method.at(given())
        try:
            answers.append(_kept(derivative(question)))
        except Exception:
            if not answers or used_up:
                raise
            used_up = True
            answers.append(_kept(method.at(given())(question)))
    return answers


def _ask_vjp(
    problem: Problem,
    method: Method,
    given: Given,
    shapes: Sequence[tuple[int, ...]],
    asked: dict[str, Array],
    dtype: Any,
) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    by_rows: dict[bytes, list[str]] = {}
    for name, rows in asked.items():
        by_rows.setdefault(rows.tobytes(), []).append(name)
    for names in by_rows.values():
        said = _several(method, given, [split(row, shapes, dtype) for row in asked[names[0]]])
        collected = _collect(problem, method, said, {name: len(said) for name in names})
        answers.update(collected)
    return answers


def _ask_jvp(problem: Problem, method: Method, given: Given, asked: dict[str, Array], dtype: Any) -> dict[str, Answer]:
    """Ask for the columns `J · e` of the Jacobian, and multiply the cotangents with it."""
    zeros = [np.zeros_like(problem.variable(name).example, dtype=dtype) for name in method.wrt]
    answers = {}
    for position, name in enumerate(method.wrt):
        if name not in asked:
            continue
        basis = []
        for entry in range(zeros[position].size):
            basis.append([zero.copy() for zero in zeros])
            basis[-1][position].flat[entry] = 1.0
        said = [[np.asarray(part) for part in parts] for parts in _several(method, given, basis)]
        columns = [np.concatenate([part.ravel() for part in parts]) for parts in said]
        first = said[0][0] if said else np.zeros(())
        outputs = asked[name].shape[1]
        jacobian = np.stack(columns, axis=1) if columns else np.zeros((outputs, 0))
        if len(jacobian) != outputs:
            why = f"expected a product with {outputs} entries (one per output), but got {len(jacobian)}"
            answers[name] = Answer(name, "unreadable", message=why)
            continue
        shape = zeros[position].shape
        answers[name] = Answer(name, "answered", asked[name] @ jacobian, shape=shape, dtype=str(first.dtype))
    return answers


def _collect(problem: Problem, method: Method, said: list[list[Any]], wanted: dict[str, int]) -> dict[str, Answer]:
    """Turn what came back (a list per cotangent, an item per variable) into rows."""
    answers = {}
    for position, name in enumerate(method.wrt):
        if name not in wanted:
            continue
        items = [one[position] for one in said]
        if all(item is None for item in items):
            answers[name] = Answer(name, "silent")
            continue
        variable = problem.variable(name).example
        first = np.asarray(items[0])
        rows = np.empty((len(items), variable.size))
        answers[name] = Answer(name, "answered", rows, shape=first.shape, dtype=str(first.dtype))
        for row, item in zip(rows, items, strict=True):
            array = np.asarray(item) if item is not None else np.zeros(variable.shape)
            if array.size != variable.size or array.dtype.kind not in "fiub":
                why = f"expected a gradient of shape {variable.shape}, but got {_describe(array)}"
                answers[name] = Answer(name, "unreadable", message=why, shape=array.shape)
                break
            row[:] = array.ravel()
    return answers


def _describe(array: Array) -> str:
    return f"shape {array.shape}" if array.dtype.kind in "fiub" else f"an array of dtype {array.dtype}"


def _read_local(
    problem: Problem, method: Method, said: list[Any], shapes: Sequence[tuple[int, ...]], asked: dict[str, Array]
) -> dict[str, Answer]:
    """Multiply local derivatives with the cotangents, each in its own layout."""
    answers = {}
    for name, item in zip(method.wrt, said, strict=True):
        if name not in asked:
            continue
        if item is None:
            answers[name] = Answer(name, "silent")
            continue
        variable = problem.variable(name)
        parts = list(item) if isinstance(item, (list, tuple)) and len(shapes) > 1 else [item]
        try:
            locals_ = [np.asarray(part) for part in parts]
            if any(part.dtype.kind not in "fiub" for part in locals_):
                raise ValueError(f"expected numbers, but the local gradient has dtype {locals_[0].dtype}")
            if len(parts) != len(shapes):
                raise ValueError(f"expected a local gradient for each of {len(shapes)} outputs, but got {len(parts)}")
            vjps = [
                layouts.read(part, variable.example.shape, tuple(shape), variable.role)
                for part, shape in zip(locals_, shapes, strict=True)
            ]
        except ValueError as error:
            answers[name] = Answer(name, "unreadable", message=str(error))
            continue
        rows = np.empty((len(asked[name]), variable.example.size))
        for row, cotangent in zip(rows, asked[name], strict=True):
            pieces = split(cotangent, shapes, float)
            row[:] = sum(vjp(g).ravel() for vjp, g in zip(vjps, pieces, strict=True))
        first = locals_[0]
        answers[name] = Answer(name, "answered", rows, shape=first.shape, dtype=str(first.dtype))
    return answers
