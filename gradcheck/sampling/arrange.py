"""How arrays lie in memory, and whole numbers, when they are handed to the claims."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcheck.problem import Array

Arrange = Callable[[Array], Array]


def as_it_is(array: Array) -> Array:
    """The array itself."""
    return array


def in_fortran_order(array: Array) -> Array:
    """Column by column; `np.asfortranarray` would make one axis of none."""
    return np.asarray(array, order="F")


def not_contiguous(array: Array) -> Array:
    """Every second entry along the last axis of an array twice as wide."""
    if not array.ndim:
        return array
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def read_only(array: Array) -> Array:
    """A copy that cannot be written to."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def whole_numbers(array: Array) -> Array:
    """As int64 where all entries are whole."""
    return np.asarray(array, dtype=np.int64) if np.array_equal(array, np.rint(array)) else array


ARRANGED: tuple[tuple[str, str, Arrange], ...] = (
    ("Fortran order", "for arrays in Fortran order", in_fortran_order),
    ("not contiguous", "for arrays that are not contiguous", not_contiguous),
    ("read-only", "for read-only arrays", read_only),
)
LAYOUTS = frozenset(arrange for _, _, arrange in ARRANGED)
