"""What puts numbers in order: argmax, sort, median, and their kin. Every comparison is a decision."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.exact import session
from gradcheck.exact.arrays.array import Array, ExactArray, as_array, plain, scalar
from gradcheck.exact.arrays.reductions import Axis, axes_of
from gradcheck.exact.jets.decisions import Order, decide, value_of
from gradcheck.exact.jets.jet import Jet


def _ordered(kind: str, row: Any) -> list[int]:
    """The places of the entries from the smallest to the largest; equal ones stay as they are."""

    def compare(first: int, second: int) -> Order:
        return decide(kind, row[first], row[second], _itself, continuous=kind in ("sort", "median"))

    session.afford(len(row))
    return sorted(range(len(row)), key=functools.cmp_to_key(compare))


def _along(a: Any, axis: Any, function: Callable[[Array], Any], dtype: Any) -> Any:
    """Apply a function to every row along an axis (None: to all entries), which returns as long a row."""
    x = plain(as_array(a))
    x = x.reshape(-1) if axis is None else np.moveaxis(x, axis, -1)
    made = np.empty(x.shape, dtype=dtype)
    for place in np.ndindex(x.shape[:-1]):
        made[place] = function(x[place])
    return made if axis is None else np.moveaxis(made, -1, axis)


def argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """The places of the entries in order."""
    return _along(a, axis, lambda row: _ordered("argsort", row), np.intp)


def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """The entries in order."""
    return _along(a, axis, lambda row: row[_ordered("sort", row)], object).view(ExactArray)


def partition(a: Any, kth: Any, axis: Any = -1, kind: Any = None, order: Any = None) -> Any:
    """The entries in order, which is a partition at any place."""
    return sort(a, axis)


def argpartition(a: Any, kth: Any, axis: Any = -1, kind: Any = None, order: Any = None) -> Any:
    """The places of the entries in order."""
    return argsort(a, axis)


def _arg(kind: str, wanted: int) -> Callable[..., Any]:
    def first_of(row: Any) -> int:
        best = 0
        for place in range(1, len(row)):
            if decide(kind, row[place], row[best], _itself) == wanted:
                best = place
        return best

    def arg(a: Any, axis: Any = None, out: None = None, *, keepdims: Any = False) -> Any:
        x = plain(as_array(a))
        x = x.reshape(-1) if axis is None else np.moveaxis(x, axis, -1)
        made = np.empty(x.shape[:-1], dtype=np.intp)
        if x.shape[-1] == 0:
            raise ValueError(f"attempt to get {kind} of an empty sequence")
        for place in np.ndindex(x.shape[:-1]):
            made[place] = first_of(x[place])
        if keepdims is True:
            return made.reshape([1] * np.ndim(a)) if axis is None else np.expand_dims(made, axis)
        return scalar(made)

    return arg


argmax, argmin = _arg("argmax", 1), _arg("argmin", -1)


def quantile(
    a: Any,
    q: Any,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = False,
    **_: Any,
) -> Any:
    """Entries in order, read at q (n − 1), straight between two of them."""
    if method != "linear":
        session.leave(f"np.quantile by the method {method!r} has no exact form")
    x = as_array(a)
    axes = axes_of(axis, x.ndim)
    rest = [i for i in range(x.ndim) if i not in axes]
    rows = sort(x.transpose([*rest, *axes]).reshape([*(x.shape[i] for i in rest), -1]))
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    parts = []
    for share in np.ravel(q):
        place = share * (rows.shape[-1] - 1)
        low = int(np.floor(value_of(place) if isinstance(place, Jet) else place))
        high = min(low + 1, rows.shape[-1] - 1)
        value = as_array(rows[..., low] + (rows[..., high] - rows[..., low]) * (place - low))
        parts.append(value.reshape(kept) if keepdims is True else value)
    return scalar(parts[0] if np.ndim(q) == 0 else np.stack(parts).reshape(*np.shape(q), *parts[0].shape))


def percentile(a: Any, q: Any, *args: Any, **kwargs: Any) -> Any:
    """Quantiles in hundredths."""
    return quantile(a, np.asarray(q) / 100, *args, **kwargs)


def median(a: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    """The middle entry, or the mean of the two in the middle."""
    return quantile(a, 0.5, axis, keepdims=keepdims)


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """Straight lines through (xp, fp), level beyond their ends."""
    if period is not None:
        session.leave("np.interp with a period has no exact form")
    points, places, values = as_array(x), as_array(xp), as_array(fp)

    def at(point: Any) -> Any:
        if point < places[0]:
            return values[0] if left is None else left
        if point > places[-1]:
            return values[-1] if right is None else right
        k = next((k for k in range(1, len(places)) if point < places[k]), len(places) - 1)
        slope = (values[k] - values[k - 1]) / (places[k] - places[k - 1])
        return values[k - 1] + slope * (point - places[k - 1])

    made = np.empty(points.shape, dtype=object)
    for place in np.ndindex(points.shape):
        made[place] = at(points[place])
    return scalar(as_array(made))


def _itself(order: Order) -> Order:
    return order
