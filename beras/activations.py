"""Activation functions: forward beside derivative."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import floating, number, real
from beras.core import Upstream, as_gradient, on_plain_arrays
from beras.elementwise import Activation, Elementwise
from beras.jacobians import Composed
from beras.ops import slope_of_sigmoid, slope_of_tanh
from beras.prelu import PReLU
from beras.recorder import operand, recordable
from beras.smooth_activations import ELU, GELU, SELU, SiLU, Softplus
from beras.stable import sigmoid
from beras.tensor import Tensor, wrap

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "Elementwise",
    "LeakyReLU",
    "LogSoftmax",
    "PReLU",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Sin",
    "Softmax",
    "Softplus",
    "Tanh",
]


MANY = 2**16  # entries


class LeakyReLU(Elementwise):
    """`x` where `x > 0`, else `alpha · x`. Maas et al. 2013.

    The derivative is 1 where `x > 0`, `alpha` where `x < 0` and, by convention, 0 at `x = 0` (Keras says `alpha`).

    >>> LeakyReLU(alpha=0.1)([-1.0, 2.0])
    Tensor([-0.1,  2. ])
    """

    def __init__(self, alpha: float = 0.3) -> None:
        if not np.isfinite(number(alpha, "LeakyReLU", "alpha")):
            raise ValueError(f"LeakyReLU expects a finite alpha, got {alpha}")
        self.alpha = alpha

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `x` or `alpha · x`."""
        x = real(x, "LeakyReLU")
        return wrap(np.where(x > 0, x, x.dtype.type(self.alpha) * x))

    def slope(self, x: Array) -> Any:
        """Return 1, `alpha` or 0."""
        return np.where(x > 0, 1, np.where(x < 0, self.alpha, 0)).astype(x.dtype)

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[LeakyReLU, list[Array]]]:
        """A slope of the other sign: where it is lost, nothing else is left."""
        return [(cls(alpha=-0.5), [np.random.default_rng(0).normal(size=(3, 4))])]


class ReLU(LeakyReLU):
    """`max(x, 0)`: LeakyReLU with alpha = 0. Its derivative at 0 is 0.

    >>> ReLU()([-1.0, 2.0])
    Tensor([0., 2.])
    """

    def __init__(self) -> None:
        super().__init__(alpha=0.0)

    @on_plain_arrays
    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `max(x, 0)`."""
        x = real(x, "ReLU")
        # With a number NumPy takes longer to begin, and less for each entry, than with a row of zeros.
        return wrap(np.maximum(x, 0 if x.size > MANY else np.zeros(x.shape[-1:], x.dtype)))

    def slope(self, x: Array) -> Any:
        """Return whether `x > 0`."""
        return x > 0

    @recordable
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Any]:
        """Return the upstream gradient where `x > 0`, 0 elsewhere."""
        return [J[0] * (operand(self.inputs[0]) > 0)]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[LeakyReLU, list[Array]]]:
        """So many entries that they are compared with a number."""
        return [(cls(), [np.random.default_rng(0).normal(size=MANY + 1)])]


class Sigmoid(Elementwise):
    """`1 / (1 + exp(−x))`, without overflow at any `x`.

    >>> Sigmoid()([-1000.0, 0.0, 1000.0])
    Tensor([0. , 0.5, 1. ])
    """

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return the sigmoid of `x`, real or complex."""
        return wrap(sigmoid(floating(x, "Sigmoid")))

    def slope(self, x: Array) -> Any:
        """Return `e / (1 + e)²` with `e = exp(−|x|)`: `y (1 − y)` without its cancellation near y = 1."""
        return slope_of_sigmoid(x)


