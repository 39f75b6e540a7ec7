"""How small a bound can honestly be: what f rounds inside of itself may show in none of its values."""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.estimate import size_of_rows
from gradcheck.numerical.evaluation.noise import ULPS
from gradcheck.problem import Array

SHARE = 7e-13  # of its row's largest derivative: a few thousand roundings
SHORTER = 2.0**14  # roundings of float64 are far more than it takes, and far less than one of float32
MORE = 2.0**8  # times the largest derivative
# What is smaller than this, as an x or beside x, is next to nothing.
LEFT = 2.0**-20
EPS = float(np.finfo(np.float64).eps)


def hidden(value: Array, bound: Array, variation: Array) -> Array:
    """Return what no bound of an output `(outputs,)` is below: a share of its largest derivative.

    Or of its variation, as far as that is `MORE`: where f is flat, it rounds as it does where it is steep.
    """
    size = size_of_rows(value, bound, variation)
    return SHARE * np.maximum(size, MORE * np.minimum(variation / MORE, size))


def last_bits(f0: Array, best: Array, eps: float, value: Array, x: Array) -> Array:
    """Return what an output may move without showing it, over a step of the size of x: as a derivative, per entry.

    By its last bits, here and there. An output of 0 is computed from numbers as large as other outputs, and one that is
    next to nothing is what two roundings leave of them. Where f stays as it is, next to nothing beside an x that is
    small itself, it may be what is left of the roundings of numbers like 1 (log cosh x). `best`: f in the number type
    that rounds least, and its `eps`.
    """
    size = np.abs(f0)
    most = np.max(size, where=np.isfinite(size), initial=0.0)
    bits = 2 * ULPS * EPS * np.where(size > 0, np.maximum(size, EPS * most), most)
    left = np.where(best == 0, ULPS * eps, EPS)
    next_to_nothing = (value == 0) & (x <= LEFT) & (np.abs(best) <= LEFT * x)
    least: Array = np.where(next_to_nothing, np.maximum(bits, left), bits) / x
    return least


def lent(f0: Array, value: Array, rounding: Array, x: Array) -> Array:
    """Return what entries may round that do not move an output: they may be on a stair longer than their steps.

    What one entry shows of how an output is rounded to a shorter type, be it inside of f, the others have as well. One
    that moves the output tells it: where one that does not is heard, that may be the edge of a clip near it.
    """
    moves, known = value != 0, np.isfinite(rounding)
    amplitude = np.max(rounding * x, axis=0, where=known & (moves | ~moves.any(axis=0)), initial=0.0)
    amplitude[amplitude <= SHORTER * EPS * np.abs(f0)] = 0.0
    least: Array = np.where(value == 0, amplitude / x, 0.0)
    return least
