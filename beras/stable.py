"""Saturating functions and their slopes, without overflow and without the cancellation of 1 − y."""

from __future__ import annotations

import numpy as np

from beras.arrays import Array


def decaying(x: Array) -> Array:
    """Return exp(−x) where x ≥ 0, exp(x) elsewhere (of complex numbers, the real part decides)."""
    # Of real numbers exp(−|x|), without a choice at each entry.
    exponent: Array = np.where(x.real >= 0, -x, x) if x.dtype.kind == "c" else -np.abs(x)
    return np.exp(exponent)


def sigmoid(x: Array) -> Array:
    """Return `1 / (1 + exp(−x))`, of real or complex numbers."""
    e = decaying(x)
    # 1 / (1 + exp(−x)) where x ≥ 0, exp(x) / (1 + exp(x)) elsewhere: no exponent is ever positive
    y: Array = np.where(x.real >= 0, e.dtype.type(1), e) / (1 + e)
    return y


def sigmoid_slope(x: Array) -> Array:
    """Return `y (1 − y)` with `y = 1 / (1 + exp(−x))`, as `e / (1 + e)²` with `e = exp(−|x|)`."""
    e = decaying(x)
    slope: Array = e / (1 + e) ** 2
    return slope


def tanh_slope(x: Array) -> Array:
    """Return `1 / cosh(x)²`, as `4 e / (1 + e)²` with `e = exp(−2|x|)`."""
    return 4 * sigmoid_slope(2 * x)
