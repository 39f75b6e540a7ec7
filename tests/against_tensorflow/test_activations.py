"""Every activation against Keras', forward and backward."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import beras.activations
from gradcheck.report.differential import Deviation, Record

from . import rounding
from .inputs import CASES, DTYPES, SIZES, arrays
from .peer import gradients, keras, tf
from .rounding import ALPHA, RULES, Machine, exact
from .running import bounds, leaves_of

OURS = {
    "LeakyReLU": lambda: beras.activations.LeakyReLU(alpha=ALPHA),
    "GELU, approximate": lambda: beras.activations.GELU(approximate=True),
}
BASIS = "elementary functions good to 4 units in the last place on either side, eps for each operation after them"
SOFTMAX_BASIS = "the shift x − max loses eps·|x − max| in the exponent, each exp 4 units in the last place, the sum n"


@cache
def keras_layer(name: str, dtype: str) -> Any:
    """Return Keras' layer of that name."""
    if name == "LeakyReLU":
        return keras.layers.LeakyReLU(negative_slope=ALPHA, dtype=dtype)
    if name == "Softmax":
        return keras.layers.Softmax(dtype=dtype)
    # tf.nn.gelu has its constants in float32, for float64 too.
    functions = {
        "Sin": tf.sin,
        "GELU": lambda x: x * 0.5 * (1 + tf.math.erf(x * tf.constant(math.sqrt(0.5), x.dtype))),
        "GELU, approximate": lambda x: (
            x
            * 0.5
            * (1 + tf.tanh(tf.constant(math.sqrt(2 / math.pi), x.dtype) * (x + tf.constant(0.044715, x.dtype) * x**3)))
        ),
    }
    return keras.layers.Activation(functions.get(name, name.lower()), dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(RULES))
@CASES
@given(data=st.data(), batch=SIZES, features=SIZES)
def test_elementwise(record: Record, name: str, dtype: str, data: st.DataObject, batch: int, features: int) -> None:
    x = data.draw(arrays(dtype, (batch, features), largest=128.0), label="x")
    upstream = data.draw(arrays(dtype, (batch, features)), label="upstream")
    rule, at = RULES[name], Machine.of(dtype)
    if name == "LeakyReLU":
        x = np.where(x == 0, np.asarray(1, dtype), x)  # a documented deviation, measured below

    if name == "SELU":
        x = np.where(x == 0, np.asarray(1, dtype), x)  # a kink: TensorFlow takes the other side
    ours = OURS[name]() if name in OURS else getattr(beras.activations, name)()
    y = ours(x)
    (dx,) = ours.compose_input_gradients([upstream])
    their_y, (their_dx,) = gradients(keras_layer(name, dtype), [x], upstream)

    component, _, suffix = f"beras.activations.{name}".partition(",")
    forward = rounding.elementwise(rule, exact(x), at).error
    record.compare(component, f"forward{suffix and ',' + suffix}", dtype, y, their_y, forward, BASIS)
    error = rounding.elementwise_to_input(rule, exact(x), exact(upstream), at).error
    record.compare(component, f"backward[x]{suffix and ',' + suffix}", dtype, dx, their_dx, error, BASIS)
    assert (y.dtype, dx.dtype) == (their_y.dtype, their_dx.dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, classes=st.integers(2, 6))
def test_softmax(record: Record, dtype: str, data: st.DataObject, batch: int, classes: int) -> None:
    x = data.draw(arrays(dtype, (batch, classes), largest=64.0), label="x")
    upstream = data.draw(arrays(dtype, (batch, classes)), label="upstream")
    at = Machine.of(dtype)

    ours = beras.activations.Softmax()
    y = ours(x)
    (dx,) = ours.compose_input_gradients([upstream])
    their_y, (their_dx,) = gradients(keras_layer("Softmax", dtype), [x], upstream)

    component = "beras.activations.Softmax"
    bound = rounding.softmax(exact(x), at)
    record.compare(component, "forward", dtype, y, their_y, bound.error, SOFTMAX_BASIS)
    to_x = rounding.softmax_to_input(bound, exact(upstream), at)
    record.compare(component, "backward[x]", dtype, dx, their_dx, to_x.error, SOFTMAX_BASIS)
    assert (y.dtype, dx.dtype) == (their_y.dtype, their_dx.dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["Sigmoid", "Softmax", "Tanh"])
def test_saturated(record: Record, name: str, dtype: str) -> None:
    x = np.array([[-1000.0, 0.0, 1000.0], [-40.0, 1.0, 40.0]], dtype)
    upstream = np.ones_like(x)
    at = Machine.of(dtype)
    ours = getattr(beras.activations, name)()
    y = ours(x)
    (dx,) = ours.compose_input_gradients([upstream])
    their_y, (their_dx,) = gradients(keras_layer(name, dtype), [x], upstream)
    if name == "Softmax":
        value = rounding.softmax(exact(x), at)
        error, backward = value.error, rounding.softmax_to_input(value, exact(upstream), at).error
    else:
        error = rounding.elementwise(RULES[name], exact(x), at).error
        backward = rounding.elementwise_to_input(RULES[name], exact(x), exact(upstream), at).error
    component = f"beras.activations.{name}"
    record.compare(component, "forward, saturated", dtype, y, their_y, error, BASIS)
    record.compare(component, "backward[x], saturated", dtype, dx, their_dx, backward, BASIS)


