"""Narrow mistakes in settings that no argument sets, or that only recurrent, grouped and padded layers have.

As in `narrow_cases`: a right class, and subclasses with one mistake each.
"""

from __future__ import annotations

import numpy as np

from benchmarks.narrow_cases import Case


class Scaled:
    """Mean or sum of scale · x² over features; both are attributes of the class."""

    reduction = "mean"
    scale = 1

    def forward(self, x):
        self.x = x
        y = self.scale * x**2
        return y.mean(axis=1) if self.reduction == "mean" else y.sum(axis=1)

    def count(self):
        return self.x.shape[1] if self.reduction == "mean" else 1

    def factor(self):
        return self.scale

    def backward(self, g):
        return 2 * self.factor() * self.x * g[:, None] / self.count()


class ScaledReduction(Scaled):
    def count(self):
        return self.x.shape[1]


class ScaledForgets(Scaled):
    def factor(self):
        return 1.0


class Described:
    """sin or square, as a dict says that the constructor writes down."""

    def __init__(self):
        self.params = {"square": False, "power": 1.0, "kind": "plain"}

    def forward(self, x):
        self.x = x
        y = x**2 if self.params["square"] else np.sin(x)
        return self.params["power"] * (y if self.params["kind"] == "plain" else y**2)

    def slope(self):
        return 2 * self.x if self.params["square"] else np.cos(self.x)

    def outer(self):
        y = self.x**2 if self.params["square"] else np.sin(self.x)
        return 1.0 if self.params["kind"] == "plain" else 2 * y

    def power(self):
        return self.params["power"]

    def backward(self, g):
        return g * self.power() * self.outer() * self.slope()


class DescribedSquare(Described):
    def slope(self):
        return self.x if self.params["square"] else np.cos(self.x)


class DescribedPower(Described):
    def power(self):
        return self.params["power"] ** 2


class DescribedKind(Described):
    def outer(self):
        return 1.0


class Configured:
    """α x for x < 0, by a dict that is an argument's default."""

    def __init__(self, config=None):
        self.config = config or {"alpha": 0.1, "reverse": False}

    def forward(self, x):
        self.x = x
        y = np.where(x > 0, x, self.config["alpha"] * x)
        return y[::-1] if self.config.get("reverse", False) else y

    def low(self):
        return self.config["alpha"]

    def turned(self, g):
        return g[::-1] if self.config.get("reverse", False) else g

    def backward(self, g):
        return self.turned(g) * np.where(self.x > 0, 1.0, self.low())


class ConfiguredAlpha(Configured):
    def low(self):
        return 0.1


class ConfiguredReverse(Configured):
    def turned(self, g):
        return g


class Strided:
    """Every so many features, as a dict says that the constructor is given."""

    def __init__(self, config):
        self.stride = config["stride"]
        self.bias = config.get("bias", True)

    def forward(self, x):
        self.shape = x.shape
        y = 2 * x[:, :: self.stride]
        return y + 1 if self.bias else y

    def step(self):
        return self.stride

    def backward(self, g):
        dx = np.zeros(self.shape, dtype=g.dtype)
        dx[:, : g.shape[1] * self.step() : self.step()] = 2 * g
        return dx


class StridedOnce(Strided):
    def step(self):
        return 1


class Keyworded:
    """k x³, with an option that only `.get` knows."""

    def forward(self, x, **options):
        self.x, self.k = x, options.get("k", 1.0)
        return self.k * x**3

    def factor(self):
        return self.k

    def backward(self, g):
        return 3 * self.factor() * self.x**2 * g


class KeywordedForgets(Keyworded):
    def factor(self):
        return 1.0


class Error:
    """Squared errors: their mean, sum, or each alone."""

    def __init__(self, reduction="mean"):
        self.reduction = reduction

    def forward(self, y_pred, y_true):
        self.d = y_pred - y_true
        each = self.d**2
        return each.mean() if self.reduction == "mean" else each.sum() if self.reduction == "sum" else each

    def each(self):
        return 2 * self.d

    def backward(self, g):
        return 2 * self.d / self.d.size * g if self.reduction == "mean" else self.each() * g


class ErrorNone(Error):
    def each(self):
        return 2 * self.d if self.reduction == "sum" else 2 * self.d / self.d.size


class Variance:
    """The variance over an axis."""

    def __init__(self, axis=1, ddof=0):
        self.axis, self.ddof = axis, ddof

    def forward(self, x):
        self.x = x
        return x.var(axis=self.axis, ddof=self.ddof)

    def count(self):
        return self.x.shape[self.axis] - self.ddof

    def backward(self, g):
        centred = self.x - self.x.mean(axis=self.axis, keepdims=True)
        return np.expand_dims(g, self.axis) * 2 * centred / self.count()


class VarianceDdof(Variance):
    def count(self):
        return self.x.shape[self.axis]


class VarianceNegativeAxis(Variance):
    def count(self):
        return self.x.shape[max(self.axis, 0)] - self.ddof


