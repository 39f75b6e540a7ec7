"""Every loss against Keras', value and gradient by the prediction, and where the two differ on purpose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beras.losses import BinaryCrossEntropy, CategoricalCrossEntropy, MeanSquaredError, SoftmaxCrossEntropy
from gradcheck.report.differential import Deviation, Record

from . import rounding
from .inputs import CASES, DTYPES, SIZES, Array, arrays, distributions, one_hot, positive
from .peer import gradients, keras, tf
from .rounding import Machine, exact

BASIS = "first-order error bound of value and gradient: eps per operation, n·eps for a sum, 4 ulp for log and exp"
CLASSES = st.integers(2, 6)


def ours_of(loss: Any, y_pred: Array, y_true: Array) -> tuple[Any, Any]:
    """Return Beras' value and its gradient by `y_pred`, as the tape would ask for it."""
    value = loss(y_pred, y_true)
    return value, loss.compose_input_gradients([np.ones_like(value)])[0]


def keras_of(loss: Any, y_true: Array) -> Any:
    """Return Keras' loss as a function of the prediction."""
    return lambda y_pred: loss(tf.constant(y_true), y_pred)


def labels(data: st.DataObject, dtype: str, batch: int, classes: int) -> Array:
    """Draw one-hot or soft labels."""
    return data.draw(st.one_of(one_hot(dtype, batch, classes), distributions(dtype, batch, classes)), label="y_true")


def check(record: Record, name: str, dtype: str, ours: Any, theirs: Any, bound: Any, suffix: str = "") -> None:
    """Compare value and gradient with what `rounding` allows."""
    (value, gradient), (their_value, (their_gradient,)) = ours, theirs
    component = f"beras.losses.{name}"
    record.compare(component, "forward" + suffix, dtype, value, their_value, bound[0].error, BASIS)
    record.compare(component, "backward[y_pred]" + suffix, dtype, gradient, their_gradient, bound[1].error, BASIS)
    assert gradient.dtype == their_gradient.dtype


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, features=SIZES)
def test_mean_squared_error(record: Record, dtype: str, data: st.DataObject, batch: int, features: int) -> None:
    y_pred = data.draw(arrays(dtype, (batch, features)), label="y_pred")
    y_true = data.draw(arrays(dtype, (batch, features)), label="y_true")
    bound = rounding.mean_squared_error(exact(y_pred), y_true, Machine.of(dtype))
    theirs = gradients(keras_of(keras.losses.MeanSquaredError(dtype=dtype), y_true), [y_pred])
    check(record, "MeanSquaredError", dtype, ours_of(MeanSquaredError(), y_pred, y_true), theirs, bound)


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, classes=CLASSES)
def test_categorical_cross_entropy(record: Record, dtype: str, data: st.DataObject, batch: int, classes: int) -> None:
    y_pred = data.draw(distributions(dtype, batch, classes), label="y_pred")
    y_true = labels(data, dtype, batch, classes)

    def formula(p: Any) -> Any:
        return -tf.reduce_mean(tf.reduce_sum(y_true * tf.math.log(tf.maximum(p, 1e-12)), axis=1))

    bound = rounding.categorical_cross_entropy(exact(y_pred), y_true, Machine.of(dtype))
    ours = ours_of(CategoricalCrossEntropy(), y_pred, y_true)
    check(record, "CategoricalCrossEntropy", dtype, ours, gradients(formula, [y_pred]), bound)


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, classes=CLASSES)
def test_keras_rescales_the_probabilities(
    record: Record, dtype: str, data: st.DataObject, batch: int, classes: int
) -> None:
    # Keras differentiates −Σ t log(p / Σp), Beras −Σ t log p: exactly Σt / Σp / batch more, in every entry.
    y_pred = data.draw(distributions(dtype, batch, classes), label="y_pred")
    y_true = labels(data, dtype, batch, classes)
    value, gradient = ours_of(CategoricalCrossEntropy(), y_pred, y_true)
    their_value, (their_gradient,) = gradients(
        keras_of(keras.losses.CategoricalCrossentropy(dtype=dtype), y_true), [y_pred]
    )
    at = Machine.of(dtype)
    rescaled = rounding.Rounded(np.asarray(y_pred, np.float64), (classes + 1) * at.eps * np.asarray(y_pred, np.float64))
    loss_bound, gradient_bound = rounding.categorical_cross_entropy(rescaled, y_true, at)
    more = y_true.sum(axis=1, keepdims=True) / y_pred.sum(axis=1, keepdims=True) / batch
    # Keras sums its rescaled gradient over the row: classes + 4 more roundings of terms as large as the gradient.
    in_row = np.abs(gradient_bound.value * y_pred).sum(axis=1, keepdims=True)
    allowed = gradient_bound.error + (classes + 4) * at.eps * (np.abs(gradient_bound.value) + in_row + more)
    component = "beras.losses.CategoricalCrossEntropy"
    record.compare(component, "forward, Keras", dtype, value, their_value, loss_bound.error, BASIS)
    aspect = "backward[y_pred], Keras less its rescaling"
    record.compare(component, aspect, dtype, gradient, their_gradient - more, allowed, BASIS)
    record.deviate(
        Deviation(
            component,
            "rescaling",
            "differentiates −Σ t log p",
            "differentiates −Σ t log(p / Σp): 1/batch more in every entry",
            "the gradient of the loss as it is written; behind a softmax the difference vanishes, "
            "because softmax's Jacobian takes a constant row to 0",
            measured=float(np.abs(gradient - their_gradient).max()),
            bound=float((more + allowed).max()),
        )
    )


