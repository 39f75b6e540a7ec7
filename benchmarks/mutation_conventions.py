"""What is not gradcheck's to judge: conventions of calls, types, layouts of local derivatives, what is computed once.

Everything looks Beras up when it is called, so that it meets the mutant.
"""

from __future__ import annotations

from contextlib import nullcontext
from itertools import product
from typing import Any

import numpy as np
from mutation_subjects import Array, X, Y, classes

Shape = tuple[int, ...]


def layouts() -> None:
    """A matrix that all rows share, or one per row, a factor per entry, a gradient per sample, or the whole Jacobian.

    Raises AssertionError where it is another one.
    """
    from beras import activations, layers, ops, prelu

    dense = {"dtype": "float64", "seed": 1}
    rows, stacks, images = (4, 3), (4, 5, 3), (1, 4, 4, 2)
    # Layer, shape of its input, and of the local derivatives by the input and by the weights.
    cases: list[tuple[Any, Shape, Shape, list[Shape]]] = [
        (layers.Dense(3, 2, **dense), rows, (3, 2), [(4, 3, 2), (1, 2)]),
        (layers.Dense(3, 2, use_bias=False, **dense), rows, (3, 2), [(4, 3, 2)]),
        (layers.Dense(3, 2, **dense), stacks, (3, 2), [(4, 5, 2, 3, 2), (4, 5, 2, 1, 2)]),
        (layers.Dense(3, 2, activation="tanh", **dense), rows, (4, 2, 4, 3), [(4, 2, 3, 2), (4, 2, 1, 2)]),
        (layers.Flatten(), stacks, (4, 15, 4, 5, 3), []),
        (layers.Conv2D(2, 3, 2, **dense), images, (1, 1, 1, 2, *images), [(1, 1, 1, 2, 3, 3, 2, 2), (1, 1, 1, 2, 2)]),
        (layers.LayerNormalization(3, dtype="float64"), rows, (4, 3, 4, 3), [(4, 3), (3,)]),
        (layers.BatchNormalization(3, dtype="float64"), rows, (4, 3, 4, 3), [(4, 3), (3,), (4, 3), (4, 3)]),
        (layers.Dropout(0.5, seed=1), rows, rows, []),
        (activations.Tanh(), stacks, stacks, []),
        (activations.Softmax(), rows, (4, 3, 3), []),
        (activations.LogSoftmax(), rows, (4, 3, 4, 3), []),
        (prelu.PReLU(shape=(3,), dtype="float64"), rows, (4, 3, 4, 3), [(4, 3, 3)]),
        (ops.Sin(), rows, (4, 3, 4, 3), []),
    ]
    for layer, given, by_input, by_weights in cases:
        layer(np.random.default_rng(7).normal(size=given))
        found = [g.shape for g in (*layer.get_input_gradients(), *layer.get_weight_gradients())]
        if found != [by_input, *by_weights]:
            raise AssertionError(f"{type(layer).__name__} of {given}: {found}, not {[by_input, *by_weights]}")


def computed_once() -> None:
    """Gradients by a layer's input and by its weights share the derivative of its activation.

    Raises AssertionError where it is computed anew.
    """
    from beras.activations import Tanh
    from beras.core import Tensor
    from beras.gradient_tape import GradientTape
    from beras.layers import Dense

    asked = []

    class Counted(Tanh):
        def input_gradients_for(self, J: list[Any], wanted: Any) -> list[Any]:
            asked.append(J)
            return [np.asarray(J[0]) * (1 - np.asarray(self.outputs[0]) ** 2)]

    layer, x = Dense(3, 2, activation=Counted(), seed=1), Tensor(np.ones((4, 3)))
    with GradientTape() as tape:
        y = layer(x)
    tape.gradient(y, [x, *layer.weights])
    if len(asked) != 1:
        raise AssertionError(f"the derivative of the activation was computed {len(asked)} times for one gradient")


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
    from beras.activations import LeakyReLU
    from beras.core import Diffable, Tensor, as_gradient
    from beras.gradient_tape import GradientTape

    variables = (("float32", "float32"), ("float64", "float64"), ("int64", "float64"))
    for scope in (nullcontext(), GradientTape()):
        for (variable, wanted), given in product(variables, ("float32", "float64", "int64")):
            for value in (np.ones(3, given), Tensor(np.ones(3, given))):
                with scope:
                    found = as_gradient(value, np.zeros(3, variable))
                if type(found) is not Tensor or found.dtype != wanted:
                    raise AssertionError(f"{type(value).__name__} of {given} for {variable}: {found!r}")
    for variable, wanted in variables:
        layer = LeakyReLU(0.5)
        z = layer(np.array([-1, 2], variable))
        [found] = layer.input_gradients_for([np.ones(2, z.dtype)], [True])
        if found.dtype != wanted or found.tolist() != [0.5, 1.0]:
            raise AssertionError(f"the derivative of LeakyReLU at {variable}: {found!r}")
    whole = Tensor(np.array([2, 0, 3]))
    with GradientTape() as tape:
        y = whole ** np.array([0, 1, 2])
    if (found := tape.gradient(y, whole)).dtype != np.float64 or found.tolist() != [0.0, 1.0, 6.0]:
        raise AssertionError(f"the derivative of powers of whole numbers: {found!r}")
    x, factors = Tensor([1.0, 2.0], "float32"), np.array([3.0, 4.0])
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = ((x * factors) ** 3).sum()
        total = inner.gradient(y, x).sum()
    if not np.array_equal(outer.gradient(total, x), [162.0, 768.0]):  # 6 · x · factors³
        raise AssertionError("the second derivative is lost where a gradient of float64 became one of float32")

    class Unknown(Diffable):
        def forward(self, x: Any) -> Any:
            return np.asarray(x) * 2.0

        def get_input_gradients(self) -> list[Any]:
            return [np.ones((7, 7))]

    unknown = Unknown()
    unknown(np.ones((2, 3)))
    try:
        unknown.compose_input_gradients([np.ones((2, 3))])
    except ValueError as error:
        if "returned a local derivative of shape (7, 7)" not in str(error):
            raise AssertionError(f"a local derivative of no known shape: {error}") from error


