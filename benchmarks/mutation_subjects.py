"""What else gradcheck checks: classes that rely on Beras' defaults.

Everything looks Beras up when it is called, so that it meets the mutant.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
X, Y = np.random.default_rng(7).normal(size=(2, 3, 2))


def like(value: Any, x: Any) -> Array:
    """Return `value` in the type of `x`, or in float64 where that holds integers."""
    x = np.asarray(x)
    return np.array(value, dtype=x.dtype if x.dtype.kind == "f" else np.float64)


def classes() -> Iterator[type]:
    """Diffables that write local derivatives only: `Diffable` composes them."""
    from beras.activations import Activation
    from beras.convolution import Conv2D
    from beras.core import Diffable, Tensor, Variable
    from beras.jacobians import Composed

    class SharedMatrix(Diffable):
        """`x · w`: one matrix for all rows, weight derivatives per sample."""

        def __init__(self, input_size: int = 4, output_size: int = 3) -> None:
            self.w = Variable(np.linspace(-1, 1, input_size * output_size).reshape(input_size, output_size))
            self.b = Variable(np.full((1, output_size), 0.5))

        @property
        def weights(self) -> list[Any]:
            return [self.w, self.b]

        def forward(self, x: Any) -> Any:
            return np.asarray(x) @ np.asarray(self.w) + np.asarray(self.b)

        def get_input_gradients(self) -> list[Any]:
            return [like(self.w, self.inputs[0])]

        def get_weight_gradients(self) -> list[Any]:
            x = np.asarray(self.inputs[0])
            by_w = np.repeat(x[:, :, None], self.w.shape[1], axis=2)
            return [like(by_w, self.w), like(np.ones(self.b.shape), self.b)]

    class MatrixPerRow(Diffable):
        """`y_o = Σ_i x_i² m_io`: another matrix for every row."""

        m = np.linspace(-1, 2, 12).reshape(4, 3)

        def forward(self, x: Any) -> Any:
            return np.asarray(x) ** 2 @ self.m.astype(np.asarray(x).dtype)

        def get_input_gradients(self) -> list[Any]:
            x = np.asarray(self.inputs[0])
            return [like(2 * x[:, :, None] * self.m, x)]

        @classmethod
        def gradcheck_example(cls) -> tuple[Any, list[Array]]:
            return cls(), [np.random.default_rng(8).normal(size=(5, 4))]

    class Scalar(Diffable):
        """`Σ x³`: the local derivative is the gradient."""

        def forward(self, x: Any) -> Any:
            return Tensor((np.asarray(x) ** 3).sum())

        def get_input_gradients(self) -> list[Any]:
            return [like(3.0 * np.asarray(self.inputs[0]) ** 2, self.inputs[0])]

    class EntryByEntry(Diffable):
        """`x²` on rows of three entries in five rows: one factor per entry."""

        def forward(self, x: Any) -> Any:
            return np.asarray(x) ** 2

        def get_input_gradients(self) -> list[Any]:
            return [2 * np.asarray(self.inputs[0])]

        @classmethod
        def gradcheck_example(cls) -> tuple[Any, list[Array]]:
            return cls(), [np.random.default_rng(8).normal(size=(5, 3))]

    class VectorWeight(Diffable):
        """`x · s`, entry by entry: a weight of one axis, its derivatives per sample."""

        def __init__(self) -> None:
            self.s = Variable(np.array([0.5, -1.0, 2.0]))

        @property
        def weights(self) -> list[Any]:
            return [self.s]

        def forward(self, x: Any) -> Any:
            return np.asarray(x) * np.asarray(self.s)

        def get_input_gradients(self) -> list[Any]:
            x = self.inputs[0]
            return [like(np.broadcast_to(np.asarray(self.s), x.shape), x)]

        def get_weight_gradients(self) -> list[Any]:
            return [like(self.inputs[0], self.s)]

        @classmethod
        def gradcheck_example(cls) -> tuple[Any, list[Array]]:
            return cls(), [np.random.default_rng(8).normal(size=(5, 3))]

    class Shift(Diffable):
        """`x + s`, a single column: a weight without axes, whose derivative all rows share."""

        def __init__(self) -> None:
            self.s = Variable(np.array(0.5))

        @property
        def weights(self) -> list[Any]:
            return [self.s]

        def forward(self, x: Any) -> Any:
            return np.asarray(x) + np.asarray(self.s)

        def get_input_gradients(self) -> list[Any]:
            return [like(np.ones(self.inputs[0].shape), self.inputs[0])]

        def get_weight_gradients(self) -> list[Any]:
            return [like(np.ones(()), self.s)]

        @classmethod
        def gradcheck_example(cls) -> tuple[Any, list[Array]]:
            return cls(), [np.random.default_rng(8).normal(size=(5, 1))]

    class SharedByStacks(Diffable):
        """`x · m`: one matrix for the rows of a stack."""

        m = np.linspace(-1, 2, 12).reshape(4, 3)

        def forward(self, x: Any) -> Any:
            return np.asarray(x) @ self.m.astype(np.asarray(x).dtype)

        def get_input_gradients(self) -> list[Any]:
            return [like(self.m, self.inputs[0])]

        @classmethod
        def gradcheck_example(cls) -> tuple[Any, list[Array]]:
            return cls(), [np.random.default_rng(8).normal(size=(2, 5, 4))]

    class SharedColumn(SharedByStacks):
        """`x · m`: a single row to a single number."""

        m = np.linspace(-1, 2, 4).reshape(4, 1)

        @classmethod
        def gradcheck_example(cls) -> tuple[Any, list[Array]]:
            return cls(), [np.random.default_rng(8).normal(size=(1, 4))]

    class KeptScalar(Diffable):
        """`Σ x³` of a vector, as a matrix of one entry."""

        def forward(self, x: Any) -> Any:
            return (np.asarray(x) ** 3).sum().reshape(1, 1)

        def get_input_gradients(self) -> list[Any]:
            return [like(3.0 * np.asarray(self.inputs[0]) ** 2, self.inputs[0])]

        @classmethod
        def gradcheck_example(cls) -> tuple[Any, list[Array]]:
            return cls(), [np.random.default_rng(8).normal(size=(3,))]

    class MatrixPerRowActivation(Activation):
        """Softmax by its local matrices alone: `Activation` composes them."""

        def forward(self, x: Any) -> Any:
            e = np.exp(np.asarray(x) - np.asarray(x).max(axis=-1, keepdims=True))
            return e / e.sum(axis=-1, keepdims=True)

        def get_input_gradients(self) -> list[Any]:
            y = np.asarray(self.outputs[0])
            return [like(y[:, :, None] * np.eye(y.shape[1]) - y[:, :, None] * y[:, None, :], self.inputs[0])]

    class Wanted(Composed):
        """`x · y`: only products that are wanted, both of them."""

        def forward(self, x: Any, y: Any) -> Any:
            return np.asarray(x) * np.asarray(y)

        def input_gradients_for(self, J: list[Any], wanted: Any) -> list[Any]:
            x, y = map(np.asarray, self.inputs)
            return [J[0] * y if wanted[0] else None, J[0] * x if wanted[1] else None]

        @classmethod
        def gradcheck_example(cls) -> tuple[Any, list[Array]]:
            return cls(), [X, Y]

    class ImageByImage(Conv2D):
        """A convolution that lays out one image at a time."""

        cached = 1

    yield from (ImageByImage, SharedMatrix, MatrixPerRow, Scalar, EntryByEntry, VectorWeight, Shift)
    yield from (SharedByStacks, SharedColumn, KeptScalar, MatrixPerRowActivation, Wanted)