class Grouped:
    """x W for each group of features, with its own block of W."""

    def __init__(self, groups=1):
        self.groups = groups

    def forward(self, x):
        self.x = x
        self.w = 1.0 + np.arange(self.groups)
        return np.repeat(self.w, x.shape[1] // self.groups) * x[:, : x.shape[1] // self.groups * self.groups] ** 2

    def weights(self, size):
        return np.repeat(self.w, size)

    def backward(self, g):
        size = self.x.shape[1] // self.groups
        dx = np.zeros(self.x.shape, dtype=g.dtype)
        dx[:, : size * self.groups] = 2 * self.weights(size) * self.x[:, : size * self.groups] * g
        return dx


class GroupedOrder(Grouped):
    def weights(self, size):
        return np.tile(self.w, size)


class Padded:
    """The sum of neighbours, beyond the ends of a row 0 or what a mode of `np.pad` says."""

    def __init__(self, padding_mode="constant"):
        self.padding_mode = padding_mode

    def forward(self, x):
        mode = "wrap" if self.padding_mode == "circular" else self.padding_mode
        padded = np.pad(x, ((0, 0), (1, 1)), mode=mode)
        return padded[:, :-2] + padded[:, 2:]

    def ends(self, dx, g):
        if self.padding_mode == "circular":
            dx[:, -1] += g[:, 0]
            dx[:, 0] += g[:, -1]
        elif self.padding_mode == "edge":
            dx[:, 0] += g[:, 0]
            dx[:, -1] += g[:, -1]

    def backward(self, g):
        dx = np.zeros(g.shape, dtype=g.dtype)
        dx[:, :-1] += g[:, 1:]
        dx[:, 1:] += g[:, :-1]
        self.ends(dx, g)
        return dx


class PaddedCircular(Padded):
    def ends(self, dx, g):
        if self.padding_mode == "edge":
            super().ends(dx, g)


class PaddedEdge(Padded):
    def ends(self, dx, g):
        if self.padding_mode == "circular":
            super().ends(dx, g)


class Running:
    """h_t = x_t + h_{t−1} / 2 over (batch, time, features): all of it or its end, there, or there and back."""

    def __init__(self, return_sequences=True, bidirectional=False):
        self.return_sequences, self.bidirectional = return_sequences, bidirectional

    def run(self, x):
        h, total = np.zeros(x.shape), np.zeros(x[:, 0].shape)
        for t in range(x.shape[1]):
            total = x[:, t] + total / 2
            h[:, t] = total
        return h

    def forward(self, x):
        batch, time, features = x.shape
        self.shape = batch, time, features
        h = self.run(x) + (self.run(x[:, ::-1])[:, ::-1] if self.bidirectional else 0)
        return h if self.return_sequences else h[:, -1]

    def back(self, g):
        return self.run(g[:, ::-1])[:, ::-1]

    def spread(self, g):
        if self.return_sequences:
            return g
        all_steps = np.zeros(self.shape)
        all_steps[:, -1] = g
        return all_steps

    def other(self, g):
        return self.run(g) if self.bidirectional else 0

    def backward(self, g):
        g = self.spread(g)
        return self.back(g) + self.other(g)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [np.random.default_rng(0).normal(size=(2, 3, 2))]


class RunningEnd(Running):
    def spread(self, g):
        return g if self.return_sequences else np.repeat(g[:, None], self.shape[1], axis=1) / self.shape[1]


class RunningBack(Running):
    def other(self, g):
        return self.back(g) if self.bidirectional else 0


# Shapes and data.


class Ranked:
    """Row maxima, which the first of equal entries wins."""

    def forward(self, x):
        self.x, self.at = x, x.argmax(axis=-1)
        return x.max(axis=-1)

    def won(self):
        return np.arange(self.x.shape[-1]) == self.at[..., None]

    def backward(self, g):
        return g[..., None] * self.won()


class RankedNine(Ranked):
    def won(self):
        return (np.arange(self.x.shape[-1]) == self.at[..., None]) & (np.arange(self.x.shape[-1]) < 9)


class Looked:
    """The squares of rows of a table."""

    def __init__(self, vocab=8, dim=3):
        self.W = np.linspace(-1, 1, vocab * dim).reshape(vocab, dim)

    def forward(self, idx):
        self.idx = idx
        return self.W[idx] ** 2

    def rows(self, g):
        return 2 * self.W[self.idx] * g

    def backward(self, g):
        self.dW = np.zeros(self.W.shape)
        np.add.at(self.dW, self.idx, self.rows(g))
        return np.zeros(self.idx.shape)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [np.array([[3, 1], [7, 5]])]


class LookedUnique(Looked):
    def rows(self, g):
        _, count = np.unique(self.idx, return_counts=True)
        return 2 * self.W[self.idx] * g / count.max()


CASES = (
    Case(ScaledReduction, "with reduction='sum'"),
    Case(ScaledForgets, "with scale=2"),
    Case(DescribedSquare, "with square=True"),
    Case(DescribedPower, "with power=0.5"),
    Case(DescribedKind, "with kind="),
    Case(ConfiguredAlpha, "with alpha=0.3"),
    Case(ConfiguredReverse, "with reverse=True"),
    Case(StridedOnce, "with stride=2"),
    Case(KeywordedForgets, "with k=0.5"),
    Case(ErrorNone, "with reduction='none'"),
    Case(VarianceDdof, "with ddof=1"),
    Case(VarianceNegativeAxis, "with axis=-1"),
    Case(GroupedOrder, "with groups=2"),
    Case(PaddedCircular, "with padding_mode='circular'"),
    Case(PaddedEdge, "with padding_mode='edge'"),
    Case(RunningEnd, "with return_sequences=False"),
    Case(RunningBack, "with bidirectional=True"),
    Case(RankedNine, "12 features"),
    Case(LookedUnique, "where indices repeat"),
)