def handed_on() -> None:
    """A tape hands plain arrays to layers, and gradients of their type to sources, whatever type a layer answers in.

    Raises AssertionError where it does not.
    """
    from beras.core import Diffable, Tensor
    from beras.gradient_tape import GradientTape
    from beras.recorder import operand, recordable

    handed = []

    class Cube(Diffable):
        def forward(self, x: Any) -> Any:
            return np.asarray(x) ** 3

        def get_input_gradients(self) -> list[Any]:
            return [3 * np.asarray(self.inputs[0]) ** 2]

        @recordable
        def input_gradients_for(self, J: list[Any], wanted: Any) -> list[Any]:
            handed.append(type(J[0]))
            return [(3 * J[0] * operand(self.inputs[0]) ** 2).astype("float64")]

    x = Tensor(2.0, "float32")
    with GradientTape() as tape:
        h = Cube()(x)
        y, z = Cube()(h + h), Cube()(x)
    by_x, also = tape.gradient(y, x), tape.gradient(z, x, Tensor(1.0))
    if handed != [np.ndarray] * 3 or by_x.dtype != np.float32 or by_x != 72 * 2.0**8 or also != 12.0:
        raise AssertionError(f"layers were handed {handed}, and the source {by_x!r} and {also!r}")
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = Cube()(x)
        by_x = inner.gradient(y, x)
    twice = outer.gradient(by_x, x)
    if by_x.dtype != np.float32 or twice is None or twice != 12.0:
        raise AssertionError(f"the first derivative {by_x!r}, the second {twice!r}")


def numbers_have_no_type() -> None:
    """A derivative of float32 by a number is computed in float32: to NumPy, a number has no type of its own.

    Raises AssertionError where it is not.
    """
    from beras.core import Tensor
    from beras.dispatch import run
    from beras.gradient_tape import GradientTape
    from beras.ops import Multiply

    seen = []

    class Seen(Multiply):
        def by_x(self, g: Any, z: Any, x: Any, y: Any) -> Any:
            seen.append((g * y).dtype)
            return g * y

    for number in (2, 2.0):
        x = Tensor(X, dtype="float32")
        with GradientTape() as tape:
            z = run(tape, Seen(), x, number)
        tape.gradient(z, x)
    if seen != [np.float32, np.float32]:
        raise AssertionError(f"derivatives of float32 by 2 and 2.0 are computed in {seen}")


def at_kinks() -> None:
    """Where the slope jumps, the derivative is what the documentation says, one side's or 0; on the tape's way as well.

    Raises AssertionError where it is not.
    """
    from beras.activations import ELU, SELU, LeakyReLU, ReLU
    from beras.losses import BinaryCrossEntropy, CategoricalCrossEntropy, Hinge, KLDivergence, MeanAbsoluteError
    from beras.prelu import PReLU
    from beras.smooth_activations import SELU_ALPHA, SELU_SCALE

    zero, clipped = np.zeros((1, 1)), np.array([[0.25, 0.25, 0.75, 0.75]])
    calls: list[tuple[Any, tuple[Array, ...], float]] = [
        *((layer, (zero,), 0.0) for layer in (ReLU(), LeakyReLU(0.5), PReLU("one", shape=(1,), dtype="float64"))),
        (ELU(0.5), (zero,), 0.5),
        (SELU(), (zero,), SELU_SCALE * SELU_ALPHA),
        (MeanAbsoluteError(), (zero, zero), 0.0),
        (BinaryCrossEntropy(0.25), (clipped, np.array([[0.0, 1.0, 0.0, 1.0]])), 0.0),
        (CategoricalCrossEntropy(0.25), (clipped[:, :2], np.array([[0.5, 0.5]])), 0.0),
        (KLDivergence(0.25), (clipped[:, :2], np.array([[0.5, 0.5]])), 0.0),
        (Hinge(), (np.array([[0.5, -0.5]]), np.array([[2.0, -2.0]])), 0.0),
    ]
    for layer, inputs, wanted in calls:
        ones = np.ones(layer(*inputs).shape)
        for found in (layer.compose_input_gradients([ones]), layer.input_gradients_for([ones], [True, False])):
            if (np.asarray(found[0]) != wanted).any():
                raise AssertionError(f"{type(layer).__name__} has at a kink the derivative {found[0]!r}")


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
    flat = Flatten()
    flat(X)
    if flat.compose_weight_gradients([X]) != []:
        raise AssertionError("a layer without weights has no weight gradients, whatever is upstream")
