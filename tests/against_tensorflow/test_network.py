"""Whole networks: Beras' tape against TensorFlow's, by every weight and the input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import beras.activations
import beras.losses
from beras.core import Tensor
from beras.gradient_tape import GradientTape
from beras.layers import Dense
from gradcheck.report.differential import Record

from . import rounding
from .inputs import CASES, DTYPES, SIZES, Array, arrays, one_hot, spread
from .peer import keras, tf
from .rounding import ALPHA, RULES, Machine, Rounded, exact

BASIS = "running error bound through the network: every layer hands on its error and adds its own rounding"

# hidden activation, output activation (or none: logits), loss, Keras' loss, what labels are
NETWORKS = {
    "Tanh, Softmax, CategoricalCrossEntropy": ("Tanh", "Softmax", "CategoricalCrossEntropy"),
    "LeakyReLU, Sigmoid, MeanSquaredError": ("LeakyReLU", "Sigmoid", "MeanSquaredError"),
    "ReLU, Sigmoid, BinaryCrossEntropy": ("ReLU", "Sigmoid", "BinaryCrossEntropy"),
    "Sin, SoftmaxCrossEntropy": ("Sin", "", "SoftmaxCrossEntropy"),
}
LOSSES = {
    "CategoricalCrossEntropy": (
        rounding.categorical_cross_entropy,
        lambda dtype: keras.losses.CategoricalCrossentropy(dtype=dtype),
    ),
    "MeanSquaredError": (rounding.mean_squared_error, lambda dtype: keras.losses.MeanSquaredError(dtype=dtype)),
    "BinaryCrossEntropy": (rounding.binary_cross_entropy, lambda dtype: keras.losses.BinaryCrossentropy(dtype=dtype)),
    "SoftmaxCrossEntropy": (
        rounding.softmax_cross_entropy,
        lambda dtype: keras.losses.CategoricalCrossentropy(from_logits=True, dtype=dtype),
    ),
}
FUNCTIONS = {
    "Tanh": lambda x: tf.tanh(x),
    "LeakyReLU": lambda x: tf.nn.leaky_relu(x, alpha=ALPHA),
    "ReLU": lambda x: tf.nn.relu(x),
    "Sin": lambda x: tf.sin(x),
    "Sigmoid": lambda x: tf.sigmoid(x),
    "Softmax": lambda x: tf.nn.softmax(x),
    "": lambda x: x,
}


def bounds(
    x: Array, weights: list[Array], y_true: Array, parts: tuple[str, str, str], at: Machine
) -> tuple[Rounded, list[Rounded], Rounded]:
    """Return the loss, its gradients by input and weights with error bounds, and the hidden layer's input."""
    hidden, output, loss = parts
    w1, b1, w2, b2 = weights
    z1 = rounding.dense(exact(x), w1, b1, at)
    a1 = rounding.elementwise(RULES[hidden], z1, at)
    z2 = rounding.dense(a1, w2, b2, at)
    if output == "Softmax":
        a2 = rounding.softmax(z2, at)
    elif output:
        a2 = rounding.elementwise(RULES[output], z2, at)
    else:
        a2 = z2
    value, upstream = LOSSES[loss][0](a2, y_true, at)
    if output == "Softmax":
        upstream = rounding.softmax_to_input(a2, upstream, at)
    elif output:
        upstream = rounding.elementwise_to_input(RULES[output], z2, upstream, at)
    dw2, db2 = rounding.dense_to_weights(a1, upstream, at)
    upstream = rounding.elementwise_to_input(RULES[hidden], z1, rounding.dense_to_input(upstream, w2, at), at)
    dw1, db1 = rounding.dense_to_weights(exact(x), upstream, at)
    return value, [rounding.dense_to_input(upstream, w1, at), dw1, db1, dw2, db2], z1


def by_beras(x: Array, weights: list[Array], y_true: Array, parts: tuple[str, str, str]) -> tuple[Any, list[Any]]:
    """Return loss and gradients by Beras' tape."""
    w1, b1, w2, b2 = weights
    first, second = Dense(*w1.shape, dtype=x.dtype), Dense(*w2.shape, dtype=x.dtype)
    for layer, w, b in ((first, w1, b1), (second, w2, b2)):
        layer.w.assign(w)
        layer.b.assign(b)
    hidden, output, loss = parts
    activation = getattr(beras.activations, hidden)
    steps = [first, activation(alpha=ALPHA) if hidden == "LeakyReLU" else activation(), second]
    if output:
        steps.append(getattr(beras.activations, output)())
    loss_fn, source = getattr(beras.losses, loss)(), Tensor(x)
    with GradientTape() as tape:
        y = source
        for step in steps:
            y = step(y)
        value = loss_fn(y, y_true)
    return value, tape.gradient(value, [source, first.w, first.b, second.w, second.b])


