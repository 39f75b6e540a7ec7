"""Narrow mistakes: derivatives that are wrong in one setting, mode, shape, layout or kind of data, and right elsewhere.

Each case is a right class, a subclass with one mistake, and words that its result has to say about where it is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Settings.


class Window:
    """y[:, o] = Σₖ wₖ x[:, o·stride + k·dilation − padding]."""

    def __init__(self, size=2, stride=1, padding=0, dilation=1, bias=False):
        self.w = np.linspace(0.5, 1.5, size)
        self.stride, self.padding, self.dilation, self.bias = stride, padding, dilation, bias

    def taps(self, k, outputs):
        start = k * self.dilation
        return slice(start, start + self.stride * (outputs - 1) + 1, self.stride)

    def forward(self, x):
        self.shape = x.shape
        self.xp = np.pad(x, ((0, 0), (self.padding, self.padding)))
        reach = (len(self.w) - 1) * self.dilation
        self.outputs = (self.xp.shape[1] - reach - 1) // self.stride + 1
        y = sum(w * self.xp[:, self.taps(k, self.outputs)] for k, w in enumerate(self.w))
        return y + 1 if self.bias else y

    def backward(self, g):
        self.dw = np.array([(g * self.xp[:, self.taps_of_w(k)]).sum() for k in range(len(self.w))])
        dx = np.zeros(self.xp.shape, dtype=g.dtype)
        for k, w in enumerate(self.weights()):
            dx[:, self.taps_of_x(k)] += w * g * self.factor()
        return self.cropped(dx)

    def taps_of_w(self, k):
        return self.taps(k, self.outputs)

    def taps_of_x(self, k):
        return self.taps(k, self.outputs)

    def weights(self):
        return self.w

    def factor(self):
        return 1.0

    def cropped(self, dx):
        return dx[:, self.padding : self.padding + self.shape[1]]


class WindowCrop(Window):
    def cropped(self, dx):
        return dx[:, : self.shape[1]]


class WindowStride(Window):
    def taps_of_x(self, k):
        return slice(k * self.dilation, k * self.dilation + self.outputs)


class WindowStrideW(Window):
    def taps_of_w(self, k):
        return slice(k * self.dilation, k * self.dilation + self.outputs)


class WindowDilation(Window):
    def taps_of_x(self, k):
        return slice(k, k + self.stride * (self.outputs - 1) + 1, self.stride)


class WindowSize(Window):
    def weights(self):
        return self.w[:2]


class WindowBias(Window):
    def factor(self):
        return 2.0 if self.bias else 1.0


class Dense:
    """activation(x W + b) · scale, and l2 · ΣW² on top."""

    def __init__(self, n_in, n_out, activation="relu", use_bias=True, l2=0.0, scale=1.0):
        self.W, self.b = np.linspace(-1, 1, n_in * n_out).reshape(n_in, n_out), np.zeros(n_out)
        self.activation, self.use_bias, self.l2, self.scale = activation, use_bias, l2, scale

    def forward(self, x):
        self.x = x
        self.z = x @ self.W + (self.b if self.use_bias else 0)
        if self.activation == "relu":
            y = np.maximum(self.z, 0)
        elif self.activation == "tanh":
            y = np.tanh(self.z)
        elif self.activation == "softplus":
            y = np.logaddexp(0, self.z)
        else:
            y = self.z
        return y * self.scale + self.l2 * (self.W**2).sum()

    def slope(self):
        if self.activation == "relu":
            return 1.0 * (self.z > 0)
        if self.activation == "tanh":
            return self.of_tanh()
        if self.activation == "softplus":
            return self.of_softplus()
        return self.of_none()

    def of_tanh(self):
        return 1 - np.tanh(self.z) ** 2

    def of_softplus(self):
        return 1 / (1 + np.exp(-self.z))

    def of_none(self):
        return np.ones_like(self.z)

    def penalty(self):
        return 2 * self.l2 * self.W

    def scaled(self):
        return self.scale

    def bias(self, d):
        return d.sum(axis=0) if self.use_bias else np.zeros_like(self.b)

    def backward(self, g):
        d = g * self.slope() * self.scaled()
        self.dW = self.x.T @ d + self.penalty() * g.sum()
        self.db = self.bias(d)
        return d @ self.W.T


class DenseTanh(Dense):
    def of_tanh(self):
        return 1 - self.z**2


class DenseSoftplus(Dense):
    def of_softplus(self):
        return np.exp(-np.abs(self.z)) / (1 + np.exp(-np.abs(self.z)))


class DenseNone(Dense):
    def of_none(self):
        return 1.0 * (self.z > 0)


class DensePenalty(Dense):
    def penalty(self):
        return self.l2 * self.W


class DenseScale(Dense):
    def scaled(self):
        return self.scale**2


class DenseNoBias(Dense):
    def bias(self, d):
        return d.sum(axis=0)


class Reduce:
    """Σ xᵖ over an axis."""

    def __init__(self, axis=-1, keepdims=False, power=2):
        self.axis, self.keepdims, self.power = axis, keepdims, power

    def forward(self, x):
        self.x = x
        return (x**self.power).sum(axis=self.axis, keepdims=self.keepdims)

    def spread(self, g):
        return g if self.keepdims else np.expand_dims(g, self.axis)

    def order(self):
        return self.power

    def backward(self, g):
        return self.spread(g) * self.order() * self.x ** (self.power - 1)


class ReduceAxis(Reduce):
    def spread(self, g):
        spread = super().spread(g)
        return spread if self.axis == -1 else spread.mean() + 0 * spread


class ReducePower(Reduce):
    def order(self):
        return 2


class ReduceKeepdims(Reduce):
    def spread(self, g):
        return g / 2 if self.keepdims else np.expand_dims(g, self.axis)


class Huber:
    """Quadratic within delta, linear beyond; its mean or sum."""

    def __init__(self, delta=1.0, reduction="mean"):
        self.delta, self.reduction = delta, reduction

    def forward(self, y_pred, y_true):
        self.d = y_pred - y_true
        a = np.abs(self.d)
        loss = np.where(a <= self.delta, 0.5 * a**2, self.delta * (a - 0.5 * self.delta))
        return loss.mean() if self.reduction == "mean" else loss.sum()

    def bound(self):
        return self.delta

    def count(self):
        return self.d.size if self.reduction == "mean" else 1

    def backward(self):
        return np.clip(self.d, -self.bound(), self.bound()) / self.count()


class HuberDelta(Huber):
    def bound(self):
        return 1.0


class HuberSum(Huber):
    def count(self):
        return self.d.size


class Leaky:
    """max(x, αx), of a temperature, which may be reversed."""

    def __init__(self, alpha=0.01, temperature=1.0, reverse=False):
        self.alpha, self.temperature, self.reverse = alpha, temperature, reverse

    def forward(self, x):
        self.x = x
        y = np.where(x > 0, x, self.alpha * x) / self.temperature
        return y[:, ::-1] if self.reverse else y

    def low(self):
        return self.alpha

    def over(self):
        return self.temperature

    def turned(self, g):
        return g[:, ::-1] if self.reverse else g

    def backward(self, g):
        return self.turned(g) * np.where(self.x > 0, 1.0, self.low()) / self.over()


class LeakyAlpha(Leaky):
    def low(self):
        return min(self.alpha, 0.1)


class LeakyTemperature(Leaky):
    def over(self):
        return 1.0


class LeakyReverse(Leaky):
    def turned(self, g):
        return g


class Scores:
    """Softmax of the last axis of what a mask keeps."""

    def forward(self, x, mask=None):
        self.mask = None if mask is None else mask.astype(bool)
        z = x if mask is None else np.where(self.mask, x, 0.0)
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        self.s = e / e.sum(axis=-1, keepdims=True)
        return self.s

    def kept(self, d):
        return d if self.mask is None else np.where(self.mask, d, 0.0)

    def backward(self, g):
        return self.kept(self.s * (g - (g * self.s).sum(axis=-1, keepdims=True)))


class ScoresMask(Scores):
    def kept(self, d):
        return d


class Weighted:
    """Squares, weighted by sample."""

    def forward(self, x, sample_weight=None):
        self.x = x
        n, _ = x.shape
        self.w = np.ones(n) if sample_weight is None else sample_weight
        return (self.w @ x**2).sum()

    def weights(self):
        return self.w[:, None]

    def backward(self, g):
        return g * 2 * self.weights() * self.x


class WeightedForgets(Weighted):
    def weights(self):
        return 1.0


# Modes.


class BatchNorm:
    """Keras' call(x, training=False)."""

    def __init__(self, features):
        self.mean, self.var = np.zeros(features), np.ones(features)

    def forward(self, x, training=False):
        self.training = training
        m, v = (x.mean(axis=0), x.var(axis=0)) if training else (self.mean, self.var)
        self.s = 1 / np.sqrt(v + 1e-5)
        self.xhat = (x - m) * self.s
        return self.xhat

    def trained(self, g):
        return self.s * (g - g.mean(axis=0) - self.xhat * (g * self.xhat).mean(axis=0))

    def backward(self, g):
        return self.trained(g) if self.training else self.s * g


