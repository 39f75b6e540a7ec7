"""Keras' layers and models with TensorFlow beneath them: by their weights and inputs, right and wrong."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from tests.frameworks.rules import B, V, W, X

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

check = gradcheck.check


def of(array):
    return tf.constant(array, tf.float32)


@keras.saving.register_keras_serializable("tests")
class Linear(keras.layers.Layer):
    """x W + b with a gradient of its own, in which the weight's is `factor` times too large."""

    def __init__(self, units, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.units, self.factor = units, factor

    def build(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1], self.units))
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="ones")

    def call(self, x):
        @tf.custom_gradient
        def product(x):
            def grad(upstream, variables):
                assert len(variables) == 1
                by_kernel = self.factor * tf.matmul(x, upstream, transpose_a=True)
                return tf.matmul(upstream, self.kernel, transpose_b=True), [by_kernel]

            return tf.matmul(x, self.kernel), grad

        return product(x) + self.bias


def test_layers_with_a_gradient_of_their_own():
    for point in (of(X), X):
        layer = Linear(3)
        result = check(layer, point)
        assert result.verdict == "correct", result
        assert [claim.wrt for claim in result.claims] == ["weights['kernel']", "weights['bias']", "x"]
        assert max(claim.resolution for claim in result.claims) < 1e-10
        assert "keras.Layer: call, and what tf.GradientTape returns" in result.reading
    wrong = check(Linear(3, 2.0), of(X))
    assert {claim.wrt: claim.verdict for claim in wrong.claims} == {
        "weights['kernel']": "wrong",
        "weights['bias']": "correct",
        "x": "correct",
    }


def test_a_layer_stays_as_it_is():
    layer = Linear(3)
    layer(X)
    before = [one.numpy() for one in layer.weights]
    assert check(layer, of(X)).verdict == "correct"
    assert all(np.array_equal(one.numpy(), value) for one, value in zip(layer.weights, before, strict=True))
    assert layer.dtype_policy.name == layer.kernel.dtype == layer.kernel.value.dtype.name == "float32"
    assert keras.config.floatx() == "float32"
    assert layer(of(X)).dtype == "float32"
    assert keras.layers.deserialize(keras.layers.serialize(keras.layers.Dense(2))).dtype == "float32"


def sequential(layer):
    return keras.Sequential([keras.layers.Dense(3, activation="gelu"), layer])


def functional(layer):
    at = keras.Input((2,))
    return keras.Model(at, keras.layers.Add()([keras.layers.Dense(2, activation="tanh")(at), layer(at)]))


@pytest.mark.parametrize("made", [sequential, functional])
def test_models_compute_in_double_precision_from_their_inputs_on(made):
    layer = Linear(2)
    model = made(layer)
    result = check(model, of(X))
    assert result.verdict == "correct", result
    assert len(result.claims) == 5
    assert max(claim.resolution for claim in result.claims) < 1e-7
    layer.factor = 0.5
    wrong = [claim.wrt for claim in check(model, of(X)).claims if claim.verdict == "wrong"]
    assert wrong == [f"weights['{layer.name}/kernel']"]


@pytest.mark.parametrize("name", ["BatchNormalization", "Dropout", "GaussianNoise"])
def test_state_and_random_numbers_are_the_same_in_every_call(name):
    given = {"BatchNormalization": {}, "Dropout": {"rate": 0.5, "seed": 0}, "GaussianNoise": {"stddev": 0.5, "seed": 0}}
    layer = getattr(keras.layers, name)(**given[name])
    layer(X)
    state = [one.numpy() for one in layer.variables]
    assert check(layer, of(X), kwargs={"training": True}).verdict == "correct"
    assert all(np.array_equal(one.numpy(), value) for one, value in zip(layer.variables, state, strict=True))


def test_weights_that_are_not_trained_are_not_asked_about():
    layer = keras.layers.Dense(3)
    layer(X)
    layer.trainable = False
    assert [claim.wrt for claim in check(layer, of(X)).claims] == ["inputs"]


def test_layers_of_several_inputs_and_of_whole_numbers():
    assert check(keras.layers.Dot(axes=1), [of(X), of(V)]).verdict == "correct"
    embedding = keras.layers.Embedding(3, 2)
    result = check(embedding, tf.constant([[0, 2, 2]]))
    assert result.verdict == "correct", result
    assert [claim.wrt for claim in result.claims] == ["weights['embeddings']"]


def test_mixed_precision_is_judged_as_what_it_computes():
    layer = keras.layers.Dense(3, dtype="mixed_bfloat16")
    assert check(layer, of(X)).verdict == "correct"
    assert layer.dtype_policy.name == "mixed_bfloat16"


def test_what_stops_a_gradient_is_wrong_as_everywhere():
    class Stopped(keras.layers.Layer):
        def call(self, x):
            return keras.ops.stop_gradient(x) * x

    assert check(Stopped(), of(X)).verdict == "wrong"


def test_what_cannot_be_asked_is_said():
    with pytest.raises(gradcheck.UsageError, match=r"expected a layer, but got the class Dense: make one"):
        check(keras.layers.Dense, of(X))
    with pytest.raises(gradcheck.UsageError, match=r"expected the point at which to check"):
        check(keras.layers.Dense(3))
    layer = Linear(3)
    layer(X)
    assert check(layer, of(W)).verdict == "could not be asked"
    assert check(layer, of(B)[None], wrt="x").verdict == "correct"
