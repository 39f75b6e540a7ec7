"""Convolution, pooling and embedding against Keras', forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from beras import AveragePooling2D, Conv2D, Embedding, GlobalAveragePooling2D, MaxPooling2D
from gradcheck.report.differential import Record

from .inputs import DTYPES
from .peer import gradients, keras, tf
from .rounding import Array, Machine
from .running import Node, bounds, leaves_of

BASIS = "running error bound of the sum over each window and of its adjoint: n·eps of the sum of the magnitudes"
EXACT = "the same numbers elsewhere, and sums of a few of them"
CONVOLUTIONS: list[dict[str, Any]] = [
    {"kernel_size": 3},
    {"kernel_size": (2, 3), "strides": 2},
    {"kernel_size": 3, "strides": 2, "padding": "same"},
    {"kernel_size": (3, 2), "padding": "same"},
    {"kernel_size": 2, "dilation_rate": (2, 1)},
    {"kernel_size": 3, "dilation_rate": 2, "padding": "same"},
    {"kernel_size": 1, "use_bias": False},
    {"kernel_size": 4, "strides": 3, "padding": "same", "activation": "tanh"},
]
POOLS: list[dict[str, Any]] = [
    {"pool_size": 2},
    {"pool_size": (3, 2), "strides": (1, 2)},
    {"pool_size": 3, "strides": 2, "padding": "same"},
    {"pool_size": 2, "strides": 1, "padding": "same"},
]


def pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def places(shape: tuple[int, ...], size: Any, options: dict[str, Any]) -> tuple[Array, int]:
    """Return which pixel, of those numbered in C order, each window sees at each of its places; the last is the border.

    `(down, across, size)`; written from TensorFlow's documentation of padding.
    """
    h, w = shape[1:3]
    same = options.get("padding") == "same"
    axes = []
    for n, k, s, d in zip(
        (h, w), pair(size), pair(options["strides"]), pair(options.get("dilation_rate", 1)), strict=True
    ):
        span = (k - 1) * d + 1
        count = -(-n // s) if same else (n - span) // s + 1
        start = -(max((count - 1) * s + span - n, 0) // 2) if same else 0
        axes.append(start + np.arange(count)[:, None] * s + np.arange(k) * d)
    rows, columns = axes
    row, column = rows[:, None, :, None], columns[None, :, None, :]
    inside = (row >= 0) & (row < h) & (column >= 0) & (column < w)
    flat = np.where(inside, np.clip(row, 0, h - 1) * w + np.clip(column, 0, w - 1), h * w)
    return flat.reshape(len(rows), len(columns), -1), h * w


def windows(x: Node, index: Array) -> Node:
    """What each window sees, `(batch, down, across, size, channels)`, zeros on the border."""
    batch, h, w, channels = x.shape
    seen = x.reshape(batch, h * w, channels)[:, np.minimum(index, h * w - 1)]
    return seen * (index < h * w)[None, ..., None].astype(float)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("options", CONVOLUTIONS, ids=str)
def test_convolution(record: Record, options: dict[str, Any], dtype: str) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 7, 6, 3)).astype(dtype)
    ours = Conv2D(4, input_channels=3, dtype=dtype, **options)
    weights = [random.normal(size=w.shape).astype(dtype) for w in ours.weights]
    ours.set_weights(weights)
    theirs = keras.layers.Conv2D(4, dtype=dtype, **options)
    theirs.build(x.shape)
    theirs.set_weights(weights)
    variables = [theirs.kernel, theirs.bias][: len(weights)]

    def call(x_: Any, *values: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return theirs(x_)

    y = ours(x)
    upstream = random.normal(size=y.shape).astype(dtype)
    found = [*ours.compose_input_gradients([upstream]), *ours.compose_weight_gradients([upstream])]
    their_y, their_found = gradients(call, [x, *weights], upstream)

    leaves = leaves_of([x, *weights], Machine.of(dtype))
    index, _ = places(x.shape, options["kernel_size"], {"strides": 1, **options})
    seen = windows(leaves[0], index)
    z = seen.reshape(*seen.shape[:3], -1) @ leaves[1].reshape(-1, 4)
    z = z + leaves[2] if len(weights) > 1 else z
    z = z.tanh() if "activation" in options else z
    forward, backward = bounds(z, upstream, leaves)
    record.compare("beras.convolution.Conv2D", "forward", dtype, y, their_y, forward, BASIS)
    for name, a, b, error in zip("xwb", found, their_found, backward, strict=False):
        record.compare("beras.convolution.Conv2D", f"backward[{name}]", dtype, a, b, error, BASIS)
        assert a.dtype == b.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("options", POOLS, ids=str)
@pytest.mark.parametrize("kind", ["Max", "Average"])
def test_pooling(record: Record, kind: str, options: dict[str, Any], dtype: str) -> None:
    random = np.random.default_rng(0)
    # Small whole numbers: ties within many windows, and TensorFlow gives their gradient to one of them.
    x = random.integers(-2, 3, size=(2, 7, 6, 3)).astype(dtype) + random.normal(size=(2, 7, 6, 3)).astype(dtype) * 0.25
    ours = {"Max": MaxPooling2D, "Average": AveragePooling2D}[kind](**options)
    theirs = getattr(keras.layers, f"{kind}Pooling2D")(dtype=dtype, **options)
    y = ours(x)
    upstream = random.normal(size=y.shape).astype(dtype)
    [by_x] = ours.compose_input_gradients([upstream])
    their_y, [their_x] = gradients(theirs, [x], upstream)
    [leaf] = leaves_of([x], Machine.of(dtype))
    index, border = places(x.shape, options["pool_size"], {"strides": options["pool_size"], **options})
    seen = windows(leaf, index)
    inside = (index < border)[None, ..., None]
    if kind == "Average":
        z = seen.sum(axis=3) * (1 / inside.sum(axis=3))
    else:
        best = np.where(inside, seen.now.value, -np.inf).argmax(axis=3)
        z = seen[tuple(np.ogrid[tuple(slice(n) for n in best.shape)][:3]) + (best, np.arange(3))]
    forward, [backward] = bounds(z, upstream, [leaf])
    name = f"beras.pooling.{kind}Pooling2D"
    record.compare(name, "forward", dtype, y, their_y, forward, BASIS if kind == "Average" else EXACT)
    record.compare(name, "backward[x]", dtype, by_x, their_x, backward, BASIS if kind == "Average" else EXACT)
    assert (y.dtype, by_x.dtype) == (their_y.dtype, their_x.dtype)


def test_the_first_of_equal_maxima_gets_the_gradient_as_in_tensorflow(record: Record) -> None:
    x = np.zeros((1, 4, 4, 2), np.float32)
    upstream = np.arange(1.0, 9.0, dtype=np.float32).reshape(1, 2, 2, 2)
    ours = MaxPooling2D(2)
    ours(x)
    [by_x] = ours.compose_input_gradients([upstream])
    _, [their_x] = gradients(keras.layers.MaxPooling2D(2), [x], upstream)
    record.compare("beras.pooling.MaxPooling2D", "backward[x] of ties", "float32", by_x, their_x, 0.0, EXACT)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("keepdims", [False, True])
def test_global_average_pooling(record: Record, keepdims: bool, dtype: str) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 5, 4, 3)).astype(dtype)
    ours, theirs = GlobalAveragePooling2D(keepdims), keras.layers.GlobalAveragePooling2D(keepdims=keepdims, dtype=dtype)
    y = ours(x)
    upstream = random.normal(size=y.shape).astype(dtype)
    their_y, [their_x] = gradients(theirs, [x], upstream)
    [leaf] = leaves_of([x], Machine.of(dtype))
    forward, [backward] = bounds(leaf.mean(axis=(1, 2)).reshape(*y.shape), upstream, [leaf])
    name = "beras.pooling.GlobalAveragePooling2D"
    record.compare(name, "forward", dtype, y, their_y, forward, BASIS)
    [by_x] = ours.compose_input_gradients([upstream])
    record.compare(name, "backward[x]", dtype, by_x, their_x, backward, BASIS)


@pytest.mark.parametrize("dtype", DTYPES)
def test_embedding(record: Record, dtype: str) -> None:
    random = np.random.default_rng(0)
    x, w = random.integers(0, 5, (3, 4)), random.normal(size=(5, 2)).astype(dtype)
    ours = Embedding(5, 2, dtype=dtype)
    ours.set_weights([w])
    y = ours(x)
    upstream = random.normal(size=y.shape).astype(dtype)
    variable = tf.Variable(w)
    with tf.GradientTape() as tape:
        their_y = tf.gather(variable, x)
    their_w = tf.convert_to_tensor(tape.gradient(their_y, variable, tf.constant(upstream))).numpy()
    layer = keras.layers.Embedding(5, 2, dtype=dtype)
    layer.build()
    layer.set_weights([w])
    np.testing.assert_array_equal(layer(x).numpy(), their_y.numpy())
    [leaf] = leaves_of([w], Machine.of(dtype))
    forward, [backward] = bounds(leaf[x], upstream, [leaf])
    record.compare("beras.embedding.Embedding", "forward", dtype, y, their_y.numpy(), forward, EXACT)
    [by_w] = ours.compose_weight_gradients([upstream])
    record.compare("beras.embedding.Embedding", "backward[w]", dtype, by_w, their_w, backward, EXACT)
