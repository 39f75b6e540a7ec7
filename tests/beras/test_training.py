"""Keras' ways of training: names, weights of samples, generators, callbacks; and what goes wrong says so in a line."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beras import (
    LSTM,
    Accuracy,
    Adam,
    BasicOptimizer,
    Callback,
    CategoricalAccuracy,
    CategoricalCrossEntropy,
    Conv2D,
    CosineDecay,
    CSVLogger,
    Dense,
    EarlyStopping,
    ExponentialDecay,
    Flatten,
    Input,
    LearningRateScheduler,
    Loss,
    MeanSquaredError,
    Model,
    ModelCheckpoint,
    ReLU,
    Residual,
    SequentialModel,
    SimpleRNN,
    Softmax,
    TopKCategoricalAccuracy,
    TrainingDiverged,
    load_model,
)
from tests.beras.test_model import assert_same, blobs, network, values


def line(seed: int = 0) -> tuple[SequentialModel, Any, Any]:
    """A linear model, and data that it can learn."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(20, 2))
    model = SequentialModel([Dense(2, 1, "zero", dtype=np.float64)])
    model.compile(BasicOptimizer(0.1), "mse")
    return model, x, x @ [[1.0], [-2.0]] + 0.5


# --- compile


def test_names_as_in_keras() -> None:
    x, y = blobs(60)
    model = SequentialModel([Dense(8, activation="relu"), Dense(3, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y.argmax(axis=1), epochs=2, batch_size=16, verbose=0)
    assert list(history) == list(history.history) == ["loss", "accuracy"]
    assert history.epoch == [0, 1]
    metrics, _ = model.evaluate(x, y.argmax(axis=1), verbose=0)
    assert set(metrics) == {"loss", "accuracy"}


def test_metrics_are_a_list_by_name_or_one_that_is_called_acc() -> None:
    x, y = blobs(30)
    model = network()

    def half(y_pred: Any, y_true: Any) -> float:
        return 0.5

    model.compile("sgd", "mse", [CategoricalAccuracy(), TopKCategoricalAccuracy(2), half, "mae"])
    metrics, predictions = model.evaluate(x, y)
    assert list(metrics) == ["loss", "categorical_accuracy", "top_k_categorical_accuracy", "half", "mae"]
    assert metrics["half"] == 0.5
    assert metrics["mae"] == pytest.approx(np.abs(np.asarray(predictions) - y).mean(), rel=1e-5)
    for given in ({"metrics": Accuracy()}, {"acc_fn": Accuracy()}):
        model.compile(Adam(0.01), loss_fn=MeanSquaredError(), **given)
        assert list(model.evaluate(x, y)[0]) == ["loss", "acc"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"loss": "mse", "loss_fn": MeanSquaredError()}, TypeError, "loss and loss_fn, which are two names"),
        ({"loss": "mse", "metrics": ["mae"], "acc_fn": Accuracy()}, TypeError, "metrics and acc_fn, which are two"),
        ({"loss": "mse", "metrics": ["mae", "mae"]}, ValueError, "two are called 'mae'"),
        ({"loss": "mse", "metrics": [Accuracy]}, TypeError, r"write Accuracy\(…\), with parentheses"),
    ],
)
def test_what_compile_refuses(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        network().compile("sgd", **arguments)
    assert "\n" not in str(caught.value)


# --- the mistakes of a new user, each in one line


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SequentialModel([Dense, ReLU]), r"layers\[0\] is the class Dense: write Dense\(…\)"),
        (lambda: SequentialModel([Dense(2, 3), ReLU]), r"layers\[1\] is the class ReLU: write ReLU\(…\)"),
        (lambda: Residual(SequentialModel([Dense(2, 2)])), r"a list of layers, but got a SequentialModel: write Res"),
        (lambda: SequentialModel(Dense(2, 3)), r"a list of layers, but got a Dense: write SequentialModel\(\[…\]\)"),
        (lambda: SequentialModel(3), "a list of layers, but got a int"),
        (lambda: network().add(Dense), r"is the class Dense: write Dense\(…\)"),
        (lambda: SequentialModel(Dense(2, 3), ReLU()), r"one list of layers: write SequentialModel\(\[…\]\)"),
        (lambda: Model(), r"Model\(inputs, outputs\), or a subclass that has forward"),
        (lambda: Model(inputs=Input((3,))), r"Model\(inputs, outputs\), or a subclass that has forward"),
    ],
)
def test_classes_and_models_in_place_of_layers(make: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda **more: Dense(3, **more), "Dense takes no input_dim: sizes come from the first call"),
        (lambda **more: Flatten(**more), "Flatten takes no input_shape: sizes come from the first call"),
        (lambda **more: SimpleRNN(3, **more), "SimpleRNN takes no dropout: put a Dropout"),
        (lambda **more: Adam(**more), "Adam takes no lr: write learning_rate"),
        (lambda **more: Adam(0.1, **more), "Adam takes no decay: give learning_rate a schedule"),
    ],
)
def test_arguments_that_only_keras_takes(make: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message) as caught:
        make(**{message.split()[3].rstrip(":"): 1})
    assert "\n" not in str(caught.value)


