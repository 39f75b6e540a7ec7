"""Every activation against Keras', forward and backward."""

from __future__ import annotations

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

OURS = {"LeakyReLU": lambda: beras.activations.LeakyReLU(alpha=ALPHA)}
BASIS = "elementary functions good to 4 units in the last place on either side, eps for each operation after them"
SOFTMAX_BASIS = "the shift x − max loses eps·|x − max| in the exponent, each exp 4 units in the last place, the sum n"


@cache
def keras_layer(name: str, dtype: str) -> Any:
    """Return Keras' layer of that name."""
    if name == "LeakyReLU":
        return keras.layers.LeakyReLU(negative_slope=ALPHA, dtype=dtype)
    if name == "Softmax":
        return keras.layers.Softmax(dtype=dtype)
    return keras.layers.Activation(tf.sin if name == "Sin" else name.lower(), dtype=dtype)


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

    ours = OURS.get(name, getattr(beras.activations, name))()
    y = ours(x)
    (dx,) = ours.compose_input_gradients([upstream])
    their_y, (their_dx,) = gradients(keras_layer(name, dtype), [x], upstream)

    component = f"beras.activations.{name}"
    record.compare(component, "forward", dtype, y, their_y, rounding.elementwise(rule, exact(x), at).error, BASIS)
    error = rounding.elementwise_to_input(rule, exact(x), exact(upstream), at).error
    record.compare(component, "backward[x]", dtype, dx, their_dx, error, BASIS)
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
