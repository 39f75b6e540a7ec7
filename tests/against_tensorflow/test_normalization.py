"""Flatten, Dropout and the normalizations against their Keras namesakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from beras import BatchNormalization, Dropout, Flatten, GradientTape, LayerNormalization, Tensor
from gradcheck.report.differential import Record

from .inputs import DTYPES
from .peer import gradients, keras, tf
from .rounding import Machine, normalization

SHAPES = [(5, 4), (6, 1), (3, 2, 4)]
BASIS = "means of n terms: n·eps of the sum of the magnitudes (running error bound, both sides)"
EXACT = "the same numbers in another order: no rounding"
ROUNDED = "one multiplication on each side: eps of the result"


def pair(kind: str, dtype: str, shape: tuple[int, ...], random: np.random.Generator) -> tuple[Any, Any]:
    """Our layer and Keras' with the same gamma and beta."""
    size = shape[-1]
    ours = {"batch": BatchNormalization, "layer": LayerNormalization}[kind](size, dtype=dtype)
    maker = {"batch": keras.layers.BatchNormalization, "layer": keras.layers.LayerNormalization}[kind]
    theirs = maker(dtype=dtype)
    theirs.build((None, *shape[1:]))
    for name, values in (("gamma", random.uniform(0.5, 2.0, size)), ("beta", random.normal(size=size))):
        getattr(ours, name).assign(values)
        getattr(theirs, name).assign(values)
    return ours, theirs


def call(layer: Any, **options: Any) -> Any:
    """A function of x, gamma and beta."""

    def function(x: Any, gamma: Any, beta: Any) -> Any:
        mapping = [(layer.gamma, gamma), (layer.beta, beta)]
        with keras.StatelessScope(state_mapping=mapping):
            return layer(x, **options)

    return function


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["layer", "batch, training", "batch, evaluation"])
def test_forward_and_backward(record: Record, mode: str, shape: tuple[int, ...], dtype: str) -> None:
    random = np.random.default_rng(0)
    ours, theirs = pair(mode.split(",")[0], dtype, shape, random)
    x, upstream = random.normal(2.0, 3.0, shape).astype(dtype), random.normal(size=shape).astype(dtype)
    options = {} if mode == "layer" else {"training": mode.endswith("training")}
    if options:
        ours.training = options["training"]
        for name, values in (
            ("moving_mean", random.normal(size=shape[-1])),
            ("moving_variance", random.uniform(0.5, 2.0, shape[-1])),
        ):
            getattr(ours, name).assign(values)
            getattr(theirs, name).assign(values)
    y = ours(x)
    own = [y, *ours.compose_input_gradients([upstream]), *ours.compose_weight_gradients([upstream])[:2]]
    arrays = [x, np.asarray(ours.gamma), np.asarray(ours.beta)]
    their_y, their_gradients = gradients(call(theirs, **options), arrays, upstream)

    axes = () if mode == "batch, evaluation" else ours.axes(x)
    wide = x.astype(np.float64)
    if axes:
        mean, variance = wide.mean(axis=axes, keepdims=True), wide.var(axis=axes, keepdims=True)
    else:
        mean, variance = np.asarray(ours.moving_mean), np.asarray(ours.moving_variance)
    statistics = mean, np.sqrt(variance + ours.epsilon)
    errors = normalization(x, statistics, (arrays[1], arrays[2]), upstream, axes, Machine.of(dtype))
    name = f"beras.normalization.{type(ours).__name__}"
    suffix = mode.removeprefix("batch").removeprefix("layer")
    aspects = ("forward", "backward[x]", "backward[gamma]", "backward[beta]")
    for aspect, a, b, error in zip(aspects, own, (their_y, *their_gradients), errors, strict=True):
        record.compare(name, aspect + suffix, dtype, a, b, error, BASIS)
        assert a.dtype == b.dtype == dtype


def test_the_moving_statistics_move_alike(record: Record) -> None:
    random = np.random.default_rng(0)
    ours, theirs = pair("batch", "float64", (5, 4), random)
    largest = 0.0
    for _ in range(20):
        x = random.normal(2.0, 3.0, (7, 4))
        largest = max(largest, float(np.square(x).max()))
        ours(x)
        theirs(tf.constant(x), training=True)
    # 20 steps, each 1 − momentum of a mean of 7 squares and 4 operations more, none larger than the largest square.
    tolerance = 20 * (1 - ours.momentum) * (7 + 4) * np.finfo(np.float64).eps * largest
    for name in ("moving_mean", "moving_variance"):
        a, b = getattr(ours, name), getattr(theirs, name).numpy()
        record.compare("beras.normalization.BatchNormalization", name, "float64", a, b, tolerance, BASIS)
    assert (ours.momentum, ours.epsilon) == (theirs.momentum, theirs.epsilon)


@pytest.mark.parametrize("dtype", DTYPES)
def test_flatten(record: Record, dtype: str) -> None:
    random = np.random.default_rng(0)
    x, upstream = random.normal(size=(2, 3, 4)).astype(dtype), random.normal(size=(2, 12)).astype(dtype)
    ours = Flatten()
    their_y, [their_x] = gradients(keras.layers.Flatten(dtype=dtype), [x], upstream)
    record.compare("beras.layers.Flatten", "forward", dtype, ours(x), their_y, 0.0, EXACT)
    by_x = ours.compose_input_gradients([upstream])[0]
    record.compare("beras.layers.Flatten", "backward[x]", dtype, by_x, their_x, 0.0, EXACT)


def test_dropout(record: Record) -> None:
    """The masks are random on both sides; what they do to the values and to the gradient is not."""
    x = Tensor(np.random.default_rng(0).uniform(1.0, 2.0, (100, 100)))
    ours, theirs = Dropout(0.3, seed=1), keras.layers.Dropout(0.3, seed=1, dtype="float64")
    with GradientTape() as tape:
        y = ours(x)
    factor = tape.gradient(y, x)
    their_y, [their_factor] = gradients(lambda v: theirs(v, training=True), [np.asarray(x)])
    for values, factors in ((y, factor), (their_y, their_factor)):
        np.testing.assert_allclose(values, np.asarray(x) * factors, rtol=1e-15)
        assert abs((np.asarray(factors) == 0).mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 10_000)
    eps = np.finfo(np.float64).eps
    compare = [
        ("backward[x], what is kept and what is not", np.unique(factor), np.unique(their_factor), 2 * eps, ROUNDED)
    ]
    ours.training = False
    evaluated = theirs(tf.constant(np.asarray(x)), training=False).numpy()
    compare.append(("forward, evaluation", ours(x), evaluated, 0.0, EXACT))
    for aspect, a, b, tolerance, basis in compare:
        record.compare("beras.dropout.Dropout", aspect, "float64", a, b, tolerance, basis)
