"""Layers: Dense and Flatten here, dropout and normalization in files of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from beras.arrays import Array, ones
from beras.checks import floating, floating_dtype, matrix, whole_number
from beras.core import Diffable, Upstream, as_gradient, on_plain_arrays
from beras.dropout import Dropout
from beras.initializers import Seed, initialize
from beras.normalization import BatchNormalization, LayerNormalization
from beras.recorder import operand, recordable
from beras.tensor import Tensor, wrap
from beras.variable import Variable

__all__ = ["BatchNormalization", "Dense", "Dropout", "Flatten", "LayerNormalization"]


class Dense(Diffable):
    """`x · w + b`: `x (batch, input_size)` to `(batch, output_size)`.

    Weights: `w (input_size, output_size)`, drawn by `initializer` (see `beras.initializers`), and `b (1, output_size)`,
    zeros; both of type `dtype`. `seed` makes the draw repeatable.

    Raises `ValueError` for input of another shape, for an empty batch and for an unknown initializer, `TypeError` for
    input that is not numeric.

    >>> layer = Dense(2, 1, initializer="zero")
    >>> layer([[1.0, 2.0]])
    Tensor([[0.]])
    >>> [g.shape for g in layer.get_weight_gradients()], [g.shape for g in layer.compose_weight_gradients([[[1.0]]])]
    ([(1, 2, 1), (1, 1)], [(2, 1), (1, 1)])
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        initializer: str = "normal",
        *,
        dtype: npt.DTypeLike = np.float32,
        seed: Seed = None,
    ) -> None:
        self.w, self.b = self._initialize_weight(initializer, input_size, output_size, dtype=dtype, seed=seed)

    @property
    def weights(self) -> list[Tensor]:
        """`[w, b]`."""
        return [self.w, self.b]

    @staticmethod
    def _initialize_weight(
        initializer: str,
        input_size: int,
        output_size: int,
        *,
        dtype: npt.DTypeLike = np.float32,
        seed: Seed = None,
    ) -> tuple[Variable, Variable]:
        """Return fresh `(w, b)`; sets nothing."""
        whole_number(input_size, "Dense", "input_size")
        whole_number(output_size, "Dense", "output_size")
        floating_dtype(dtype, "Dense")
        w = initialize(initializer, input_size, output_size, dtype=dtype, seed=seed)
        return Variable(w), Variable(np.zeros((1, output_size), dtype=dtype))

    @on_plain_arrays
    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `x · w + b`."""
        w, b = np.asarray(self.w), np.asarray(self.b)
        y = matrix(floating(x, "Dense"), "Dense", "input", columns=len(w)) @ w
        if y.dtype == b.dtype:
            y += b
        else:
            y = y + b
        return wrap(y)

    def get_input_gradients(self) -> list[Tensor]:
        """Return `[w]`, `(input_size, output_size)`, which all rows share: input gradient = upstream row · wᵀ."""
        self._require_call()
        return [as_gradient(np.array(self.w), self.inputs[0])]

    def get_weight_gradients(self) -> list[Tensor]:
        """Return, by `w`, `x[n, i]` at each `[n, i, o]`, `(batch, in, out)`; by `b`, ones `(1, out)`."""
        self._require_call()
        x, w, b = self.inputs[0], self.w, self.b
        by_w = np.broadcast_to(np.asarray(x)[:, :, None], (len(x), *w.shape))
        return [as_gradient(by_w.copy(), w), as_gradient(np.ones(b.shape), b)]

    def compose_input_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return `[J · wᵀ]`, `(batch, input_size)`."""
        upstream = self.upstream(J)
        if upstream is None:
            return self.get_input_gradients()
        [by_x] = Dense.input_gradients_for(self, upstream, [True])
        return [as_gradient(by_x, self.inputs[0])]

    @recordable
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Array]:
        """Return `[J · wᵀ]`."""
        return [J[0] @ operand(self.w).T]

    def compose_weight_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return `[xᵀ · J, Σ_batch J]`, `(input_size, output_size)` and `(1, output_size)`."""
        upstream = self.upstream(J)
        if upstream is None:
            return self.get_weight_gradients()
        by_w, by_b = Dense.weight_gradients_for(self, upstream)
        return [as_gradient(by_w, self.w), as_gradient(by_b, self.b)]

    @recordable
    def weight_gradients_for(self, J: list[Array]) -> list[Array]:
        """Return `[xᵀ · J, Σ_batch J]`."""
        [g], x = J, operand(self.inputs[0])
        # Both are calls of BLAS: `@` is a loop where there is a single sample, a sum one over all rows.
        return [np.dot(x.T, g), np.dot(ones((1, len(g)), g.dtype), g)]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Dense, list[Array]]]:
        """Data in float32 before weights in float64, and the other way round: each gradient is in its own type."""
        x = np.random.default_rng(0).normal(size=(5, 4))
        pairs: list[tuple[type, type]] = [(np.float32, np.float64), (np.float64, np.float32)]
        return [(cls(4, 3, dtype=weights, seed=0), [x.astype(data)]) for data, weights in pairs]


class Flatten(Diffable):
    """`x (batch, …)` to `(batch, n)`: each sample as one row, in C order.

    >>> Flatten()([[[1.0, 2.0], [3.0, 4.0]]])
    Tensor([[1., 2., 3., 4.]])
    """

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return the rows. Raises `ValueError` for input without a batch axis or an empty batch."""
        values = floating(x, "Flatten")
        if values.ndim == 0:
            raise ValueError("Flatten expects input of shape (batch, …), got a scalar")
        return wrap(values.reshape(len(values), -1))

    def get_input_gradients(self) -> list[Tensor]:
        """Return the whole Jacobian, `(batch, n, *x.shape)`: ones where an entry went."""
        self._require_call()
        x, y = self.inputs[0], self.outputs[0]
        return [as_gradient(np.eye(x.size).reshape(y.shape + x.shape), x)]

    def compose_input_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return the upstream gradient in the shape of `x`."""
        upstream = self.upstream(J)
        if upstream is None:
            return self.get_input_gradients()
        [by_x] = Flatten.input_gradients_for(self, upstream, [True])
        return [as_gradient(by_x, self.inputs[0])]

    @recordable
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Array]:
        """Return the upstream gradient in the shape of `x`."""
        return [J[0].reshape(self.inputs[0].shape)]

    @classmethod
    def gradcheck_example(cls) -> tuple[Flatten, list[Array]]:
        """Samples of two axes: of one axis each, nothing is flattened."""
        return cls(), [np.random.default_rng(0).normal(size=(4, 2, 3))]
