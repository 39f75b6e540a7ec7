"""A whole model in one file, without pickles: it comes back as it was, in the midst of its training."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import beras
from beras import (
    GRU,
    LSTM,
    Adam,
    AdamW,
    AveragePooling2D,
    BasicOptimizer,
    BatchNormalization,
    Branches,
    CategoricalCrossEntropy,
    Concatenate,
    Conv2D,
    CosineDecay,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Huber,
    Input,
    LayerNormalization,
    LeakyReLU,
    MaxPooling2D,
    Model,
    MultiHeadAttention,
    Nadam,
    PReLU,
    ReLU,
    Residual,
    RMSProp,
    SequentialModel,
    SimpleRNN,
    Tanh,
    TopKCategoricalAccuracy,
    load_model,
)
from beras.activations import Elementwise
from beras.array_archive import read_arrays, write_arrays
from tests.beras.test_model import assert_same, blobs, values

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(4, 3))
IMAGES = RANDOM.normal(size=(2, 7, 6, 2))
SEQUENCES = RANDOM.normal(size=(2, 4, 3))
NUMBERS = np.array([[1, 2], [0, 4]])
SAVED: dict[str, tuple[list[Any], Any]] = {
    "dense": ([Dense(3, 4, "kaiming", dtype=np.float64), Tanh(), Dense(2, use_bias=False, activation="gelu")], ROWS),
    "activations": ([LeakyReLU(0.2), beras.ELU(0.5), beras.GELU(True), PReLU("one", dtype=np.float64)], ROWS),
    "normalized": ([BatchNormalization(3, momentum=0.5, dtype=np.float64), LayerNormalization(3, 0.1)], ROWS),
    "dropout": ([Dropout(0.25, seed=3), Flatten()], IMAGES),
    "images": ([Conv2D(3, (3, 2), (1, 2), "same", 1, "relu"), MaxPooling2D(2), AveragePooling2D((2, 1), 1)], IMAGES),
    "dilated": ([Conv2D(3, 2, dilation_rate=(2, 1), use_bias=False, dtype=np.float64)], IMAGES),
    "recurrent": ([LSTM(3, return_sequences=True), GRU(2, return_sequences=True), SimpleRNN(2, "relu")], SEQUENCES),
    "embedding": ([Embedding(5, 3, "one"), GRU(2, use_bias=False)], NUMBERS),
    "models": ([Residual([Dense(3, 3)]), Branches([Dense(3, 2), SequentialModel([Dense(1)])]), ReLU()], ROWS),
}


@pytest.mark.parametrize("kind", SAVED)
def test_every_kind_of_layer_comes_back(tmp_path: Path, kind: str) -> None:
    layers, x = SAVED[kind]
    model = SequentialModel(layers)
    expected = model.predict(x)  # which makes what is made at the first call
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert type(again) is SequentialModel
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in layers]
    assert [w.dtype for w in again.weights] == [w.dtype for w in model.weights]
    assert list(again.named_weights()) == list(model.named_weights())
    assert_same(values(model), values(again))
    np.testing.assert_array_equal(again.predict(x), expected)
    assert again.optimizer is None


@pytest.mark.parametrize("several", [False, True])
def test_graphs_come_back(tmp_path: Path, several: bool) -> None:
    shared, first, second = Dense(3, 3, "xavier"), Input((4, 3)), Input((3,))
    h = MultiHeadAttention(2, 2)(first, first)
    h = shared(h.mean(axis=1)) + shared(second) * 2.0
    h = Concatenate()([h, np.maximum(h[:, 1:], 0.25)])
    model = Model([first, second], [h, Dense(1)(h)] if several else h)
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    x = [SEQUENCES.astype(np.float32), ROWS[:2].astype(np.float32)]
    expected = model.predict(x)
    for a, b in zip(again.predict(x), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(again.weights) == len(model.weights)


OPTIMIZERS = {
    "descent": lambda: BasicOptimizer(0.05, 0.9, nesterov=True, clipnorm=1.0),
    "rmsprop": lambda: RMSProp(0.01),
    "adam": lambda: Adam(0.01, amsgrad=True),
    "adamw": lambda: AdamW(CosineDecay(0.02, 20), 0.01, global_clipnorm=2.0),
    "nadam": lambda: Nadam(0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_where_it_was_to_the_last_bit(tmp_path: Path, name: str) -> None:
    x, y = blobs(40)
    model = SequentialModel([Dense(2, 8, "kaiming", seed=0), ReLU(), Dense(8, 3, "kaiming", seed=1)])
    model.compile(
        OPTIMIZERS[name](), CategoricalCrossEntropy(from_logits=True), ["accuracy", TopKCategoricalAccuracy(2)]
    )
    model.fit(x, y, epochs=2, batch_size=16, seed=0, verbose=False)
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert list(again.metrics) == list(model.metrics)
    expected = model.fit(x, y, epochs=3, batch_size=16, seed=1, verbose=False)
    assert again.fit(x, y, epochs=3, batch_size=16, seed=1, verbose=False) == expected
    assert_same(values(model), values(again))
    assert again.optimizer.iterations == model.optimizer.iterations == 15  # type: ignore[union-attr]


def test_what_is_frozen_stays_frozen(tmp_path: Path) -> None:
    model = SequentialModel([Dense(2, 3), Dense(3, 2)])
    model.layers[0].trainable = False  # type: ignore[attr-defined]
    model.save(tmp_path / "m")
    assert [w.trainable for w in load_model(tmp_path / "m").weights] == [False, False, True, True]


def test_one_layer_in_two_places_is_one_layer_again(tmp_path: Path) -> None:
    layer = Dense(2, 2)
    SequentialModel([layer, Tanh(), layer]).save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert again.layers[0] is again.layers[2]


# --- somebody's own classes


class Scaled(Elementwise):
    """factor · x."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def forward(self, x: Any) -> Any:
        return np.asarray(x) * self.factor

    def slope(self, x: Any) -> Any:
        return self.factor * np.ones(x.shape)


