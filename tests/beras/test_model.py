"""Models: training, evaluating, finding, storing, and how they behave when something is wrong or Ctrl-C is pressed."""

from __future__ import annotations

import io
import signal
import threading
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beras.activations import ReLU, Softmax, Tanh
from beras.composition import Branches, Residual
from beras.core import Tensor, Variable
from beras.gradient_tape import GradientTape
from beras.layers import BatchNormalization, Dense, Dropout
from beras.losses import CategoricalCrossEntropy, MeanSquaredError
from beras.metrics import CategoricalAccuracy
from beras.model import Model, SequentialModel, print_stats, update_metric_dict
from beras.optimizer import Adam, BasicOptimizer


def blobs(samples: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three clouds in the plane, one-hot labels: easy to learn."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, samples)
    centres = np.array([[3.0, 0.0], [-3.0, 1.0], [0.0, -4.0]])
    return (centres[labels] + rng.normal(size=(samples, 2))).astype(np.float32), np.eye(3, dtype=np.float32)[labels]


def network(seed: int = 0) -> SequentialModel:
    model = SequentialModel(
        [Dense(2, 8, "kaiming", seed=seed), ReLU(), Dense(8, 3, "kaiming", seed=seed + 1), Softmax()]
    )
    model.compile(Adam(0.01), CategoricalCrossEntropy(), CategoricalAccuracy())
    return model


def values(model: Model) -> list[np.ndarray]:
    return [np.array(weight) for weight in model.weights]


def assert_same(left: list[np.ndarray], right: list[np.ndarray]) -> None:
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one, other)


# --- training and evaluating


def test_fit_learns() -> None:
    x, y = blobs(500)
    model = network()
    history = model.fit(x, y, epochs=10, batch_size=32, seed=0, verbose=False)
    assert set(history) == {"loss", "acc"}
    assert [len(values) for values in history.values()] == [10, 10]
    assert history["loss"][-1] < history["loss"][0] / 3
    metrics, predictions = model.evaluate(*blobs(300, seed=1), batch_size=64)
    assert metrics["acc"] > 0.95
    assert predictions.shape == (300, 3)