def by_tensorflow(x: Array, weights: list[Array], y_true: Array, parts: tuple[str, str, str]) -> tuple[Any, list[Any]]:
    """Return loss and gradients by TensorFlow's tape."""
    hidden, output, loss = parts
    source, *variables = [tf.Variable(a) for a in (x, *weights)]
    w1, b1, w2, b2 = variables
    loss_fn = LOSSES[loss][1](str(x.dtype))
    with tf.GradientTape() as tape:
        y = FUNCTIONS[output](FUNCTIONS[hidden](source @ w1 + b1) @ w2 + b2)
        value = loss_fn(tf.constant(y_true), y)
    return value.numpy(), [g.numpy() for g in tape.gradient(value, [source, *variables])]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("network", sorted(NETWORKS))
@CASES
@given(data=st.data(), batch=SIZES, inputs=SIZES, width=SIZES, outputs=st.integers(2, 5))
def test_both_tapes_agree(
    record: Record, network: str, dtype: str, data: st.DataObject, batch: int, inputs: int, width: int, outputs: int
) -> None:
    parts, at = NETWORKS[network], Machine.of(dtype)
    x = data.draw(spread(dtype, (batch, inputs), -2, 2), label="x")
    shapes = [(inputs, width), (1, width), (width, outputs), (1, outputs)]
    weights = [data.draw(spread(dtype, shape, -1, 1)) for shape in shapes]
    y_true = data.draw(one_hot(dtype, batch, outputs), label="y_true")
    loss, expected, z1 = bounds(x, weights, y_true, parts, at)
    if RULES[parts[0]].kink is not None:
        # At a kink, and nearer to it than rounding, the two sides may stand on different branches.
        assume((np.abs(z1.value) > z1.error).all())

    value, ours = by_beras(x, weights, y_true, parts)
    their_value, theirs = by_tensorflow(x, weights, y_true, parts)

    component = "beras.gradient_tape.GradientTape"
    record.compare(component, f"{network}: forward", dtype, value, their_value, loss.error, BASIS)
    for name, a, b, bound in zip(["x", "w1", "b1", "w2", "b2"], ours, theirs, expected, strict=True):
        record.compare(component, f"{network}: gradient[{name}]", dtype, a, b, bound.error, BASIS)
        assert a.dtype == b.dtype


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, width=SIZES)
def test_a_layer_called_twice(record: Record, dtype: str, data: st.DataObject, batch: int, width: int) -> None:
    """Shared weights: d/dw of mean((x w + b) w + b − t)² has one term per call."""
    x, t = (data.draw(arrays(dtype, (batch, width), 2.0)) for _ in range(2))
    w, b = data.draw(arrays(dtype, (width, width), 1.0)), data.draw(arrays(dtype, (1, width), 1.0))
    layer, loss_fn = Dense(width, width, dtype=dtype), beras.losses.MeanSquaredError()
    layer.w.assign(w)
    layer.b.assign(b)
    with GradientTape() as tape:
        value = loss_fn(layer(layer(Tensor(x))), t)
    dw, db = tape.gradient(value, [layer.w, layer.b])
    tw, tb = tf.Variable(w), tf.Variable(b)
    with tf.GradientTape() as their_tape:
        their_value = tf.reduce_mean(((tf.constant(x) @ tw + tb) @ tw + tb - t) ** 2)
    their_dw, their_db = their_tape.gradient(their_value, [tw, tb])

    at = Machine.of(dtype)
    z1 = rounding.dense(exact(x), w, b, at)
    loss, upstream = rounding.mean_squared_error(rounding.dense(z1, w, b, at), t, at)
    second = rounding.dense_to_weights(z1, upstream, at)
    first = rounding.dense_to_weights(exact(x), rounding.dense_to_input(upstream, w, at), at)
    component = "beras.gradient_tape.GradientTape"
    record.compare(component, "a layer called twice: forward", dtype, value, their_value.numpy(), loss.error, BASIS)
    for name, a, b_, one, two in zip("wb", (dw, db), (their_dw, their_db), first, second, strict=True):
        error = one.error + two.error + at.eps * (np.abs(one.value) + np.abs(two.value))
        record.compare(component, f"a layer called twice: gradient[{name}]", dtype, a, b_.numpy(), error, BASIS)