def test_an_argument_that_is_taken_or_that_nobody_knows_keeps_its_error() -> None:
    with pytest.raises(TypeError, match=r"^Conv2D.__init__\(\) missing 1 required positional argument: 'kernel_size'$"):
        Conv2D(3, name="first")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'unit'"):
        LSTM(unit=3)  # type: ignore[call-arg]


def test_a_layer_keeps_its_name_and_shows_its_signature() -> None:
    for layer in (Dense(3, name="a"), Flatten(name="a"), SimpleRNN(3, name="a"), SequentialModel(name="a")):  # type: ignore[call-arg]
        assert layer.name == "a"
    assert not hasattr(Dense(3), "name")
    assert list(inspect.signature(Conv2D).parameters)[:3] == ["filters", "kernel_size", "strides"]
    assert not inspect.signature(Flatten).parameters


def test_labels_that_are_numbers_fit_a_single_output() -> None:
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    histories = []
    for y in (x.sum(axis=1), x.sum(axis=1, keepdims=True)):
        model = SequentialModel([Dense(3, 1, seed=0)])
        model.compile("sgd", "mse", metrics=["mae"])
        histories.append(model.fit(x, y, epochs=2, seed=0, sample_weight=np.arange(20.0), verbose=False).history)
        assert model.evaluate(x, y)[0].keys() == {"loss", "mae"}
    assert histories[0] == histories[1]
    model = SequentialModel([Dense(3, 2)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="one shape"):
        model.fit(x, x[:, 0], verbose=False)


@pytest.mark.parametrize(("epochs", "batch_size"), [(128, 1), (32, 31), (64, None)])
def test_many_epochs_in_keras_place_for_the_batch_size_warn_in_one_line(epochs: int, batch_size: int | None) -> None:
    x, y = blobs(2)
    positional = (epochs,) if batch_size is None else (epochs, batch_size)
    with pytest.warns(
        UserWarning, match=rf"trains for {epochs} epochs in batches of {batch_size or 32}: in Keras"
    ) as told:
        network().fit(x, y, *positional, verbose=False)
    assert len(told) == 1
    assert "\n" not in str(told[0].message)
    assert told[0].filename == __file__


def test_epochs_by_name_or_few_of_them_or_large_batches_do_not_warn() -> None:
    x, y = blobs(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network().fit(x, y, epochs=40, batch_size=1, verbose=False)
        network().fit(x, y, 31, 1, verbose=False)
        network().fit(x, y, 33, 128, verbose=False)


def test_training_that_turns_nan_stops_and_says_where_it_began() -> None:
    model, x, y = line()
    model.compile(BasicOptimizer(1e200), "mse")
    with (
        np.errstate(all="ignore"),
        pytest.raises(TrainingDiverged, match=r"^training stopped in epoch 1, batch") as told,
    ):
        model.fit(x, y, epochs=5, batch_size=4, verbose=False)
    assert "\n" not in str(told.value)
    assert told.value.history == {}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda model, x, y: x.__setitem__((13, 1), np.nan),
            "epoch 1, batch 4: the loss is nan; there is NaN in x",
        ),
        (lambda model, x, y: y.__setitem__((0, 0), np.inf), "batch 1: the loss is inf; there is infinite in y itself"),
        (
            lambda model, x, y: model.weights[0].assign([[np.nan], [1.0]]),
            "made the weight layers.0.w NaN: take a smaller",
        ),
        (lambda model, x, y: model.weights[0].assign([[1e200], [1.0]]), "it is in what MeanSquaredError makes of"),
        (
            lambda model, x, y: model.layers.append(lambda h: np.log(h - 100)),
            r"it is in what Log makes of numbers up to 1\d\d",
        ),
        (lambda model, x, y: model.layers.append(Sharp()), r"it is in what layers\.1 \(Sharp\) makes of"),
    ],
)
def test_where_a_nan_began(spoil: Any, message: str) -> None:
    model, x, y = line()
    spoil(model, x, y)
    before = values(model)
    with np.errstate(all="ignore"), pytest.raises(TrainingDiverged, match=message) as told:
        model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=False)
    assert "\n" not in str(told.value)
    if "batch 1:" in str(told.value):
        assert_same(before, values(model))  # the step was not taken


