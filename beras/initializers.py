"""Initial values of weights, by name, drawn as Keras draws them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from beras.arrays import Array

Seed = int | np.random.Generator | None

# The standard deviation of N(0, 1) truncated to [-2, 2]; the constant that Keras' VarianceScaling divides by.
_TRUNCATED_DEVIATION = 0.87962566103423978


def zero(fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
    """All zeros (a start that no gradient descent gets away from: every unit stays the same)."""
    return np.zeros((fan_in, fan_out))


def normal(fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
    """N(0, 1)."""
    return random.standard_normal((fan_in, fan_out))


def xavier(fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
    """Keras' GlorotNormal: a truncated normal of variance 2 / (fan_in + fan_out). Glorot & Bengio 2010."""
    return _truncated_normal(2 / (fan_in + fan_out), (fan_in, fan_out), random)


def kaiming(fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
    """Keras' HeNormal: a truncated normal of variance 2 / fan_in. He et al. 2015."""
    return _truncated_normal(2 / fan_in, (fan_in, fan_out), random)


def xavier_uniform(fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
    """Keras' GlorotUniform: uniform on ±√(6 / (fan_in + fan_out))."""
    limit = math.sqrt(6 / (fan_in + fan_out))
    return random.uniform(-limit, limit, (fan_in, fan_out))


def kaiming_uniform(fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
    """Keras' HeUniform: uniform on ±√(6 / fan_in)."""
    limit = math.sqrt(6 / fan_in)
    return random.uniform(-limit, limit, (fan_in, fan_out))


INITIALIZERS: dict[str, Callable[[int, int, np.random.Generator], Array]] = {
    "zero": zero,
    "normal": normal,
    "xavier": xavier,
    "kaiming": kaiming,
    "xavier uniform": xavier_uniform,
    "kaiming uniform": kaiming_uniform,
}


def initialize(name: str, fan_in: int, fan_out: int, dtype: npt.DTypeLike = np.float32, seed: Seed = None) -> Array:
    """Draw a weight matrix `(fan_in, fan_out)`; `seed` is a number or a generator, which goes on from draw to draw.

    Raises `ValueError` for a name that is not in `INITIALIZERS`.

    >>> initialize("zero", 1, 2)
    array([[0., 0.]], dtype=float32)
    """
    if name not in INITIALIZERS:
        raise ValueError(f"unknown initializer {name!r}; known are {', '.join(map(repr, INITIALIZERS))}")
    return INITIALIZERS[name](fan_in, fan_out, np.random.default_rng(seed)).astype(dtype)


def _truncated_normal(variance: float, shape: tuple[int, int], random: np.random.Generator) -> Array:
    """Draw from a normal cut off at two standard deviations, scaled to `variance` after the cut.

    Values outside are drawn again, as TensorFlow does, so the result is the truncated distribution exactly.
    """
    values = random.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = random.standard_normal(int(outside.sum()))
    return values * (math.sqrt(variance) / _TRUNCATED_DEVIATION)