def test_keras_clips_the_probabilities_at_1e_7(record: Record) -> None:
    # p below 1e-12: both are clipped, Beras to log 1e-12, Keras to log 1e-7. Neither has a gradient there.
    y_pred, y_true = np.array([[1e-14, 1.0 - 1e-14]]), np.array([[1.0, 0.0]])
    value, gradient = ours_of(CategoricalCrossEntropy(), y_pred, y_true)
    their_value, (their_gradient,) = gradients(
        keras_of(keras.losses.CategoricalCrossentropy(dtype="float64"), y_true), [y_pred]
    )
    assert (np.asarray(gradient) == 0).all()
    assert (their_gradient == 0).all()
    record.deviate(
        Deviation(
            "beras.losses.CategoricalCrossEntropy",
            "clip",
            "log(max(p, 1e-12)), no upper clip",
            "log of p clipped to [1e-7, 1 − 1e-7]",
            "epsilon is an argument in the course's code, 1e-12 by default; "
            "1 − 1e-12 is 1 in float32, so an upper clip is another function there",
            measured=abs(float(value) - float(their_value)),
            bound=float(np.log(1e-7) - np.log(1e-12)) * (1 + 1e-12),
        )
    )


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, features=SIZES)
def test_binary_cross_entropy(record: Record, dtype: str, data: st.DataObject, batch: int, features: int) -> None:
    y_pred = data.draw(positive(dtype, (batch, features), 2.0**-10, 1 - 2.0**-10), label="y_pred")
    y_true = data.draw(positive(dtype, (batch, features), 0.0, 1.0).map(np.round), label="y_true")
    bound = rounding.binary_cross_entropy(exact(y_pred), y_true, Machine.of(dtype))
    theirs = gradients(keras_of(keras.losses.BinaryCrossentropy(dtype=dtype), y_true), [y_pred])
    check(record, "BinaryCrossEntropy", dtype, ours_of(BinaryCrossEntropy(), y_pred, y_true), theirs, bound)


def test_binary_cross_entropy_clips_at_1e_6(record: Record) -> None:
    y_pred, y_true = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])
    value, gradient = ours_of(BinaryCrossEntropy(), y_pred, y_true)
    their_value, (their_gradient,) = gradients(
        keras_of(keras.losses.BinaryCrossentropy(dtype="float64"), y_true), [y_pred]
    )
    assert (np.asarray(gradient) == 0).all()
    assert (their_gradient == 0).all()
    record.deviate(
        Deviation(
            "beras.losses.BinaryCrossEntropy",
            "clip",
            "p clipped to [1e-6, 1 − 1e-6]",
            "p clipped to [1e-7, 1 − 1e-7]",
            "the course's epsilon; a value at 0 or 1 costs 13.8 and not 16.1",
            measured=abs(float(value) - float(their_value)),
            bound=float(np.log(1e-6) - np.log(1e-7)) * (1 + 1e-8),
        )
    )


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, classes=CLASSES)
def test_softmax_cross_entropy(record: Record, dtype: str, data: st.DataObject, batch: int, classes: int) -> None:
    logits = data.draw(arrays(dtype, (batch, classes), largest=32.0), label="logits")
    y_true = labels(data, dtype, batch, classes)
    bound = rounding.softmax_cross_entropy(exact(logits), y_true, Machine.of(dtype))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, dtype=dtype)
    theirs = gradients(keras_of(loss, y_true), [logits])
    check(record, "SoftmaxCrossEntropy", dtype, ours_of(SoftmaxCrossEntropy(), logits, y_true), theirs, bound)


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, classes=CLASSES)
def test_softmax_cross_entropy_of_class_indices(
    record: Record, dtype: str, data: st.DataObject, batch: int, classes: int
) -> None:
    logits = data.draw(arrays(dtype, (batch, classes), largest=32.0), label="logits")
    rows = data.draw(one_hot(dtype, batch, classes), label="y_true")
    indices = rows.argmax(axis=1)
    bound = rounding.softmax_cross_entropy(exact(logits), rows, Machine.of(dtype))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=dtype)
    theirs = gradients(keras_of(loss, indices), [logits])
    ours = ours_of(SoftmaxCrossEntropy(), logits, indices)
    check(record, "SoftmaxCrossEntropy", dtype, ours, theirs, bound, ", class indices")
