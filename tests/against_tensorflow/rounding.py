"""How far two correct implementations may be apart: running error bounds, the source of every tolerance.

Both sides evaluate the same formula on the same inputs, each with its own order of operations. Each
operation may be off by u = eps/2 of its result (Higham, *Accuracy and Stability of Numerical Algorithms*,
2nd ed., §2.2 and §3.1: a sum or inner product of n terms by n·u of the sum of the magnitudes). Two sides:
eps for an operation, n·eps for an inner product. exp, log, tanh, sin and the logistic function are taken
as good to 4 units in the last place on either side (NumPy promises that for its vectorised ones): 8·eps.

A `Rounded` is a value (in float64) with such a bound; every function here takes the bounds of its
arguments through its formula, to first order, and adds its own rounding. `tiny` covers results that one
side flushes to zero and the other does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Axes = tuple[int, ...]
ELEMENTARY = 8
# The slope of LeakyReLU in these tests: TensorFlow keeps it in float32, whatever the data is.
ALPHA = 0.25


@dataclass(frozen=True)
class Rounded:
    """A value and how far two sides that compute it may be apart, entry by entry."""

    value: Array
    error: Array


@dataclass(frozen=True)
class Machine:
    """The two constants of a dtype."""

    eps: float
    tiny: float

    @classmethod
    def of(cls, dtype: str) -> Machine:
        """Return the constants of `dtype`."""
        info = np.finfo(dtype)
        return cls(float(info.eps), float(info.tiny))


def exact(x: Any) -> Rounded:
    """Return a value that both sides are given."""
    value = np.asarray(x, np.float64)
    return Rounded(value, np.zeros_like(value))


# Dense: y = x w + b


def dense(x: Rounded, w: Array, b: Array, at: Machine) -> Rounded:
    """Inner products of `in` terms and one addition."""
    w, b = np.asarray(w, np.float64), np.asarray(b, np.float64)
    magnitude = np.abs(x.value) @ np.abs(w) + np.abs(b)
    return Rounded(x.value @ w + b, x.error @ np.abs(w) + (len(w) + 1) * (at.eps * magnitude + at.tiny))


def dense_to_input(upstream: Rounded, w: Array, at: Machine) -> Rounded:
    """dL/dx = dL/dy wᵀ: inner products of `out` terms."""
    w = np.asarray(w, np.float64)
    n = w.shape[1]
    error = upstream.error @ np.abs(w).T + n * (at.eps * (np.abs(upstream.value) @ np.abs(w).T) + at.tiny)
    return Rounded(upstream.value @ w.T, error)


def dense_to_weights(x: Rounded, upstream: Rounded, at: Machine) -> tuple[Rounded, Rounded]:
    """dL/dw = xᵀ dL/dy and dL/db = Σ dL/dy: `batch` terms each."""
    n = len(x.value)
    xs, us = np.abs(x.value).T, np.abs(upstream.value)
    w_error = xs @ upstream.error + x.error.T @ us + n * (at.eps * (xs @ us) + at.tiny)
    b_error = (upstream.error + n * at.eps * us).sum(axis=0, keepdims=True)
    return (
        Rounded(x.value.T @ upstream.value, w_error),
        Rounded(upstream.value.sum(axis=0, keepdims=True), b_error),
    )


# Elementwise: y = f(x)


@dataclass(frozen=True)
class Elementwise:
    """An elementwise rule: f, f′, a bound on |f″|, and the magnitude of the terms that f′ is computed from.

    `slope` bounds |f′|. At a kink (`kink=0.0`) the bounds hold on either side of it only.
    """

    f: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    slope: float
    curvature: float
    terms: Callable[[Array], Array]
    kink: float | None = None
    own: Callable[[Array], Array] | None = None  # what f is computed from, where that is not f itself


def _logistic(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1 / (1 + e), e / (1 + e)))


def _normal(x: Array) -> Array:
    return np.asarray(np.vectorize(lambda v: 0.5 * math.erfc(-v / math.sqrt(2)))(x), np.float64)


def _density(x: Array) -> Array:
    return np.asarray(np.exp(-np.minimum(x * x, 1400) / 2) / math.sqrt(2 * math.pi))


def _inner(x: Array) -> Array:
    """The argument of GELU's approximation: x/2 · (1 + tanh u) = x · σ(2u)."""
    return np.asarray(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772

RULES: dict[str, Elementwise] = {
    # s(1 − s) carries the error of s, which is relative to s.
    "Sigmoid": Elementwise(_logistic, lambda x: _logistic(x) * _logistic(-x), 0.25, 0.0963, _logistic),
    "Tanh": Elementwise(np.tanh, lambda x: 1 / np.cosh(np.clip(x, -350, 350)) ** 2, 1.0, 0.7699, np.ones_like),
    "Sin": Elementwise(np.sin, np.cos, 1.0, 1.0, np.ones_like),
    "ReLU": Elementwise(lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0, 1.0, 0.0, np.ones_like, 0.0),
    "LeakyReLU": Elementwise(
        lambda x: np.where(x > 0, x, ALPHA * x),
        lambda x: np.where(x > 0, 1.0, np.where(x < 0, ALPHA, 0.0)),
        1.0,
        0.0,
        np.ones_like,
        0.0,
    ),
    # TensorFlow has x/2 · (1 + erf), which is good to eps of x; exp(−x²/2) has a rounded argument.
    "GELU": Elementwise(
        lambda x: x * _normal(x),
        lambda x: _normal(x) + x * _density(x),
        1.13,
        0.8,
        lambda x: 1 + np.abs(x) * _density(x) * (2 + x * x),
        own=np.abs,
    ),
    "GELU, approximate": Elementwise(
        lambda x: x * _logistic(_inner(x)),
        lambda x: (
            _logistic(_inner(x))
            + x * _logistic(_inner(x)) * _logistic(-_inner(x)) * 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
        ),
        1.13,
        0.8,
        # 1 − tanh² is good to eps, and is multiplied by x u′.
        lambda x: 1 + np.abs(x) * (1 + np.abs(x)) * (1 + x * x),
        own=lambda x: np.abs(x) * (1 + np.minimum(np.abs(_inner(x)), 40)),
    ),
    # TensorFlow subtracts 1 from exp(x), and takes the derivative from what comes of it.
    "ELU": Elementwise(
        lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
        lambda x: np.where(x > 0, 1, np.exp(np.minimum(x, 0))),
        1.0,
        1.0,
        np.ones_like,
        own=lambda x: np.where(x > 0, np.abs(x), 1),
    ),
    "SELU": Elementwise(
        lambda x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0))),
        lambda x: SELU_SCALE * np.where(x > 0, 1, SELU_ALPHA * np.exp(np.minimum(x, 0))),
        1.76,
        1.76,
        lambda x: np.full_like(x, 2.0),
        0.0,
        own=lambda x: np.where(x > 0, 2 * np.abs(x), 2),
    ),
    "SiLU": Elementwise(
        lambda x: x * _logistic(x),
        lambda x: _logistic(x) + x * _logistic(x) * _logistic(-x),
        1.1,
        0.5,
        lambda x: _logistic(x) * (1 + np.abs(x)),
    ),
    "Softplus": Elementwise(lambda x: np.logaddexp(x, 0), _logistic, 1.0, 0.25, _logistic),
}