class Sharp(ReLU):
    """Divides by zero."""

    def forward(self, x: Any) -> Any:
        return np.asarray(x) / 0.0


def test_a_step_by_hand_may_go_on_with_nan() -> None:
    model, x, y = line()
    x[0, 0] = np.nan
    assert np.isnan(model.batch_step(x, y)["loss"])


# --- data


def test_validation_split_holds_out_the_last_samples() -> None:
    model, x, y = line()
    twin, _, _ = line()
    history = model.fit(x, y, epochs=2, batch_size=4, validation_split=0.25, seed=1, verbose=False)
    other = twin.fit(x[:15], y[:15], epochs=2, batch_size=4, validation_data=(x[15:], y[15:]), seed=1, verbose=False)
    assert history == other
    with pytest.raises(ValueError, match=r"validation_split=0\.1 of 1 samples leaves nothing"):
        model.fit(x[:1], y[:1], validation_split=0.1)
    with pytest.raises(ValueError, match=r"0\.0 <= validation_split < 1\.0, got 1\.5"):
        model.fit(x, y, validation_split=1.5)


def test_weights_of_samples_count_in_the_loss_and_its_gradient() -> None:
    model, x, y = line()
    weight = np.random.default_rng(1).uniform(0, 2, 20)
    model.fit(x, y, batch_size=20, sample_weight=weight, shuffle=False, verbose=False)
    # From zero weights: 0.1 times the mean of weight · 2 · y · x.
    expected = 0.1 * (2 * weight[:, None] * y * x).mean(axis=0)
    np.testing.assert_allclose(np.asarray(model.weights[0])[:, 0], expected)
    metrics, predictions = model.evaluate(x, y, sample_weight=weight)
    each = (np.asarray(predictions) - y)[:, 0] ** 2
    assert metrics["loss"] == pytest.approx((weight * each).mean())


def test_no_weight_is_as_if_the_sample_were_not_there() -> None:
    model, x, y = line()
    twin, _, _ = line()
    weight = np.array([1.0, 0.0] * 10)
    model.fit(x, y, epochs=3, batch_size=20, sample_weight=weight, verbose=False, shuffle=False)
    twin.compile(BasicOptimizer(0.05), "mse")  # half the samples, but the mean is over all
    twin.fit(x[::2], y[::2], epochs=3, batch_size=10, verbose=False, shuffle=False)
    np.testing.assert_allclose(model.get_weights()[0], twin.get_weights()[0])


@pytest.mark.parametrize("one_hot", [False, True])
def test_weights_of_classes_are_those_of_their_samples(one_hot: bool) -> None:
    x, y = blobs(30)
    classes = y.argmax(axis=1)
    weight = {0: 2.0, 2: 0.5}
    each = np.array([weight.get(int(c), 1.0) for c in classes])
    found = []
    for options in ({"class_weight": weight}, {"sample_weight": each}):
        model = network()
        model.compile(Adam(0.01), CategoricalCrossEntropy())
        model.fit(x, y if one_hot else classes, epochs=2, batch_size=8, seed=0, verbose=False, **options)
        found.append(values(model))
    assert_same(*found)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sample_weight": np.ones(5)}, ValueError, "x has 20 samples, but sample_weight has 5"),
        ({"sample_weight": np.ones((20, 2))}, ValueError, "one number for each sample, got shape"),
        ({"class_weight": [1.0, 2.0]}, TypeError, "a dict of weights by class, but is a list"),
        ({"initial_epoch": -1}, ValueError, "initial_epoch to be at least 0"),
        ({"steps_per_epoch": 0}, ValueError, "steps_per_epoch to be at least 1"),
        ({"callbacks": [EarlyStopping]}, TypeError, r"callbacks\[0\] is the class EarlyStopping: write EarlyStopping"),
        ({"callbacks": [print]}, TypeError, r"callbacks\[0\] is a builtin_function_or_method: derive it from"),
    ],
)
def test_what_fit_refuses(options: Any, error: type[Exception], message: str) -> None:
    model, x, y = line()
    with pytest.raises(error, match=message):
        model.fit(x, y, verbose=False, **options)


