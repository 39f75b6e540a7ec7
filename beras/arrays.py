"""Plain NumPy arrays: their type, and where in memory they lie."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
_LINE = 64  # bytes


def aligned(array: Array) -> Array:
    """Return a copy of `array`, in C order, that begins where a line of the processor's cache does.

    Anywhere else every vector that is read or written straddles two lines: for what is updated in place at every step,
    weights and an optimizer's state, that made a training step up to a tenth longer, or not, as memory happened to lie.
    """
    if array.dtype.hasobject:
        return array.copy()
    room = np.empty(array.nbytes + _LINE, np.uint8)
    start = -room.ctypes.data % _LINE
    copy: Array = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def ones(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return what `np.ones` does, at a quarter of its time where there are few of them."""
    array = np.empty(shape, dtype)
    array.fill(1)
    return array


def as_rows(array: Array) -> Array:
    """Return `(…, n)` as `(m, n)`; what is so already is left alone, for reshapes took 8 % of a small layer's step."""
    return array if array.ndim == 2 else array.reshape(-1, array.shape[-1])


def sum_of_rows(rows: Array) -> Array:
    """Return the sum of the rows of a matrix `(m, n)`, of shape `(1, n)`, as a product, which BLAS does."""
    total: Array = np.dot(ones((1, len(rows)), rows.dtype), rows)
    return total


def memory(array: Array) -> Array:
    """Return the array that owns the memory of `array`: all views of it have this one in common."""
    while isinstance(base := array.base, np.ndarray):
        array = base
    return array