def elementwise(rule: Elementwise, x: Rounded, at: Machine) -> Rounded:
    """y = f(x)."""
    y = rule.f(x.value)
    size = np.abs(y) if rule.own is None else rule.own(x.value)
    # What is flushed to zero may be a factor of x.
    return Rounded(y, rule.slope * x.error + ELEMENTARY * at.eps * size + at.tiny * (1 + np.abs(x.value)))


def elementwise_to_input(rule: Elementwise, x: Rounded, upstream: Rounded, at: Machine) -> Rounded:
    """dL/dx = dL/dy · f′(x): f″ carries the error of x; two more roundings for the products."""
    d = rule.derivative(x.value)
    d_error = rule.curvature * x.error + (ELEMENTARY + 2) * at.eps * rule.terms(x.value)
    u = np.abs(upstream.value)
    tiny = (1 + u) * (1 + np.abs(x.value)) * at.tiny
    return Rounded(upstream.value * d, np.abs(d) * upstream.error + u * d_error + tiny)


# Softmax: y = exp(x − max) / Σ exp(x − max), by row


def softmax(x: Rounded, at: Machine) -> Rounded:
    """d log y_i = dx_i − Σ_j y_j dx_j; the shift x − max loses eps·|x − max| in the exponent."""
    shifted = x.value - x.value.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    y = e / e.sum(axis=1, keepdims=True)
    exponent = x.error + at.eps * np.abs(shifted)
    own = (2 * ELEMENTARY + x.value.shape[1] + 1) * at.eps
    relative = exponent + (y * exponent).sum(axis=1, keepdims=True) + own
    return Rounded(y, y * np.expm1(relative) + 2 * at.tiny)


def softmax_to_input(y: Rounded, upstream: Rounded, at: Machine) -> Rounded:
    """dL/dx = y ∘ (u − Σ u y)."""
    n = y.value.shape[1]
    u = np.abs(upstream.value)
    total, total_abs = (upstream.value * y.value).sum(axis=1, keepdims=True), (u * y.value).sum(axis=1, keepdims=True)
    total_error = (upstream.error * y.value + u * y.error).sum(axis=1, keepdims=True) + (n + 1) * at.eps * total_abs
    inner = u + total_abs
    error = y.error * inner + y.value * (upstream.error + total_error + 2 * at.eps * inner)
    return Rounded(y.value * (upstream.value - total), error + n * at.tiny * (1 + u.max()))


# Losses: a value and its gradient by the prediction


def mean_squared_error(p: Rounded, t: Array, at: Machine) -> tuple[Rounded, Rounded]:
    """L = mean (p − t)², dL/dp = 2 (p − t) / N."""
    t = np.asarray(t, np.float64)
    n, r = t.size, p.value - t
    error = (2 * np.abs(r) * p.error + (n + 5) * at.eps * r**2).sum() / n
    gradient_error = 2 * p.error / n + 4 * at.eps * np.abs(2 * r / n)
    return Rounded(np.mean(r**2), error + at.tiny), Rounded(2 * r / n, gradient_error + at.tiny)