class BatchNormMean(BatchNorm):
    def trained(self, g):
        return self.s * (g - g.mean(axis=0))


class BatchNormVariance(BatchNorm):
    def trained(self, g):
        return self.s * (g - self.xhat * (g * self.xhat).mean(axis=0))


class Gate:
    """Halves what it lets through in evaluation, and its backward looks at that."""

    def forward(self, x, mode="train"):
        self.mode, self.x = mode, x
        return x**2 if mode == "train" else 0.5 * x**2

    def half(self):
        return 0.5

    def backward(self, g):
        return 2 * self.x * g * (1 if self.mode == "train" else self.half())


class GateEvaluates(Gate):
    def half(self):
        return 0.25


class Shrink:
    """A constructor's switch."""

    def __init__(self, training=True):
        self.training = training

    def forward(self, x):
        self.x = x
        return np.tanh(x) if self.training else 0.9 * np.tanh(x)

    def factor(self):
        return 1.0 if self.training else 0.9

    def backward(self, g):
        return g * self.factor() * (1 - np.tanh(self.x) ** 2)


class ShrinkEvaluates(Shrink):
    def factor(self):
        return 1.0 if self.training else 1.1


# Shapes.


class Squares:
    """x², whose backward is wrong for some shapes only."""

    def forward(self, x):
        self.x = x
        return x**2

    def slope(self):
        return 2 * self.x

    def backward(self, g):
        return g * self.slope()


