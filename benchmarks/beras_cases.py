"""Beras' own functions at random points, each with its formula written a second time, for high precision.

`forward` runs the very code of Beras, in float64. The formula beside it is the textbook's, on arrays of duals
(`truth.py`), where neither overflow nor rounding needs a trick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from truth import Exact, jacobian, lift

from beras import activations, composition, layers, losses, model, ops

Array = np.ndarray[Any, np.dtype[Any]]
Random = np.random.Generator
Values = dict[str, Any]
Function = Callable[[Values], Any]
POSITIVE = (0.0, np.inf)


@dataclass(frozen=True)
class Case:
    """A function of Beras with its point. `formula` is the same function of exact `values`."""

    program: tuple[str, ...]
    function: Function
    formula: Function
    values: dict[str, Array]
    wrt: str
    structure: str = "dense"
    domain: tuple[float, float] | None = None

    def forward(self, values: dict[str, Array]) -> list[Array]:
        """The function under test."""
        return [np.asarray(self.function(values))]

    def truth(self) -> tuple[Array, Array]:
        """Return the dense Jacobian, to twice a double's precision."""
        exact = {name: lift(value) for name, value in self.values.items()}
        return jacobian(lambda x: self.formula({**exact, self.wrt: x}), self.values[self.wrt], self.structure)


def draw(rng: Random) -> Case:
    """Draw one function of Beras, one of its variables, and a point."""
    family = [_activation, _loss, _layer, _normalization, _model, _operation, _operation][rng.integers(7)]
    return family(rng)


def _normal(rng: Random, *shape: int, scale: float | None = None) -> Array:
    size = 10 ** rng.uniform(-2, 1.5) if scale is None else scale
    return size * rng.normal(size=shape) + rng.choice([0.0, size])


def _shape(rng: Random) -> tuple[int, int]:
    return int(rng.integers(2, 11)), int(rng.integers(2, 11))


def _by(layer: Any, **renamed: str) -> Function:
    """Return a function that puts values into the attributes of a layer and runs its forward on `x`."""

    def function(v: Values) -> Any:
        for name, attribute in renamed.items():
            setattr(layer, attribute, v[name])
        return layer.forward(v["x"])

    return function


def _softmax(x: Any) -> Any:
    e = Exact.exp(x)
    return e / Exact.sum(e, axis=-1, keepdims=True)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + Exact.exp(-x))


def _leaky(alpha: float) -> Any:
    return np.frompyfunc(lambda v: v if v > 0 else v * alpha, 1, 1)


def _activation(rng: Random) -> Case:
    alpha = float(rng.uniform(-0.5, 0.9))
    choices: list[tuple[Any, Any, str]] = [
        (activations.ReLU(), lambda x: Exact.maximum(x, 0.0), "elementwise"),
        (activations.LeakyReLU(alpha), _leaky(alpha), "elementwise"),
        (activations.Sigmoid(), _sigmoid, "elementwise"),
        (activations.Tanh(), Exact.tanh, "elementwise"),
        (activations.Sin(), Exact.sin, "elementwise"),
        (activations.Softmax(), _softmax, "rows"),
        (activations.Softmax(), _softmax, "rows"),
    ]
    layer, formula, structure = choices[rng.integers(len(choices))]
    x = {"x": _normal(rng, *_shape(rng))}
    return Case((type(layer).__name__,), _by(layer), lambda v: formula(v["x"]), x, "x", structure)


def _probabilities(rng: Random, shape: tuple[int, int]) -> Array:
    if rng.random() < 0.5:
        return rng.dirichlet(np.ones(shape[1]), shape[0])
    return np.asarray(10 ** rng.uniform(-4, -0.01, shape))


def _loss(rng: Random) -> Case:
    shape = _shape(rng)
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
        return -Exact.sum(Exact.log(_softmax(x)) * t) / len(t)

    choices: list[tuple[Any, Any, Array, Any]] = [
        (losses.MeanSquaredError(), squared, _normal(rng, *shape), None),
        (losses.CategoricalCrossEntropy(), categorical, _probabilities(rng, shape), (0.0, 1.0)),
        (losses.BinaryCrossEntropy(), binary, _probabilities(rng, shape), (0.0, 1.0)),
        (losses.SoftmaxCrossEntropy(), from_logits, _normal(rng, *shape), None),
    ]
    loss, formula, x, domain = choices[rng.integers(len(choices))]
    function = lambda v: loss.forward(v["x"], t)  # noqa: E731 -- like the formula beside it
    return Case((type(loss).__name__,), function, lambda v: formula(v["x"]), {"x": x}, "x", domain=domain)


def _layer(rng: Random) -> Case:
    rows, columns = _shape(rng)
    kind = rng.choice(["Dense", "Dense", "Flatten", "Dropout"])
    if kind == "Dense":
        out = int(rng.integers(2, 9))
        values = {"x": _normal(rng, rows, columns), "w": _normal(rng, columns, out), "b": _normal(rng, 1, out)}
        dense = layers.Dense(columns, out, dtype=np.float64)
        wrt = str(rng.choice(["x", "w", "b"]))
        formula: Function = lambda v: v["x"] @ v["w"] + v["b"]  # noqa: E731
        return Case((f"Dense by {wrt}",), _by(dense, w="w", b="b"), formula, values, wrt)
    if kind == "Flatten":
        x = _normal(rng, rows, columns, 2)
        return Case(("Flatten",), _by(layers.Flatten()), lambda v: v["x"].reshape(rows, -1), {"x": x}, "x")
    seed, rate = int(rng.integers(1 << 30)), float(rng.uniform(0.1, 0.9))
    scale = (np.random.default_rng(seed).random((rows, columns)) >= rate) / (1 - rate)
    values = {"x": _normal(rng, rows, columns)}
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
    rows, size = _shape(rng)
    epsilon = float(10 ** rng.uniform(-6, -1))
    values = {"x": _normal(rng, rows, size), "gamma": _normal(rng, size), "beta": _normal(rng, size)}
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
        values |= {"mean": _normal(rng, size), "variance": 10 ** rng.uniform(-3, 2, size)}
        attributes |= {"mean": "moving_mean", "variance": "moving_variance"}
    wrt = str(rng.choice(["x", "x", *attributes]))
    domain = POSITIVE if wrt == "variance" else None
    return Case((f"{kind} by {wrt}",), _by(layer, **attributes), formula, values, wrt, domain=domain)


