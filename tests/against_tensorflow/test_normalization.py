"""Flatten, Dropout and the normalizations against their Keras namesakes, in float64.

The formulas are the same, and so are their defaults; the sums run over at most 30 terms of size ≤ 10 divided by a σ of
at least √epsilon, so both sides keep 12 digits of the largest entry.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from beras import BatchNormalization, Dropout, Flatten, GradientTape, LayerNormalization, Tensor

from .peer import gradients, keras, tf

RANDOM = np.random.default_rng(0)
SHAPES = [(5, 4), (6, 1), (3, 2, 4)]


def same(ours: Any, theirs: Any) -> None:
    """Equal to 12 digits of the largest entry."""
    a, b = np.asarray(ours), np.asarray(theirs)
    assert a.shape == b.shape
    assert a.dtype == b.dtype == np.float64
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * max(1.0, np.abs(b).max()))


def pair(kind: str, size: int, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Our layer and Keras' with the same gamma and beta."""
    gamma, beta = RANDOM.uniform(0.5, 2.0, size), RANDOM.normal(size=size)
    ours = {"batch": BatchNormalization, "layer": LayerNormalization}[kind](size, dtype=np.float64)
    ours.gamma.assign(gamma)
    ours.beta.assign(beta)
    maker = {"batch": keras.layers.BatchNormalization, "layer": keras.layers.LayerNormalization}[kind]
    theirs = maker(dtype="float64")
    theirs.build((None, *shape[1:]))
    theirs.gamma.assign(gamma)
    theirs.beta.assign(beta)
    return ours, theirs


def call(layer: Any, **options: Any) -> Any:
    """A function of x, gamma and beta."""

    def function(x: Any, gamma: Any, beta: Any) -> Any:
        mapping = [(layer.gamma, gamma), (layer.beta, beta)]
        with keras.StatelessScope(state_mapping=mapping):
            return layer(x, **options)

    return function


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["layer", "batch, training", "batch, evaluation"])
def test_forward_and_backward(mode: str, shape: tuple[int, ...]) -> None:
    ours, theirs = pair(mode.split(",")[0], shape[-1], shape)
    x, upstream = RANDOM.normal(2.0, 3.0, shape), RANDOM.normal(size=shape)
    options = {} if mode == "layer" else {"training": mode.endswith("training")}
    if options:
        ours.training = options["training"]
        moving = RANDOM.normal(size=shape[-1]), RANDOM.uniform(0.5, 2.0, shape[-1])
        for own, their, value in zip(
            (ours.moving_mean, ours.moving_variance), (theirs.moving_mean, theirs.moving_variance), moving, strict=True
        ):
            own.assign(value)
            their.assign(value)
    y = ours(x)
    by_x, (by_gamma, by_beta, *_) = (
        ours.compose_input_gradients([upstream])[0],
        ours.compose_weight_gradients([upstream]),
    )
    arrays = [x, np.asarray(ours.gamma), np.asarray(ours.beta)]
    their_y, (their_x, their_gamma, their_beta) = gradients(call(theirs, **options), arrays, upstream)
    for own, their in ((y, their_y), (by_x, their_x), (by_gamma, their_gamma), (by_beta, their_beta)):
        same(own, their)


def test_the_moving_statistics_move_alike() -> None:
    ours, theirs = pair("batch", 4, (5, 4))
    for _ in range(20):
        x = RANDOM.normal(2.0, 3.0, (7, 4))
        ours(x)
        theirs(tf.constant(x), training=True)
    same(ours.moving_mean, theirs.moving_mean.numpy())
    same(ours.moving_variance, theirs.moving_variance.numpy())
    assert (ours.momentum, ours.epsilon) == (theirs.momentum, theirs.epsilon)


def test_flatten() -> None:
    x, upstream = RANDOM.normal(size=(2, 3, 4)), RANDOM.normal(size=(2, 12))
    ours = Flatten()
    their_y, [their_x] = gradients(keras.layers.Flatten(dtype="float64"), [x], upstream)
    same(ours(x), their_y)
    same(ours.compose_input_gradients([upstream])[0], their_x)


def test_dropout() -> None:
    """The masks are random on both sides; what they do to the values and to the gradient is not."""
    x = Tensor(RANDOM.uniform(1.0, 2.0, (100, 100)))
    ours, theirs = Dropout(0.3, seed=1), keras.layers.Dropout(0.3, seed=1, dtype="float64")
    with GradientTape() as tape:
        y = ours(x)
    factor = tape.gradient(y, x)
    their_y, [their_factor] = gradients(lambda v: theirs(v, training=True), [np.asarray(x)])
    for values, factors in ((y, factor), (their_y, their_factor)):
        np.testing.assert_allclose(values, np.asarray(x) * factors, rtol=1e-15)
        np.testing.assert_allclose(np.unique(factors), [0.0, 1 / 0.7], rtol=1e-15)
        assert abs((np.asarray(factors) == 0).mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 10_000)
    ours.training = False
    same(ours(x), theirs(tf.constant(np.asarray(x)), training=False).numpy())
