"""Layers: Dense and Flatten here, the others in files of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.activated import Activating, activation_of
from beras.arrays import Array, as_rows, sum_of_rows
from beras.attention import MultiHeadAttention
from beras.checks import floating, floating_dtype, rows, whole_number
from beras.constructor_arguments import arguments_of
from beras.convolution import Conv2D
from beras.core import as_gradient, on_plain_arrays
from beras.dropout import Dropout
from beras.embedding import Embedding
from beras.gru import GRU
from beras.initializers import Initializer, Seed, initialize
from beras.jacobians import Composed
from beras.lstm import LSTM
from beras.normalization import BatchNormalization, LayerNormalization
from beras.pooling import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from beras.recorder import operand, recordable
from beras.recurrent import SimpleRNN
from beras.signatures import shown_as_required
from beras.tensor import Tensor, wrap
from beras.variable import Variable

__all__ = [
    "GRU",
    "LSTM",
    "AveragePooling2D",
    "BatchNormalization",
    "Conv2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePooling2D",
    "LayerNormalization",
    "MaxPooling2D",
    "MultiHeadAttention",
    "SimpleRNN",
]


class Dense(Activating):
    """`activation(x · w + b)`: `x (batch, …, input_size)` to `(batch, …, output_size)`.

    Weights: `w (input_size, output_size)`, drawn by `initializer` (see `beras.initializers`), and `b (1, output_size)`,
    zeros; both of type `dtype`. `use_bias=False` leaves `b` out. `activation`: an activation or its name, none by
    default. `seed` makes the draw repeatable.

    `Dense(output_size)` takes its input size from the first call, as in Keras. The initializer is then "xavier uniform"
    by default, as in Keras; where both sizes are given it is "normal". `kernel_initializer` is another name for it.

    Raises `ValueError` for input of another shape, for an empty batch and for an unknown initializer, `TypeError` for
    input that is not numeric.

    >>> layer = Dense(2, 1, initializer="zero")
    >>> layer([[1.0, 2.0]])
    Tensor([[0.]])
    >>> [g.shape for g in layer.get_weight_gradients()], [g.shape for g in layer.compose_weight_gradients([[[1.0]]])]
    ([(1, 2, 1), (1, 1)], [(2, 1), (1, 1)])
    """

    @shown_as_required("output_size")
    def __init__(
        self,
        input_size: int,
        output_size: int | None = None,
        initializer: str | Initializer | None = None,
        *,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: str | Initializer | None = None,
        dtype: npt.DTypeLike = np.float32,
        seed: Seed = None,
    ) -> None:
        if initializer is not None and kernel_initializer is not None:
            raise TypeError("Dense got initializer and kernel_initializer, which are two names for the same thing")
        initializer = initializer or kernel_initializer
        self.activation, self.use_bias = activation_of(activation, "Dense"), bool(use_bias)
        self.input_size: int | None = None if output_size is None else input_size
        self.output_size = input_size if output_size is None else output_size
        self.initializer = initializer or ("xavier uniform" if output_size is None else "normal")
        self.dtype, self.seed = floating_dtype(dtype, "Dense"), seed
        self.built = False
        if self.input_size is None:
            whole_number(input_size, "Dense", "output_size")
        else:
            self.build((1, self.input_size))

    def build(self, *input_shapes: tuple[int, ...]) -> None:
        """Make `w` and `b` for input of this shape."""
        [shape] = input_shapes
        self.built_for = input_shapes
        self.input_size = shape[-1] if shape else 1
        self.w, b = self._initialize_weight(
            self.initializer, self.input_size, self.output_size, dtype=self.dtype, seed=self.seed
        )
        self.b = b if self.use_bias else None
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments: both sizes, once they are known."""
        found = arguments_of(self)
        return found if self.built else found | {"input_size": self.output_size, "output_size": None}

    @property
    def weights(self) -> list[Tensor]:
        """`[w, b]`."""
        if not self.built:
            return []
        return [self.w] if self.b is None else [self.w, self.b]

    @staticmethod
    def _initialize_weight(
        initializer: str | Initializer,
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
        """Return `activation(x · w + b)`."""
        w = np.asarray(self.w)
        x = rows(floating(x, "Dense"), "Dense", "input", len(w))
        y: Array = x @ w if x.ndim == 2 else (x.reshape(-1, len(w)) @ w).reshape(*x.shape[:-1], w.shape[1])
        if self.b is not None:
            b = np.asarray(self.b)
            if y.dtype == b.dtype:
                y += b if y.ndim == 2 else b[0]
            else:
                y = y + b[0]
        return self.activated(y)

    def on_tape(self) -> Any:
        """Return `x · w + b`."""
        z = operand(self.inputs[0]) @ operand(self.w)
        return z if self.b is None else z + operand(self.b)[0]

    def _rows(self, J: list[Array]) -> Any:
        """Return the gradient by `x · w + b` as rows."""
        return as_rows(self.before_activation(J))

    def get_input_gradients(self) -> list[Tensor]:
        """Return `[w]`, `(input_size, output_size)`, which all rows share: input gradient = upstream row · wᵀ.

        With an activation the whole Jacobian, `(*output, *input)`.
        """
        if self.activation is not None:
            return super().get_input_gradients()
        self._require_call()
        return [as_gradient(np.array(self.w), self.inputs[0])]

    def get_weight_gradients(self) -> list[Tensor]:
        """Return, by `w`, `x[n, i]` at each `[n, i, o]`, `(batch, in, out)`; by `b`, ones `(1, out)`.

        With an activation, or more axes than two, the whole Jacobians, `(*output, *weight)`.
        """
        self._require_call()
        x, w, b = self.inputs[0], self.w, self.b
        if self.activation is not None or x.ndim != 2:
            return super().get_weight_gradients()
        by_w = np.broadcast_to(np.asarray(x)[:, :, None], (len(x), *w.shape))
        local = [as_gradient(by_w.copy(), w)]
        return local if b is None else [*local, as_gradient(np.ones(b.shape), b)]

    @recordable
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Any]:
        """Return `[g · wᵀ]`, with `g` the gradient by `x · w + b`."""
        g, x = self._rows(J), self.inputs[0]
        by_x = g @ (operand(self.w) if isinstance(g, Tensor) else np.asarray(self.w)).T
        return [by_x if x.ndim == 2 else by_x.reshape(x.shape)]

    @recordable
    def weight_gradients_for(self, J: list[Array]) -> list[Any]:
        """Return `[xᵀ · g, Σ g]`, with `g` the gradient by `x · w + b`."""
        g = self._rows(J)
        x = as_rows(operand(self.inputs[0]) if isinstance(g, Tensor) else np.asarray(self.inputs[0]))
        # A call of BLAS even for a single sample, where `@` is a loop.
        if self.b is None:
            return [np.dot(x.T, g)]
        return [np.dot(x.T, g), sum_of_rows(g)]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Dense, list[Array]]]:
        """Data in float32 before weights in float64, and the other way round: each gradient is in its own type.

        Activations, of each entry and of rows; without a bias; sequences of rows.
        """
        random = np.random.default_rng(0)
        x, sequences = random.normal(size=(5, 4)), random.normal(size=(2, 3, 4))
        pairs: list[tuple[type, type]] = [(np.float32, np.float64), (np.float64, np.float32)]
        mixed: list[Any] = [(cls(4, 3, dtype=weights, seed=0), [x.astype(data)]) for data, weights in pairs]
        double: Any = {"dtype": np.float64, "seed": 0}
        return [
            *mixed,
            (cls(4, 3, activation="tanh", **double), [x]),
            (cls(4, 3, activation="softmax", use_bias=False, **double), [sequences]),
        ]


class Flatten(Composed):
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

    @recordable
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Any]:
        """Return the upstream gradient in the shape of `x`."""
        return [J[0].reshape(self.inputs[0].shape)]

    @classmethod
    def gradcheck_example(cls) -> tuple[Flatten, list[Array]]:
        """Samples of two axes: of one axis each, nothing is flattened."""
        return cls(), [np.random.default_rng(0).normal(size=(4, 2, 3))]