def categorical_cross_entropy(p: Rounded, t: Array, at: Machine) -> tuple[Rounded, Rounded]:
    """L = −mean over rows of Σ t log p, dL/dp = −t / p / batch (no clip active)."""
    t = np.asarray(t, np.float64)
    n, log = len(t), np.log(p.value)
    # The log of a number near 1 is good relative to the log where both sides have the same argument; a
    # rounding of the argument itself (p.error) costs p.error / p.
    terms = t * (p.error / p.value + ELEMENTARY * at.eps * np.abs(log)) + t.size * at.eps * t * np.abs(log)
    gradient = -t / p.value / n
    gradient_error = np.abs(gradient) * (p.error / p.value + 3 * at.eps)
    return Rounded(-(t * log).sum() / n, terms.sum() / n), Rounded(gradient, gradient_error)


def binary_cross_entropy(p: Rounded, t: Array, at: Machine) -> tuple[Rounded, Rounded]:
    """L = −mean (t log p + (1 − t) log(1 − p)), dL/dp = −(t / p − (1 − t) / (1 − p)) / N (no clip active)."""
    t = np.asarray(t, np.float64)
    n, q = t.size, 1 - p.value
    # 1 − p is rounded before its log is taken: eps of a number near 1 is absolute in the log.
    lost = t * p.error / p.value + (1 - t) * (p.error / q + at.eps)
    size = t * np.abs(np.log(p.value)) + (1 - t) * np.abs(np.log(q))
    gradient = -(t / p.value - (1 - t) / q) / n
    terms = t / p.value + (1 - t) / q
    steep = t / p.value**2 + (1 - t) / q**2
    return (
        Rounded((t * -np.log(p.value) - (1 - t) * np.log(q)).sum() / n, (lost + (n + 10) * at.eps * size).sum() / n),
        Rounded(gradient, (steep * p.error + 6 * at.eps * terms) / n),
    )


def softmax_cross_entropy(x: Rounded, t: Array, at: Machine) -> tuple[Rounded, Rounded]:
    """L = mean over rows of Σ t (log Σ exp x − x), dL/dx = (softmax(x) Σt − t) / batch."""
    t = np.asarray(t, np.float64)
    n, k = t.shape
    shifted = x.value - x.value.max(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    loss = t * (np.log(total) - shifted)
    y = softmax(x, at)
    # The log of the sum carries the mean relative error of its terms; the shift is rounded, then both are subtracted.
    mean_exponent = (y.value * (x.error + at.eps * np.abs(shifted))).sum(axis=1, keepdims=True)
    log_error = mean_exponent + (2 * ELEMENTARY + k) * at.eps * (1 + np.log(total))
    error = t * (log_error + x.error + 2 * at.eps * np.abs(shifted)) + (n * k + 2) * at.eps * np.abs(loss)
    gradient_error = (y.error + (k + 4) * at.eps * (y.value + t)) / n
    return Rounded(loss.sum() / n, error.sum() / n), Rounded((y.value - t) / n, gradient_error)


# Normalization: y = γ x̂ + β with x̂ = (x − μ) / σ


def normalization(
    x: Array, statistics: tuple[Array, Array], weights: tuple[Array, Array], upstream: Array, axes: Axes, at: Machine
) -> tuple[Array, Array, Array, Array]:
    """Return the errors of y and of the gradients by x, γ and β; `statistics`: μ and σ, over `axes`, () if given.

    To first order, with every term at its size before μ is taken off, because Keras multiplies by γ/σ first: `a` is
    that of x̂. A mean of n terms costs n roundings, the formulas around it no more than 12. σ is off by what x − μ is.
    """
    x, upstream, mu, sigma, gamma, beta = (np.asarray(v, np.float64) for v in (x, upstream, *statistics, *weights))

    def mean(values: Array) -> Array:
        return np.asarray(values.mean(axis=axes, keepdims=True)) if axes else np.zeros(1)

    rows = tuple(range(x.ndim - 1))
    n = int(np.prod([x.shape[axis] for axis in axes]))
    own = (n + 12) * at.eps
    a = (np.abs(x) + np.abs(mu)) / sigma
    through_sigma = 1 + mean(np.abs(x - mu) / sigma * a)
    normal = own * a * through_sigma
    q = np.abs(upstream * gamma)
    terms = q + mean(q) + a * mean(q * a)
    by_x = (own * through_sigma * terms + normal * mean(q * a) + a * mean(q * normal)) / sigma
    summed = (np.prod([x.shape[axis] for axis in rows]) + 2) * at.eps
    by_gamma = (np.abs(upstream) * (normal + summed * a)).sum(axis=rows)
    by_beta = summed * np.abs(upstream).sum(axis=rows)
    return np.abs(gamma) * normal + own * (np.abs(gamma) * a + np.abs(beta)), by_x, by_gamma, by_beta
