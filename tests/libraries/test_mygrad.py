"""MyGrad: what its backward pass leaves in tensors, for elementwise operations and for numbers of an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

mg = pytest.importorskip("mygrad")

from gradcheck import check
from tests.libraries.table import Call, judges_of

X = np.random.default_rng(0).uniform(0.2, 0.9, (3, 4))
NAMES = [
    "exp",
    "log",
    "sqrt",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arctanh",
    "cbrt",
    "log1p",
    "log2",
    "log10",
    "exp2",
    "expm1",
    "square",
    "reciprocal",
    "sinc",
]
OF_ARRAYS: dict[str, Callable[[Any], Any]] = {
    "mean": lambda t: mg.mean(t**3),
    "var": mg.var,
    "std": mg.std,
    "prod": mg.prod,
    "cumsum": lambda t: (mg.cumsum(t, axis=1) ** 2).sum(),
    "cumprod": lambda t: mg.cumprod(t, axis=1).sum(),
    "max": lambda t: mg.max(t, axis=0).sum(),
    "logaddexp": lambda t: mg.logaddexp(t[0], t[1]).sum(),
    "einsum": lambda t: mg.einsum("ij,kj->", t, t),
    "norm": mg.linalg.norm,
    "where": lambda t: mg.where(t.data > 0.5, t**2, t).sum(),
    "arctan2": lambda t: mg.arctan2(t[0], t[1]).sum(),
    "clip": lambda t: mg.clip(t, 0.3, 0.7).sum(),
    "power": lambda t: (t[0] ** t[1]).sum(),
}


def left(f: Callable[[Any], Any], x: Any) -> Any:
    """The gradient that backward leaves."""
    tensor = mg.tensor(x)
    f(tensor).sum().backward()
    return tensor.grad


def elementwise(name: str) -> Call:
    f = getattr(mg, name)
    return lambda: check(lambda x: f(mg.tensor(x)).data, X, deriv=lambda x: left(f, x))


def of_array(f: Callable[[Any], Any]) -> Call:
    return lambda: check(lambda x: f(mg.tensor(x)).data, X, grad=lambda x: left(f, x))


RIGHT = {**{name: elementwise(name) for name in NAMES}, **{name: of_array(f) for name, f in OF_ARRAYS.items()}}
[test_right] = judges_of("MyGrad", RIGHT, {})
