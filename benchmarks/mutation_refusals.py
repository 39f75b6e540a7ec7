"""What the tape must refuse, since a gradient would be lost without a word: through constants, or a derivative that is
not recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

X = np.random.default_rng(7).normal(size=(3, 2))


def lost_gradients() -> None:
    """A way through an input that is held constant, or through a derivative without one, is an error; any other is not.

    Raises AssertionError where that is not so.
    """
    from beras import ops
    from beras.activations import Activation, Sin
    from beras.core import Diffable, Tensor, Variable
    from beras.elementwise import Elementwise
    from beras.gradient_tape import GradientTape
    from beras.layers import Dense, LayerNormalization
    from beras.losses import MeanSquaredError

    class Scaled(Diffable):
        """scale · x, whose scale is data and comes first."""

        constant_inputs = ("scale",)

        def forward(self, scale: Any, x: Any) -> Any:
            return np.asarray(scale) * np.asarray(x)

        def get_input_gradients(self) -> list[Any]:
            return self.compose_input_gradients([np.ones(self.outputs[0].shape)])

        def compose_input_gradients(self, J: Any = None) -> list[Any]:
            scale = np.asarray(self.inputs[0])
            return [np.zeros(scale.shape), np.asarray(J[0]) * scale]

    class Cubed(Activation):
        """x³, by somebody who does not say that a tape can record its derivative: it has not seen x in it."""

        def forward(self, x: Any) -> Any:
            return np.asarray(x) ** 3

        def get_input_gradients(self) -> list[Any]:
            return [3 * np.asarray(self.inputs[0]) ** 2]

        def input_gradients_for(self, J: list[Any], wanted: Any) -> list[Any]:
            return [J[0] * self.get_input_gradients()[0]]

    class Squared(Elementwise):
        """x², whose slope is computed where no tape sees it."""

        def forward(self, x: Any) -> Any:
            return np.asarray(x) ** 2

        def slope(self, x: Any) -> Any:
            return 2 * np.asarray(x)

    class Shifted(Scaled):
        """x, and perhaps something constant beside it."""

        constant_inputs = ("by",)

        def forward(self, x: Any, by: Any = None) -> Any:
            return 1.0 * np.asarray(x)

        def compose_input_gradients(self, J: Any = None) -> list[Any]:
            return [np.asarray(J[0])]

    class Silent(Shifted):
        """Says nothing about its input."""

        def compose_input_gradients(self, J: Any = None) -> list[Any]:
            return [None]

    layer, truth, w = Dense(2, 2, dtype="float64", seed=1), Tensor(np.zeros((3, 2))), Variable(X)
    normalization = LayerNormalization(2)
    cubing = Dense(2, 2, dtype="float64", seed=1, activation=Cubed(), use_bias=False)
    with GradientTape() as tape:
        right, swapped = MeanSquaredError()(layer(X), truth), MeanSquaredError()(truth, layer(X))
        x, scale, y = w * 2.0, Tensor(X) * 3.0, np.sin(np.sin(w))
        scaled, by_source = Scaled()(scale, x).sum(), Scaled()(x, scale).sum()
        penalty = (tape.gradient(x * x, w) ** 2).sum()
        by_weight = (tape.gradient(layer(scale), scale) ** 2).sum()
        unrecorded = (tape.gradient(normalization(x), x) ** 2).sum()
        shifted, beside = tape.gradient(Shifted()(x), x), tape.gradient(Silent()(x) + x, x)
        unseen = (tape.gradient(Squared()(x), x) ** 2).sum()
        by_array, by_operand = tape.gradient(Sin()(X), X).sum(), tape.gradient(ops.Sin()(X), X).sum()
        inside = (tape.gradient(cubing(x), x) ** 2).sum()
        inside_by_weight = (tape.gradient(cubing(x), cubing.w) ** 2).sum()
    _must_fail("holds y_true constant", "(y_pred, y_true)", lambda: tape.gradient(swapped, layer.weights))
    _must_fail("holds scale constant", "(scale, x)", lambda: tape.gradient(by_source, w))
    _must_fail("the gradient of LayerNormalization", "", lambda: tape.gradient(unrecorded, w))
    _must_fail("the gradient of Squared", "", lambda: tape.gradient(unseen, w))
    _must_fail("the gradient of Dense", "", lambda: tape.gradient(inside, w))
    _must_fail("the gradient of Dense", "", lambda: tape.gradient(inside_by_weight, w))
    zeros = tape.gradient(right, truth)
    found = [zeros is not None and not zeros.any(), tape.gradient(right, layer.w) is not None]
    found.append(np.array_equal(tape.gradient(scaled, w), 6.0 * X))
    found.append(np.allclose(tape.gradient(penalty, w), 128 * X))  # of Σ (8 w)²
    found += [np.array_equal(shifted, np.ones(X.shape)), np.array_equal(beside, np.ones(X.shape))]
    with GradientTape() as late:  # which has not seen how y came about
        slope = tape.gradient(y, w).sum()
    _must_fail("the gradient of Sin", "", lambda: late.gradient(slope, w))
    found += [np.allclose(tape.gradient(twice, X), -np.sin(X)) for twice in (by_array, by_operand)]
    twice = 2 * len(X) * np.asarray(layer.w).sum(axis=1, keepdims=True) * np.ones((2, 2))
    found.append(np.allclose(tape.gradient(by_weight, layer.w), twice))
    if not all(found):
        raise AssertionError(f"gradients beside what is held constant: {found}")


def _must_fail(what: str, order: str, gradient: Callable[[], Any]) -> None:
    try:
        gradient()
    except (ValueError, NotImplementedError) as error:
        if what in str(error) and order in str(error):
            return
        raise AssertionError(f"expected {what!r} and {order!r}, but was told: {error}") from error
    raise AssertionError(f"a gradient is lost without a word: expected {what!r}")
