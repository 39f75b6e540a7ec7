"""Derivatives by central differences, for tests: gradcheck is not imported here, so that neither proves itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def gradient(f: Callable[[], Any], x: Array, step: float = 1e-6) -> Array:
    """Return the gradient of `f().sum()` by `x`, which is changed in place and restored. float64 only.

    Entries are subtracted before they are summed: those that one entry of `x` has no part in are then off by nothing.
    """
    data = np.asarray(x)
    assert data.dtype == np.float64
    result = np.zeros(data.shape)
    for index in np.ndindex(*data.shape):
        kept = data[index]
        values = []
        for value in (kept + step, kept - step):
            data[index] = value
            values.append(np.array(f()))
        data[index] = kept
        result[index] = (values[0] - values[1]).sum() / (2 * step)
    return result


def assert_vjp_matches(
    layer: Any, *inputs: Array, seed: int = 0, skip: tuple[int, ...] = (), atol: float = 1e-8
) -> None:
    """Compare both compose methods of `layer` with differences of ⟨J, forward⟩ at float64 `inputs`."""
    output = np.asarray(layer(*inputs))
    J = np.random.default_rng(seed).normal(size=output.shape)
    by_input = [np.asarray(g) for g in layer.compose_input_gradients([J])]
    by_weight = [np.asarray(g) for g in layer.compose_weight_gradients([J])]

    def scalar() -> float:
        return float((np.asarray(layer.forward(*inputs)) * J).sum())

    for k, (x, g) in enumerate(zip(inputs, by_input, strict=True)):
        if k not in skip:
            np.testing.assert_allclose(g, gradient(scalar, x), rtol=1e-6, atol=atol)
    for w, g in zip(layer.weights, by_weight, strict=True):
        np.testing.assert_allclose(g, gradient(scalar, np.asarray(w)), rtol=1e-6, atol=atol)
