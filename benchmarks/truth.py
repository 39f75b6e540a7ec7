"""Derivatives in high precision: dual numbers over mpmath, carried by NumPy object arrays.

A formula written once for NumPy runs on these too, so that the truth is the derivative of the very function under test
with rounding 10^-60 instead of 10^-16. Arithmetic and `@` come from the object dtype; named functions from `Exact`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

mpmath.mp.dps = 60
MP = mpmath.mp


class Dual:
    """a + b ε with ε² = 0: a value and its derivative."""

    __slots__ = ("a", "b")

    def __init__(self, a: Any, b: Any = MP.zero) -> None:
        self.a, self.b = a, b

    def __add__(self, other: Any) -> Dual:
        o = dual(other)
        return Dual(self.a + o.a, self.b + o.b)

    __radd__ = __add__

    def __neg__(self) -> Dual:
        return Dual(-self.a, -self.b)

    def __sub__(self, other: Any) -> Dual:
        o = dual(other)
        return Dual(self.a - o.a, self.b - o.b)

    def __rsub__(self, other: Any) -> Dual:
        return dual(other) - self

    def __mul__(self, other: Any) -> Dual:
        o = dual(other)
        return Dual(self.a * o.a, self.a * o.b + self.b * o.a)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Dual:
        o = dual(other)
        q = self.a / o.a
        return Dual(q, (self.b - q * o.b) / o.a)

    def __rtruediv__(self, other: Any) -> Dual:
        return dual(other) / self

    def __lt__(self, other: Any) -> bool:
        return bool(self.a < dual(other).a)

    def __gt__(self, other: Any) -> bool:
        return bool(self.a > dual(other).a)


def dual(value: Any) -> Dual:
    """Return a constant (or a dual) as a dual."""
    return value if isinstance(value, Dual) else Dual(MP.mpf(float(value)))


def _unary(value: Any, slope: Any) -> Any:
    def apply(v: Any) -> Dual:
        v = dual(v)
        y = value(v.a)
        return Dual(y, slope(v.a, y) * v.b if v.b else MP.zero)

    return np.frompyfunc(apply, 1, 1)


class Exact:
    """The functions that the generator uses, on object arrays of duals, under NumPy's names."""

    exp = staticmethod(_unary(MP.exp, lambda x, y: y))
    log = staticmethod(_unary(MP.log, lambda x, y: 1 / x))
    sqrt = staticmethod(_unary(MP.sqrt, lambda x, y: 1 / (2 * y)))
    sin = staticmethod(_unary(MP.sin, lambda x, y: MP.cos(x)))
    cos = staticmethod(_unary(MP.cos, lambda x, y: -MP.sin(x)))
    tanh = staticmethod(_unary(MP.tanh, lambda x, y: 1 / MP.cosh(x) ** 2))
    arctan = staticmethod(_unary(MP.atan, lambda x, y: 1 / (1 + x * x)))
    normal_distribution = staticmethod(_unary(MP.ncdf, lambda x, y: MP.npdf(x)))
    log1p = staticmethod(_unary(MP.log1p, lambda x, y: 1 / (1 + x)))
    abs = staticmethod(np.frompyfunc(lambda v: -dual(v) if dual(v).a < 0 else dual(v), 1, 1))
    maximum = staticmethod(np.frompyfunc(lambda v, w: dual(v) if dual(v).a > dual(w).a else dual(w), 2, 1))
    minimum = staticmethod(np.frompyfunc(lambda v, w: dual(v) if dual(v).a < dual(w).a else dual(w), 2, 1))

    @staticmethod
    def sum(values: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        """Sum over an axis."""
        return (
            np.add.reduce(values, axis=axis, keepdims=keepdims) if axis is not None else np.add.reduce(values.ravel())
        )

    @staticmethod
    def max(values: Any, axis: int, keepdims: bool = False) -> Any:
        """Largest value over an axis."""
        return Exact.maximum.reduce(values, axis=axis, keepdims=keepdims)


def lift(values: np.ndarray[Any, Any], seed: np.ndarray[Any, Any] | None = None) -> np.ndarray[Any, Any]:
    """Return float64 values as an array of duals; `seed` (0 or 1 each) is the direction."""
    result = np.empty(values.shape, dtype=object)
    flat = result.reshape(-1)
    direction = np.zeros(values.size) if seed is None else seed.reshape(-1)
    for i, value in enumerate(values.reshape(-1).tolist()):
        flat[i] = Dual(MP.mpf(value), MP.mpf(direction[i]))
    return result


def slopes(outputs: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return derivatives of duals as an unevaluated sum of two doubles (106 bits)."""
    flat = np.asarray(outputs, dtype=object).reshape(-1)
    high = np.array([float(d.b) if isinstance(d, Dual) else 0.0 for d in flat])
    low = np.array(
        [
            float(d.b - MP.mpf(h)) if isinstance(d, Dual) and math.isfinite(h) else 0.0
            for d, h in zip(flat, high, strict=True)
        ]
    )
    return high, low


def jacobian(
    formula: Callable[[Any], Any], x: np.ndarray[Any, Any], structure: str = "dense"
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the Jacobian `(outputs, x.size)` of a formula on duals, as an unevaluated sum of two matrices of doubles.

    `structure` says what is differentiated together: "elementwise" everything (output i depends on entry i alone),
    "rows" one column of every row (row i of the output depends on row i alone), "dense" nothing.
    """
    column = {"elementwise": np.zeros(x.size, int), "rows": np.arange(x.size) % x.shape[-1]}
    colours = column.get(structure, np.arange(x.size))
    high, low = np.zeros((2, 0, x.size))
    for colour in range(int(colours.max()) + 1):
        entries = np.flatnonzero(colours == colour)
        h, l = slopes(formula(lift(x, (colours == colour).astype(float))))
        if not high.size:
            high, low = np.zeros((2, h.size, x.size))
        of = np.repeat(entries, h.size // len(entries)) if len(entries) > 1 else entries[0]
        high[np.arange(h.size), of], low[np.arange(h.size), of] = h, l
    return high, low
