"""One model in several threads: every call has a state of its own, so no gradient mixes two calls."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from beras import (
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    GradientTape,
    MeanSquaredError,
    SequentialModel,
    Softmax,
    SoftmaxCrossEntropy,
    Tanh,
    Tensor,
)

THREADS = 2


@pytest.fixture(autouse=True)
def impatient_threads() -> Iterator[None]:
    """Let Python switch between threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def wrong_answers(ask: Callable[[int], Any], times: int) -> int:
    """Ask from several threads at once, each for its own; return how many answers are not those given alone."""
    expected = [ask(number) for number in range(THREADS)]
    wrong = [0] * THREADS
    barrier = threading.Barrier(THREADS)

    def work(number: int) -> None:
        barrier.wait()
        for _ in range(times):
            try:
                same = all(map(np.array_equal, ask(number), expected[number]))
            except Exception:  # of another call's shapes, say
                same = False
            wrong[number] += not same

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(wrong)


class Remembering(Activation):
    """x³, by somebody who keeps what the derivative needs in an attribute of forward's own."""

    def forward(self, x: Any) -> Any:
        self.square = np.asarray(x) ** 2
        return np.asarray(x) * self.square

    def get_input_gradients(self) -> list[Any]:
        return [3 * self.square]


def test_twenty_thousand_gradients_from_two_threads() -> None:
    layers: list[Any] = [Dense(2, 3, seed=1), Tanh(), Remembering(), Dense(3, 2, seed=2), Softmax()]
    model, loss_fn = SequentialModel(layers), MeanSquaredError()
    x = np.random.default_rng(0).normal(size=(THREADS, 4, 2)).astype(np.float32)

    def gradients(number: int) -> Any:
        with GradientTape() as tape:
            loss = loss_fn(model(x[number]), x[number])
        return tape.gradient(loss, model.weights)

    assert wrong_answers(gradients, 20_000 // THREADS) == 0


@pytest.mark.parametrize(
    ("layer", "target"),
    [
        (Dense(3, 2, "xavier", seed=1), None),
        (Softmax(), None),
        (BatchNormalization(3), None),
        (SoftmaxCrossEntropy(), np.array([0, 1, 2, 1])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_derivative_methods_are_about_the_last_call_of_their_own_thread(layer: Any, target: Any) -> None:
    x = np.random.default_rng(0).normal(size=(THREADS, 4, 3))
    random = np.random.default_rng(1)

    def answers(number: int) -> Any:
        y = layer(x[number]) if target is None else layer(x[number], target)
        J = [np.broadcast_to(np.float64(number + 1), y.shape)]
        return [y, *layer.compose_input_gradients(J), *layer.compose_weight_gradients(J)[:2], *layer.inputs]

    assert wrong_answers(answers, 1_000) == 0
    assert random is not None


def test_predictions_in_one_thread_are_not_those_of_training_while_another_predicts() -> None:
    model = SequentialModel([Dense(3, 4, "xavier", seed=1), Dropout(0.5), BatchNormalization(4)])
    x = np.random.default_rng(0).normal(size=(THREADS, 4, 3))
    assert wrong_answers(lambda number: [model.predict(x[number])], 500) == 0
    assert all(layer.training for layer in model.layers[1:])


def test_a_thread_that_has_not_called_the_layer_has_no_derivative() -> None:
    layer, told = Tanh(), []
    layer(Tensor([1.0]))

    def ask() -> None:
        with pytest.raises(RuntimeError, match="call it on an input first"):
            layer.get_input_gradients()
        told.append(hasattr(layer, "inputs"))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert told == [False]
    assert layer.get_input_gradients()[0].shape == (1,)
