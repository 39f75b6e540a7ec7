"""Numbers to check at: short to print, and the same in float64, float32 and float16.

Every number is a multiple of a power of two with few digits, so that one estimate serves all three.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcheck.problem import Array, Variable

Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]


def generic(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Distinct, nonzero multiples of 1/32 (of a finer power of two where many are wanted), |x| ≤ 2."""
    size = int(np.prod(shape))
    steps = 64
    while steps < 2 * size:
        steps *= 2
    chosen = rng.choice(2 * steps, size=size, replace=False) - steps
    return np.where(chosen >= 0, chosen + 1, chosen).reshape(shape) * (2.0 / steps)


def scaled(factor: float) -> Draw:
    """Generic numbers times a power of two."""
    return lambda rng, shape: generic(rng, shape) * factor


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Generic numbers without their signs."""
    return np.abs(generic(rng, shape))


def negative(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Generic numbers, all negative."""
    return -np.abs(generic(rng, shape))


def some(special: tuple[float, ...]) -> Draw:
    """Generic numbers, a third of them replaced by special ones."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        values = generic(rng, shape).ravel()
        count = min(values.size, max(len(special), values.size // 3))
        places = rng.permutation(values.size)[:count]
        values[places] = np.resize(special, count)
        return values.reshape(shape)

    return draw


def wide(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Numbers of both signs at all distances from 2 to 8, where clips and thresholds are."""
    size = max(int(np.prod(shape)), 1)
    distance = 2 + 6 * (rng.permutation(size) + rng.uniform(0.25, 0.75)) / size
    signs = np.where(np.arange(size) % 2, -1, 1)
    return np.asarray(np.rint(distance * 32) / 32 * rng.permutation(signs)).reshape(shape)


def ties(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw from two numbers, so that many entries are equal."""
    return rng.choice([-1.25, 0.75], size=shape)


def probabilities(rng: np.random.Generator, shape: tuple[int, ...], edge: str = "") -> Array:
    """Rows of positive multiples of 1/64 that sum to 1; `edge="near"` and `"at"` put entries near and at 0 and 1."""
    classes = shape[-1] if shape else 1
    rows = int(np.prod(shape[:-1]))
    values = np.empty((rows, classes))
    for row in values:
        if classes == 1:
            row[:] = rng.integers(1, 64) / 64
        elif classes <= 48:
            cuts = np.sort(rng.choice(63, size=classes - 1, replace=False) + 1)
            row[:] = np.diff([0, *cuts, 64]) / 64
        else:
            row[:] = rng.integers(1, 16, size=classes) / (8 * classes)
    if edge:
        small = 2.0**-20 if edge == "near" else 0.0
        special = (rows + 1) // 2
        values[:special] = small
        values[np.arange(special), rng.integers(0, classes, size=special)] = (
            1.0 - (classes - 1) * small if classes > 1 else 1.0 - small
        )
    return values.reshape(shape)


def labels(rng: np.random.Generator, shape: tuple[int, ...], soft: bool = False) -> Array:
    """One-hot rows, or rows of a distribution."""
    if soft or not shape:
        return probabilities(rng, shape)
    values = np.zeros((int(np.prod(shape[:-1])), shape[-1]))
    values[np.arange(len(values)), rng.integers(0, shape[-1], size=len(values))] = 1.0
    return values.reshape(shape)


def value(variable: Variable, rng: np.random.Generator, draw: Draw, edge: str = "", soft: bool = False) -> Array:
    """Values of one variable, as what its data mean wants them."""
    return np.asarray(_value(variable, rng, draw, edge, soft))


def _value(variable: Variable, rng: np.random.Generator, draw: Draw, edge: str, soft: bool) -> Array:
    shape = np.shape(variable.example)
    if variable.data == "probabilities":
        return probabilities(rng, shape, edge)
    if variable.data in ("one-hot", "one-hot only"):
        return labels(rng, shape, soft and variable.data == "one-hot")
    if variable.data == "class-indices":
        return np.asarray(variable.example)
    if variable.constant:
        return inside(generic(rng, shape), variable.domain)
    return inside(draw(rng, shape) if variable.role == "input" else generic(rng, shape), variable.domain)


def inside(values: Array, domain: tuple[float, float] | None) -> Array:
    """Fold numbers into an open interval without crowding its ends."""
    if domain is None:
        return values
    low, high = domain
    if np.isfinite(low) and np.isfinite(high):
        return low + (high - low) * (0.5 + np.clip(values, -2, 2) / 5)
    away = np.where(values == 0, 2.0**-5, np.abs(values))
    return low + away if np.isfinite(low) else high - away if np.isfinite(high) else values


def near(values: Array, rng: np.random.Generator) -> Array:
    """Change every number by up to an eighth of itself: its sign stays, and the range of all of them.

    Whole numbers of an integer type stay as they are.
    """
    if values.dtype.kind != "f" or not values.size:
        return values
    change = generic(rng, values.shape) / 16
    moved = values * (1 + change)
    outside = (moved > values.max()) | (moved < values.min())
    return np.where(outside, values * (1 - change), moved)