def test_a_loss_that_is_a_function_takes_no_weights() -> None:
    model, x, y = line()
    model.compile("sgd", lambda p, t: ((p - t) ** 2).mean())
    with pytest.raises(TypeError, match="need a loss that says what each sample's is"):
        model.fit(x, y, sample_weight=np.ones(20), verbose=False)


def test_epochs_are_numbered_from_the_initial_one(capsys: pytest.CaptureFixture[str]) -> None:
    model, x, y = line()
    history = model.fit(x, y, epochs=5, initial_epoch=3)
    assert history.epoch == [3, 4]
    assert [text.split("  ")[0][:9] for text in capsys.readouterr().out.splitlines()] == ["Epoch 4/5", "Epoch 5/5"]


def test_steps_per_epoch_go_on_where_the_last_epoch_ended() -> None:
    model, x, y = line()
    seen: list[float] = []
    model.layers.insert(0, lambda h: seen.extend(np.asarray(h)[:, 0].tolist()) or h)
    model.fit(x, y, epochs=3, batch_size=4, steps_per_epoch=2, shuffle=False, verbose=False)
    np.testing.assert_array_equal(seen, [*x[:20, 0], *x[:4, 0]])


def test_generators_and_what_makes_one_every_epoch() -> None:
    model, x, y = line()
    twin, _, _ = line()

    def generator(weight: bool = False) -> Iterator[Any]:
        for k in range(0, 20, 5):
            batch = x[k : k + 5], y[k : k + 5]
            yield (*batch, np.ones(5)) if weight else batch

    class Again:
        def __iter__(self) -> Iterator[Any]:
            return generator(weight=True)

    expected = twin.fit(x, y, epochs=2, batch_size=5, shuffle=False, verbose=False)
    assert model.fit(Again(), epochs=2, verbose=False)["loss"] == pytest.approx(expected["loss"])
    with pytest.raises(ValueError, match="no batch left for this epoch: give something that can be iterated over"):
        model.fit(generator(), epochs=2, verbose=False)
    endless = (batch for _ in iter(int, 1) for batch in generator())
    history = model.fit(endless, epochs=3, steps_per_epoch=3, validation_data=(x, y), verbose=False)
    assert len(history["val_loss"]) == 3
    with pytest.raises(ValueError, match=r"must yield \(x, y\)"):
        model.fit(iter([x]), verbose=False)
    with pytest.raises(ValueError, match="a generator yields"):
        model.fit(generator(), validation_split=0.5)
    with pytest.raises(ValueError, match="fit needs y"):
        model.fit(x)


# --- callbacks


class Diary(Callback):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.told.append(("begin", dict(self.params)))

    def on_train_end(self, logs: Any = None) -> None:
        self.told.append("end")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.told.append(("epoch", epoch))

    def on_epoch_end(self, epoch: int, logs: Any) -> None:
        self.told.append(("epoch ends", epoch, sorted(logs)))
        logs["mine"] = epoch * 2.0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.told.append(("batch", batch))

    def on_train_batch_end(self, batch: int, logs: Any) -> None:
        self.told.append(("batch ends", batch, sorted(logs)))


def test_a_callback_is_told_everything_in_order() -> None:
    model, x, y = line()
    diary = Diary()
    history = model.fit(x, y, epochs=1, batch_size=10, validation_data=(x, y), callbacks=diary, verbose=False)
    assert diary.model is model
    assert diary.told == [
        ("begin", {"epochs": 1, "steps": 2, "verbose": False}),
        ("epoch", 0),
        ("batch", 0),
        ("batch ends", 0, ["loss"]),
        ("batch", 1),
        ("batch ends", 1, ["loss"]),
        ("epoch ends", 0, ["loss", "val_loss"]),
        "end",
    ]
    assert history["mine"] == [0.0]


def test_a_callback_can_stop_after_a_batch() -> None:
    class Stop(Diary):
        def on_train_batch_end(self, batch: int, logs: Any) -> None:
            super().on_train_batch_end(batch, logs)
            self.model.stop_training = batch == 1

    model, x, y = line()
    stop = Stop()
    model.fit(x, y, epochs=5, batch_size=4, callbacks=[stop], verbose=False)
    assert [told for told in stop.told if told[0] == "batch"] == [("batch", 0), ("batch", 1)]


