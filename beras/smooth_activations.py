"""Smooth relatives of ReLU: forward beside slope."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import number, real
from beras.elementwise import Elementwise
from beras.normal import density, distribution
from beras.ops import NormalDistribution, Sigmoid, evaluate
from beras.stable import decaying, sigmoid
from beras.tensor import Tensor, wrap

# Klambauer et al. 2017: the fixed point of mean 0 and variance 1.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805

_TO_LOGISTIC = 2 * math.sqrt(2 / math.pi)  # tanh(u) = 2 σ(2u) − 1
_CUBE = 0.044715
_FAR = 30.0  # beyond it σ(±2u) is 0 or 1


class GELU(Elementwise):
    """`x · Φ(x)`, with Φ the normal distribution function. Hendrycks & Gimpel 2016.

    `approximate=True`: `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`, as in GPT-2.

    >>> GELU()([-1.0, 0.0, 1.0])
    Tensor([-0.15865525,  0.        ,  0.84134475])
    """

    def __init__(self, approximate: bool = False) -> None:
        self.approximate = bool(approximate)

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `x · Φ(x)`; float16 is computed in float32."""
        x = real(x, "GELU")
        wide = x.astype(np.promote_types(x.dtype, np.float32), copy=False)
        share = sigmoid(_argument(wide)) if self.approximate else distribution(wide)
        return wrap((wide * share).astype(x.dtype, copy=False))

    def slope(self, x: Array) -> Any:
        """Return `Φ(x) + x φ(x)`; of the approximation, with σ of its argument v for Φ: `σ(v) + x v′ σ(v) σ(−v)`."""
        if not self.approximate:
            return evaluate(NormalDistribution(), x) + x * density(x)
        v, near = _argument(x), np.clip(x, -_FAR, _FAR)
        rise, fall = evaluate(Sigmoid(), v), evaluate(Sigmoid(), -v)
        return rise + near * (_TO_LOGISTIC * (1 + 3 * _CUBE * near * near)) * rise * fall

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[GELU, list[Array]]]:
        """The approximation; large numbers."""
        x = np.random.default_rng(0).normal(size=(3, 4))
        return [(cls(approximate=True), [x]), (cls(), [10 * x]), (cls(approximate=True), [30 * x])]


def _argument(x: Array) -> Array:
    """Return v with `(1 + tanh(v / 2)) / 2 = σ(v)`."""
    near = np.clip(x, -_FAR, _FAR)
    v: Array = _TO_LOGISTIC * (near + _CUBE * near * near * near)
    return v


class ELU(Elementwise):
    """`x` where `x > 0`, else `alpha · (exp(x) − 1)`. Clevert, Unterthiner & Hochreiter 2016.

    At 0 the derivative is that of the second branch, `alpha`.

    >>> ELU()([-1000.0, 0.0, 2.0])
    Tensor([-1.,  0.,  2.])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        if not np.isfinite(number(alpha, "ELU", "alpha")):
            raise ValueError(f"ELU expects a finite alpha, got {alpha}")
        self.alpha = alpha

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `x` or `alpha · (exp(x) − 1)`."""
        x = real(x, "ELU")
        return wrap(np.where(x > 0, x, x.dtype.type(self.alpha) * np.expm1(np.minimum(x, 0))))

    def slope(self, x: Array) -> Any:
        """Return 1 or `alpha · exp(x)`."""
        return np.where(x > 0, 1, self.alpha * decaying(x))

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[ELU, list[Array]]]:
        """Another slope on the left."""
        return [(cls(alpha=-0.5), [np.random.default_rng(0).normal(size=(3, 4))])]


class SELU(Elementwise):
    """`scale · x` where `x > 0`, else `scale · alpha · (exp(x) − 1)`: ELU with the constants of Klambauer et al. 2017.

    At 0 the derivative is that of the second branch, `scale · alpha`.

    >>> SELU()([-1000.0, 1.0])
    Tensor([-1.75809934,  1.05070099])
    """

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `scale · x` or `scale · alpha · (exp(x) − 1)`."""
        x = real(x, "SELU")
        left = x.dtype.type(SELU_SCALE * SELU_ALPHA) * np.expm1(np.minimum(x, 0))
        return wrap(np.where(x > 0, x.dtype.type(SELU_SCALE) * np.maximum(x, 0), left))

    def slope(self, x: Array) -> Any:
        """Return `scale` or `scale · alpha · exp(x)`."""
        return np.where(x > 0, x.dtype.type(SELU_SCALE), SELU_SCALE * SELU_ALPHA * decaying(x))


class SiLU(Elementwise):
    """`x · σ(x)`, also called swish. Elfwing, Uchibe & Doya 2018.

    >>> SiLU()([-1000.0, 0.0, 1.0])
    Tensor([-0.        ,  0.        ,  0.73105858])
    """

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `x · σ(x)`."""
        x = real(x, "SiLU")
        return wrap(x * sigmoid(x))

    def slope(self, x: Array) -> Any:
        """Return `σ(x) + x σ(x) σ(−x)`."""
        rise, fall = evaluate(Sigmoid(), x), evaluate(Sigmoid(), -x)
        return rise + x * rise * fall


class Softplus(Elementwise):
    """`log(1 + exp(x))`, without overflow. Dugas et al. 2001.

    >>> Softplus()([-1000.0, 0.0, 1000.0])
    Tensor([0.00000000e+00, 6.93147181e-01, 1.00000000e+03])
    """

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `max(x, 0) + log(1 + exp(−|x|))`."""
        x = real(x, "Softplus")
        return wrap(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))

    def slope(self, x: Array) -> Any:
        """Return `σ(x)`."""
        return evaluate(Sigmoid(), x)
