"""Slopes of saturating functions, without overflow and without the cancellation of 1 − y."""

from __future__ import annotations

import numpy as np

from beras.tensor import Array


def decaying(x: Array) -> tuple[Array, Array]:
    """Return where x ≥ 0, and exp(−x) there, exp(x) elsewhere (of complex numbers, the real part decides)."""
    positive = x.real >= 0
    return positive, np.exp(np.where(positive, -x, x))


def sigmoid_slope(x: Array) -> Array:
    """Return `y (1 − y)` with `y = 1 / (1 + exp(−x))`, as `e / (1 + e)²` with `e = exp(−|x|)`."""
    _, e = decaying(x)
    slope: Array = e / (1 + e) ** 2
    return slope


def tanh_slope(x: Array) -> Array:
    """Return `1 / cosh(x)²`, as `4 e / (1 + e)²` with `e = exp(−2|x|)`."""
    return 4 * sigmoid_slope(2 * x)