class Scripted(Callback):
    """Gives `val_loss` the values of a list, one per epoch, and notes the weights."""

    def __init__(self, script: list[float]) -> None:
        self.script, self.weights = script, []  # type: ignore[var-annotated]

    def on_epoch_end(self, epoch: int, logs: Any) -> None:
        logs["val_loss"] = self.script[epoch]
        self.weights.append(self.model.get_weights())


@pytest.mark.parametrize(
    ("script", "options", "epochs"),
    [
        ([3, 2, 1, 2, 3, 4], {}, 4),
        ([3, 2, 1, 2, 3, 4], {"patience": 2}, 5),
        ([3, 2.9, 2.8, 1, 1, 1], {"min_delta": 0.5, "patience": 2}, 3),
        ([1, 2, 3, 2, 1, 0], {"mode": "max"}, 4),
        ([3, 4, 1, 2, 3, 4], {"start_from_epoch": 2}, 4),
        ([3, 2, 1, 2, 3, 4], {"baseline": 0.5, "patience": 2}, 2),
        ([3, np.nan, 1, 2, 3, 4], {}, 2),
    ],
)
def test_early_stopping(script: list[float], options: Any, epochs: int) -> None:
    model, x, y = line()
    history = model.fit(x, y, epochs=6, callbacks=[Scripted(script), EarlyStopping(**options)], verbose=False)
    assert len(history["loss"]) == epochs


def test_early_stopping_goes_back_to_the_best_weights(capsys: pytest.CaptureFixture[str]) -> None:
    model, x, y = line()
    scripted = Scripted([3, 1, 2, 3])
    stopping = EarlyStopping(patience=2, restore_best_weights=True, verbose=1)
    model.fit(x, y, epochs=4, callbacks=[scripted, stopping], verbose=False)
    assert_same(values(model), scripted.weights[1])
    assert stopping.stopped_epoch == 3
    assert capsys.readouterr().out == "Epoch 4: stopped early, val_loss was best in epoch 2\n"


def test_what_is_watched_must_be_there() -> None:
    model, x, y = line()
    with pytest.raises(ValueError, match="EarlyStopping watches 'val_loss', but there is only loss: give validation_d"):
        model.fit(x, y, callbacks=[EarlyStopping()], verbose=False)
    with pytest.raises(ValueError, match="mode to be 'auto', 'min' or 'max', got 'up'"):
        EarlyStopping(mode="up")


def test_checkpoints(tmp_path: Path) -> None:
    model, x, y = line()
    scripted = Scripted([3, 1, 2])
    best = ModelCheckpoint(tmp_path / "best", save_best_only=True)
    every = ModelCheckpoint(tmp_path / "{epoch:02d} {val_loss:.1f}", save_weights_only=True)
    model.fit(x, y, epochs=3, callbacks=[scripted, best, every], verbose=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["01 3.0", "02 1.0", "03 2.0", "best"]
    assert_same(values(load_model(tmp_path / "best")), scripted.weights[1])
    model.load_weights(tmp_path / "03 2.0")
    assert_same(values(model), scripted.weights[2])
    with pytest.raises(ValueError, match="filepath names 'nothing', but there is only loss"):
        model.fit(x, y, callbacks=[ModelCheckpoint(tmp_path / "{nothing}")], verbose=False)


def test_the_learning_rate_by_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    model, x, y = line()
    history = model.fit(
        x, y, epochs=3, callbacks=[LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)], verbose=False
    )
    assert history["learning_rate"] == [0.05, 0.025, 0.0125]
    assert capsys.readouterr().out.splitlines()[0] == "Epoch 1: learning rate 0.05"
    model.fit(x, y, epochs=2, callbacks=[LearningRateScheduler(lambda epoch: 0.1 * (epoch + 1))], verbose=False)
    assert model.optimizer.learning_rate == 0.2  # type: ignore[union-attr]
    model.compile(BasicOptimizer(ExponentialDecay(0.1, 10, 0.5)), "mse")
    with pytest.raises(TypeError, match="not a schedule already"):
        model.fit(x, y, callbacks=[LearningRateScheduler(lambda epoch: 0.1)], verbose=False)
    with pytest.raises(TypeError, match="expects a function of the epoch"):
        LearningRateScheduler(0.1)


