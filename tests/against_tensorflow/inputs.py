"""Hypothesis strategies for the inputs of both sides.

No subnormal numbers (TensorFlow flushes them to zero), and nothing so small that a product of three
entries becomes one: what is compared here is formulas, not underflow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

Array = np.ndarray[Any, np.dtype[Any]]
SMALLEST = 2.0**-20

# The same cases on every run: what they measure goes to a report whose bytes must not change.
# A machine that is busy with something else draws them slowly, which is no fault of theirs.
CASES = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=50,
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow],
)

DTYPES = ("float32", "float64")
SIZES = st.integers(1, 6)


def reals(dtype: str, largest: float) -> st.SearchStrategy[float]:
    """Return a strategy for 0 and ±[2⁻²⁰, largest] (`largest`: a power of two, so that float32 has it)."""
    width = 8 * np.dtype(dtype).itemsize
    anything = st.floats(-largest, largest, width=width, allow_subnormal=False)
    return anything.map(lambda value: value if abs(value) >= SMALLEST else 0.0)


def spread(dtype: str, shape: tuple[int, ...], least: float, largest: float) -> st.SearchStrategy[Array]:
    """Return a strategy for uniform draws with all their digits: Hypothesis alone prefers short numbers."""
    seeds = st.integers(0, 2**32 - 1)
    return seeds.map(lambda seed: np.random.default_rng(seed).uniform(least, largest, shape).astype(dtype))


def arrays(dtype: str, shape: tuple[int, ...], largest: float = 8.0) -> st.SearchStrategy[Array]:
    """Return a strategy for arrays of `reals`: short numbers, edge cases, and full digits as often."""
    short = hnp.arrays(np.dtype(dtype), shape, elements=reals(dtype, largest), fill=st.nothing())
    return st.one_of(short, spread(dtype, shape, -largest, largest))


def positive(dtype: str, shape: tuple[int, ...], least: float, largest: float) -> st.SearchStrategy[Array]:
    """Return a strategy for arrays with entries in [least, largest] (powers of two)."""
    width = 8 * np.dtype(dtype).itemsize
    elements = st.floats(least, largest, width=width, allow_subnormal=False)
    short = hnp.arrays(np.dtype(dtype), shape, elements=elements, fill=st.nothing())
    return st.one_of(short, spread(dtype, shape, least, largest))


@st.composite
def one_hot(draw: st.DrawFn, dtype: str, batch: int, classes: int) -> Array:
    """Draw one-hot rows `(batch, classes)`."""
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=batch, max_size=batch))
    return np.eye(classes, dtype=dtype)[labels]


@st.composite
def distributions(draw: st.DrawFn, dtype: str, batch: int, classes: int) -> Array:
    """Draw rows of probabilities `(batch, classes)` that sum to 1 up to rounding, none below 2⁻¹⁰ / classes."""
    weights = draw(positive(dtype, (batch, classes), 2.0**-10, 1.0))
    rows: Array = weights / weights.sum(axis=1, keepdims=True)
    return rows
