"""Every loss against Keras', value and gradient by the prediction, and where the two differ on purpose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from beras.losses import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Hinge,
    Huber,
    KLDivergence,
    MeanAbsoluteError,
    MeanSquaredError,
    Poisson,
    SampleWeighted,
    SoftmaxCrossEntropy,
)
from gradcheck.report.differential import Deviation, Record

from . import rounding
from .inputs import CASES, DTYPES, SIZES, Array, arrays, distributions, one_hot, positive
from .peer import gradients, keras, tf
from .rounding import Machine, exact
from .running import Node, bounds, leaves_of

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


# Losses by their formulas in numbers that carry a bound: `p`, a Node, and t, an array.


def absolute(e: Node) -> Node:
    return e * np.sign(e.now.value)


def huber(p: Node, t: Array) -> Node:
    e = p - t
    near = (np.abs(e.now.value) <= 0.75).astype(float)
    return (e * e * 0.5 * near + (absolute(e) * 0.75 - 0.75**2 / 2) * (1 - near)).mean()


def divergence(p: Node, t: Array) -> Node:
    # Keras has log(t / p): eps of 1 in the logarithm, and as much for t / p.
    quotient = (p * 0.0 + t) / p
    log = quotient.apply(np.log, lambda x: 1 / x, lambda x: -1 / x**2, own=lambda x: 1 + np.abs(np.log(x)))
    return (log * t).sum(axis=-1).mean()


def poisson(p: Node, t: Array) -> Node:
    shifted = p + 1e-7
    log = shifted.apply(np.log, lambda x: 1 / x, lambda x: -1 / x**2, own=lambda x: 1 + np.abs(np.log(x)))
    return (p - log * t).mean()


def hinge(p: Node, t: Array) -> Node:
    t = 2 * t - 1 if np.isin(t, (0, 1)).all() else t
    margin = 1.0 - p * t
    return (margin * (margin.now.value > 0).astype(float)).mean()


def logits_of_labels(p: Node, t: Array) -> Node:
    """max(x, 0) − x t + log(1 + exp(−|x|))."""
    x = p.now.value
    late = (absolute(p) * -1.0).exp()
    log = late.apply(np.log1p, lambda v: 1 / (1 + v), lambda v: -1 / (1 + v) ** 2)
    return (p * (x > 0).astype(float) - p * t + log).mean()


def logits_of_classes(p: Node, t: Array) -> Node:
    shifted = p - p.now.value.max(axis=-1, keepdims=True)
    log = shifted.exp().sum(axis=-1, keepdims=True).log()
    return ((log - shifted) * t).sum(axis=-1).mean()


NUMBERS = {
    "MeanAbsoluteError": (
        MeanAbsoluteError,
        lambda dtype: keras.losses.MeanAbsoluteError(dtype=dtype),
        lambda p, t: absolute(p - t).mean(),
    ),
    "Huber": (lambda: Huber(0.75), lambda dtype: keras.losses.Huber(0.75, dtype=dtype), huber),
    "Hinge": (Hinge, lambda dtype: keras.losses.Hinge(dtype=dtype), hinge),
    "Poisson": (Poisson, lambda dtype: keras.losses.Poisson(dtype=dtype), poisson),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NUMBERS)
@CASES
@given(data=st.data(), batch=SIZES, features=SIZES)
def test_losses_of_numbers(
    record: Record, name: str, dtype: str, data: st.DataObject, batch: int, features: int
) -> None:
    make, theirs, formula = NUMBERS[name]
    shape = (batch, features)
    if name == "Poisson":
        y_pred, y_true = (data.draw(positive(dtype, shape, 2.0**-6, 8.0), label=label) for label in ("p", "t"))
    else:
        y_pred, y_true = (data.draw(arrays(dtype, shape), label=label) for label in ("p", "t"))
    if name == "Hinge":
        y_true = np.where(y_true > 0, 1, -1).astype(dtype)
    # At a kink, and nearer to it than rounding, the two sides may stand on different branches.
    e = np.abs(y_pred.astype(np.float64) - y_true)
    margin = np.abs(1 - y_pred.astype(np.float64) * y_true)
    kinks = {"MeanAbsoluteError": e, "Huber": np.abs(e - 0.75), "Hinge": margin}.get(name, np.ones(shape))
    assume((kinks > 1e-5).all())
    [leaf] = leaves_of([y_pred], Machine.of(dtype))
    forward, [backward] = bounds(formula(leaf, y_true.astype(np.float64)), 1.0, [leaf])
    value, gradient = ours_of(make(), y_pred, y_true)
    their_value, (their_gradient,) = gradients(keras_of(theirs(dtype), y_true), [y_pred])
    component = f"beras.losses.{name}"
    record.compare(component, "forward", dtype, value, their_value, forward, BASIS)
    record.compare(component, "backward[y_pred]", dtype, gradient, their_gradient, backward, BASIS)
    assert gradient.dtype == their_gradient.dtype


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, classes=CLASSES)
def test_divergence(record: Record, dtype: str, data: st.DataObject, batch: int, classes: int) -> None:
    y_pred, y_true = (data.draw(distributions(dtype, batch, classes), label=label) for label in ("p", "t"))
    [leaf] = leaves_of([y_pred], Machine.of(dtype))
    forward, [backward] = bounds(divergence(leaf, y_true.astype(np.float64)), 1.0, [leaf])
    value, gradient = ours_of(KLDivergence(), y_pred, y_true)
    theirs = gradients(keras_of(keras.losses.KLDivergence(dtype=dtype), y_true), [y_pred])
    record.compare("beras.losses.KLDivergence", "forward", dtype, value, theirs[0], forward, BASIS)
    record.compare("beras.losses.KLDivergence", "backward[y_pred]", dtype, gradient, theirs[1][0], backward, BASIS)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("smoothing", [0.0, 0.25])
@CASES
@given(data=st.data(), batch=SIZES, classes=CLASSES)
def test_logits_and_label_smoothing(
    record: Record, smoothing: float, dtype: str, data: st.DataObject, batch: int, classes: int
) -> None:
    logits = data.draw(arrays(dtype, (batch, classes), largest=32.0), label="logits")
    rows = data.draw(one_hot(dtype, batch, classes), label="y_true")
    options = {"from_logits": True, "label_smoothing": smoothing}
    suffix = f", logits, smoothing {smoothing}"
    cases = [
        (CategoricalCrossEntropy, keras.losses.CategoricalCrossentropy, logits_of_classes, smoothing / classes),
        (BinaryCrossEntropy, keras.losses.BinaryCrossentropy, logits_of_labels, smoothing / 2),
    ]
    for ours, theirs, formula, share in cases:
        [leaf] = leaves_of([logits], Machine.of(dtype))
        t = rows.astype(np.float64) * (1 - smoothing) + share
        forward, [backward] = bounds(formula(leaf, t), 1.0, [leaf])
        value, gradient = ours_of(ours(**options), logits, rows)
        their_value, (their_gradient,) = gradients(keras_of(theirs(**options, dtype=dtype), rows), [logits])
        # The smoothed labels are rounded as well: once more eps of the loss' terms, and of the gradient's.
        extra = 4 * np.finfo(dtype).eps
        component = f"beras.losses.{ours.__name__}"
        size = float(np.abs(logits).max()) + 8
        record.compare(component, "forward" + suffix, dtype, value, their_value, forward + extra * size, BASIS)
        allowed = backward + extra / batch
        record.compare(component, "backward[y_pred]" + suffix, dtype, gradient, their_gradient, allowed, BASIS)


@pytest.mark.parametrize("dtype", DTYPES)
def test_class_indices_of_probabilities_and_sequences(record: Record, dtype: str) -> None:
    random = np.random.default_rng(0)
    p = random.dirichlet(np.ones(4), (3, 2)).astype(dtype)
    indices = random.integers(0, 4, (3, 2))
    value, gradient = ours_of(CategoricalCrossEntropy(), p, indices)
    rows = np.eye(4, dtype=dtype)[indices]

    def formula(q: Any) -> Any:
        return -tf.reduce_mean(tf.reduce_sum(rows * tf.math.log(tf.maximum(q, 1e-12)), axis=-1))

    their_value, (their_gradient,) = gradients(formula, [p])
    flat = p.reshape(-1, 4), rows.reshape(-1, 4)
    bound = rounding.categorical_cross_entropy(exact(flat[0]), flat[1], Machine.of(dtype))
    component = "beras.losses.CategoricalCrossEntropy"
    record.compare(component, "forward, class indices", dtype, value, their_value, bound[0].error, BASIS)
    error = bound[1].error.reshape(p.shape)
    record.compare(component, "backward[y_pred], class indices", dtype, gradient, their_gradient, error, BASIS)
    sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=dtype)
    logits = random.normal(size=(3, 2, 4)).astype(dtype)
    value, gradient = ours_of(CategoricalCrossEntropy(from_logits=True), logits, indices)
    their_value, (their_gradient,) = gradients(keras_of(sparse, indices), [logits])
    [leaf] = leaves_of([logits], Machine.of(dtype))
    forward, [backward] = bounds(logits_of_classes(leaf, np.eye(4)[indices]), 1.0, [leaf])
    record.compare(component, "forward, indices of sequences", dtype, value, their_value, forward, BASIS)
    record.compare(
        component, "backward[y_pred], indices of sequences", dtype, gradient, their_gradient, backward, BASIS
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_of_samples(record: Record, dtype: str) -> None:
    random = np.random.default_rng(0)
    y_pred, y_true = (random.normal(size=(5, 3)).astype(dtype) for _ in range(2))
    weight = random.uniform(0, 2, 5).astype(dtype)
    ours = SampleWeighted(MeanSquaredError())
    value = ours(y_pred, y_true, weight)
    [gradient, *_] = ours.compose_input_gradients([np.ones_like(value)])
    theirs = keras.losses.MeanSquaredError(dtype=dtype)
    their_value, (their_gradient,) = gradients(lambda p: theirs(tf.constant(y_true), p, weight), [y_pred])
    [leaf] = leaves_of([y_pred], Machine.of(dtype))
    e = leaf - y_true
    forward, [backward] = bounds(((e * e).mean(axis=1) * weight.astype(np.float64)).mean(), 1.0, [leaf])
    component = "beras.loss.SampleWeighted"
    record.compare(component, "forward", dtype, value, their_value, forward, BASIS)
    record.compare(component, "backward[y_pred]", dtype, gradient, their_gradient, backward, BASIS)