class EvenBatch(Squares):
    def slope(self):
        return 2 * self.x * (2 if self.x.shape[0] % 2 == 0 else 1)


class BigBatch(Squares):
    def slope(self):
        return 2 * self.x * (2 if len(self.x) > 8 else 1)


class ManyFeatures(Squares):
    def slope(self):
        slope = 2 * self.x
        if self.x.ndim == 2:
            slope[:, 8:] = 0
        return slope


class SixthFeature(Squares):
    def slope(self):
        slope = 2 * self.x
        if self.x.ndim == 2 and self.x.shape[1] > 5:
            slope[:, 5] = 0
        return slope


class Square(Squares):
    def slope(self):
        x = self.x
        return 2 * x.T if x.ndim == 2 and x.shape[0] == x.shape[1] else 2 * x


class WideInputs(Squares):
    def slope(self):
        return 2 * self.x * (1.5 if self.x.ndim == 2 and self.x.shape[1] > self.x.shape[0] > 1 else 1)


class ThreeAxes(Squares):
    def slope(self):
        return 2 * self.x * (2 if self.x.ndim == 3 else 1)


class FourAxes(Squares):
    def slope(self):
        return 2 * self.x * (2 if self.x.ndim == 4 else 1)


class OneAxis(Squares):
    def slope(self):
        return 2 * self.x * (2 if self.x.ndim == 1 else 1)


class TwoRows(Squares):
    def slope(self):
        return 2 * self.x * (2 if len(self.x) == 2 else 1)


