"""Beras' own functions at random points, each with its formula written a second time, for high precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from beras_layer_cases import attention, convolution, recurrent
from beras_operation_cases import linear_algebra, operation
from beras_points import POSITIVE, Array, Case, Function, Random, Values, by, normal, sigmoid, sizes, softmax
from truth import Exact

from beras import activations, composition, layers, losses, model
from beras.smooth_activations import SELU_ALPHA, SELU_SCALE


def draw(rng: Random) -> Case:
    """Draw one function of Beras, one of its variables, and a point."""
    families = (
        *(_activation, _loss, _layer, _normalization, _model, operation, operation),
        *(linear_algebra, convolution, recurrent, attention),
    )
    return families[rng.integers(len(families))](rng)


def _leaky(alpha: float) -> Any:
    return _two_branches(lambda v: v * alpha)


def _two_branches(left: Any, scale: float = 1.0) -> Any:
    """Return the function that is `scale · x` of positive numbers, `scale · left(x)` of others."""
    return np.frompyfunc(lambda v: (v if v > 0 else left(v)) * scale, 1, 1)


def _exp_minus_one(alpha: float) -> Any:
    return lambda v: (Exact.exp(v) - 1) * alpha


def _gelu(x: Any) -> Any:
    return x * Exact.normal_distribution(x)


def _approximate_gelu(x: Any) -> Any:
    return x * (1 + Exact.tanh((x + x * x * x * 0.044715) * np.sqrt(2 / np.pi))) * 0.5


def _log_softmax(x: Any) -> Any:
    e = Exact.exp(x)
    return x - Exact.log(Exact.sum(e, axis=-1, keepdims=True))


def _activation(rng: Random) -> Case:
    alpha = float(rng.uniform(-0.5, 0.9))
    choices: list[tuple[Any, Any, str]] = [
        (activations.ReLU(), lambda x: Exact.maximum(x, 0.0), "elementwise"),
        (activations.LeakyReLU(alpha), _leaky(alpha), "elementwise"),
        (activations.Sigmoid(), sigmoid, "elementwise"),
        (activations.Tanh(), Exact.tanh, "elementwise"),
        (activations.Sin(), Exact.sin, "elementwise"),
        (activations.Softmax(), softmax, "rows"),
        (activations.LogSoftmax(), _log_softmax, "rows"),
        (activations.GELU(), _gelu, "elementwise"),
        (activations.GELU(approximate=True), _approximate_gelu, "elementwise"),
        (activations.ELU(alpha), _two_branches(_exp_minus_one(alpha)), "elementwise"),
        (activations.SELU(), _two_branches(_exp_minus_one(SELU_ALPHA), SELU_SCALE), "elementwise"),
        (activations.SiLU(), lambda x: x * sigmoid(x), "elementwise"),
        (activations.Softplus(), lambda x: Exact.log(1 + Exact.exp(x)), "elementwise"),
    ]
    layer, formula, structure = choices[rng.integers(len(choices))]
    x = {"x": normal(rng, *sizes(rng))}
    return Case((type(layer).__name__,), by(layer), lambda v: formula(v["x"]), x, "x", structure)


def _probabilities(rng: Random, shape: tuple[int, int]) -> Array:
    if rng.random() < 0.5:
        return rng.dirichlet(np.ones(shape[1]), shape[0])
    return np.asarray(10 ** rng.uniform(-4, -0.01, shape))


class HingeOfLabels(losses.Hinge):
    """Hinge for labels of its own."""

    def __init__(self, labels: Array) -> None:
        self.labels = labels

    def forward(self, y_pred: Any, y_true: Any) -> Any:
        """Return the loss, whatever `y_true` is."""
        return super().forward(y_pred, self.labels)


def _loss(rng: Random) -> Case:
    shape = sizes(rng)
    hot = np.eye(shape[1])[rng.integers(0, shape[1], shape[0])]
    t = hot if rng.random() < 0.5 else rng.dirichlet(np.ones(shape[1]), shape[0])

    def squared(p: Any) -> Any:
        return Exact.sum((p - t) * (p - t)) / t.size

    def categorical(p: Any) -> Any:
        return -Exact.sum(Exact.log(Exact.maximum(p, 1e-12)) * t) / len(t)

    def clipped_log(p: Any) -> Any:
        return Exact.log(Exact.minimum(Exact.maximum(p, 1e-6), 1 - 1e-6))

    def binary(p: Any) -> Any:
        return -Exact.sum(clipped_log(p) * t + clipped_log(1 - p) * (1 - t)) / t.size

    def from_logits(x: Any) -> Any:
        return -Exact.sum(Exact.log(softmax(x)) * t) / len(t)

    def huber(p: Any) -> Any:
        e = p - t
        near = Exact.minimum(Exact.maximum(e, -1.0), 1.0)
        return Exact.sum(near * (e - near / 2)) / t.size

    def divergence(p: Any) -> Any:
        truth = np.maximum(t, 1e-7)
        return Exact.sum((np.log(truth) - Exact.log(Exact.maximum(p, 1e-7))) * truth) / len(t)

    signs = 2 * hot - 1
    choices: list[tuple[Any, Any, Array, Any]] = [
        (losses.MeanAbsoluteError(), lambda p: Exact.sum(Exact.abs(p - t)) / t.size, normal(rng, *shape), None),
        (losses.Huber(), huber, normal(rng, *shape), None),
        (losses.KLDivergence(), divergence, _probabilities(rng, shape), (0.0, 1.0)),
        (losses.Poisson(0.0), lambda p: Exact.sum(p - Exact.log(p) * t) / t.size, _probabilities(rng, shape), POSITIVE),
        (
            HingeOfLabels(signs),
            lambda p: Exact.sum(Exact.maximum(1 - p * signs, 0.0)) / t.size,
            normal(rng, *shape),
            None,
        ),
        (losses.MeanSquaredError(), squared, normal(rng, *shape), None),
        (losses.CategoricalCrossEntropy(), categorical, _probabilities(rng, shape), (0.0, 1.0)),
        (losses.BinaryCrossEntropy(), binary, _probabilities(rng, shape), (0.0, 1.0)),
        (losses.SoftmaxCrossEntropy(), from_logits, normal(rng, *shape), None),
    ]
    loss, formula, x, domain = choices[rng.integers(len(choices))]
    function = lambda v: loss.forward(v["x"], t)  # noqa: E731 -- like the formula beside it
    return Case((type(loss).__name__,), function, lambda v: formula(v["x"]), {"x": x}, "x", domain=domain)


def _layer(rng: Random) -> Case:
    rows, columns = sizes(rng)
    kind = rng.choice(["Dense", "Dense", "Flatten", "Dropout"])
    if kind == "Dense":
        out = int(rng.integers(2, 9))
        values = {"x": normal(rng, rows, columns), "w": normal(rng, columns, out), "b": normal(rng, 1, out)}
        dense = layers.Dense(columns, out, dtype=np.float64)
        wrt = str(rng.choice(["x", "w", "b"]))
        formula: Function = lambda v: v["x"] @ v["w"] + v["b"]  # noqa: E731
        return Case((f"Dense by {wrt}",), by(dense, w="w", b="b"), formula, values, wrt)
    if kind == "Flatten":
        x = normal(rng, rows, columns, 2)
        return Case(("Flatten",), by(layers.Flatten()), lambda v: v["x"].reshape(rows, -1), {"x": x}, "x")
    seed, rate = int(rng.integers(1 << 30)), float(rng.uniform(0.1, 0.9))
    scale = (np.random.default_rng(seed).random((rows, columns)) >= rate) / (1 - rate)
    values = {"x": normal(rng, rows, columns)}
    return Case(
        ("Dropout",),
        lambda v: layers.Dropout(rate, seed=seed).forward(v["x"]),
        lambda v: v["x"] * scale,
        values,
        "x",
        "elementwise",
    )


def _normalised(x: Any, mean: Any, variance: Any, v: Values, epsilon: float) -> Any:
    return (x - mean) / Exact.sqrt(variance + epsilon) * v["gamma"] + v["beta"]


def _normalization(rng: Random) -> Case:
    rows, size = sizes(rng)
    epsilon = float(10 ** rng.uniform(-6, -1))
    values = {"x": normal(rng, rows, size), "gamma": normal(rng, size), "beta": normal(rng, size)}
    kind = str(rng.choice(["LayerNormalization", "BatchNormalization", "BatchNormalization in evaluation"]))
    attributes = {"gamma": "gamma", "beta": "beta"}
    axis = -1 if kind == "LayerNormalization" else 0

    def formula(v: Values) -> Any:
        if "mean" in v:
            return _normalised(v["x"], v["mean"], v["variance"], v, epsilon)
        n = v["x"].shape[axis]
        mean = np.add.reduce(v["x"], axis=axis, keepdims=True) / n
        variance = np.add.reduce((v["x"] - mean) * (v["x"] - mean), axis=axis, keepdims=True) / n
        return _normalised(v["x"], mean, variance, v, epsilon)

    layer: Any
    if kind == "LayerNormalization":
        layer = layers.LayerNormalization(size, epsilon)
    else:
        layer = layers.BatchNormalization(size, epsilon=epsilon)
    if kind.endswith("evaluation"):
        layer.training = False
        values |= {"mean": normal(rng, size), "variance": 10 ** rng.uniform(-3, 2, size)}
        attributes |= {"mean": "moving_mean", "variance": "moving_variance"}
    wrt = str(rng.choice(["x", "x", *attributes]))
    domain = POSITIVE if wrt == "variance" else None
    return Case((f"{kind} by {wrt}",), by(layer, **attributes), formula, values, wrt, domain=domain)


def _model(rng: Random) -> Case:
    """A network of two layers under its loss, by its input or by a weight."""
    rows, columns = sizes(rng)
    hidden, classes = columns, int(rng.integers(2, 6))
    first, second = (layers.Dense(n, m, dtype=np.float64) for n, m in ((columns, hidden), (hidden, classes)))
    t = np.eye(classes)[rng.integers(0, classes, rows)]
    values = {
        "x": normal(rng, rows, columns, scale=1.0),
        "w1": rng.normal(size=(columns, hidden)) / np.sqrt(columns),
        "b1": rng.normal(size=(1, hidden)),
        "w2": rng.normal(size=(hidden, classes)) / np.sqrt(hidden),
        "b2": rng.normal(size=(1, classes)),
    }
    kind = str(rng.choice(["SequentialModel", "Residual", "Branches"]))
    network: Any
    if kind == "SequentialModel":
        network = model.SequentialModel([first, activations.Tanh(), second, activations.Softmax()])
    elif kind == "Residual":
        shortcut = composition.Residual([first, activations.Tanh()])
        network = model.SequentialModel([shortcut, second, activations.Softmax()])
    else:
        branches = composition.Branches([first, second])
        network = model.SequentialModel([branches, activations.Sigmoid()])
    loss = losses.CategoricalCrossEntropy()

    def function(v: Values) -> Any:
        first.w, first.b, second.w, second.b = (v[name] for name in ("w1", "b1", "w2", "b2"))
        y = network(v["x"])
        return y if kind == "Branches" else loss.forward(y, t)

    def formula(v: Values) -> Any:
        one = v["x"] @ v["w1"] + v["b1"]
        if kind == "Branches":
            return sigmoid(np.concatenate([one, v["x"] @ v["w2"] + v["b2"]], axis=-1))
        h = Exact.tanh(one) + (v["x"] if kind == "Residual" else 0.0)
        return -Exact.sum(Exact.log(softmax(h @ v["w2"] + v["b2"])) * t) / len(t)

    wrt = str(rng.choice(list(values)))
    return Case((kind,), function, formula, values, wrt)
