"""How small a bound can honestly be: what f rounds inside of itself may show in none of its values."""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.estimate import size_of_rows
from gradcheck.problem import Array

SHARE = 2e-12  # of its row's largest derivative: a few thousand roundings
EPS = float(np.finfo(np.float64).eps)


def hidden(value: Array, bound: Array, variation: Array) -> Array:
    """Return what no bound of an output `(outputs,)` is below: a share of its largest derivative."""
    return SHARE * size_of_rows(value, bound, variation)


def last_bits(f0: Array) -> Array:
    """Return how far each output `(outputs,)` may move without showing it, over a step of the size of x.

    By its last bit. An output of 0 is computed from numbers as large as other outputs, and one that is next to nothing
    is what two roundings leave of them.
    """
    size = np.abs(f0)
    most = np.max(size, where=np.isfinite(size), initial=0.0)
    return EPS * np.where(size > 0, np.maximum(size, EPS * most), most)