class Normalized:
    """Softmax over the last axis."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        self.s = e / e.sum(axis=-1, keepdims=True)
        return self.s

    def total(self, p):
        return p.sum(axis=-1, keepdims=True)

    def backward(self, g):
        return self.s * (g - self.total(g * self.s))


class NormalizedAxis1(Normalized):
    def total(self, p):
        return p.sum(axis=min(1, p.ndim - 1), keepdims=True)


class Linear:
    """x W + b for any number of axes."""

    def __init__(self, n_in, n_out):
        self.W, self.b = np.linspace(-1, 1, n_in * n_out).reshape(n_in, n_out), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def rows(self, a):
        return a.reshape(-1, a.shape[-1])

    def backward(self, g):
        self.dW = self.rows(self.x).T @ self.rows(g)
        self.db = g.reshape(-1, g.shape[-1]).sum(axis=0)
        return g @ self.W.T


class LinearLastStep(Linear):
    def rows(self, a):
        return a if a.ndim < 3 else a[:, -1] if a.ndim == 3 else a.reshape(-1, a.shape[-1])


class Pool:
    """Mean over windows of 2×2 of images; what is over at the end is dropped."""

    def forward(self, x):
        n, c, h, w = x.shape
        self.shape = x.shape
        return x[:, :, : h // 2 * 2, : w // 2 * 2].reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5))

    def dropped(self, dx):
        return dx

    def backward(self, g):
        h, w = self.shape[2:]
        dx = np.zeros(self.shape, dtype=g.dtype)
        dx[:, :, : h // 2 * 2, : w // 2 * 2] = g.repeat(2, 2).repeat(2, 3) / 4
        return self.dropped(dx)


class PoolOddHeight(Pool):
    def dropped(self, dx):
        if self.shape[2] % 2:
            dx[:, :, -1] = dx[:, :, -2]
        return dx


class PoolWide(Pool):
    def dropped(self, dx):
        dx[:, :, :, 6:] = 0
        return dx


# State.


class Averaged:
    """x / batch."""

    def __init__(self):
        self.m = None

    def forward(self, x):
        self.x, self.first = x, self.m or len(x)
        self.m = self.first
        return x**2 / len(x)

    def batch(self):
        return len(self.x)

    def backward(self, g):
        return 2 * self.x * g / self.batch()


class AveragedFirst(Averaged):
    def batch(self):
        return self.first


class Buffered:
    """x · w, with a buffer for the gradient of w that is made once."""

    def __init__(self, n_in):
        self.w = np.linspace(-1, 1, n_in)
        self.rows = 0

    def forward(self, x):
        self.x = x
        self.rows = self.kept(len(x))
        return x * self.w

    def kept(self, rows):
        return rows

    def backward(self, g):
        self.dw = (g * self.x)[: self.rows].sum(axis=0)
        return g * self.w


class BufferedOnce(Buffered):
    def kept(self, rows):
        return self.rows or rows


# Labels and predictions.


class Hinge:
    """mean max(0, 1 − y f)."""

    def forward(self, y_pred, y_true):
        self.p, self.y = y_pred, y_true
        return np.maximum(0, 1 - y_true * y_pred).mean()

    def active(self):
        return self.y * self.p < 1

    def backward(self):
        return -self.y * self.active() / self.p.size


class HingeAlways(Hinge):
    def active(self):
        return np.ones_like(self.p)


class HingeOnePositive(Hinge):
    def active(self):
        return (self.y * self.p < 1) & (self.y > 0)


class SquaredHinge:
    """mean max(0, 1 − y f)²."""

    def forward(self, y_pred, y_true):
        self.p, self.y = y_pred, y_true
        return (np.maximum(0, 1 - y_true * y_pred) ** 2).mean()

    def margin(self):
        return np.maximum(0, 1 - self.y * self.p)

    def backward(self):
        return -2 * self.y * self.margin() / self.p.size


class SquaredHingeOpen(SquaredHinge):
    def margin(self):
        return 1 - self.y * self.p


class Logistic:
    """mean log(1 + e^(−y f))."""

    def forward(self, y_pred, y_true):
        self.p, self.y = y_pred, y_true
        return np.logaddexp(0, -y_true * y_pred).mean()

    def inner(self):
        return self.y * self.p

    def backward(self):
        return -self.y / (1 + np.exp(self.inner())) / self.p.size


class LogisticAbs(Logistic):
    def inner(self):
        return np.abs(self.y) * self.p


class BinaryLogits:
    """Binary cross-entropy of logits."""

    def forward(self, y_pred, y_true):
        self.p, self.y = y_pred, y_true
        return (np.maximum(y_pred, 0) - y_pred * y_true + np.log1p(np.exp(-np.abs(y_pred)))).mean()

    def sigmoid(self):
        return 1 / (1 + np.exp(-self.p))

    def backward(self):
        return (self.sigmoid() - self.y) / self.p.size


class BinaryLogitsPositive(BinaryLogits):
    def sigmoid(self):
        return 1 / (1 + np.exp(-np.abs(self.p)))


class BinaryLogitsClipped(BinaryLogits):
    def sigmoid(self):
        return 1 / (1 + np.exp(-np.clip(self.p, -1, 1)))


class Binary:
    """Binary cross-entropy, in one column or several."""

    def forward(self, y_pred, y_true):
        self.p, self.y = y_pred, y_true
        return -(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred)).mean()

    def of_zero(self):
        return (1 - self.y) / (1 - self.p)

    def backward(self):
        return (self.of_zero() - self.y / self.p) / self.p.size


class BinaryColumn(Binary):
    def of_zero(self):
        right = super().of_zero()
        return 0.0 if self.p.ndim == 2 and self.p.shape[1] == 1 else right


class Categorical:
    """Cross-entropy for one-hot rows or class numbers."""

    def forward(self, y_pred, y_true):
        self.p, self.y = y_pred, y_true
        if y_true.ndim == 1:
            return -np.log(y_pred[np.arange(len(y_true)), y_true]).sum() / len(y_pred)
        return -(y_true * np.log(y_pred)).sum() / len(y_pred)

    def over(self, d):
        return d / len(self.p)

    def backward(self):
        if self.y.ndim == 1:
            d = np.zeros_like(self.p)
            rows = np.arange(len(self.y))
            d[rows, self.y] = -1 / self.p[rows, self.y]
            return self.over(d)
        return -self.y / self.p / len(self.p)


class CategoricalNumbers(Categorical):
    def over(self, d):
        return d


class Poisson:
    """mean(p − y log p)."""

    def forward(self, y_pred, y_true):
        self.p, self.y = y_pred, y_true
        return (y_pred - y_true * np.log(y_pred)).mean()

    def counts(self):
        return self.y

    def backward(self):
        return (1 - self.counts() / self.p) / self.p.size


class PoissonPresent(Poisson):
    def counts(self):
        return 1.0 * (self.y > 0)


# Indices.


class Embedding:
    """W[idx]."""

    def __init__(self, vocab=10, dim=4):
        self.W = np.linspace(-1, 1, vocab * dim).reshape(vocab, dim)

    def forward(self, idx):
        self.idx = idx
        return self.W[idx]

    def add(self, g):
        np.add.at(self.dW, self.idx, g)

    def backward(self, g):
        self.dW = np.zeros(self.W.shape, dtype=g.dtype)
        self.add(g)
        return np.zeros(self.idx.shape)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [np.array([3, 1, 7, 5])]


class EmbeddingAssigns(Embedding):
    def add(self, g):
        self.dW[self.idx] = g


class EmbeddingAdds(Embedding):
    def add(self, g):
        self.dW[self.idx] += g


class EmbeddingAverages(Embedding):
    def add(self, g):
        np.add.at(self.dW, self.idx, g)
        self.dW /= max(len(self.idx) - len(np.unique(self.idx)), 1)


# Layouts.


class Twice:
    """2x, through a flat upstream gradient."""

    def forward(self, x):
        self.shape = x.shape
        return 2 * x

    def flat(self, g):
        return g.ravel()

    def backward(self, g):
        return 2 * self.flat(g).reshape(self.shape)


class TwiceK(Twice):
    def flat(self, g):
        return g.ravel("K")


class TwiceA(Twice):
    def flat(self, g):
        return g.ravel("A")


class TwiceStrided(Twice):
    def flat(self, g):
        return np.lib.stride_tricks.as_strided(g, (g.size,), (g.itemsize,))


class Mixed:
    """x W, whose weights are read flat."""

    def __init__(self, n_in, n_out):
        self.W = np.linspace(-1, 1, n_in * n_out).reshape(n_in, n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def weights(self):
        return self.W

    def backward(self, g):
        self.dW = self.x.T @ g
        return g @ self.weights().T


class MixedK(Mixed):
    def weights(self):
        return self.W.ravel("K").reshape(self.W.shape)


# Numbers that the code shows.


class LogClip:
    """log max(x, 0.001)."""

    def forward(self, x):
        self.x = x
        return np.log(np.maximum(x, 1e-3))

    def low(self):
        return 1e-3

    def backward(self, g):
        return g * np.where(self.x > self.low(), 1 / np.where(self.x > self.low(), self.x, 1), 0)


class LogClipLow(LogClip):
    def low(self):
        return 1e-4


class Band(Squares):
    def slope(self):
        return np.where((self.x > 0.30) & (self.x < 0.32), 4 * self.x, 2 * self.x)


class ExactInteger(Squares):
    def slope(self):
        return np.where(self.x == 17, 6 * self.x, 2 * self.x)


class Beyond(Squares):
    def slope(self):
        return 4 * self.x if np.abs(self.x).max() > 1e5 else 2 * self.x


class Capped:
    """min(x, 20)."""

    def forward(self, x):
        self.x = x
        return np.minimum(x, 20)

    def cap(self):
        return 20

    def backward(self, g):
        return g * (self.x < self.cap())


class CappedEarly(Capped):
    def cap(self):
        return 19.5


class ZeroRows(Squares):
    def slope(self):
        return 2 * self.x + (self.x == 0).all(axis=-1, keepdims=True)


@dataclass(frozen=True)
class Case:
    """A wrong class, and words of its `where`."""

    wrong: type
    where: str


CASES = (
    Case(WindowCrop, "with padding=1"),
    Case(WindowStride, "with stride=2"),
    Case(WindowStrideW, "with stride=2"),
    Case(WindowDilation, "with dilation=2"),
    Case(WindowSize, "with size=3"),
    Case(WindowBias, "with bias=True"),
    Case(DenseTanh, "with activation='tanh'"),
    Case(DenseSoftplus, "with activation='softplus'"),
    Case(DenseNone, "with activation="),
    Case(DensePenalty, "with l2=0.3"),
    Case(DenseScale, "with scale=0.5"),
    Case(DenseNoBias, "with use_bias=False"),
    Case(ReduceAxis, "with axis=0"),
    Case(ReducePower, "with power=3"),
    Case(ReduceKeepdims, "with keepdims=True"),
    Case(HuberDelta, "with delta=0.5"),
    Case(HuberSum, "with reduction='sum'"),
    Case(LeakyAlpha, "with alpha=0.3"),
    Case(LeakyTemperature, "with temperature=0.5"),
    Case(LeakyReverse, "with reverse=True"),
    Case(ScoresMask, "with mask of shape"),
    Case(WeightedForgets, "with sample_weight of shape"),
    Case(BatchNormMean, "everywhere"),
    Case(BatchNormVariance, "everywhere"),
    Case(GateEvaluates, "in evaluation mode"),
    Case(ShrinkEvaluates, "in evaluation mode"),
    Case(EvenBatch, "shape"),
    Case(BigBatch, "batch of"),
    Case(ManyFeatures, "12 features"),
    Case(SixthFeature, "12 features"),
    Case(Square, "4 features"),
    Case(WideInputs, "features"),
    Case(ThreeAxes, "three axes"),
    Case(FourAxes, "four axes"),
    Case(OneAxis, "one axis"),
    Case(TwoRows, "batch of 2"),
    Case(NormalizedAxis1, "three axes"),
    Case(LinearLastStep, "three axes"),
    Case(PoolOddHeight, "shape"),
    Case(PoolWide, "shape"),
    Case(AveragedFirst, "later call"),
    Case(BufferedOnce, "later call"),
    Case(HingeAlways, "labels of −1 and 1"),
    Case(HingeOnePositive, "labels of −1 and 1"),
    Case(SquaredHingeOpen, "labels of −1 and 1"),
    Case(LogisticAbs, "labels of −1 and 1"),
    Case(BinaryLogitsPositive, "predictions of either sign"),
    Case(BinaryLogitsClipped, "predictions of either sign"),
    Case(BinaryColumn, "one column"),
    Case(CategoricalNumbers, "class numbers"),
    Case(PoissonPresent, "counts"),
    Case(EmbeddingAssigns, "indices repeat"),
    Case(EmbeddingAdds, "indices repeat"),
    Case(EmbeddingAverages, "indices"),
    Case(TwiceK, "Fortran order"),
    Case(TwiceA, "Fortran order"),
    Case(TwiceStrided, "upstream gradient"),
    Case(MixedK, "weights in Fortran order"),
    Case(LogClipLow, "where x is"),
    Case(Band, "0.3"),
    Case(ExactInteger, "17"),
    Case(Beyond, "> 100000"),
    Case(CappedEarly, "self.cap()"),
    Case(ZeroRows, "row of zeros"),
)
