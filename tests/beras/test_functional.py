"""Models as graphs: what lies between inputs and outputs."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from beras import (
    Add,
    BatchNormalization,
    Branches,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    FunctionalModel,
    GlobalAveragePooling2D,
    Input,
    Model,
    MultiHeadAttention,
    ReLU,
    Residual,
    SequentialModel,
    Tensor,
)
from tests.beras.test_model import assert_same, blobs, values


def test_a_chain_is_the_sequential_model() -> None:
    layers: list[Any] = [Dense(2, 4, "xavier", seed=1), ReLU(), Dense(4, 3, "xavier", seed=2)]
    inputs = h = Input((2,))
    for layer in layers:
        h = layer(h)
    model = Model(inputs, h)
    assert isinstance(model, FunctionalModel)
    assert model.layers == layers
    x, y = blobs(30)
    np.testing.assert_array_equal(model(x), SequentialModel(layers)(x))
    twin = SequentialModel(copy.deepcopy(layers))
    for one in (model, twin):
        one.compile("sgd", "mse")
        one.fit(x, y, epochs=2, seed=0, verbose=False)
    assert_same(values(model), values(twin))


def test_shapes_types_and_how_a_symbol_looks() -> None:
    inputs = Input(shape=(28, 28, 1), batch_size=7, name="images")
    assert repr(inputs) == "<Symbol of shape (None, 28, 28, 1), float32>"
    h = Conv2D(4, 3, activation="relu")(inputs)
    assert (h.shape, h.ndim, h.dtype) == ((None, 26, 26, 4), 4, np.float32)
    assert Dense(10)(Flatten()(h)).shape == (None, 10)
    assert Embedding(5, 3)(Input((None,), dtype="int32")).shape[-1] == 3


def test_shortcuts_branches_and_numpy() -> None:
    inputs = Input((3,))
    left, right = Dense(3, 4, "xavier", seed=1), Dense(3, 4, "xavier", seed=2)
    a, b = left(inputs), right(inputs)
    outputs = Concatenate()([a * b, Add()([a, b]), np.maximum(a, 0.5), np.concatenate([a, b], axis=-1)])
    outputs = outputs[:, 1:] / 2 - a.sum(axis=1, keepdims=True)
    model = Model(inputs, outputs)
    x = Tensor(np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32))
    p, q = np.asarray(left(x)), np.asarray(right(x))
    expected = np.concatenate([p * q, p + q, np.maximum(p, 0.5), p, q], axis=-1)[:, 1:] / 2 - p.sum(1, keepdims=True)
    np.testing.assert_allclose(model(x), expected, rtol=1e-6)
    assert model.layers == [left, right, *[layer for layer in model.layers if layer not in (left, right)]]


def test_a_shared_layer_has_its_weights_once() -> None:
    shared, inputs = Dense(3, 3, "xavier", seed=1), Input((3,))
    model = Model(inputs, shared(shared(inputs)))
    assert len(model.weights) == 2
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(model(x), shared(shared(x)))


def test_several_inputs_and_outputs() -> None:
    first, second = Input((2,)), Input((3,))
    h = Concatenate()([Dense(4)(first), Dense(4)(second)])
    model = Model([first, second], Dense(1)(h))
    random = np.random.default_rng(0)
    x, y = [random.normal(size=(12, 2)), random.normal(size=(12, 3))], random.normal(size=(12, 1))
    model.compile("sgd", "mse")
    history = model.fit(x, y, epochs=20, batch_size=5, validation_split=0.25, verbose=False)
    assert history["loss"][-1] < history["loss"][0]
    _, predictions = model.evaluate(x, y)
    np.testing.assert_array_equal(predictions, model.predict(x))
    with pytest.raises(ValueError, match="the model has 2 inputs: expected a list of so many arrays in x, got a nd"):
        model.fit(x[0], y)
    with pytest.raises(ValueError, match=r"x\[0\] has 11 samples, but x\[1\] has 12"):
        model.predict([x[0][:11], x[1]])
    both = Model(first, [Dense(1)(first), Dense(2)(first)])
    assert [part.shape for part in both.predict(x[0], batch_size=5)] == [(12, 1), (12, 2)]


def test_models_are_steps_of_bigger_ones() -> None:
    inner_input = Input((4,))
    inner = Model(inner_input, Dense(4, 4, "xavier")(inner_input))
    block = Residual([Dense(4, 4, "xavier"), ReLU()])
    side = Branches([Dense(4, 2, "xavier"), Dense(4, 3, "xavier")])
    inputs = Input((4,))
    model = Model(inputs, side(block(SequentialModel([inner])(inputs))))
    x = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    np.testing.assert_array_equal(model(x), side(block(inner(x))))
    assert len(model.weights) == 2 + 2 + 4


def test_examples_run_in_evaluation_and_leave_no_trace() -> None:
    normalization, inputs = BatchNormalization(3), Input((3,))
    model = Model(inputs, Dropout(0.5)(normalization(inputs)))
    assert normalization.training is True
    assert normalization.moving_mean.tolist() == [0.0] * 3
    x = np.ones((2, 3), np.float32)
    np.testing.assert_allclose(model.predict(x), 1 / np.sqrt(1.001), rtol=1e-6)


def test_attention_in_a_graph() -> None:
    inputs = Input((6,), dtype="int32")
    h = Embedding(10, 8)(inputs)
    h = h + MultiHeadAttention(2, 4)(h, h)
    model = Model(inputs, Dense(3)(h.mean(axis=1)))
    assert model.predict(np.ones((4, 6), np.int32)).shape == (4, 3)


def test_a_deep_graph_is_no_recursion() -> None:
    inputs = h = Input((1,))
    for _ in range(3000):
        h = h + 1.0
    assert Model(inputs, h)(np.zeros((1, 1))).tolist() == [[3000.0]]


def test_a_copy_has_weights_of_its_own() -> None:
    inputs = Input((2,))
    model = Model(inputs, Dense(2, 2, "xavier")(inputs))
    twin = copy.deepcopy(model)
    twin.weights[0][...] = 0
    assert np.asarray(model(np.ones((1, 2)))).any()
    assert not np.asarray(twin(np.ones((1, 2)))).any()


def test_an_input_at_the_beginning_of_a_chain_makes_the_weights() -> None:
    model = SequentialModel([Input((8, 8, 1)), Conv2D(4, 3), GlobalAveragePooling2D(), Dense(2)])
    assert [w.shape for w in model.weights] == [(3, 3, 1, 4), (4,), (4, 2), (1, 2)]
    assert len(model.layers) == 3
    with pytest.raises(TypeError, match="takes one Input, before all layers"):
        SequentialModel([Dense(2), Input((3,))])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Input(784), TypeError, r"expects the shape of a sample, such as Input\(\(784,\)\), got 784"),
        (lambda: Input((0,)), ValueError, "a size to be at least 1, got 0"),
        (lambda: Model(Input((2,)), np.ones(2)), TypeError, "outputs that come from Input.*, got a ndarray"),
        (lambda: Model(Dense(2, 2), Input((2,))), TypeError, "inputs that come from Input.*, got a Dense"),
        (
            lambda: Model(Input((2,)), Input((3,)) * 2),
            ValueError,
            r"depend on an Input of shape \(None, 3\) that is",
        ),
        (lambda: np.asarray(Input((2,))), TypeError, "holds no numbers yet: Model"),
        (lambda: bool(Input((2,)) > 0), TypeError, "holds no numbers yet, so that nothing can be decided"),
        (lambda: list(Input((2,))), TypeError, "cannot be iterated over"),
        (lambda: Input((2,)).magic, AttributeError, "an Input has no 'magic'"),
        (lambda: np.add.reduce(Input((2,))), TypeError, r"np\.add\.reduce does not work on an Input"),
        (lambda: Dense(3, 2)(Input((2,))), ValueError, r"\(batch, 3\), got shape \(1, 2\)"),
    ],
)
def test_what_is_wrong_with_a_graph_is_said_at_once(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_model_is_called_on_as_many_arrays_as_it_has_inputs() -> None:
    first, second = Input((2,)), Input((2,))
    with pytest.raises(ValueError, match=r"has 2 input\(s\), got 1"):
        Model([first, second], first + second)([np.ones((1, 2))])
