"""Residual and two-branch models, composed or written by hand, train by the gradients that calculus gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from beras.activations import Tanh
from beras.composition import Branches, Residual
from beras.core import Tensor, Variable
from beras.gradient_tape import GradientTape
from beras.layers import Dense
from beras.losses import MeanSquaredError
from beras.model import Model, SequentialModel
from beras.optimizer import BasicOptimizer


def dense(fan_in: int, fan_out: int, seed: int) -> Dense:
    return Dense(fan_in, fan_out, "xavier", seed=seed, dtype=np.float64)


def data() -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(0)
    return Tensor(rng.normal(size=(5, 3))), Tensor(rng.normal(size=(5, 4)))


class ByHand(Model):
    """A residual block, two branches over it with a shared layer, and a bare Variable, all written in NumPy."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [dense(3, 3, 1), dense(3, 2, 2)]
        self.shared = dense(2, 2, 3)
        self.scale = Variable(np.array([[0.5, 1.5, -1.0, 2.0]]))

    def forward(self, x: Any) -> Any:
        first, second = self.blocks
        h = x + np.tanh(first(x))
        left = self.shared(second(h))
        right = np.sin(self.shared(left))
        return np.concatenate([left, right], axis=1) * self.scale


def composed() -> SequentialModel:
    shared = dense(2, 2, 3)
    return SequentialModel(
        [
            Residual([dense(3, 3, 1), Tanh()]),
            dense(3, 2, 2),
            Branches([shared, SequentialModel([shared, Tanh(), shared])]),
        ]
    )


@pytest.mark.parametrize("build", [ByHand, composed])
def test_gradients_are_those_of_central_differences(build: Any) -> None:
    model, (x, y) = build(), data()
    loss_fn = MeanSquaredError()
    with GradientTape() as tape:
        loss = loss_fn(model(x), y)
    gradients = tape.gradient(loss, model.weights)
    step = 1e-6
    for weight, gradient in zip(model.weights, gradients, strict=True):
        start = np.array(weight)
        for index in np.ndindex(start.shape):
            sides = []
            for sign in (1, -1):
                moved = start.copy()
                moved[index] += sign * step
                weight.assign(moved)
                sides.append(float(loss_fn(model(x), y)))
            weight.assign(start)
            # Central differences: error below step² f‴/6 plus rounding 1e-16/step, both far below 1e-8 here.
            assert (sides[0] - sides[1]) / (2 * step) == pytest.approx(gradient[index], abs=1e-8)


@pytest.mark.parametrize("build", [ByHand, composed])
def test_one_step_of_training_moves_every_weight(build: Any) -> None:
    model, (x, y) = build(), data()
    model.compile(BasicOptimizer(0.05), MeanSquaredError())
    before = [np.array(weight) for weight in model.weights]
    losses = model.fit(x, y, epochs=30, batch_size=5, shuffle=False, verbose=False)["loss"]
    assert all(np.all(weight != old) for weight, old in zip(model.weights, before, strict=True))
    assert losses[-1] < losses[0]


def test_a_residual_of_nothing_is_twice_the_input() -> None:
    x, _ = data()
    np.testing.assert_array_equal(Residual([])(x), 2 * x)


def test_branches_stand_in_order() -> None:
    x, _ = data()
    left, right = dense(3, 2, 0), dense(3, 1, 1)
    joined = Branches([left, right])(x)
    np.testing.assert_array_equal(joined, np.hstack([left(x), right(x)]))


def test_a_residual_that_changes_the_shape_is_refused() -> None:
    x, _ = data()
    with pytest.raises(ValueError, match=r"x \(5, 3\), but it is \(5, 1\)"):
        Residual([dense(3, 1, 0)])(x)


def test_weights_are_saved_across_shapes_of_composition(tmp_path: Any) -> None:
    model, other = composed(), composed()
    for weight in other.weights:
        weight.assign(np.zeros(weight.shape))
    model.save_weights(tmp_path / "w.npz")
    other.load_weights(tmp_path / "w.npz")
    x, _ = data()
    np.testing.assert_array_equal(model(x), other(x))
