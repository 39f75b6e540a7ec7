"""Estimates of elementwise functions, against what is known of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.numerical import Estimate, estimate

Function = Callable[[Any], Any]
X = np.linspace(0.9, 1.1, 40).reshape(4, 10)
needs_long_double = pytest.mark.skipif(
    np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps, reason="long double is no wider than float64 here"
)


def of(f: Function, x: Any = X, **options: Any) -> Estimate:
    """The estimate of an elementwise function."""
    return estimate(lambda v: [f(v["x"])], {"x": x}, "x", **options)


def in_float64(f: Function) -> Function:
    """The same function, which does not compute in long double."""
    return lambda x: f(np.asarray(x, dtype=np.float64))


def holds(found: Estimate, truth: Any) -> bool:
    """Whether no error is above its bound."""
    error = np.abs(found.dense() - np.diag(truth.ravel()))
    return bool((error <= found.dense("bound")).all())