def test_a_schedule_in_training() -> None:
    model, x, y = line()
    model.compile(BasicOptimizer(CosineDecay(0.1, 10)), "mse")
    model.fit(x, y, epochs=2, batch_size=4, verbose=False)
    assert model.optimizer.learning_rate == pytest.approx(CosineDecay(0.1, 10)(9))  # type: ignore[union-attr]


def test_a_line_for_every_epoch(tmp_path: Path) -> None:
    model, x, y = line()
    path = tmp_path / "log.csv"
    history = model.fit(x, y, epochs=2, validation_data=(x, y), callbacks=[CSVLogger(path)], verbose=False)
    header, *rows = path.read_text().splitlines()
    assert header == "epoch,loss,val_loss"
    assert [[float(cell) for cell in row.split(",")] for row in rows] == [
        [k, history["loss"][k], history["val_loss"][k]] for k in (0, 1)
    ]
    model.fit(x, y, epochs=1, validation_data=(x, y), callbacks=[CSVLogger(path, append=True)], verbose=False)
    assert len(path.read_text().splitlines()) == 4
    model.fit(x, y, epochs=1, callbacks=[CSVLogger(path, separator=";")], verbose=False)
    assert path.read_text().splitlines()[0] == "epoch;loss"


# --- weights


def test_weights_out_and_in() -> None:
    model, other = network(0), network(9)
    weights = model.get_weights()
    assert all(type(w) is np.ndarray for w in weights)
    other.set_weights(weights)
    assert_same(values(model), values(other))
    weights[0][...] = 0
    assert np.asarray(model.weights[0]).any()
    before = values(other)
    with pytest.raises(ValueError, match=r"has weights of shapes .*, but set_weights got \[\(2, 8\)\]"):
        other.set_weights(weights[:1])
    with pytest.raises(ValueError, match="set_weights got"):
        other.set_weights([w.T for w in weights])
    assert_same(values(other), before)
    layer = Dense(2, 3)
    layer.set_weights([np.ones((2, 3)), np.zeros((1, 3))])
    assert layer.get_weights()[0].tolist() == [[1.0] * 3] * 2


def test_layers_are_added_and_built() -> None:
    model = SequentialModel()
    model.add(Dense(4, activation="relu"))
    model.add(Dense(2))
    assert model.weights == []
    model.build((None, 3))
    assert [w.shape for w in model.weights] == [(3, 4), (1, 4), (4, 2), (1, 2)]
    with pytest.raises(ValueError, match="a size after the batch's to be at least 1"):
        SequentialModel([Dense(2)]).build((None, None))


def test_a_model_is_called_in_the_mode_that_is_asked_for() -> None:
    class Mode(Model):
        def __init__(self) -> None:
            super().__init__()
            self.training = True

        def forward(self, x: Any) -> Any:
            return self.training

    model = Mode()
    assert (model(0), model(0, training=False), model(0)) == (True, False, True)


def test_losses_of_somebody_elses_are_weighted_too() -> None:
    class Cubic(Loss):
        def forward(self, y_pred: Any, y_true: Any) -> Any:
            return np.mean(np.abs(np.asarray(y_pred) - np.asarray(y_true)) ** 3)

        def by_prediction(self) -> Any:
            p, t = map(np.asarray, self.inputs)
            return 3 * (p - t) * np.abs(p - t) / p.size

    model, x, y = line()
    model.compile(BasicOptimizer(0.1), Cubic())
    weight = np.linspace(0, 2, 20)
    model.fit(x, y, batch_size=20, sample_weight=weight, shuffle=False, verbose=False)
    expected = 0.1 * (weight[:, None] * 3 * y * np.abs(y) * x).mean(axis=0)
    np.testing.assert_allclose(np.asarray(model.weights[0])[:, 0], expected)


def test_softmax_models_still_train_with_everything_at_once(tmp_path: Path) -> None:
    x, y = blobs(90)
    model = SequentialModel([Dense(8, activation="relu", seed=0), Dense(3, seed=1), Softmax()])
    model.compile(Adam(0.02), "categorical_crossentropy", ["accuracy"])
    history = model.fit(
        x,
        y,
        epochs=30,
        batch_size=16,
        validation_split=0.2,
        class_weight={0: 1.0, 1: 2.0},
        callbacks=[EarlyStopping(patience=30), CSVLogger(tmp_path / "log")],
        seed=0,
        verbose=False,
    )
    assert history["val_accuracy"][-1] > 0.9