class Recorder(Model):
    """Says what it was given: the loss is the batch's mean of x, the accuracy its size."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[np.ndarray] = []

    def forward(self, x: Any) -> Any:
        return x

    def batch_step(self, x: Any, y: Any, training: bool = True) -> Any:
        np.testing.assert_array_equal(np.asarray(x)[:, 0], np.asarray(y))
        self.batches.append(np.array(y))
        metrics = {"loss": float(np.mean(x)), "acc": float(len(x))}
        return metrics if training else (metrics, x)


def test_a_last_smaller_batch_counts_by_its_size() -> None:
    x = np.arange(7.0)[:, None]
    model = Recorder()
    history = model.fit(x, x[:, 0], epochs=1, batch_size=3, verbose=False)
    assert history["loss"] == [3.0]  # the mean of 0…6, which the mean of three means is not
    assert history["acc"][0] == pytest.approx((3 * 3 + 3 * 3 + 1 * 1) / 7)
    metrics, predictions = model.evaluate(x, x[:, 0], batch_size=3)
    assert metrics["loss"] == 3.0
    np.testing.assert_array_equal(predictions, x)


def test_every_epoch_shuffles_and_a_seed_repeats_it() -> None:
    x = np.arange(50.0)[:, None]

    def orders(seed: int) -> list[np.ndarray]:
        model = Recorder()
        model.fit(x, x[:, 0], epochs=2, batch_size=50, seed=seed, verbose=False)
        return model.batches

    first, second = orders(1)
    np.testing.assert_array_equal(np.sort(first), x[:, 0])
    assert not np.array_equal(first, x[:, 0])
    assert not np.array_equal(first, second)
    assert_same(orders(1), [first, second])
    assert not np.array_equal(orders(2)[0], first)


def test_without_shuffling_the_order_stays() -> None:
    x = np.arange(5.0)[:, None]
    model = Recorder()
    model.fit(x, x[:, 0], epochs=1, batch_size=2, shuffle=False, verbose=False)
    assert_same(model.batches, [np.array([0.0, 1.0]), np.array([2.0, 3.0]), np.array([4.0])])


def test_the_same_seeds_train_the_same_weights() -> None:
    x, y = blobs(100)
    one, other = network(), network()
    one.fit(x, y, epochs=2, batch_size=7, seed=5, verbose=False)
    other.fit(x, y, epochs=2, batch_size=7, seed=5, verbose=False)
    assert_same(values(one), values(other))


def test_a_step_is_the_optimizer_on_the_tapes_gradients() -> None:
    x, y = blobs(20)
    model, twin = network(), network()
    model.compile(BasicOptimizer(0.1), CategoricalCrossEntropy())
    with GradientTape() as tape:
        loss = CategoricalCrossEntropy()(twin.forward(Tensor(x)), Tensor(y))
    expected = [
        np.asarray(w) - np.float32(0.1) * np.asarray(g)
        for w, g in zip(twin.weights, tape.gradient(loss, twin.weights), strict=True)
    ]
    assert model.batch_step(Tensor(x), Tensor(y)) == {"loss": float(loss)}
    for weight, wanted in zip(values(model), expected, strict=True):
        np.testing.assert_allclose(weight, wanted, rtol=1e-6, atol=1e-7)


def test_evaluate_changes_no_weight() -> None:
    x, y = blobs(50)
    model = network()
    before = values(model)
    metrics, predictions = model.batch_step(Tensor(x), Tensor(y), training=False)
    assert set(metrics) == {"loss", "acc"}
    evaluated, in_batches = model.evaluate(x, y, batch_size=8)
    assert_same(values(model), before)
    np.testing.assert_allclose(predictions, in_batches, rtol=1e-6)
    assert evaluated == pytest.approx(metrics)


def test_predict_is_forward_in_batches() -> None:
    x, _ = blobs(50)
    model = network()
    whole = np.asarray(model.forward(Tensor(x)))
    # What rounds otherwise in another batch is a part of the largest terms, and not of a small output.
    np.testing.assert_allclose(model.predict(x, batch_size=7), whole, rtol=0, atol=4 * np.finfo(np.float32).eps)


def test_validation_data_are_evaluated_after_each_epoch() -> None:
    x, y = blobs(100)
    model = network()
    history = model.fit(x, y, epochs=3, batch_size=10, validation_data=blobs(40, seed=1), verbose=False)
    assert set(history) == {"loss", "acc", "val_loss", "val_acc"}
    assert all(len(values) == 3 for values in history.values())
    metrics, _ = model.evaluate(*blobs(40, seed=1), batch_size=10)
    assert history["val_loss"][-1] == metrics["loss"]
    assert history["val_acc"][-1] == metrics["acc"]


def test_without_an_accuracy_there_is_only_the_loss() -> None:
    x, y = blobs(20)
    model = network()
    model.compile(BasicOptimizer(0.1), MeanSquaredError())
    assert set(model.fit(x, y, epochs=1, batch_size=10, verbose=False)) == {"loss"}


def test_frozen_weights_stay_and_the_rest_learns() -> None:
    x, y = blobs(50)
    model = network()
    first, last = model.layers[0], model.layers[2]
    first.trainable = False
    before = values(model)
    model.fit(x, y, epochs=1, batch_size=10, verbose=False)
    np.testing.assert_array_equal(first.w, before[0])
    np.testing.assert_array_equal(first.b, before[1])
    assert not np.array_equal(last.w, before[2])


def test_float32_and_float64_are_kept() -> None:
    x, y = blobs(20)
    for dtype in (np.float32, np.float64):
        model = SequentialModel([Dense(2, 3, "xavier", dtype=dtype), Softmax()])
        model.compile(BasicOptimizer(0.1), CategoricalCrossEntropy())
        model.fit(x.astype(dtype), y.astype(dtype), epochs=1, batch_size=10, verbose=False)
        assert {weight.dtype for weight in model.weights} == {np.dtype(dtype)}
        assert model.predict(x.astype(dtype)).dtype == dtype


# --- wrong use


@pytest.mark.parametrize(
    ("x", "y", "batch_size", "said"),
    [
        (np.zeros((3, 2)), np.zeros((4, 3)), 2, "x has 3 samples, but y has 4"),
        (np.zeros((0, 2)), np.zeros((0, 3)), 2, "no samples"),
        (np.zeros((3, 2)), np.zeros((3, 3)), 0, "batch_size to be at least 1, got 0"),
        (np.array([["a", "b"]]), np.zeros((1, 3)), 1, "expected numbers in x, but its dtype is <U1"),
        (np.zeros((1, 2)), np.array([{}]), 1, "expected numbers in y, but its dtype is object"),
        (1.0, np.zeros((1, 3)), 1, "single number"),
    ],
)
def test_data_that_do_not_fit_are_refused(x: Any, y: Any, batch_size: int, said: str) -> None:
    model = network()
    with pytest.raises(ValueError, match=said):
        model.fit(x, y, epochs=1, batch_size=batch_size)
    with pytest.raises(ValueError, match=said):
        model.evaluate(x, y, batch_size=batch_size)
    with pytest.raises(ValueError, match=said):
        model.fit(*blobs(5), epochs=1, batch_size=batch_size or 0, validation_data=(x, y))


def test_negative_epochs_are_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        network().fit(*blobs(5), epochs=-1, batch_size=1)


@pytest.mark.parametrize("value", [None, 2.0, True, "2"])
def test_counts_must_be_whole_numbers(value: Any) -> None:
    model, (x, y) = network(), blobs(5)
    before = values(model)
    with pytest.raises(TypeError, match=f"batch_size to be an integer, got {value!r}"):
        model.fit(x, y, batch_size=value)
    with pytest.raises(TypeError, match=f"batch_size to be an integer, got {value!r}"):
        model.evaluate(x, y, batch_size=value)
    with pytest.raises(TypeError, match=f"batch_size to be an integer, got {value!r}"):
        model.predict(x, batch_size=value)
    with pytest.raises(TypeError, match=f"epochs to be an integer, got {value!r}"):
        model.fit(x, y, epochs=value)
    assert_same(values(model), before)


def test_numpys_integers_are_whole_numbers() -> None:
    history = network().fit(*blobs(5), epochs=np.int64(2), batch_size=np.uint8(2), verbose=False)  # type: ignore[arg-type]
    assert len(history["loss"]) == 2


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (np.zeros((3, 2)), TypeError, r"validation_data must be a pair \(x, y\), but is a ndarray"),
        (0.1, TypeError, r"validation_data must be a pair \(x, y\), but is a float"),
        (blobs(3)[:1], ValueError, r"validation_data must be a pair \(x, y\), but has 1 parts"),
        ((*blobs(3), None, 0), ValueError, r"validation_data must be a pair \(x, y\), but has 4 parts"),
    ],
)
def test_validation_data_that_are_no_pair_are_refused(data: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        network().fit(*blobs(5), validation_data=data)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("magic", MeanSquaredError()),
            r"an optimizer, such as Adam\(0\.001\), but got 'magic'; the names .* are sgd",
        ),
        ((Adam, MeanSquaredError()), r"an optimizer, such as Adam\(0\.001\), but got <class .*: write Adam\("),
        ((MeanSquaredError(), Adam(0.1)), r"an optimizer, such as Adam\(0\.001\), but got <beras"),
        ((Adam(0.1), "magic"), r"a loss, such as MeanSquaredError\(\), but got 'magic'; the names .* are mse, "),
        ((Adam(0.1), None), r"a loss, such as MeanSquaredError\(\), but got None"),
        ((Adam(0.1), MeanSquaredError), r"a loss, such as MeanSquaredError\(\), but got <class"),
        (
            (Adam(0.1), MeanSquaredError(), ["magic"]),
            r"a metric, such as CategoricalAccuracy\(\), or None, but got 'magic'; the names",
        ),
    ],
)
def test_what_cannot_train_is_refused_by_compile(arguments: Any, said: str) -> None:
    model = network()
    optimizer = model.optimizer
    with pytest.raises(TypeError, match=f"compile expects {said}"):
        model.compile(*arguments)
    assert model.optimizer is optimizer


def test_anything_that_applies_gradients_and_any_function_can_train() -> None:
    class Downhill:
        def apply_gradients(self, trainable_params: list[Any], grads: list[Any]) -> None:
            for weight, gradient in zip(trainable_params, grads, strict=True):
                weight.assign_sub(0.1 * gradient)

    model = network()
    model.compile(Downhill(), lambda y_pred, y_true: np.mean((y_pred - y_true) ** 2), lambda y_pred, y_true: 0)
    history = model.fit(*blobs(100), epochs=3, verbose=False)
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize(
    ("loss", "error", "said"),
    [
        (
            lambda p, t: np.mean((p - t) ** 2, axis=1),
            ValueError,
            r"one number for the batch, but is an array of shape \(5,\)",
        ),
        (lambda p, t: [np.mean(p), np.mean(t)], ValueError, r"one number for the batch, but is \[Tensor"),
        (lambda p, t: None, ValueError, r"one number for the batch, but is None: take the mean"),
        (lambda p, t: np.mean((np.asarray(p) - t) ** 2, dtype=float).item(), TypeError, "a Tensor .* is a float, "),
        (lambda p, t: np.asarray(np.mean((p - t) ** 2)), TypeError, "a Tensor .* is a ndarray, "),
        (
            lambda p, t: float(np.mean((p - t) ** 2)),
            TypeError,
            r"a loss must be a Tensor.* is a float, .* leave out float\(\)",
        ),
    ],
)
def test_a_loss_that_cannot_be_used_is_refused_before_any_weight_changes(
    loss: Any, error: type[Exception], said: str
) -> None:
    model, (x, y) = network(), blobs(5)
    model.compile(Adam(0.1), loss)
    before = values(model)
    with pytest.raises(error, match=said):
        model.fit(x, y, verbose=False)
    assert_same(values(model), before)
    if error is ValueError:
        with pytest.raises(error, match=said):
            model.evaluate(x, y)


def test_an_accuracy_per_sample_is_refused_as_such() -> None:
    model, (x, y) = network(), blobs(5)
    model.compile(Adam(0.1), MeanSquaredError(), lambda p, t: np.argmax(p, axis=1) == np.argmax(t, axis=1))
    with pytest.raises(ValueError, match=r"a metric must be one number for the batch, but is an array of shape \(5,\)"):
        model.evaluate(x, y)


def test_a_model_must_be_compiled_first() -> None:
    with pytest.raises(RuntimeError, match="compile"):
        SequentialModel([Dense(2, 3)]).fit(*blobs(5), epochs=1, batch_size=1, verbose=False)


def test_what_is_no_layer_is_named() -> None:
    with pytest.raises(TypeError, match=r"layers\[1\] is a str: 'relu'"):
        SequentialModel([Dense(2, 3), "relu"])  # type: ignore[list-item]


# --- weights, wherever they are


class Nested(Model):
    def __init__(self) -> None:
        super().__init__()
        shared = Dense(2, 2, "xavier")
        self.first = shared
        self.branches = {"left": [shared, Tanh()], "right": (Dense(2, 2, "xavier"), {"deep": Dense(2, 1, "xavier")})}
        self.inner = SequentialModel([Dense(2, 1, "xavier")])
        self.scale = Variable(np.ones((1, 1), np.float32))
        self.data = Tensor(np.zeros((2, 2)))  # no Variable: data, not a weight

    def forward(self, x: Any) -> Any:
        return self.inner(self.first(x))


def test_weights_are_found_in_attributes_lists_dicts_and_models_each_once() -> None:
    model = Nested()
    assert list(model.named_weights()) == [
        "first.w", "first.b", "branches.right.0.w", "branches.right.0.b",
        "branches.right.1.deep.w", "branches.right.1.deep.b", "inner.layers.0.w", "inner.layers.0.b", "scale",
    ]  # fmt: skip
    assert [id(w) for w in model.weights] == [id(w) for w in model.named_weights().values()]
    assert model.weights[0] is model.first.w


def test_a_layer_added_later_is_found() -> None:
    model = network()
    model.layers.append(Dense(3, 3))
    assert list(model.named_weights())[-1] == "layers.4.b"


def test_a_model_that_contains_itself_has_its_weights_once() -> None:
    model = Nested()
    model.me = [model]  # type: ignore[attr-defined]
    assert len(model.weights) == 9


def test_weights_in_the_optimizer_and_the_loss_are_not_the_models() -> None:
    model = network()
    loss = CategoricalCrossEntropy()
    loss.extra = Variable(np.ones(1))  # type: ignore[attr-defined]
    model.compile(Adam(0.1), loss, Dense(3, 3))
    assert len(model.weights) == 4


def test_an_own_list_of_weights_is_respected() -> None:
    class Own(SequentialModel):
        @property
        def weights(self) -> list[Tensor]:
            return self.layers[0].weights  # type: ignore[no-any-return, attr-defined]

    own = Own([Dense(2, 3), Dense(3, 3)])
    outer = SequentialModel([own, Dense(3, 3)])
    assert len(own.weights) == 2
    assert len(outer.weights) == 4


def test_two_weights_of_one_path_are_refused_instead_of_losing_one(tmp_path: Path) -> None:
    model = SequentialModel([])
    model.parts = {1: Dense(2, 3), "1": Dense(2, 3)}  # type: ignore[attr-defined]
    assert len(model.weights) == 4
    with pytest.raises(ValueError, match=r"SequentialModel have the same path parts\.1\.w: rename"):
        model.save_weights(tmp_path / "w.npz")
    assert list(tmp_path.iterdir()) == []


def test_trainable_is_set_for_all_weights() -> None:
    model = Nested()
    model.trainable = False
    assert model.trainable_variables == []
    assert len(model.non_trainable_variables) == 9
    assert not model.first.trainable


class OwnWeights(SequentialModel):
    """Lists its weights itself."""

    @property
    def weights(self) -> list[Tensor]:
        return self.layers[1].weights  # type: ignore[no-any-return, attr-defined]


@pytest.mark.parametrize("kind", [SequentialModel, Residual, OwnWeights])
def test_moving_statistics_are_never_trained_whatever_a_model_is_set_to(kind: type[SequentialModel]) -> None:
    normalization = BatchNormalization(2)
    inner = kind([Dense(2, 2, "xavier"), normalization])
    model = SequentialModel([Branches([inner, Dense(2, 1)]), Dense(3, 2), inner])
    model.me = [model]  # type: ignore[attr-defined]
    trained = [id(weight) for weight in model.trainable_variables]
    assert id(normalization.gamma) in trained
    for part in (normalization, inner, model):
        part.trainable = False
        assert part.trainable_variables == []
    model.trainable = True
    assert [id(weight) for weight in model.trainable_variables] == trained
    inner.trainable = normalization.trainable = True
    assert [id(weight) for weight in model.trainable_variables] == trained
    normalization.training = False
    with GradientTape() as tape:
        y = model(Tensor(np.ones((3, 2), np.float32)))
    assert tape.gradient(y, [normalization.moving_mean, normalization.moving_variance]) == [None, None]


def test_a_models_own_statistics_are_spared_too() -> None:
    class Averaging(SequentialModel):
        def __init__(self) -> None:
            super().__init__([BatchNormalization(2)])
            self.steps = Variable(np.zeros(1), trainable=False)

        @property
        def never_trained(self) -> list[Tensor]:
            return [self.steps]

    model = SequentialModel([Averaging()])
    model.trainable = True
    assert [name for name, weight in model.named_weights().items() if weight.trainable] == [
        "layers.0.layers.0.gamma",
        "layers.0.layers.0.beta",
    ]


def test_a_nested_model_learns_as_the_flat_one_does() -> None:
    x, y = blobs(60)
    flat, twin = network(), network()
    nested = SequentialModel([SequentialModel(twin.layers[:2]), SequentialModel(twin.layers[2:])])
    nested.compile(Adam(0.01), CategoricalCrossEntropy(), CategoricalAccuracy())
    for model in (flat, nested):
        model.fit(x, y, epochs=2, batch_size=10, seed=0, verbose=False)
    assert_same(values(flat), values(nested))


def test_a_shared_layer_gets_both_gradients() -> None:
    shared = Dense(2, 2, "xavier", seed=0)
    model = SequentialModel([shared, Tanh(), shared])
    model.compile(BasicOptimizer(1.0), MeanSquaredError())
    x, y = Tensor(np.array([[0.3, -0.2]], np.float32)), Tensor(np.array([[1.0, 0.0]], np.float32))
    w, b = np.array(shared.w, np.float64), np.array(shared.b, np.float64)
    # By hand, in float64: h = tanh(x w + b), out = h w + b, loss = mean (out − y)²
    h = np.tanh(np.asarray(x) @ w + b)
    d_out = (h @ w + b - np.asarray(y)) * 2 / 2
    d_pre = (d_out @ w.T) * (1 - h**2)
    model.batch_step(x, y)
    np.testing.assert_allclose(shared.w, w - (h.T @ d_out + np.asarray(x).T @ d_pre), rtol=1e-5)
    np.testing.assert_allclose(shared.b, b - (d_out + d_pre), rtol=1e-5)


# --- layers with two modes


def moody(seed: int = 0) -> SequentialModel:
    layers = [Dense(2, 8, "kaiming", seed=seed), BatchNormalization(8), ReLU(), Dropout(0.5, seed=seed)]
    model = SequentialModel([SequentialModel(layers), Dense(8, 3, "kaiming", seed=seed), Softmax()])
    model.compile(Adam(0.01), CategoricalCrossEntropy(), CategoricalAccuracy())
    return model


def modes(model: Model) -> list[bool]:
    return [leaf.training for _, leaf in model.named_leaves() if hasattr(leaf, "training")]


def test_training_is_random_and_evaluation_is_not() -> None:
    x, y = (Tensor(array) for array in blobs(50))
    model = moody()
    assert model.batch_step(x, y)["loss"] != model.batch_step(x, y)["loss"]
    before = values(model)
    first, second = model.evaluate(x, y, 50), model.evaluate(x, y, 7)
    assert first[0] == pytest.approx(second[0])
    np.testing.assert_allclose(first[1], second[1], rtol=1e-5)
    np.testing.assert_allclose(model.predict(x, 11), first[1], rtol=1e-5)
    assert_same(values(model), before)  # the moving averages as well


def test_evaluating_does_not_leave_the_layers_in_another_mode() -> None:
    x, y = blobs(20)
    model = moody()
    assert modes(model) == [True, True]
    model.evaluate(x, y, 10)
    model.predict(x, 10)
    assert modes(model) == [True, True]
    with pytest.raises(ValueError, match="shape"):
        model.predict(x[:, :1], 10)
    assert modes(model) == [True, True]
    with model.mode(training=False):
        model.batch_step(Tensor(x), Tensor(y))
        assert modes(model) == [False, False]
    model.layers[0].layers[3].training = 1  # true, though not True
    model.evaluate(x, y, 10)
    assert modes(model) == [True, 1]


def test_a_mode_reaches_models_that_list_their_weights_and_models_with_a_mode_of_their_own() -> None:
    class Own(SequentialModel):
        training = True

        @property
        def weights(self) -> list[Tensor]:
            return []

    own = Own([Dropout(0.5)])
    for model in (own, SequentialModel([own])):
        with model.mode(training=False):
            assert (own.training, own.layers[0].training) == (False, False)  # type: ignore[attr-defined]
        assert (own.training, own.layers[0].training) == (True, True)  # type: ignore[attr-defined]


def test_a_model_with_both_modes_learns() -> None:
    model = moody()
    history = model.fit(
        *blobs(600), epochs=30, batch_size=32, seed=0, validation_data=blobs(200, seed=1), verbose=False
    )
    assert history["val_acc"][-1] > 0.95
    assert history["val_loss"][-1] < history["loss"][-1]  # dropout makes training harder


def test_moving_averages_are_saved(tmp_path: Path) -> None:
    x, y = blobs(64)
    model, other = moody(0), moody(1)
    model.fit(x, y, epochs=2, batch_size=16, verbose=False)
    model.save_weights(tmp_path / "w.npz")
    other.load_weights(tmp_path / "w.npz")
    np.testing.assert_array_equal(model.predict(x), other.predict(x))


class Hidden(Model):
    """Keeps a layer where nobody looks for weights."""

    def __init__(self, trainable: bool) -> None:
        super().__init__()
        layer, self.last = Dense(2, 2, "xavier"), Dense(2, 3, "xavier")
        layer.trainable = trainable
        self.first = lambda x: layer(x)

    def forward(self, x: Any) -> Any:
        return self.last(self.first(x))


def test_a_layer_that_would_silently_not_learn_is_reported_once() -> None:
    model = Hidden(trainable=True)
    model.compile(BasicOptimizer(0.1), MeanSquaredError())
    x, y = blobs(10)
    with pytest.warns(
        UserWarning, match=r"Hidden\.forward uses a Dense that is not among the model's weights"
    ) as caught:
        model.fit(x, y, epochs=2, batch_size=5, verbose=False)
    assert len(caught) == 1


def test_a_hidden_layer_that_is_frozen_is_no_mistake() -> None:
    model = Hidden(trainable=False)
    model.compile(BasicOptimizer(0.1), MeanSquaredError())
    model.fit(*blobs(10), epochs=1, batch_size=5, verbose=False)  # a warning is an error here


class HiddenVariable(Model):
    """Keeps a Variable where nobody looks for weights: in an object that is no layer, or in a closure."""

    def __init__(self, where: str, trainable: bool = True) -> None:
        super().__init__()
        scale = Variable(np.ones((1, 3), np.float32), trainable=trainable)
        self.last = Dense(2, 3, "xavier")
        self.known = Variable(np.ones((1, 3), np.float32))
        if where == "object":
            self.box = types.SimpleNamespace(scale=scale)
            self.scale = lambda: self.box.scale
        else:
            self.scale = lambda: scale

    def forward(self, x: Any) -> Any:
        return self.last(x) * self.known * self.scale() + self.scale()[0]


@pytest.mark.parametrize("where", ["object", "closure"])
def test_a_variable_that_would_silently_not_learn_is_reported_once(where: str) -> None:
    model = HiddenVariable(where)
    model.compile(BasicOptimizer(0.1), MeanSquaredError())
    with pytest.warns(
        UserWarning, match=r"HiddenVariable\.forward, or the loss, uses a Variable of shape \(1, 3\)"
    ) as found:
        model.fit(*blobs(10), epochs=2, batch_size=5, verbose=False)
    assert len(found) == 1


def test_a_warning_of_what_is_hidden_points_at_who_took_the_step() -> None:
    model, (x, y) = HiddenVariable("closure"), blobs(5)
    model.compile(BasicOptimizer(0.1), MeanSquaredError())
    with pytest.warns(UserWarning, match="will not be trained") as found:
        model.batch_step(Tensor(x), Tensor(y))
    assert found[0].filename == __file__


def test_frozen_variables_and_data_that_are_variables_are_no_mistake() -> None:
    model, (x, y) = HiddenVariable("closure", trainable=False), blobs(5)
    model.compile(BasicOptimizer(0.1), MeanSquaredError())
    model.batch_step(Variable(x), Variable(y))  # a warning is an error here


def test_weights_that_the_loss_does_not_depend_on_are_reported_once() -> None:
    class Cut(SequentialModel):
        def forward(self, x: Any) -> Any:
            return self.layers[1](np.asarray(self.layers[0](x)))  # taken out of the graph

    model = Cut([Dense(2, 4, "xavier"), Dense(4, 3, "xavier")])
    model.compile(BasicOptimizer(0.1), MeanSquaredError())
    with pytest.warns(UserWarning, match=r"does not depend on layers\.0\.w, layers\.0\.b: they will not") as caught:
        model.fit(*blobs(10), epochs=2, batch_size=5, verbose=False)
    assert len(caught) == 1
    model.compile(BasicOptimizer(0.1), MeanSquaredError())
    with pytest.warns(UserWarning, match="does not depend"):  # once for each way to train it
        model.fit(*blobs(10), epochs=1, batch_size=5, verbose=False)


class Lazy(Model):
    """Builds its layer when it sees the first input."""

    layer: Dense | None = None

    def forward(self, x: Any) -> Any:
        if self.layer is None:
            self.layer = Dense(np.shape(x)[1], 3, "xavier", seed=0)
        return self.layer(x)


@pytest.mark.parametrize("steps", [1, 3])
def test_layers_built_in_the_first_forward_pass_are_trained_from_the_first_step_on(steps: int) -> None:
    x, y = blobs(4 * steps)
    model, twin = Lazy(), SequentialModel([Dense(2, 3, "xavier", seed=0)])
    for each in (model, twin):
        each.compile(BasicOptimizer(0.1), MeanSquaredError())
        each.fit(x, y, epochs=1, batch_size=4, shuffle=False, verbose=False)
    assert_same(values(model), values(twin))


def test_what_is_frozen_or_thawed_between_two_fits_or_after_a_broken_one_stays_so() -> None:
    model, (x, y) = network(), blobs(10)
    model.fit(x, y, epochs=1, batch_size=5, verbose=False)
    broken = y.copy()
    broken[7, 0] = np.nan

    def acc_fn(y_pred: Any, y_true: Any) -> float:
        if np.isnan(y_true).any():
            raise ArithmeticError("on purpose")
        return 0.0

    model.compile(Adam(0.01), CategoricalCrossEntropy(), acc_fn)
    with pytest.raises(ArithmeticError):
        model.fit(x, broken, epochs=1, batch_size=5, shuffle=False, verbose=False)
    model.layers[0].trainable = False
    before = values(model)
    model.batch_step(Tensor(x), Tensor(y))
    model.fit(x, y, epochs=1, batch_size=5, verbose=False)
    np.testing.assert_array_equal(model.weights[0], before[0])
    assert not np.array_equal(model.weights[2], before[2])
    model.layers[0].trainable = True
    model.fit(x, y, epochs=1, batch_size=5, verbose=False)
    assert not np.array_equal(model.weights[0], before[0])
    assert list(model.named_weights()) == ["layers.0.w", "layers.0.b", "layers.2.w", "layers.2.b"]


# --- the model on one page


def test_the_summary_counts_shared_weights_once(capsys: pytest.CaptureFixture[str]) -> None:
    shared = Dense(2, 2)
    model = SequentialModel([shared, Tanh(), SequentialModel([shared, Dense(2, 3)])])
    shared.trainable = False
    model.summary()
    assert capsys.readouterr().out.splitlines() == [
        "SequentialModel",
        "layer              kind   weights             parameters",
        "layers.0           Dense  w (2, 2)  b (1, 2)           6",
        "layers.1           Tanh                                0",
        "layers.2.layers.1  Dense  w (2, 3)  b (1, 3)           9",
        "15 parameters, 9 of them trained",
    ]


def test_the_summary_counts_a_variable_of_two_layers_once(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = Dense(2, 2), Dense(2, 2)
    second.w = first.w
    SequentialModel([first, second]).summary()
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()[2:4]] == ["6", "2"]


# --- saved weights


def test_saved_weights_come_back(tmp_path: Path) -> None:
    model, other = network(0), network(9)
    path = tmp_path / "folder" / "weights.npz"
    model.save_weights(path)
    other.load_weights(path)
    assert_same(values(model), values(other))
    assert [p.name for p in path.parent.iterdir()] == ["weights.npz"]
    with np.load(path, allow_pickle=False) as archive:
        assert archive.files == list(model.named_weights())


def test_a_name_without_suffix_is_kept(tmp_path: Path) -> None:
    network().save_weights(tmp_path / "weights")
    assert [p.name for p in tmp_path.iterdir()] == ["weights"]
    network().load_weights(tmp_path / "weights")


def test_loading_goes_into_the_same_variables_in_their_dtype(tmp_path: Path) -> None:
    model = SequentialModel([Dense(2, 3, dtype=np.float64)])
    model.save_weights(tmp_path / "w.npz")
    other = SequentialModel([Dense(2, 3, dtype=np.float32)])
    w = other.layers[0].w  # type: ignore[attr-defined]
    other.load_weights(tmp_path / "w.npz")
    assert other.weights[0] is w
    assert w.dtype == np.float32
    np.testing.assert_array_equal(w, np.asarray(model.weights[0]).astype(np.float32))


def test_a_failed_save_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.npz"
    network().save_weights(path)
    before = path.read_bytes()

    def full_disk(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full_disk)
    with pytest.raises(OSError, match="No space left"):
        network(1).save_weights(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["w.npz"]


def test_a_mismatch_names_everything_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    SequentialModel([Dense(2, 8), ReLU(), Dense(8, 4), Softmax(), Dense(4, 4)]).save_weights(path)
    model = network()
    before = values(model)
    with pytest.raises(ValueError, match="does not fit this model") as caught:
        model.load_weights(path)
    message = str(caught.value)
    assert "layers.2.w has shape (8, 4), the model's has (8, 3)" in message
    assert "layers.2.b has shape (1, 4), the model's has (1, 3)" in message
    assert "it has layers.4.w, which the model has not" in message
    assert_same(values(model), before)


def test_missing_weights_and_other_kinds_of_number_are_named(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    np.savez(path, **{"layers.0.w": np.zeros((2, 8), complex)})
    model = network()
    before = values(model)
    with pytest.raises(ValueError, match=r"it lacks layers\.0\.b;.*layers\.0\.w is complex128, the model's is float32"):
        model.load_weights(path)
    assert_same(values(model), before)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04rubbish"])
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read as saved weights"):
        network().load_weights(path)


def test_the_error_names_the_file_and_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    path.write_text("no weights")
    with pytest.raises(
        ValueError, match=r"w\.npz cannot be read as saved weights: it is not an archive of arrays\. Take a"
    ):
        network().load_weights(path)


def test_a_read_only_weight_is_refused_before_any_weight_changes(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    network(9).save_weights(path)
    model = network()
    before = values(model)
    model.weights[2].flags.writeable = False
    with pytest.raises(ValueError, match=r"layers\.2\.w is read-only in the model: set its flags\.writeable"):
        model.load_weights(path)
    assert_same(values(model), before)


def test_keys_that_differ_by_a_suffix_keep_their_weights_apart(tmp_path: Path) -> None:
    def build(first: float, second: float) -> SequentialModel:
        model = SequentialModel([])
        model.parts = {"a.npy": Variable([first]), "a": Variable([second])}  # type: ignore[attr-defined]
        return model

    build(1.0, 2.0).save_weights(tmp_path / "w.npz")
    other = build(0.0, 0.0)
    other.load_weights(tmp_path / "w.npz")
    assert [float(weight[0]) for weight in other.weights] == [1.0, 2.0]


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    np.savez(path, **{"layers.0.w": np.array([{}], dtype=object)})
    with pytest.raises(ValueError, match="cannot be read as saved weights"):
        network().load_weights(path)


def test_a_missing_file_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        network().load_weights(tmp_path / "nowhere.npz")


# --- Ctrl-C


def test_ctrl_c_stops_after_the_batch_and_keeps_what_was_learned(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = blobs(100)
    model, steps = network(), []

    def acc_fn(y_pred: Any, y_true: Any) -> float:
        if len(y_true) == 10:  # a training batch, not a validation batch
            steps.append(values(model))
            if len(steps) == 13:
                signal.raise_signal(signal.SIGINT)
        return 0.5

    model.compile(Adam(0.01), CategoricalCrossEntropy(), acc_fn)
    history = model.fit(x, y, epochs=5, batch_size=10, validation_data=blobs(7))
    assert len(steps) == 13
    assert_same(values(model), steps[-1])
    assert {name: len(values) for name, values in history.items()} == dict.fromkeys(
        ("loss", "acc", "val_loss", "val_acc"), 2
    )
    assert "stopped by Ctrl-C" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_is_not_swallowed() -> None:
    def acc_fn(*_: Any) -> float:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        return 0.0

    model = network()
    model.compile(Adam(0.01), CategoricalCrossEntropy(), acc_fn)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*blobs(10), epochs=1, batch_size=10, verbose=False)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_programs_own_handler_stays_in_charge() -> None:
    seen = []
    previous = signal.signal(signal.SIGINT, lambda *_: seen.append(True))
    try:
        model = network()
        model.compile(Adam(0.01), CategoricalCrossEntropy(), lambda *_: signal.raise_signal(signal.SIGINT) or 0.0)
        history = model.fit(*blobs(20), epochs=1, batch_size=10, verbose=False)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert seen == [True, True]
    assert len(history["loss"]) == 1


def test_fit_works_outside_the_main_thread() -> None:
    histories: list[Any] = []
    thread = threading.Thread(
        target=lambda: histories.append(network().fit(*blobs(20), epochs=1, batch_size=10, verbose=False))
    )
    thread.start()
    thread.join()
    assert len(histories) == 1


# --- what is printed


def test_a_log_file_gets_one_line_per_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    network().fit(*blobs(40), epochs=2, batch_size=10, validation_data=blobs(10))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Epoch 1/2 40 samples in ")
    for word in ("samples/s", "  loss ", "  acc 0.", "val_loss ", "val_acc "):
        assert word in lines[1]


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    network().fit(*blobs(40), epochs=2, batch_size=10, verbose=False)
    assert capsys.readouterr().out == ""


def test_an_error_starts_on_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setattr("beras.progress.TERMINAL_INTERVAL", 0.0)
    model, calls = network(), []

    def acc_fn(*_: Any) -> float:
        calls.append(True)
        if len(calls) == 3:
            raise ArithmeticError("on purpose")
        return 0.0

    model.compile(Adam(0.01), CategoricalCrossEntropy(), acc_fn)
    with pytest.raises(ArithmeticError):
        model.fit(*blobs(40), epochs=1, batch_size=10)
    assert terminal.getvalue().count("\r") == 2
    assert terminal.getvalue().endswith("\n")


def test_print_stats_prints_where_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    print_stats({"loss": 0.12345, "acc": Tensor(np.float32(0.5))}, batch_num=4, num_batches=10, epoch=2)
    assert capsys.readouterr().out == "Epoch 3  batch 5/10  loss 0.1235  acc 0.5000\n"


def test_update_metric_dict_appends_means() -> None:
    history: dict[str, Any] = {}
    assert update_metric_dict(history, {"loss": [1.0, 3.0]}) is None  # type: ignore[func-returns-value]
    update_metric_dict(history, {"loss": 4.0})
    assert history == {"loss": [2.0, 4.0]}