@pytest.mark.parametrize("dtype", DTYPES)
def test_leaky_relu_at_zero_is_a_documented_deviation(record: Record, dtype: str) -> None:
    x, upstream = np.zeros((2, 3), dtype), np.ones((2, 3), dtype)
    ours = beras.activations.LeakyReLU(alpha=ALPHA)
    ours(x)
    (dx,) = ours.compose_input_gradients([upstream])
    _, (their_dx,) = gradients(keras_layer("LeakyReLU", dtype), [x], upstream)
    assert (np.asarray(dx) == 0).all()
    assert (their_dx == ALPHA).all()
    record.deviate(
        Deviation(
            "beras.activations.LeakyReLU",
            "backward[x] at 0",
            "0",
            f"alpha (here {ALPHA})",
            "at the kink every value between the one-sided derivatives is a convention; the course's handout says 0",
            measured=float(np.abs(dx - their_dx).max()),
            bound=ALPHA,
        )
    )


def test_tensorflow_keeps_the_slope_of_leaky_relu_in_float32(record: Record) -> None:
    x = -np.array([[1.0, 100.0]])
    their_y, _ = gradients(lambda t: tf.nn.leaky_relu(t, alpha=0.3), [x], np.ones_like(x))
    measured = np.abs(beras.activations.LeakyReLU(alpha=0.3)(x) - their_y)
    record.deviate(
        Deviation(
            "beras.activations.LeakyReLU",
            "alpha in float64, relative to x",
            "alpha as it was given",
            "alpha rounded to float32, for float64 data too",
            "float64 stays float64",
            measured=float((measured / np.abs(x)).max()),
            bound=float(np.spacing(np.float32(0.3))) / 2,
        )
    )


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, classes=st.integers(2, 6))
def test_log_softmax(record: Record, dtype: str, data: st.DataObject, batch: int, classes: int) -> None:
    x = data.draw(arrays(dtype, (batch, classes), largest=64.0), label="x")
    upstream = data.draw(arrays(dtype, (batch, classes)), label="upstream")
    ours = beras.activations.LogSoftmax()
    y = ours(x)
    (dx,) = ours.compose_input_gradients([upstream])
    their_y, (their_dx,) = gradients(tf.nn.log_softmax, [x], upstream)
    [leaf] = leaves_of([x], Machine.of(dtype))
    shifted = leaf - x.max(axis=1, keepdims=True)
    forward, [backward] = bounds(shifted - shifted.exp().sum(axis=1, keepdims=True).log(), upstream, [leaf])
    record.compare("beras.activations.LogSoftmax", "forward", dtype, y, their_y, forward, SOFTMAX_BASIS)
    record.compare("beras.activations.LogSoftmax", "backward[x]", dtype, dx, their_dx, backward, SOFTMAX_BASIS)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shared_axes", [None, [1, 2]])
def test_prelu(record: Record, shared_axes: list[int] | None, dtype: str) -> None:
    random = np.random.default_rng(0)
    x, upstream = (random.normal(size=(3, 2, 4, 2)).astype(dtype) for _ in range(2))
    x[0, 0] = 0
    ours = beras.activations.PReLU("normal", shared_axes, shape=x.shape[1:], dtype=dtype, seed=1)
    theirs = keras.layers.PReLU(shared_axes=shared_axes, dtype=dtype)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())

    def call(x_: Any, alpha: Any) -> Any:
        with keras.StatelessScope(state_mapping=[(theirs.alpha, alpha)]):
            return theirs(x_)

    y = ours(x)
    found = [*ours.compose_input_gradients([upstream]), *ours.compose_weight_gradients([upstream])]
    their_y, their_found = gradients(call, [x, *ours.get_weights()], upstream)
    leaves = leaves_of([x, *ours.get_weights()], Machine.of(dtype))
    positive = (x > 0).astype(float)
    z = leaves[0] * positive + leaves[1] * (leaves[0] * (x < 0).astype(float))
    forward, backward = bounds(z, upstream, leaves)
    record.compare("beras.prelu.PReLU", "forward", dtype, y, their_y, forward, BASIS)
    for part, a, b, error in zip(("x", "alpha"), found, their_found, backward, strict=True):
        record.compare("beras.prelu.PReLU", f"backward[{part}]", dtype, a, b, error, BASIS)


@pytest.mark.parametrize("approximate", [False, True])
def test_tensorflow_keeps_the_constants_of_gelu_in_float32(record: Record, approximate: bool) -> None:
    x = np.linspace(-4, 4, 101)[None]
    their_y, _ = gradients(lambda t: tf.nn.gelu(t, approximate=approximate), [x], np.ones_like(x))
    measured = np.abs(beras.activations.GELU(approximate)(x) - their_y).max()
    # A constant off by half a unit of float32 changes x Φ(x) by |x| φ(x) |x| of that at most, the cubic one by |x|³.
    bound = (0.3 * 4 + 64 * 0.044715) * float(np.finfo(np.float32).eps)
    record.deviate(
        Deviation(
            "beras.activations.GELU",
            "constants in float64, approximate" if approximate else "constants in float64",
            "in float64",
            "rounded to float32, for float64 data too",
            "float64 stays float64",
            measured=float(measured),
            bound=bound,
        )
    )
