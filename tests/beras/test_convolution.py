"""Convolution and pooling against loops over every window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from beras import (
    AveragePooling2D,
    Conv2D,
    GlobalAveragePooling2D,
    GradientTape,
    MaxPooling2D,
    Tensor,
)
from tests.beras.differences import assert_vjp_matches

SETTINGS = [
    {},
    {"strides": 2},
    {"strides": (2, 1), "padding": "same"},
    {"padding": "same"},
    {"dilation_rate": 2},
    {"dilation_rate": (1, 2), "padding": "same"},
    {"strides": (1, 3), "use_bias": False},
    {"activation": "relu", "strides": 3, "padding": "same"},
]


def extent(n: int, size: int, stride: int, dilation: int, same: bool) -> tuple[int, int]:
    """Return how many windows there are, and where the first one begins, as TensorFlow's documentation has it."""
    span = (size - 1) * dilation + 1
    if not same:
        return (n - span + stride) // stride, 0
    number = (n + stride - 1) // stride
    return number, -(max((number - 1) * stride + span - n, 0) // 2)


def naive(x: Any, size: Any, strides: Any, dilation: Any, same: bool, see: Any) -> Any:
    """Return `see` of the pixels of each window: (pixel or None, place in the window), for one image at a time."""
    (h, w), (kh, kw), (sh, sw), (dh, dw) = x.shape[1:3], size, strides, dilation
    (down, top), (across, left) = extent(h, kh, sh, dh, same), extent(w, kw, sw, dw, same)
    rows = []
    for image in x:
        for p in range(down):
            for q in range(across):
                places = [(top + p * sh + i * dh, left + q * sw + j * dw, i, j) for i in range(kh) for j in range(kw)]
                inside = [(image[a, b], i, j) for a, b, i, j in places if 0 <= a < h and 0 <= b < w]
                rows.append(see(inside))
    return np.array(rows).reshape(len(x), down, across, -1)


def both(value: Any) -> Any:
    return value if isinstance(value, tuple) else (value, value)


@pytest.mark.parametrize("options", SETTINGS, ids=str)
@pytest.mark.parametrize("shape", [(2, 5, 6, 3), (1, 7, 5, 1)])
def test_convolution(options: dict[str, Any], shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    layer = Conv2D(4, (3, 2), input_channels=shape[-1], dtype=np.float64, seed=1, **options)
    for weight in layer.weights:
        weight[...] = random.normal(size=weight.shape)
    x, w = random.normal(size=shape), np.asarray(layer.w)
    b = 0.0 if layer.b is None else np.asarray(layer.b)
    z = naive(
        x,
        (3, 2),
        both(options.get("strides", 1)),
        both(options.get("dilation_rate", 1)),
        options.get("padding") == "same",
        lambda seen: sum(pixel @ w[i, j] for pixel, i, j in seen) + b,
    )
    np.testing.assert_allclose(layer(x), np.maximum(z, 0) if "activation" in options else z, rtol=1e-12, atol=1e-13)
    assert_vjp_matches(layer, x)


@pytest.mark.parametrize("cached", [1, 100, 10**9])
def test_the_images_that_are_laid_out_at_a_time_change_nothing(monkeypatch: pytest.MonkeyPatch, cached: int) -> None:
    random = np.random.default_rng(0)
    layer, x = Conv2D(2, 3, input_channels=2, dtype=np.float64, seed=1), random.normal(size=(5, 6, 6, 2))
    J = [random.normal(size=(5, 4, 4, 2))]

    def everything() -> list[Any]:
        return [layer(x), *layer.compose_input_gradients(J), *layer.compose_weight_gradients(J)]

    usual = everything()
    monkeypatch.setattr(Conv2D, "cached", cached)
    for a, b in zip(usual, everything(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("options", [{}, {"strides": 1}, {"strides": (1, 2), "padding": "same"}], ids=str)
@pytest.mark.parametrize("size", [2, (3, 2)])
def test_pooling(options: dict[str, Any], size: Any) -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 3))
    strides, same = both(options.get("strides", size)), options.get("padding") == "same"
    for layer, see in (
        (MaxPooling2D(size, **options), lambda seen: np.max([pixel for pixel, _, _ in seen], axis=0)),
        (AveragePooling2D(size, **options), lambda seen: np.mean([pixel for pixel, _, _ in seen], axis=0)),
    ):
        expected = naive(x, both(size), strides, (1, 1), same, see)
        np.testing.assert_allclose(layer(x), expected, rtol=1e-12)
        assert_vjp_matches(layer, x)


def test_the_first_of_equal_maxima_gets_the_gradient_also_where_windows_overlap() -> None:
    layer = MaxPooling2D(2)
    layer(np.ones((1, 2, 4, 1)))
    assert layer.compose_input_gradients([np.array([2.0, 3.0]).reshape(1, 1, 2, 1)])[0][0, :, :, 0].tolist() == [
        [2.0, 0.0, 3.0, 0.0],
        [0.0, 0.0, 0.0, 0.0],
    ]
    layer = MaxPooling2D((1, 2), 1)
    layer(np.array([1.0, 1.0, 0.0]).reshape(1, 1, 3, 1))
    assert layer.compose_input_gradients([np.array([2.0, 3.0]).reshape(1, 1, 2, 1)])[0].ravel().tolist() == [2, 3, 0]


def test_what_is_padded_is_never_the_maximum() -> None:
    assert MaxPooling2D(3, 1, "same")(-np.ones((1, 2, 2, 1))).ravel().tolist() == [-1.0] * 4


@pytest.mark.parametrize("keepdims", [False, True])
def test_the_mean_of_each_channel(keepdims: bool) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    layer = GlobalAveragePooling2D(keepdims)
    y = layer(x)
    assert y.shape == ((2, 1, 1, 5) if keepdims else (2, 5))
    np.testing.assert_allclose(np.asarray(y).reshape(2, 5), [[x[n, :, :, c].mean() for c in range(5)] for n in (0, 1)])
    assert_vjp_matches(layer, x)


def test_weights_are_made_for_the_images_of_the_first_call() -> None:
    layer = Conv2D(4, 3, seed=1)
    assert layer.weights == []
    assert layer(np.ones((2, 5, 5, 3), np.float32)).shape == (2, 3, 3, 4)
    assert [w.shape for w in layer.weights] == [(3, 3, 3, 4), (4,)]
    limit = np.sqrt(6 / (3 * 3 * 3 + 3 * 3 * 4))
    assert 0.9 * limit < np.abs(np.asarray(layer.w)).max() <= limit
    twin = Conv2D(4, 3, input_channels=3, seed=1)
    np.testing.assert_array_equal(layer.w, twin.w)


def test_the_first_call_may_be_on_a_tape() -> None:
    layer, x = Conv2D(2, 2, dtype=np.float64, seed=1), Tensor(np.random.default_rng(0).normal(size=(1, 3, 3, 1)))
    with GradientTape() as tape:
        y = layer(x).sum()
    by_w, by_b = tape.gradient(y, layer.weights)
    assert by_w.shape == (2, 2, 1, 2)
    assert by_b.tolist() == [4.0, 4.0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_type_follows_numpy(dtype: type) -> None:
    layer, x = Conv2D(2, 2, input_channels=1, dtype=dtype), np.ones((1, 3, 3, 1), dtype)
    for one in (layer, MaxPooling2D(), AveragePooling2D(), GlobalAveragePooling2D()):
        y = one(x)
        assert y.dtype == dtype
        gradients = [
            *one.compose_input_gradients([np.ones(y.shape)]),
            *one.compose_weight_gradients([np.ones(y.shape)]),
        ]
        assert {g.dtype for g in gradients} == {np.dtype(dtype)}
    assert layer(np.ones((1, 3, 3, 1), int)).dtype == np.float64


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv2D(0, 3), "filters to be at least 1, got 0"),
        (lambda: Conv2D(2, (1, 2, 3)), r"kernel_size to be one number or two, got \(1, 2, 3\)"),
        (lambda: Conv2D(2, 3, padding="SAME"), "padding to be 'valid' or 'same', got 'SAME'"),
        (lambda: Conv2D(2, 3, strides=0), "strides to be at least 1"),
        (lambda: MaxPooling2D(0), "pool_size to be at least 1"),
        (lambda: Conv2D(2, 3)(np.ones((28, 28, 1))), r"\(batch, height, width, channels\), got shape \(28, 28, 1\)"),
        (lambda: Conv2D(2, 3, input_channels=1)(np.ones((1, 5, 5, 3))), r"of 1 channels, got shape \(1, 5, 5, 3\)"),
        (lambda: Conv2D(2, 3)(np.ones((1, 2, 5, 3))), r"at least 3 pixels .* got 2 × 5: padding='same' makes room"),
        (lambda: GlobalAveragePooling2D()(np.ones((2, 3))), r"got shape \(2, 3\)"),
        (lambda: Conv2D(2, 3)(np.ones((0, 5, 5, 3))), r"got an empty array"),
    ],
)
def test_errors_say_what_came_and_what_was_expected(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
