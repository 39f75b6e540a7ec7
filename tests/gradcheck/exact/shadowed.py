"""A module as people write them: NumPy under several names, and what knows it by them. Checked by `test_shadow`."""

from __future__ import annotations

import math
from math import exp as mexp
from typing import Any

import numpy
import numpy as np
import numpy.linalg as la
from numpy import float32, tanh, zeros

SCALARS = (float, int, np.generic)
BUFFER = np.zeros(2)


def makers(x: Any) -> Any:
    """Every maker of floats holds what is written into it; those of whole numbers and booleans are what they were."""
    made = [
        *(np.zeros(2), numpy.ones(2), np.empty(2), np.full(2, 0.5), np.full(2, 1, dtype=float), zeros((2,))),
        *(np.zeros_like(x), np.ones_like(x), np.empty_like(x), np.full_like(x, 2.0), np.zeros_like([1.0, 2.0])),
        *(np.array([1.0, 2.0]), np.asarray([1, 2], dtype=float), np.asanyarray([1.0, 2.0]), np.copy(BUFFER)),
        *(np.ascontiguousarray(BUFFER), np.asfortranarray(BUFFER), np.fromiter([1, 2], float), np.array(BUFFER)),
        *(np.eye(2)[0], np.identity(2)[0], np.arange(2.0), np.linspace(0, 1, 2), np.logspace(0, 1, 2)),
        *(np.geomspace(1, 2, 2), np.tri(2)[0], np.zeros(2, "f4"), np.array(BUFFER, dtype=float32)),
    ]
    for array in made:
        array[0] = x[0]
    whole = [np.zeros(2, int), np.zeros(2, dtype=bool), np.arange(2), np.full(2, 1), np.zeros_like([1, 2])]
    assert all(array.dtype.kind in "bi" and type(array) is np.ndarray for array in [*whole, np.array([1])])
    return sum(array[0] for array in made) * x


def names(x: Any) -> Any:
    """Functions under all these names, of arrays that have lost their class, of lists and of single numbers."""
    one = x[0]
    lost = np.ndarray.view(x, np.ndarray) if type(x) is np.ndarray else np.ndarray.__array__(x)
    total = tanh(lost) + numpy.exp(lost) + la.norm([one, x[1]]) + np.logaddexp(lost, 0)
    return total + math.sqrt(one) + mexp(one) + math.atan2(one, 2) + math.floor(one) + math.log(one, 2) + float(one)


def types(x: Any) -> Any:
    """What a number of NumPy's is taken for."""
    one = x[0]
    assert isinstance(one, float)
    assert isinstance(one, SCALARS)
    assert isinstance(one, (int, float))
    assert isinstance(one, np.floating)
    assert isinstance(one, np.float64)
    assert not isinstance(one, np.float32)
    assert not isinstance(one, (int, np.integer))
    assert isinstance(1.5, float)
    assert not isinstance("1", float)
    assert float("1.5") == 1.5
    assert np.zeros(1, dtype=float).dtype == np.float64 == np.dtype(float)
    assert x.dtype == float
    assert x.dtype.type is not None
    assert np.issubdtype(np.float32, np.floating)
    assert isinstance(np.exp, np.ufunc)
    assert np.exp == np.exp
    assert len({np.exp, np.exp}) == 1
    assert float.__name__ == "float"
    return np.float64(one) + np.float32(one) * x


def failing(x: Any) -> Any:
    """Raises in the middle."""
    np.zeros(2)
    raise RuntimeError("in the middle")


CACHE: dict[int, Any] = {}


def rebinding(x: Any) -> Any:
    """Binds names, keeps arrays, in the module and in a class."""
    global zeros, bound
    zeros = bound = CACHE[2] = np.ones(2) * x
    Tagged.known.append(x)
    return x


def counting() -> Any:
    """A function that counts its calls."""
    calls = 0

    def count() -> int:
        nonlocal calls
        calls += 1
        return calls

    return count


class Tagged(np.ndarray):
    """An array class that asks for its own type, as course packages do."""

    known: list[Any] = []  # noqa: RUF012 -- people write it

    def __new__(cls, data: Any) -> Any:
        """Wrap data."""
        return np.asarray(data).view(cls)


def tagged(x: Any) -> Any:
    """Stays in its class, and says that it is of floats."""
    wrapped = Tagged(x)
    result = np.exp(wrapped) * 2 + wrapped.astype(float)
    assert type(result) is Tagged
    assert (wrapped.dtype.kind, result.dtype.kind, wrapped.astype(np.float32).dtype.kind) == ("f", "f", "f")
    return result + wrapped.sum() + wrapped.mean() + wrapped.max() + wrapped.var()


def closing(np: Any) -> Any:
    """A function that closes over NumPy under a name of its own."""

    def inside(x: Any) -> Any:
        made = np.zeros(2)
        made[:] = x
        return made

    return inside
