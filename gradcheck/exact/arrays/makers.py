"""What makes arrays: of floats, they make arrays that can hold jets; of whole numbers and booleans, what they always
do.

`np.zeros(3)` inside the code that runs becomes an array of exact zeros, because something exact may be written into it.
A shorter float is the same here, and noted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.exact import session
from gradcheck.exact.arrays.array import (
    SHORT,
    ExactArray,
    actual,
    as_array,
    cast_to,
    exact,
    full,
    lifted,
    plain,
    undefined,
)

NONE = object()


def is_floating(dtype: Any) -> bool:
    """Whether a dtype is one of floats (or complex numbers); a shorter one is noted."""
    found = np.dtype(dtype)
    if found.name in SHORT:
        session.note(f"rounds to {found.name} here")
    return found.kind in "fc"


def _filled(value: Callable[[], Any], make: Callable[..., Any]) -> Callable[..., Any]:
    def maker(shape: Any, dtype: Any = float, *args: Any, **kwargs: Any) -> Any:
        return full(shape, value()) if is_floating(dtype) else make(shape, dtype, *args, **kwargs)

    return maker


zeros = _filled(lambda: 0.0, np.zeros)
ones = _filled(lambda: 1.0, np.ones)
empty = _filled(undefined, np.empty)


def full_(shape: Any, fill_value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
    """`np.full`"""
    filling = exact(fill_value)
    if dtype is None and not (isinstance(fill_value, float) or filling is fill_value):
        dtype = np.asarray(fill_value).dtype  # a whole number fills an array of whole numbers
    if dtype is not None and not is_floating(dtype):
        return np.full(shape, fill_value, dtype, *args, **kwargs)
    made = full(shape, 0.0)
    made[...] = filling
    return made


def _like(value: Callable[[], Any], make: Callable[..., Any]) -> Callable[..., Any]:
    def maker(a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **kwargs: Any) -> Any:
        found = exact_or_same(a)
        wanted = dtype if dtype is not None else found.dtype if isinstance(found, np.ndarray) else np.asarray(a).dtype
        if not is_floating(wanted):
            return make(plain(found), dtype=wanted, shape=shape)
        return in_class(full(np.shape(found) if shape is None else shape, value()), a if subok else None)

    return maker


zeros_like = _like(lambda: 0.0, np.zeros_like)
ones_like = _like(lambda: 1.0, np.ones_like)
empty_like = _like(undefined, np.empty_like)


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **_: Any
) -> Any:
    """`np.full_like`"""
    made = zeros_like(a, dtype, order, subok, shape)
    made[...] = fill_value
    return made


def exact_or_same(a: Any) -> Any:
    """What jets are in, as an ExactArray; anything else as NumPy has it."""
    if isinstance(a, np.ndarray):
        return lifted(a) if actual(a).kind == "O" else a
    return exact(a) if holds_jets(a) else a


def holds_jets(tree: Any) -> bool:
    """Whether there is a jet in nested lists and tuples."""
    from gradcheck.exact.jets.jet import Jet

    if isinstance(tree, (list, tuple)):
        return any(holds_jets(part) for part in tree)
    return type(tree) is Jet or isinstance(tree, ExactArray)


def in_class(made: ExactArray, like: Any) -> Any:
    """In the class of an array, where that is a subclass of somebody's."""
    kind = type(like)
    return made.view(kind) if isinstance(like, np.ndarray) and kind not in (np.ndarray, ExactArray) else made


def array(
    object: Any, dtype: Any = None, *, copy: Any = True, order: Any = "K", subok: bool = False, ndmin: int = 0, **_: Any
) -> Any:
    """`np.array`: of floats and jets an array of jets, with the type that is asked for."""
    found = exact_or_same(object if isinstance(object, np.ndarray) else np.asarray(object))
    if dtype is not None and np.dtype(dtype) != found.dtype:
        if not isinstance(found, ExactArray):
            found = np.asarray(found, dtype=dtype)
            copy = False
        else:
            found = cast_to(found, dtype, copy=False)
    if actual(found).kind in "fc":
        found, copy = as_array(found), False
    kind = type(object) if subok and isinstance(object, np.ndarray) else None
    made = found.copy() if copy else found
    if ndmin > made.ndim:
        made = made.reshape([1] * (ndmin - made.ndim) + list(made.shape))
    if kind not in (None, np.ndarray, ExactArray):
        return np.ndarray.view(made, kind)
    return made if isinstance(made, ExactArray) else np.ndarray.view(made, np.ndarray)


def asarray(a: Any, dtype: Any = None, order: Any = None, *, copy: Any = False, **_: Any) -> Any:
    """`np.asarray`"""
    return array(a, dtype, copy=bool(copy))


def asanyarray(a: Any, dtype: Any = None, order: Any = None, *, copy: Any = False, **_: Any) -> Any:
    """`np.asanyarray`"""
    return array(a, dtype, copy=bool(copy), subok=True)


def contiguous(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
    """`np.ascontiguousarray`, `np.asfortranarray`: the layout of objects changes no result."""
    return array(a, dtype, copy=False, ndmin=1)


def copied(a: Any, order: Any = "K", subok: bool = False) -> Any:
    """`np.copy`"""
    return array(a, subok=subok)


def fromiter(iter: Any, dtype: Any, count: int = -1, **_: Any) -> Any:
    """`np.fromiter`"""
    items = list(iter)
    return array(items if count < 0 else items[:count], dtype)


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, *args: Any, **kwargs: Any) -> Any:
    """`np.linspace`; between exact numbers, start + (stop − start) k / n."""
    if not holds_jets([start, stop]):
        return _lifting(np.linspace)(start, stop, num, endpoint, *args, **kwargs)
    steps = max(num - 1 if endpoint else num, 1)
    return as_array([start + (stop - start) * k / steps for k in range(num)])


def _lifting(make: Callable[..., Any]) -> Callable[..., Any]:
    """A maker whose floats are constants: those that NumPy computes, as jets."""

    def maker(*args: Any, **kwargs: Any) -> Any:
        if any(holds_jets(value) for value in args):
            session.leave(f"np.{make.__name__} of exact numbers has no exact form")
        made = make(*args, **kwargs)
        return exact(made) if isinstance(made, np.ndarray) and is_floating(made.dtype) else made

    return maker


MAKERS: dict[Any, Callable[..., Any]] = {
    np.zeros: zeros,
    np.ones: ones,
    np.empty: empty,
    np.full: full_,
    np.zeros_like: zeros_like,
    np.ones_like: ones_like,
    np.empty_like: empty_like,
    np.full_like: full_like,
    np.array: array,
    np.asarray: asarray,
    np.asanyarray: asanyarray,
    np.ascontiguousarray: contiguous,
    np.asfortranarray: contiguous,
    np.copy: copied,
    np.fromiter: fromiter,
    np.linspace: linspace,
    **{make: _lifting(make) for make in (np.eye, np.identity, np.arange, np.logspace, np.geomspace, np.tri)},
}
