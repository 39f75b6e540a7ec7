"""CategoricalAccuracy and OneHotEncoder against Keras: the same numbers, not nearly the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beras.metrics import BinaryAccuracy, CategoricalAccuracy, TopKCategoricalAccuracy
from beras.onehot import OneHotEncoder
from gradcheck.report.differential import Record

from .inputs import CASES, DTYPES, SIZES, arrays, one_hot
from .peer import keras, tf


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, classes=SIZES)
def test_categorical_accuracy(record: Record, dtype: str, data: st.DataObject, batch: int, classes: int) -> None:
    # Ties included: both sides take the first of the largest.
    probabilities = data.draw(arrays(dtype, (batch, classes)), label="probabilities")
    labels = data.draw(one_hot(dtype, batch, classes), label="labels")
    theirs = keras.metrics.CategoricalAccuracy(dtype=dtype)
    theirs.update_state(labels, probabilities)
    basis = "a count divided by the batch, in Keras in the metric's dtype: one rounding"
    allowed = np.finfo(dtype).eps
    ours = CategoricalAccuracy()(probabilities, labels)
    record.compare("beras.metrics.CategoricalAccuracy", "value", dtype, ours, theirs.result().numpy(), allowed, basis)


@CASES
@given(labels=st.lists(st.integers(-3, 9), min_size=1, max_size=20))
def test_one_hot(record: Record, labels: list[int]) -> None:
    name, basis = "beras.onehot.OneHotEncoder", "zeros and ones: no difference is allowed"
    values = np.array(labels)
    encoder = OneHotEncoder()
    encoder.fit(values)
    ours = np.asarray(encoder.forward(values))
    known, indices = np.unique(values, return_inverse=True)
    record.compare(
        name, "forward, keras.utils.to_categorical", "int64", ours, keras.utils.to_categorical(indices), 0, basis
    )
    record.compare(name, "forward, tf.one_hot", "int64", ours, tf.one_hot(indices, len(known)).numpy(), 0, basis)
    back = np.asarray(encoder.inverse(ours))
    record.compare(name, "inverse", "int64", back, known[tf.argmax(tf.constant(ours), axis=1).numpy()], 0, basis)


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, classes=SIZES, k=SIZES)
def test_top_k(record: Record, dtype: str, data: st.DataObject, batch: int, classes: int, k: int) -> None:
    # Ties included: both sides count all classes that tie for the last place.
    probabilities = data.draw(arrays(dtype, (batch, classes)), label="probabilities")
    labels = data.draw(one_hot(dtype, batch, classes), label="labels")
    basis, allowed = "a count divided by the batch, in Keras in float32: one rounding", np.finfo(np.float32).eps
    theirs = tf.reduce_mean(tf.cast(tf.math.in_top_k(labels.argmax(axis=1), probabilities.astype("float32"), k), dtype))
    if dtype == "float32":
        for truth in (labels, labels.argmax(axis=1)):
            ours = TopKCategoricalAccuracy(k)(probabilities, truth)
            record.compare(
                "beras.metrics.TopKCategoricalAccuracy", "value", dtype, ours, theirs.numpy(), allowed, basis
            )


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, features=SIZES)
def test_binary_accuracy(record: Record, dtype: str, data: st.DataObject, batch: int, features: int) -> None:
    probabilities = data.draw(arrays(dtype, (batch, features), largest=1.0), label="probabilities")
    labels = np.round(data.draw(arrays(dtype, (batch, features), largest=1.0), label="labels")) != 0
    theirs = keras.metrics.BinaryAccuracy(dtype=dtype)
    theirs.update_state(labels.astype(dtype), probabilities)
    # In Keras a mean of means: n roundings of at most 1 for each.
    basis, allowed = "a mean of means in the metric's dtype", (batch + features) * np.finfo(dtype).eps
    ours = BinaryAccuracy()(probabilities, labels)
    record.compare("beras.metrics.BinaryAccuracy", "value", dtype, ours, theirs.result().numpy(), allowed, basis)
