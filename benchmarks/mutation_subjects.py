"""What else the judge checks: classes that rely on Beras' defaults, and the calls' conventions.

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

    class ImageByImage(Conv2D):
        """A convolution that lays out one image at a time."""

        cached = 1

    yield from (ImageByImage, SharedMatrix, MatrixPerRow, Scalar, EntryByEntry, VectorWeight, Shift)
    yield from (SharedByStacks, SharedColumn, KeptScalar, MatrixPerRowActivation)


def wrong_upstream() -> None:
    """compose_* refuses upstream gradients of another number or shape than the outputs, arrays and Tensors alike.

    Raises AssertionError where it does not.
    """
    from beras.core import Tensor
    from beras.layers import Dense

    layer = Dense(2, 3, dtype="float64", seed=1)
    good = np.ones(layer(X).shape)
    for wrong in ([good, good], [good[:, :1]], [good[0]], [np.ones((1, 1))]):
        for upstream in (wrong, [Tensor(g) for g in wrong]):
            for method in (layer.compose_input_gradients, layer.compose_weight_gradients):
                try:
                    method(upstream)
                except ValueError:
                    continue
                raise AssertionError(f"{method.__name__} takes upstream gradients of shapes {[g.shape for g in wrong]}")


def types_of_gradients() -> None:
    """`as_gradient` makes a Tensor of the variable's type, float64 for integers; a local derivative of no shape is
    refused in words.

    Raises AssertionError where that is not so.
    """
    from beras.core import Diffable, Tensor, as_gradient

    for variable, wanted in (("float32", "float32"), ("float64", "float64"), ("int64", "float64")):
        for given in ("float32", "float64", "int64"):
            for value in (np.ones(3, given), Tensor(np.ones(3, given))):
                found = as_gradient(value, np.zeros(3, variable))
                if type(found) is not Tensor or found.dtype != wanted:
                    raise AssertionError(f"{type(value).__name__} of {given} for {variable}: {found!r}")

    class Unknown(Diffable):
        def forward(self, x: Any) -> Any:
            return np.asarray(x) * 2.0

        def get_input_gradients(self) -> list[Any]:
            return [np.ones((7, 7))]

    layer = Unknown()
    layer(np.ones((2, 3)))
    try:
        layer.compose_input_gradients([np.ones((2, 3))])
    except ValueError as error:
        if "returned a local derivative of shape (7, 7)" not in str(error):
            raise AssertionError(f"a local derivative of no known shape: {error}") from error


def nothing_upstream() -> None:
    """compose_*(None) and compose_*([None]) are the local gradients, and without weights there are none at all.

    Raises AssertionError where that is not so.
    """
    from beras import activations, losses
    from beras.core import Diffable
    from beras.layers import BatchNormalization, Dense, Dropout, Flatten, LayerNormalization
    from beras.ops import Multiply, Sin

    p, t = np.array([[0.25, 0.75], [0.5, 0.5]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    evaluated = BatchNormalization(2)
    evaluated.training = False
    calls: list[tuple[Any, tuple[Array, ...]]] = [
        (Dense(2, 3, dtype="float64", seed=1), (X,)),
        (Flatten(), (np.random.default_rng(8).normal(size=(2, 2, 3)),)),
        *((normalization, (X,)) for normalization in (LayerNormalization(2), BatchNormalization(2), evaluated)),
        (Dropout(0.5, seed=1), (X,)),
        (losses.SampleWeighted(losses.MeanSquaredError()), (X, Y, np.array([1.0, 2.0, 0.5]))),
        *((getattr(activations, n)(), (X,)) for n in ("LeakyReLU", "ReLU", "Sigmoid", "Softmax", "Tanh", "Sin")),
        *((getattr(losses, n)(), (p, t)) for n in ("MeanSquaredError", "CategoricalCrossEntropy")),
        *((getattr(losses, n)(), (p, t)) for n in ("BinaryCrossEntropy", "SoftmaxCrossEntropy")),
        (Multiply(), (X, Y)),
        (Sin(), (X,)),
        *((cls(), (X,)) for cls in classes() if cls.__name__ in ("Scalar", "EntryByEntry")),
        *((cls(2, 3), (X,)) for cls in classes() if cls.__name__ == "SharedMatrix"),
    ]
    for layer, inputs in calls:
        layer(*inputs)
        for what in ("input", "weight"):
            local = getattr(layer, f"get_{what}_gradients")()
            if what == "input" and len(local) != len(inputs):
                raise AssertionError(f"{type(layer).__name__} has {len(local)} gradients by {len(inputs)} inputs")
            for nothing in (None, [None]):
                composed = getattr(layer, f"compose_{what}_gradients")(nothing)
                if len(composed) != len(local) or not all(map(np.array_equal, composed, local)):
                    raise AssertionError(
                        f"{type(layer).__name__}.compose_{what}_gradients({nothing}) is not the local one"
                    )

    class Two(Diffable):
        """Two outputs and no weights."""

        def forward(self, x: Any) -> Any:
            return [x + 1.0, x - 1.0]

        def get_input_gradients(self) -> list[Any]:
            return [np.ones(self.inputs[0].shape)]

    two = Two()
    two(X)
    if two.compose_weight_gradients([X, X]) != []:
        raise AssertionError("a layer without weights has no weight gradients, however many outputs it has")
