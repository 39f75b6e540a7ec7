"""Hypothesis strategies for arrays at which derivatives break: shapes, magnitudes, kinks, probabilities, labels.

    @given(x=strategies.arrays())
    def test_cube(x):
        gradcheck.assert_correct(lambda x: x**3, x, vjp=lambda x, g: 3 * x**2 * g)

Everything shrinks to the smallest shape and the simplest numbers: one row, one column, 0 or 1. No subnormal
numbers are drawn (their differences say nothing about a derivative). All arrays are float64 unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gradcheck.errors import UsageError

Array = np.ndarray[Any, np.dtype[Any]]
Sizes = int | st.SearchStrategy[int]
BATCH: Sizes = st.integers(1, 4)
CLASSES: Sizes = st.integers(2, 5)


def shapes(min_dims: int = 1, max_dims: int = 3, max_side: int = 5) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes without empty sides; shrink to `(1,)`, with `min_dims` axes at least."""
    _whole("min_dims", min_dims, 0)
    _whole("max_dims", max_dims, min_dims)
    _whole("max_side", max_side, 1)
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=1, max_side=max_side)


def magnitudes(smallest: float = 1e-8, largest: float = 1e6) -> st.SearchStrategy[float]:
    """Numbers of both signs whose size is spread evenly over the powers of ten in between, and a few simple ones.

    At most three significant digits, so that a failure is readable. Shrink to 0.
    """
    simple = st.integers(-3, 3).map(float).filter(lambda x: abs(x) <= largest)
    return st.one_of(
        simple, st.builds(lambda x, sign: sign * x, positive(smallest, largest), st.sampled_from([1.0, -1.0]))
    )


def positive(smallest: float = 1e-8, largest: float = 1e6) -> st.SearchStrategy[float]:
    """Positive numbers, their size spread evenly over the powers of ten; shrink to 1 where 1 is between the two."""
    if not 1e-300 <= smallest <= largest <= 1e300:
        raise UsageError(f"expected 1e-300 <= smallest <= largest <= 1e300, but got {smallest} and {largest}")
    low, high = int(np.floor(np.log10(smallest))), int(np.ceil(np.log10(largest)))
    exponents = st.integers(0, high) if low >= 0 else st.one_of(st.integers(0, max(high, 0)), st.integers(low, -1))
    drawn = st.builds(lambda digits, power: float(f"{digits / 100}e{power}"), st.integers(100, 999), exponents)
    return drawn.map(lambda x: min(max(x, smallest), largest))


def near_kinks(at: Sequence[float] = (0.0,), distance: float = 1e-9) -> st.SearchStrategy[float]:
    """Numbers at a kink, a hair to its left or right, and well away from it; shrink to the first kink itself."""
    if not len(at):
        raise UsageError("expected at least one place of a kink, such as at=(0.0,)")
    offsets = st.sampled_from([0.0, distance, -distance, 0.5, -0.5, 2.0, -2.0])
    return st.builds(lambda kink, offset: kink + offset, st.sampled_from(list(at)), offsets)


def arrays(
    shape: tuple[int, ...] | st.SearchStrategy[tuple[int, ...]] | None = None,
    elements: st.SearchStrategy[float] | None = None,
    dtype: str = "float64",
) -> st.SearchStrategy[Array]:
    """Arrays of `shape` (default any of `shapes()`) with `elements` (default `magnitudes()`)."""
    if np.dtype(dtype).kind != "f":
        raise UsageError(f"expected a floating dtype, but got {dtype!r}")
    # Drawn in float64 and cast: a number that the dtype cannot hold is the checked code's to deal with.
    drawn = hnp.arrays(
        np.float64,
        shapes() if shape is None else shape,
        elements=magnitudes() if elements is None else elements,
        fill=st.nothing(),
    )
    return drawn.map(lambda array: array.astype(dtype))


def simplex(batch: Sizes = BATCH, classes: Sizes = CLASSES, inside: bool = False) -> st.SearchStrategy[Array]:
    """Rows of probabilities `(batch, classes)` that sum to 1, with exact zeros and ones unless `inside`.

    Shrink to one row of two classes, `[0.5, 0.5]`.
    """
    weights = positive(1e-8, 1.0) if inside else st.one_of(st.just(1.0), st.just(0.0), positive(1e-8, 1.0))
    return _rows(batch, classes, weights).map(_normalised)


def one_hot(batch: Sizes = BATCH, classes: Sizes = CLASSES) -> st.SearchStrategy[Array]:
    """One-hot labels `(batch, classes)`; shrink to `[[1, 0]]`."""

    @st.composite
    def draw_labels(draw: st.DrawFn) -> Array:
        rows, columns = _size(draw, "batch", batch, 1), _size(draw, "classes", classes, 1)
        chosen = draw(st.lists(st.integers(0, columns - 1), min_size=rows, max_size=rows))
        return np.eye(columns)[chosen]

    return draw_labels()


def soft_labels(batch: Sizes = BATCH, classes: Sizes = CLASSES) -> st.SearchStrategy[Array]:
    """Labels `(batch, classes)` that are smoothed, or spread over several classes; every row sums to 1."""
    smoothed = st.builds(
        lambda hot, e: (1 - e) * hot + e / hot.shape[1], one_hot(batch, classes), st.sampled_from([0.1, 0.3])
    )
    return st.one_of(smoothed, simplex(batch, classes))


def upstream(shape: tuple[int, ...], dtype: str = "float64") -> st.SearchStrategy[Array]:
    """Cotangents of an output of `shape`: signed, never all zero; shrink to one 1 among zeros."""
    drawn = hnp.arrays(np.float64, shape, elements=st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, -3.0]), fill=st.nothing())
    return drawn.filter(lambda array: bool(array.any())).map(lambda array: array.astype(dtype))


def _rows(batch: Sizes, classes: Sizes, elements: st.SearchStrategy[float]) -> st.SearchStrategy[Array]:
    @st.composite
    def draw_rows(draw: st.DrawFn) -> Array:
        shape = _size(draw, "batch", batch, 1), _size(draw, "classes", classes, 1)
        return draw(hnp.arrays(np.float64, shape, elements=elements, fill=st.nothing()))

    return draw_rows()


def _normalised(weights: Array) -> Array:
    """A row of zeros becomes its first vertex."""
    weights = weights.copy()
    weights[~weights.any(axis=1), 0] = 1.0
    normalised: Array = weights / weights.sum(axis=1, keepdims=True)
    return normalised


def _size(draw: st.DrawFn, name: str, given: Sizes, least: int) -> int:
    size = draw(given) if isinstance(given, st.SearchStrategy) else given
    _whole(name, size, least)
    return size


def _whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"expected {name} to be a whole number from {least} up, but got {value!r}")
