"""What a derivative method returned, made into a list with one entry per variable.

Packages return lists, tuples, bare arrays, arrays with a leading axis of one, dicts, or nothing at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.problem import Array


def plain(answer: Any) -> Array | None:
    """Return one gradient as a plain array: subclasses, sparse matrices and nodes lose their class, `None` stays it."""
    if answer is None:
        return None
    if isinstance(answer, np.ndarray):
        return answer.view(np.ndarray) if type(answer) is not np.ndarray else answer
    if hasattr(answer, "toarray"):
        return np.asarray(answer.toarray())
    for name in ("value", "data"):
        held = getattr(answer, name, None)
        if isinstance(held, np.ndarray):
            return held
    return np.asarray(answer)


class Outputs(list[Array]):
    """Arrays that share no memory with anything."""


def outputs(answer: Any) -> Outputs:
    """Return what forward returned as a list of arrays that share no memory with anything (TypeError if it is none)."""
    if isinstance(answer, np.ndarray) and answer.dtype.kind in "fiubc":
        return Outputs([np.array(answer)])  # the usual case, at the speed of one copy
    if answer is None or answer is NotImplementedError or answer is NotImplemented:
        raise NotImplementedError("forward returned nothing")
    several = isinstance(answer, (list, tuple)) and _are_several(answer)
    found = Outputs(np.array(plain(one)) for one in (answer if several else [answer]))
    for one in found:
        if one.dtype.kind not in "fiubc":
            raise TypeError(f"expected forward to return numbers, but got {type(answer).__name__} of dtype {one.dtype}")
    return found


def _are_several(answer: Sequence[Any]) -> bool:
    """Whether a sequence is one of outputs, not one output written as rows of plain numbers."""
    if any(isinstance(one, np.ndarray) for one in answer):
        return True
    if not any(isinstance(one, (list, tuple)) for one in answer):
        return False
    try:
        return np.asarray(answer).dtype.kind not in "fiubc"
    except ValueError:  # rows of different lengths
        return True


def filled(answer: Any) -> list[Array]:
    """The same, of a forward that is tried: of arrays without entries nothing can be told (ValueError)."""
    found = outputs(answer)
    if not any(one.size for one in found):
        raise ValueError("it returned an empty array")
    return found


def listed(
    answer: Any,
    names: Sequence[str],
    shapes: Sequence[tuple[int, ...]],
    what: str,
    constants: Sequence[str] = (),
    bare: bool = False,
) -> list[Array | None]:
    """Return one gradient per name, in the very memory that came back: `own` is for who keeps it.

    A constant may be left out. A bare array counts as the only gradient where exactly one variable was asked for
    (with `bare`: where exactly one is no constant), an array with one more axis of the right length as a list.
    Raises NotImplementedError where nothing came back, ValueError where the number of gradients is wrong.
    """
    if answer is None or answer is NotImplementedError or answer is NotImplemented or answer is Ellipsis:
        raise NotImplementedError("it returned nothing")
    if isinstance(answer, Mapping):
        answer = _from_mapping(answer, names)
    asked = [name for name in names if name not in constants]
    if (
        bare
        and len(asked) == 1
        and isinstance(answer, np.ndarray)
        and answer.shape == tuple(shapes[names.index(asked[0])])
    ):
        answer = [answer]
    if isinstance(answer, (list, tuple)) and not is_nested_numbers(answer, shapes):
        items: list[Any] = list(answer)
    else:
        items = _from_array(plain(answer), names, shapes, what)
    if not items and names:
        raise NotImplementedError("it returned an empty list")
    if len(items) != len(names):
        items = _without_constants(items, names, constants, what)
    return [plain(item) for item in items]


def own(item: Any) -> Array | None:
    """One gradient in memory of its own: code that fills one array again and again must not change earlier answers."""
    array = plain(item)
    return None if array is None else np.array(array)


def is_nested_numbers(answer: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> bool:
    """One gradient written as a nested list of plain numbers, where one variable was asked for."""
    if len(shapes) != 1 or any(isinstance(item, np.ndarray) or item is None for item in answer):
        return False
    # A list of one array of shape (1,) is a list with one gradient; a list of one number is that gradient.
    return np.shape(answer) == tuple(shapes[0]) and (np.shape(answer) != (1,) or isinstance(answer[0], (float, int)))


def _from_mapping(answer: Mapping[Any, Any], names: Sequence[str]) -> list[Any]:
    return [answer[name] for name in names] if all(name in answer for name in names) else list(answer.values())


def _from_array(array: Array | None, names: Sequence[str], shapes: Sequence[tuple[int, ...]], what: str) -> list[Any]:
    if array is None:
        raise NotImplementedError("it returned nothing")
    if len(names) == 1:
        shape = tuple(shapes[0])
        return [array[0]] if array.shape == (1, *shape) != shape else [array]
    if array.dtype == object or (array.ndim and [one.shape for one in array] == [tuple(shape) for shape in shapes]):
        return list(array)
    raise ValueError(
        f"expected {what} to return a list with one gradient each for {', '.join(names)}, "
        f"but got a bare array of shape {array.shape}"
    )


def _without_constants(items: list[Any], names: Sequence[str], constants: Sequence[str], what: str) -> list[Any]:
    asked = [name for name in names if name not in constants]
    if len(items) == len(asked):
        given = iter(items)
        return [None if name in constants else next(given) for name in names]
    count = f"{len(names)} gradient{'s' * (len(names) != 1)}"
    raise ValueError(f"expected {what} to return {count}, one each for {', '.join(names)}, but got {len(items)}")
