"""Initial values of weights, by name, drawn as Keras draws them.

An initializer is a function `(fan_in, fan_out, random, shape=None)` that returns an array of `shape`, or a matrix
`(fan_in, fan_out)`: how many inputs an output has, how many outputs an input, and where random numbers come from. A
layer takes the name of one, in Beras' spelling or Keras', or a function.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import number

Seed = int | np.random.Generator | None
Shape = tuple[int, ...] | None
Initializer = Callable[..., Array]


class _Budget(threading.local):
    """How many numbers may still be drawn in this thread, where somebody has set a limit."""

    left: int | None = None


budget = _Budget()


def claim(numbers: int) -> None:
    """Take so many numbers from the budget, if there is one. Raises `ValueError` where they are too many."""
    if budget.left is not None:
        budget.left -= numbers
        if budget.left < 0:
            raise ValueError("there are layers of more weights than the file has")


# The standard deviation of N(0, 1) truncated to [-2, 2]; the constant that Keras' VarianceScaling divides by.
_TRUNCATED_DEVIATION = 0.87962566103423978


def zero(fan_in: int, fan_out: int, random: np.random.Generator, shape: Shape = None) -> Array:
    """All zeros (a start that no gradient descent gets away from: every unit stays the same)."""
    return np.zeros(shape or (fan_in, fan_out))


def one(fan_in: int, fan_out: int, random: np.random.Generator, shape: Shape = None) -> Array:
    """All ones."""
    return np.ones(shape or (fan_in, fan_out))


def normal(fan_in: int, fan_out: int, random: np.random.Generator, shape: Shape = None) -> Array:
    """N(0, 1)."""
    return random.standard_normal(shape or (fan_in, fan_out))


def random_normal(fan_in: int, fan_out: int, random: np.random.Generator, shape: Shape = None) -> Array:
    """Keras' RandomNormal: N(0, 0.05²)."""
    return 0.05 * normal(fan_in, fan_out, random, shape)


def uniform(fan_in: int, fan_out: int, random: np.random.Generator, shape: Shape = None) -> Array:
    """Keras' RandomUniform: uniform on ±0.05."""
    return random.uniform(-0.05, 0.05, shape or (fan_in, fan_out))


def xavier(fan_in: int, fan_out: int, random: np.random.Generator, shape: Shape = None) -> Array:
    """Keras' GlorotNormal: a truncated normal of variance 2 / (fan_in + fan_out). Glorot & Bengio 2010."""
    return _truncated_normal(2 / (fan_in + fan_out), shape or (fan_in, fan_out), random)


def kaiming(fan_in: int, fan_out: int, random: np.random.Generator, shape: Shape = None) -> Array:
    """Keras' HeNormal: a truncated normal of variance 2 / fan_in. He et al. 2015."""
    return _truncated_normal(2 / fan_in, shape or (fan_in, fan_out), random)


def lecun(fan_in: int, fan_out: int, random: np.random.Generator, shape: Shape = None) -> Array:
    """Keras' LecunNormal: a truncated normal of variance 1 / fan_in. LeCun et al. 1998."""
    return _truncated_normal(1 / fan_in, shape or (fan_in, fan_out), random)


def xavier_uniform(fan_in: int, fan_out: int, random: np.random.Generator, shape: Shape = None) -> Array:
    """Keras' GlorotUniform: uniform on ±√(6 / (fan_in + fan_out))."""
    limit = math.sqrt(6 / (fan_in + fan_out))
    return random.uniform(-limit, limit, shape or (fan_in, fan_out))


def kaiming_uniform(fan_in: int, fan_out: int, random: np.random.Generator, shape: Shape = None) -> Array:
    """Keras' HeUniform: uniform on ±√(6 / fan_in)."""
    limit = math.sqrt(6 / fan_in)
    return random.uniform(-limit, limit, shape or (fan_in, fan_out))


def lecun_uniform(fan_in: int, fan_out: int, random: np.random.Generator, shape: Shape = None) -> Array:
    """Keras' LecunUniform: uniform on ±√(3 / fan_in)."""
    limit = math.sqrt(3 / fan_in)
    return random.uniform(-limit, limit, shape or (fan_in, fan_out))


def orthogonal(fan_in: int, fan_out: int, random: np.random.Generator, shape: Shape = None) -> Array:
    """Keras' Orthogonal: orthonormal columns, or rows where there are fewer of these. Saxe et al. 2014.

    The Q of a normal matrix's QR decomposition, with the signs that make R's diagonal positive (else it is not
    uniformly distributed: Mezzadri 2007). More than two axes count as one but for the last.
    """
    shape = shape or (fan_in, fan_out)
    rows, columns = math.prod(shape[:-1]), shape[-1]
    q, r = np.linalg.qr(random.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.where(np.diag(r) < 0, -1, 1)
    return (q if rows >= columns else q.T).reshape(shape)


class Constant:
    """The initializer that gives `value` everywhere."""

    def __init__(self, value: float) -> None:
        self.value = number(value, "Constant", "value")

    def __call__(self, fan_in: int, fan_out: int, random: np.random.Generator, shape: Shape = None) -> Array:
        """Return an array of the value."""
        return np.full(shape or (fan_in, fan_out), float(self.value))


INITIALIZERS: dict[str, Initializer] = {
    "zero": zero,
    "normal": normal,
    "xavier": xavier,
    "kaiming": kaiming,
    "xavier uniform": xavier_uniform,
    "kaiming uniform": kaiming_uniform,
    "lecun": lecun,
    "lecun uniform": lecun_uniform,
    "orthogonal": orthogonal,
    "one": one,
    "random normal": random_normal,
    "uniform": uniform,
}

KERAS_NAMES = {
    "zeros": "zero",
    "ones": "one",
    "random_normal": "random normal",
    "random_uniform": "uniform",
    "glorot_normal": "xavier",
    "glorot_uniform": "xavier uniform",
    "he_normal": "kaiming",
    "he_uniform": "kaiming uniform",
    "lecun_normal": "lecun",
    "lecun_uniform": "lecun uniform",
}


def initialize(
    name: str | Initializer,
    fan_in: int,
    fan_out: int,
    dtype: npt.DTypeLike = np.float32,
    seed: Seed = None,
    shape: Shape = None,
) -> Array:
    """Draw weights, `(fan_in, fan_out)` or of `shape`; `seed` is a number or a generator, which goes on.

    Raises `ValueError` for a name that is not known, and for a function that returns another shape.

    >>> initialize("zero", 1, 2)
    array([[0., 0.]], dtype=float32)
    """
    draw: Any = name
    claim(math.prod(shape or (fan_in, fan_out)))
    if isinstance(name, str):
        draw = INITIALIZERS.get(KERAS_NAMES.get(name, name))
    if not callable(draw):
        raise ValueError(f"unknown initializer {name!r}; known are {', '.join(map(repr, INITIALIZERS))}")
    drawn = np.asarray(draw(fan_in, fan_out, np.random.default_rng(seed), shape))
    if drawn.shape != (shape or (fan_in, fan_out)):
        raise ValueError(f"an initializer returned shape {drawn.shape}, expected {shape or (fan_in, fan_out)}")
    return drawn.astype(dtype)


def _truncated_normal(variance: float, shape: tuple[int, ...], random: np.random.Generator) -> Array:
    """Draw from a normal cut off at two standard deviations, scaled to `variance` after the cut.

    Values outside are drawn again, as TensorFlow does, so the result is the truncated distribution exactly.
    """
    values = random.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = random.standard_normal(int(outside.sum()))
    return values * (math.sqrt(variance) / _TRUNCATED_DEVIATION)
