"""Planted mistakes in plain functions with `jac=`, `vjp=`, `jvp=` or `grad=`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.faults.base import Array, Call, Fault

A = np.array([[1.0, 2.0, -1.0], [0.5, -3.0, 4.0], [2.5, 1.5, 0.25]])
X = np.array([0.3, -1.2, 0.7])
Y = np.array([1.1, 0.4, -0.6])


def linear(x: Array) -> Array:
    return A.astype(x.dtype) @ np.sin(x)


def linear_jacobian(x: Array) -> Array:
    return A.astype(x.dtype) * np.cos(x)


def rosenbrock(x: Array) -> Any:
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def rosenbrock_gradient(x: Array) -> Array:
    return np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])


def rosenbrock_first_entry(x: Array) -> Array:
    gradient = rosenbrock_gradient(x)
    gradient[0] += 2 * (1 - x[0])
    return gradient


def product(x: Array, y: Array) -> Array:
    return x * np.sin(y)


def product_vjp(x: Array, y: Array, g: Array) -> tuple[Array, Array]:
    return g * np.sin(y), g * x * np.cos(y)


def product_vjp_swapped(x: Array, y: Array, g: Array) -> tuple[Array, Array]:
    return product_vjp(x, y, g)[::-1]


def logarithm(x: Array) -> Any:
    """Σ log(1 + x²)"""
    return np.sum(np.log1p(x**2))


def logarithm_gradient(x: Array) -> Array:
    return 2 * x / (1 + x**2)


def call(function: Callable[..., Any], *args: Array, **derivatives: Any) -> Callable[[], Call]:
    return lambda: Call(function, args, derivatives)


FAULTS = [
    Fault(
        "Jacobian transposed",
        call(linear, X, jac=lambda x: linear_jacobian(x).T),
        call(linear, X, jac=linear_jacobian),
        "transposed",
    ),
    Fault(
        "Rosenbrock without a term in one entry",
        call(rosenbrock, X[:2], grad=rosenbrock_first_entry),
        call(rosenbrock, X[:2], grad=rosenbrock_gradient),
        "one entry wrong",
    ),
    Fault(
        "gradients of two arguments swapped",
        call(product, X, Y, vjp=product_vjp_swapped),
        call(product, X, Y, vjp=product_vjp),
        "swapped with another variable",
    ),
    Fault(
        "gradient halved",
        call(logarithm, X, grad=lambda x: x / (1 + x**2)),
        call(logarithm, X, grad=logarithm_gradient),
        "factor 2 missing",
    ),
    Fault(
        "gradient without its denominator's 1",
        call(logarithm, X, grad=lambda x: 2 / x),
        call(logarithm, X, grad=logarithm_gradient),
        "missing epsilon",
    ),
    Fault(
        "gradient infinite",
        call(logarithm, X, grad=lambda x: np.full(x.shape, np.inf)),
        call(logarithm, X, grad=logarithm_gradient),
        "not finite",
    ),
]