def _model(rng: Random) -> Case:
    """A network of two layers under its loss, by its input or by a weight."""
    rows, columns = _shape(rng)
    hidden, classes = columns, int(rng.integers(2, 6))
    first, second = (layers.Dense(n, m, dtype=np.float64) for n, m in ((columns, hidden), (hidden, classes)))
    t = np.eye(classes)[rng.integers(0, classes, rows)]
    values = {
        "x": _normal(rng, rows, columns, scale=1.0),
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
            return _sigmoid(np.concatenate([one, v["x"] @ v["w2"] + v["b2"]], axis=-1))
        h = Exact.tanh(one) + (v["x"] if kind == "Residual" else 0.0)
        return -Exact.sum(Exact.log(_softmax(h @ v["w2"] + v["b2"])) * t) / len(t)

    wrt = str(rng.choice(list(values)))
    return Case((kind,), function, formula, values, wrt)


def _operation(rng: Random) -> Case:
    rows, columns = _shape(rng)
    x, y = _normal(rng, rows, columns), _normal(rng, rows if rng.random() < 0.5 else 1, columns)
    low, high = np.sort(_normal(rng, 2))
    condition = rng.random((rows, columns)) < 0.5
    positive = np.abs(x) + 1e-3 * np.abs(x).max()
    matrix = _normal(rng, columns, 4)
    one: list[tuple[ops.Operation, Any, Array, Any]] = [
        (ops.Exp(), Exact.exp, x, None),
        (ops.Expm1(), lambda v: Exact.exp(v) - 1, x, None),
        (ops.Log(), Exact.log, positive, POSITIVE),
        (ops.Log1p(), Exact.log1p, positive - 0.5 * positive.min(), (-1.0, np.inf)),
        (ops.Sqrt(), Exact.sqrt, positive, POSITIVE),
        (ops.Sin(), Exact.sin, x, None),
        (ops.Cos(), Exact.cos, x, None),
        (ops.Tanh(), Exact.tanh, x, None),
        (ops.Absolute(), Exact.abs, x, None),
        (ops.Clip(low, high), lambda v: Exact.minimum(Exact.maximum(v, low), high), x, None),
        (ops.Negative(), lambda v: -v, x, None),
        (ops.Positive(), lambda v: v, x, None),
        (ops.Conjugate(), lambda v: v, x, None),
        (ops.Reciprocal(), lambda v: 1 / v, x, None),
        (ops.Square(), lambda v: v * v, x, None),
        (ops.Copy(), lambda v: v, x, None),
        (ops.Cast(), lambda v: v, x, None),
        (ops.Sum(0), lambda v: Exact.sum(v, axis=0), x, None),
        (ops.Mean(-1), lambda v: Exact.sum(v, axis=-1) / columns, x, None),
        (ops.Max(-1), lambda v: Exact.max(v, axis=-1), x, None),
        (ops.Min(0), lambda v: Exact.minimum.reduce(v, axis=0), x, None),
        (ops.Reshape(-1), lambda v: v.reshape(-1), x, None),
        (ops.Transpose(), lambda v: v.T, x, None),
        (ops.GetItem(1), lambda v: v[1], x, None),
        (ops.BroadcastTo((2, rows, columns)), lambda v: np.broadcast_to(v, (2, rows, columns)), x, None),
        (ops.Repeat(2, 0), lambda v: np.repeat(v, 2, axis=0), x, None),
    ]
    two: list[tuple[ops.Operation, Any, Array, Array]] = [
        (ops.Add(), lambda v, w: v + w, x, y),
        (ops.Subtract(), lambda v, w: v - w, x, y),
        (ops.Multiply(), lambda v, w: v * w, x, y),
        (ops.Divide(), lambda v, w: v / w, x, y),
        (ops.Power(), lambda v, w: Exact.exp(w * Exact.log(v)), positive, np.clip(y, -8, 8)),
        (ops.Maximum(), Exact.maximum, x, y),
        (ops.Minimum(), Exact.minimum, x, y),
        (ops.Where(condition), lambda v, w: np.where(condition, v, w), x, y),
        (ops.Matmul(), lambda v, w: v @ w, x, matrix),
        (ops.Concatenate(), lambda v, w: np.concatenate([v, w]), x, y),
        (ops.Stack(), lambda v, w: np.stack([v, w]), x, x[::-1]),
    ]
    number = int(rng.integers(len(one) + 2 * len(two)))
    if number < len(one):
        operation, formula, point, domain = one[number]
        name = (type(operation).__name__,)
        return Case(
            name, lambda v: operation.forward(v["x"]), lambda v: formula(v["x"]), {"x": point}, "x", domain=domain
        )
    operation, formula2, left, right = two[(number - len(one)) // 2]
    wrt = "xy"[number % 2]
    domain = POSITIVE if isinstance(operation, ops.Power) and wrt == "x" else None
    return Case(
        (f"{type(operation).__name__} by {wrt}",),
        lambda v: operation.forward(v["x"], v["y"]),
        lambda v: formula2(v["x"], v["y"]),
        {"x": left, "y": right},
        wrt,
        domain=domain,
    )
