"""Layers of images and of sequences at random points; their formulas are loops over places, steps and heads."""

from __future__ import annotations

from typing import Any

import numpy as np
from beras_points import Array, Case, Random, Values, by, normal, sigmoid, softmax
from truth import Exact

from beras import layers
from beras.activations import PReLU


def convolution(rng: Random) -> Case:
    """Draw a convolution, a pooling, an embedding or a PReLU."""
    kind = str(rng.choice(["Conv2D", "Conv2D", "MaxPooling2D", "AveragePooling2D", "Embedding", "PReLU"]))
    x = normal(rng, 2, int(rng.integers(3, 6)), int(rng.integers(3, 6)), 2)
    if kind == "Conv2D":
        strides = int(rng.integers(1, 3))
        values = {"x": x, "w": normal(rng, 2, 3, 2, 2), "b": normal(rng, 2)}
        layer: Any = layers.Conv2D(2, (2, 3), strides, input_channels=2, dtype=np.float64)
        wrt = str(rng.choice(["x", "w", "b"]))
        return Case((f"Conv2D by {wrt}",), by(layer, w="w", b="b"), lambda v: _convolved(v, strides), values, wrt)
    if kind == "Embedding":
        indices, table = rng.integers(0, 4, (2, 3)), normal(rng, 4, 2)
        layer = layers.Embedding(4, 2, dtype=np.float64)

        def function(v: Values) -> Any:
            layer.w = v["w"]
            return layer.forward(indices)

        return Case(("Embedding by w",), function, lambda v: v["w"][indices], {"w": table}, "w")
    if kind == "PReLU":
        layer = PReLU(shape=x.shape[1:], dtype=np.float64)
        values = {"x": x, "alpha": normal(rng, *x.shape[1:])}
        wrt = str(rng.choice(["x", "alpha"]))
        return Case((f"PReLU by {wrt}",), by(layer, alpha="alpha"), _prelu, values, wrt)
    layer = getattr(layers, kind)((2, 3), 1)
    pooled = (lambda w: Exact.maximum.reduce(w, axis=0)) if kind == "MaxPooling2D" else (lambda w: _sum(w) / len(w))
    return Case((kind,), by(layer), lambda v: _over_windows(v["x"], (2, 3), 1, pooled), {"x": x}, "x")


def _over_windows(x: Any, size: tuple[int, int], stride: int, function: Any) -> Any:
    """Return `function` of the pixels of each window, `(pixels, batch, channels)`."""
    down, across = ((n - k) // stride + 1 for n, k in zip(x.shape[1:3], size, strict=True))
    windows = [
        [
            np.stack([x[:, stride * p + i, stride * q + j] for i in range(size[0]) for j in range(size[1])])
            for q in range(across)
        ]
        for p in range(down)
    ]
    return np.stack([np.stack([function(w) for w in row], axis=1) for row in windows], axis=1)


def _sum(windows: Any) -> Any:
    return np.add.reduce(windows, axis=0)


def _convolved(v: Values, stride: int) -> Any:
    matrices = v["w"].reshape(-1, *v["w"].shape[2:])

    def seen(window: Any) -> Any:
        return _sum(np.stack([pixel @ w for pixel, w in zip(window, matrices, strict=True)]))

    return _over_windows(v["x"], v["w"].shape[:2], stride, seen) + v["b"]


def _prelu(v: Values) -> Any:
    return Exact.maximum(v["x"], 0.0) + Exact.minimum(v["x"], 0.0) * v["alpha"]


def recurrent(rng: Random) -> Case:
    """Draw a recurrent layer, at sequences of four steps."""
    kind = str(rng.choice(["SimpleRNN", "LSTM", "GRU"]))
    units, features, steps = 2, 2, 4
    gates = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}[kind] * units
    values = {
        "x": normal(rng, 2, steps, features, scale=1.0),
        "w": rng.normal(size=(features, gates)),
        "u": rng.normal(size=(units, gates)),
        "b": rng.normal(size=(2, gates) if kind == "GRU" else gates),
    }
    every = bool(rng.random() < 0.5)
    layer = getattr(layers, kind)(units, input_size=features, return_sequences=every, dtype=np.float64)
    step = {"SimpleRNN": _simple_step, "LSTM": _lstm_step, "GRU": _gru_step}[kind]

    def formula(v: Values) -> Any:
        state: tuple[Any, ...] = (np.zeros((2, units)), np.zeros((2, units)))
        found = []
        for t in range(steps):
            state = step(v, v["x"][:, t], *state)
            found.append(state[0])
        return np.stack(found, axis=1) if every else found[-1]

    wrt = str(rng.choice(list(values)))
    return Case((f"{kind} by {wrt}",), by(layer, w="w", u="u", b="b"), formula, values, wrt)


def _simple_step(v: Values, x: Any, h: Any, c: Any) -> tuple[Any, Any]:
    return Exact.tanh(x @ v["w"] + h @ v["u"] + v["b"]), c


def _lstm_step(v: Values, x: Any, h: Any, c: Any) -> tuple[Any, Any]:
    z = x @ v["w"] + h @ v["u"] + v["b"]
    n = z.shape[1] // 4
    i, f, o = (sigmoid(z[:, k * n : (k + 1) * n]) for k in (0, 1, 3))
    c = f * c + i * Exact.tanh(z[:, 2 * n : 3 * n])
    return o * Exact.tanh(c), c


def _gru_step(v: Values, x: Any, h: Any, c: Any) -> tuple[Any, Any]:
    n = h.shape[1]
    seen, inner = x @ v["w"] + v["b"][0], h @ v["u"] + v["b"][1]
    z, r = (sigmoid(seen[:, k * n : (k + 1) * n] + inner[:, k * n : (k + 1) * n]) for k in (0, 1))
    g = Exact.tanh(seen[:, 2 * n :] + r * inner[:, 2 * n :])
    return z * h + (1 - z) * g, c


def attention(rng: Random) -> Case:
    """Draw attention with two heads, by what it reads or by one of its weights."""
    heads, dim, size = 2, 2, 3
    layer = layers.MultiHeadAttention(heads, dim, input_size=size, dtype=np.float64)
    shapes: dict[str, tuple[int, ...]] = {"x": (2, 3, size), "value": (2, 2, size)}
    for name in ("wq", "wk", "wv"):
        shapes |= {name: (size, heads, dim), name.replace("w", "b"): (heads, dim)}
    shapes |= {"wo": (heads, dim, size), "bo": (size,)}
    values: dict[str, Array] = {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def function(v: Values) -> Any:
        for name in [name for name in v if name not in ("x", "value")]:
            setattr(layer, name, v[name])
        return layer.forward(v["x"], v["value"])

    def formula(v: Values) -> Any:
        found = []
        for query, value in zip(v["x"], v["value"], strict=True):
            total = v["bo"]
            for h in range(heads):
                q, k, w = (a @ v[f"w{n}"][:, h] + v[f"b{n}"][h] for n, a in (("q", query), ("k", value), ("v", value)))
                total = total + softmax((q @ k.T) / np.sqrt(dim)) @ w @ v["wo"][h]
            found.append(total)
        return np.stack(found)

    wrt = str(rng.choice([name for name in values if name != "bk"]))  # by which the derivative is 0
    return Case((f"MultiHeadAttention by {wrt}",), function, formula, values, wrt)
