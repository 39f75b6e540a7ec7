"""What a derivative that was handed over is about, and its answer taken apart: an item for each array."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from gradcheck.adapters import returned
from gradcheck.adapters.handed import trees
from gradcheck.adapters.handed.given import Call, Given, Part
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array

Fits = Callable[[Any, Sequence[Part]], bool]

# Among as many arguments others are looked for that a list of gradients may be about.
MANY = 10

# A sparse matrix of more entries is never written out.
WRITTEN_OUT = 10_000_000


def is_sparse(item: Any) -> bool:
    """Whether an item is a sparse matrix or array."""
    return all(hasattr(item, name) for name in ("toarray", "shape", "T"))


def is_large(item: Any) -> bool:
    """Whether an item is a sparse matrix that is too large to be written out."""
    return is_sparse(item) and math.prod(item.shape) > WRITTEN_OUT


def array_of(item: Any) -> Array | None:
    """Return an item as an array of numbers; None where it is none (a ragged list, an operator) or too large."""
    if is_large(item):
        return None
    try:
        array = np.asarray(returned.plain(item))
    except Exception:  # somebody else's __array__
        return None
    return array if array.dtype.kind in "fiubc" else None


def is_numeric(item: Any) -> bool:
    """Whether an item is an array of numbers, or multiplies like one."""
    return array_of(item) is not None or is_large(item) or hasattr(item, "matvec")


def fits_gradient(item: Any, parts: Sequence[Part]) -> bool:
    """Whether an item has the shape of the one array that it would be a gradient by."""
    array = array_of(item)
    return array is not None and len(parts) == 1 and array.shape == parts[0].shape


def about(answer: Any, call: Call, fits: Fits, what: str) -> tuple[Given, ...]:
    """Return the arguments that an answer is about.

    That is the first alone where the answer has its form; else as many as there are items in a list, or as are named
    in a dict. Raises CannotBuild, with what to say, where it has the form of others.
    """
    candidates, floats = call.candidates, call.floats
    if len(candidates) == 1 or _is_of(answer, floats[0], fits):
        return floats[:1]
    if isinstance(answer, dict):
        named = tuple(one for one in candidates if trees.follow(answer, (one.name,)) is not None)
        if not named:
            keys, names = ", ".join(map(repr, answer)), ", ".join(one.name for one in candidates)
            raise CannotBuild(f"expected {what} to return a dict with arguments ({names}) for keys, but it has {keys}")
        return named
    if isinstance(answer, (list, tuple)):
        count = len(answer)
        readings = [some for some in (floats, candidates, candidates[:count]) if len(some) == count]
        if not readings or _are_of(answer, readings[0], fits):
            return (readings or [floats])[0]
        others = [some for some in combinations(candidates[:MANY], count) if _are_of(answer, some, fits)]
        _ambiguous(what, others)
        return readings[0]
    array = array_of(answer)
    if fits(answer, [part for one in floats for part in one.parts]) or _is_in_rows(array, floats):
        return floats
    _ambiguous(what, [(one,) for one in candidates if _is_of(answer, one, fits)])
    return floats[:1]


def _is_of(answer: Any, one: Given, fits: Fits) -> bool:
    """Whether an answer has the form of a claim about one argument alone."""
    if not one.nested:
        return fits(answer, one.parts)
    if not trees.is_tree(answer) or isinstance(answer, dict) != isinstance(one.value, dict):
        return False
    return any(fits(trees.follow(answer, part.path), [part]) for part in one.parts)


def _are_of(answer: Sequence[Any], several: Sequence[Given], fits: Fits) -> bool:
    return all(item is None or _is_of(item, one, fits) for item, one in zip(answer, several, strict=True))


def _is_in_rows(array: Array | None, several: Sequence[Given]) -> bool:
    """Whether an array has a row for each argument."""
    plain = not any(one.nested for one in several)
    return array is not None and array.ndim > 0 and plain and [row.shape for row in array] == _shapes(several)


def _shapes(several: Iterable[Given]) -> list[tuple[int, ...]]:
    return [part.shape for one in several for part in one.parts]


def _ambiguous(what: str, others: Sequence[Sequence[Given]]) -> None:
    """Raise CannotBuild where an answer has the form of other arguments than the ones that it would be read as."""
    if others:
        names = [repr(one.name) for one in others[0]]
        said = names[0] if len(names) == 1 else f"({', '.join(names)})"
        raise CannotBuild(
            f"expected {what} to be by the first argument, or by every one, but what it returns has the shape of a "
            f"derivative by {' and '.join(names)}: say wrt={said}"
        )


def items(answer: Any, arguments: Sequence[Given], what: str) -> list[Any]:
    """Return an item for each array of the arguments, None where the answer is silent about one.

    Raises NotImplementedError where nothing came back, ValueError where the answer has another form.
    """
    if answer is None or answer is NotImplementedError or answer is NotImplemented or answer is Ellipsis:
        raise NotImplementedError("it returned nothing")
    found: list[Any] = []
    for one, item in zip(arguments, _one_each(answer, arguments, what), strict=True):
        if not one.nested:
            found.append(item)
        elif item is None:
            found += [None] * len(one.parts)
        elif trees.is_tree(item) and isinstance(item, dict) == isinstance(one.value, dict):
            found += [trees.follow(item, part.path) for part in one.parts]
        else:
            wanted = f"{'a dict' if isinstance(one.value, dict) else 'a list'} like {one.name}"
            raise ValueError(f"expected {what} to return {wanted}, but got {type(item).__name__}")
    return found


def _one_each(answer: Any, arguments: Sequence[Given], what: str) -> list[Any]:
    if len(arguments) == 1:
        return [answer]
    names = [one.name for one in arguments]
    if isinstance(answer, dict):
        return [trees.follow(answer, (name,)) for name in names]
    if isinstance(answer, (list, tuple)):
        if len(answer) != len(names):
            raise ValueError(f"expected {what} to return one derivative each for {', '.join(names)}, got {len(answer)}")
        return list(answer)
    array = array_of(answer)
    if array is not None and _is_in_rows(array, arguments):
        return list(array)
    shape = "nothing readable" if array is None else f"a bare array of shape {array.shape}"
    raise ValueError(
        f"expected {what} to return a list with one derivative each for {', '.join(names)}, but got {shape}"
    )


def gradient(item: Any, part: Part, what: str) -> Array | None:
    """Return one gradient as it came back, without a list or an axis of one around it; None where it is silent."""
    if item is None:
        return None
    whole = array_of(item) if isinstance(item, (list, tuple)) else None
    if whole is not None and whole.shape == part.shape:
        return whole
    found = returned.listed(item, [part.name], [part.shape], what)[0]
    if found is not None and found.dtype.kind not in "fiubc":
        raise TypeError(f"expected {what} to return numbers, but got an array of dtype {found.dtype}")
    return found