class Own(Model):
    """Two layers, and an argument."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.first, self.last = Dense(2, width), Dense(width, 1)

    def forward(self, x: Any) -> Any:
        return self.last(self.first(x))


def squares(y_pred: Any, y_true: Any) -> Any:
    return ((y_pred - y_true) ** 2).mean()


def test_own_classes_and_functions_are_given_by_name(tmp_path: Path) -> None:
    model = SequentialModel([Own(3), Scaled(0.5)])
    model.compile("sgd", squares, [squares])
    model.save(tmp_path / "m")
    known = {"Own": Own, "Scaled": Scaled, "squares": squares}
    again = load_model(tmp_path / "m", custom_objects=known)
    x = blobs(4)[0]
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.loss_fn is squares
    for missing in known:
        rest = {name: thing for name, thing in known.items() if name != missing}
        with pytest.raises(ValueError, match=rf"it needs '{missing}', .*give custom_objects=\{{'{missing}': …\}}$"):
            load_model(tmp_path / "m", custom_objects=rest)


def test_what_cannot_be_saved_is_said_before_anything_is_written(tmp_path: Path) -> None:
    class Secret(Scaled):
        def __init__(self, hidden: float) -> None:
            super().__init__(hidden)

    with pytest.raises(TypeError, match="Secret keeps its argument hidden in no attribute of that name: do so, or"):
        SequentialModel([Secret(2.0)]).save(tmp_path / "m")

    class Told(Secret):
        def get_config(self) -> dict[str, Any]:
            return {"hidden": self.factor}

    SequentialModel([Told(2.0)]).save(tmp_path / "m")
    assert load_model(tmp_path / "m", {"Told": Told}).layers[0].factor == 2.0
    with pytest.raises(TypeError, match="a lambda has no name"):
        SequentialModel([lambda x: x]).save(tmp_path / "n")
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_a_loss_that_cannot_be_saved_leaves_the_model_not_compiled(tmp_path: Path) -> None:
    model = SequentialModel([Dense(2, 1)])
    model.compile("sgd", lambda p, t: ((p - t) ** 2).mean())
    with pytest.warns(UserWarning, match="how the model is trained is not saved: a lambda") as told:
        model.save(tmp_path / "m")
    assert told[0].filename == __file__
    assert load_model(tmp_path / "m").optimizer is None


# --- files that are no models


def test_files_of_other_kinds_are_named(tmp_path: Path) -> None:
    model = SequentialModel([Dense(2, 1)])
    model.save_weights(tmp_path / "w")
    with pytest.raises(ValueError, match="cannot be loaded: it holds no model: files of save_weights are for load_w"):
        load_model(tmp_path / "w")
    model.save(tmp_path / "m")
    with pytest.raises(ValueError, match="it has config, which the model has not"):
        model.load_weights(tmp_path / "m")
    (tmp_path / "text").write_text("no model")
    with pytest.raises(ValueError, match="it is not an archive of arrays"):
        load_model(tmp_path / "text")
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nowhere")


def crafted(tmp_path: Path, change: Any, model: Any = None) -> Path:
    """A saved model whose description somebody has changed."""
    path = tmp_path / "m"
    if model is None:
        model = SequentialModel([Dense(2, 3), Tanh(), BatchNormalization(3)])
        model.compile(Adam(0.01), Huber())
        model.fit(*[a[:, :2] if k == 0 else a for k, a in enumerate(blobs(8))], verbose=False)
    model.save(path)
    arrays = read_arrays(path)
    config = json.loads(arrays["config"].tobytes())
    changed = change(config, arrays)
    arrays["config"] = np.frombuffer(json.dumps(config if changed is None else changed).encode(), np.uint8)
    write_arrays(path, arrays)
    return path


def layer(config: Any, index: int) -> Any:
    return config["model"]["config"]["layers"][index]


CRAFTED: dict[str, Any] = {
    "no object": lambda c, a: [],
    "another version": lambda c, a: c.update(version=99),
    "no model": lambda c, a: c.pop("model"),
    "an unknown class": lambda c, a: layer(c, 0).update({"class": "os.system"}),
    "a class that is none of ours": lambda c, a: layer(c, 0).update({"class": "Path"}),
    "other arguments": lambda c, a: layer(c, 0)["config"].update(command="rm"),
    "a layer of terabytes": lambda c, a: layer(c, 0)["config"].update(input_size=10**6, output_size=10**6),
    "a normalization of gigabytes": lambda c, a: layer(c, 2)["config"].update(size=10**10),
    "other sizes": lambda c, a: layer(c, 0)["config"].update(output_size=2),
    "a reference to nothing": lambda c, a: c["model"]["config"]["layers"].append({"ref": 77}),
    "a reference to itself": lambda c, a: c["model"]["config"].update(layers=[{"ref": 0}]),
    "an unknown kind of value": lambda c, a: c["model"]["config"].update(layers={"pickle": "…"}),
    "text for layers": lambda c, a: c["model"]["config"].update(layers="Dense"),
    "deep nesting": lambda c, a: c.update(model=json.loads("[" * 900 + "]" * 900)),
    "a weight less": lambda c, a: a.update(missing=a.pop("weights/layers.0.w")),
    "a weight more": lambda c, a: a.update({"weights/more": np.ones(3)}),
    "a frozen weight that is none": lambda c, a: c.update(frozen=["layers.7.w"]),
    "an optimizer's array of another shape": lambda c, a: a.update({"optimizer/layers.0.w/0": np.ones(7)}),
    "an optimizer's array of no weight": lambda c, a: a.update({"optimizer/layers.9.w/0": np.ones(7)}),
    "an optimizer's number that is text": lambda c, a: c["numbers"].update(t="many"),
    "a loss that is a layer's name": lambda c, a: c["compile"].update(loss="magic"),
}


@pytest.mark.parametrize("kind", CRAFTED)
def test_a_crafted_model_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    path = crafted(tmp_path, CRAFTED[kind])
    with pytest.raises(ValueError, match="cannot be loaded") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_what_is_crafted_is_a_near_miss(tmp_path: Path) -> None:
    assert len(load_model(crafted(tmp_path, lambda c, a: None)).weights) == 6


@pytest.mark.parametrize(
    "step",
    [["function", "save"], ["function", "fromfile"], ["method", "tofile"], ["function", "linalg.svd"], ["magic", "x"]],
)
def test_a_graph_calls_nothing_of_numpy_but_steps_of_models(tmp_path: Path, step: list[str]) -> None:
    inputs = Input((2,))
    path = crafted(tmp_path, lambda c, a: c["model"]["graph"]["steps"][0].update(numpy=step), Model(inputs, inputs * 2))
    with pytest.raises(ValueError, match="which is no step of a model"):
        load_model(path)


def test_every_class_of_beras_can_be_named() -> None:
    from beras import loading

    known = dict(loading._known())
    things = [getattr(beras, name) for name in beras.__all__]
    layers = [c for c in things if inspect.isclass(c) and issubclass(c, beras.Diffable) and not inspect.isabstract(c)]
    assert len(layers) > 30
    assert [c.__name__ for c in layers if known.get(c.__name__) is not c] == []