class Tanh(Elementwise):
    """`tanh(x)`.

    >>> Tanh()([0.0, 1000.0])
    Tensor([0., 1.])
    """

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `tanh(x)`, real or complex."""
        return wrap(np.tanh(floating(x, "Tanh")))

    def slope(self, x: Array) -> Any:
        """Return `1 / cosh(x)²`, as `4 e / (1 + e)²` with `e = exp(−2|x|)`: `1 − y²` without its cancellation."""
        return slope_of_tanh(x)


class Sin(Elementwise):
    """`sin(x)`.

    >>> Sin()([0.0, -1.0])
    Tensor([ 0.        , -0.84147098])
    """

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `sin(x)`, real or complex."""
        return wrap(np.sin(floating(x, "Sin")))

    def slope(self, x: Array) -> Any:
        """Return `cos(x)`."""
        return np.cos(x)


class Softmax(Activation):
    """`exp(x) / Σ exp(x)` along the last axis, `(batch, n)` to `(batch, n)`; the row's maximum is taken off first.

    Its local derivative at row y of the output is the matrix `diag(y) − y yᵀ`. Composing never builds it:
    `J · (diag(y) − y yᵀ) = y ∘ (J − ⟨J, y⟩)`. Bridle 1990.

    >>> Softmax()([[0.0, 0.0], [1000.0, -1000.0]])
    Tensor([[0.5, 0.5],
            [1. , 0. ]])
    """

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return the softmax of each row of `x`, real or complex."""
        x = floating(x, "Softmax")
        if x.ndim == 0:
            raise ValueError("Softmax expects input of shape (batch, n), got a scalar")
        e = np.exp(x - x.real.max(axis=-1, keepdims=True))
        return wrap(e / e.sum(axis=-1, keepdims=True))

    def get_input_gradients(self) -> list[Tensor]:
        """Return `diag(y) − y yᵀ` for each row, `(batch, n, n)`."""
        self._require_call()
        y = np.asarray(self.outputs[0])
        return [
            as_gradient(y[..., :, None] * np.eye(y.shape[-1], dtype=y.dtype) - y[..., :, None] * y[..., None, :], y)
        ]

    def compose_input_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return `y ∘ (J − ⟨J, y⟩)` row by row, `(batch, n)`."""
        upstream = self.upstream(J)
        if upstream is None:
            return self.get_input_gradients()
        [by_x] = Softmax.input_gradients_for(self, upstream, [True])
        return [as_gradient(by_x, self.inputs[0])]

    @recordable
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Any]:
        """Return `y ∘ (J − ⟨J, y⟩)`."""
        [g], y = J, operand(self.outputs[0])
        return [y * (g - (g * y).sum(axis=-1, keepdims=True))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Softmax, list[Array]]]:
        """A single row, and rows in more axes."""
        random = np.random.default_rng(0)
        return [(cls(), [random.normal(size=(4,))]), (cls(), [random.normal(size=(2, 3, 4))])]


class LogSoftmax(Composed, Activation):
    """`log softmax(x) = x − log Σ exp(x)` along the last axis; the row's maximum is taken off first.

    An upstream row J flows back as `J − softmax(x) · Σ J`.

    >>> LogSoftmax()([[0.0, 0.0], [1000.0, -1000.0]])
    Tensor([[-6.93147181e-01, -6.93147181e-01],
            [ 0.00000000e+00, -2.00000000e+03]])
    """

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return the logarithm of the softmax of each row of `x`."""
        x = real(x, "LogSoftmax")
        if x.ndim == 0:
            raise ValueError("LogSoftmax expects input of shape (batch, n), got a scalar")
        shifted = x - x.max(axis=-1, keepdims=True)
        return wrap(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))

    @recordable
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Any]:
        """Return `J − softmax(x) · Σ J`."""
        return [J[0] - np.exp(operand(self.outputs[0])) * J[0].sum(axis=-1, keepdims=True)]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[LogSoftmax, list[Array]]]:
        """A single row, and rows in more axes."""
        random = np.random.default_rng(0)
        return [(cls(), [random.normal(size=(4,))]), (cls(), [random.normal(size=(2, 3, 4))])]
