"""Losses of regression and of classes, as students write them: with labels as rows or as numbers, in four styles."""

import numpy as np

from tests.right.base import Diffable
from tests.right.table import at, beside, layer, some


class L1Loss:
    def forward(self, y_pred, y_true):
        self.diff = y_pred - y_true
        return np.abs(self.diff).mean()

    def backward(self):
        return np.sign(self.diff) / self.diff.size


class MSELoss:
    """`backward` takes an upstream number that is 1 unless somebody says otherwise."""

    def forward(self, y_pred, y_true):
        self.diff = y_pred - y_true
        return np.mean(self.diff**2)

    def backward(self, dout=1.0):
        return dout * 2 * self.diff / self.diff.size


class MSEPerSample:
    """One number for each row."""

    constant_inputs = ("target",)
    input_data = {"prediction": "real", "target": "real"}  # noqa: RUF012

    def forward(self, prediction, target):
        self.error = prediction - target
        return (self.error**2).mean(axis=1)

    def backward(self, dout):
        return 2 * self.error * dout[:, None] / self.error.shape[1]


class MeanSquaredError(Diffable):
    constant_inputs = ("y_true",)
    input_data = {"y_pred": "real", "y_true": "real"}  # noqa: RUF012

    def forward(self, y_pred, y_true):
        return np.mean((y_pred - y_true) ** 2)

    def get_input_gradients(self):
        y_pred, y_true = self.inputs
        return [2 * (y_pred - y_true) / y_pred.size, np.zeros_like(y_true)]


class HuberLoss:
    def __init__(self, delta=0.8):
        self.delta = delta

    def forward(self, y_pred, y_true):
        self.r = y_pred - y_true
        size = np.abs(self.r)
        inside = size <= self.delta
        return np.where(inside, 0.5 * self.r**2, self.delta * (size - 0.5 * self.delta)).mean()

    def backward(self):
        return np.clip(self.r, -self.delta, self.delta) / self.r.size


class CrossEntropyRows(Diffable):
    """One-hot rows; probabilities are clipped, and flat where they are."""

    constant_inputs = ("y_true",)

    def forward(self, y_pred, y_true):
        return -np.sum(y_true * np.log(np.clip(y_pred, 1e-7, 1 - 1e-7))) / len(y_pred)

    def get_input_gradients(self):
        y_pred, y_true = self.inputs
        free = (y_pred > 1e-7) & (y_pred < 1 - 1e-7)
        clipped = np.clip(y_pred, 1e-7, 1 - 1e-7)
        return [-y_true / clipped * free / len(y_pred), np.zeros(y_true.shape)]


class CrossEntropyEpsilon:
    """ε inside of the logarithm, in both passes."""

    def forward(self, y_pred, y_true):
        self.p, self.t = y_pred, y_true
        return -np.mean(np.sum(y_true * np.log(y_pred + 1e-8), axis=1))

    def backward(self):
        return -self.t / (self.p + 1e-8) / self.p.shape[0]


class SoftmaxCrossEntropy:
    """Logits and one-hot rows, fused."""

    def forward(self, logits, labels):
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.p, self.labels = np.exp(log_p), labels
        return -(labels * log_p).sum() / len(logits)

    def backward(self):
        return (self.p * self.labels.sum(axis=1, keepdims=True) - self.labels) / len(self.p)


class CrossEntropyIndices:
    """Class numbers, label smoothing."""

    def __init__(self, smoothing=0.1):
        self.smoothing = smoothing

    def forward(self, logits, labels):
        n, k = logits.shape
        self.t = np.full((n, k), self.smoothing / k)
        self.t[np.arange(n), labels] += 1 - self.smoothing
        m = logits.max(axis=1, keepdims=True)
        log_p = logits - m - np.log(np.exp(logits - m).sum(axis=1, keepdims=True))
        self.p = np.exp(log_p)
        return -(self.t * log_p).sum(axis=1).mean()

    def backward(self):
        return (self.p - self.t) / len(self.p)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(3, 4), np.array([0, 3, 1])]


class NLLLoss:
    """Log-probabilities and class numbers, weighted by class."""

    def __init__(self, weight):
        self.weight = np.asarray(weight)

    def forward(self, log_p, target):
        self.target, self.shape = target, log_p.shape
        self.w = self.weight[target]
        return -(self.w * log_p[np.arange(len(target)), target]).sum() / self.w.sum()

    def backward(self):
        d = np.zeros(self.shape)
        d[np.arange(len(self.target)), self.target] = -self.w / self.w.sum()
        return d

    @classmethod
    def gradcheck_example(cls):
        return cls([1.0, 2.0, 0.5]), [some(4, 3), np.array([2, 0, 1, 0])]


class BCELoss:
    """Clipped as it is written in many courses."""

    def forward(self, y_pred, y_true):
        self.inside = (y_pred > 1e-12) & (y_pred < 1 - 1e-12)
        self.p, self.t = np.clip(y_pred, 1e-12, 1 - 1e-12), y_true
        return -np.mean(self.t * np.log(self.p) + (1 - self.t) * np.log(1 - self.p))

    def backward(self):
        return self.inside * (self.p - self.t) / (self.p * (1 - self.p)) / self.p.size


class BCEWithLogits(Diffable):
    constant_inputs = ("labels",)

    def forward(self, logits, labels):
        return np.mean(np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits))))

    def get_input_gradients(self):
        z, t = self.inputs
        return [(0.5 * (1 + np.tanh(z / 2)) - t) / z.size, np.zeros(t.shape)]


def bce_logits(z, t):
    """The same as log(1 + eᶻ) − tz."""
    return np.sum(np.logaddexp(0, z) - t * z)


def bce_logits_vjp(z, t, g):
    return g * (1 / (1 + np.exp(-z)) - t), -g * z


def mse(y_true, y_pred):
    return np.mean(np.power(y_true - y_pred, 2))


def mse_prime(y_true, y_pred):
    return 2 * (y_pred - y_true) / y_true.size


def smooth_l1(y_pred, y_true):
    d = np.abs(y_pred - y_true)
    return np.mean(np.where(d < 1, 0.5 * d**2, d - 0.5))


def smooth_l1_grad(y_pred, y_true):
    d = y_pred - y_true
    return np.where(np.abs(d) < 1, d, np.sign(d)) / d.size


def rmse(y_pred, y_true):
    return np.sqrt(np.mean((y_pred - y_true) ** 2) + 1e-12)


def rmse_grad(y_pred, y_true):
    d = y_pred - y_true
    return d / (d.size * rmse(y_pred, y_true))


def log_cosh(y_pred, y_true):
    d = np.abs(y_pred - y_true)
    return np.mean(d + np.log1p(np.exp(-2 * d)) - np.log(2))


def log_cosh_gradient(y_pred, y_true):
    return np.tanh(y_pred - y_true) / y_pred.size


PINBALL_TARGET = np.array([0.5, -1.0, 2.0, 0.0, 1.5])


def pinball(q):
    d = PINBALL_TARGET - q
    return np.mean(np.maximum(0.9 * d, -0.1 * d))


def pinball_grad(q):
    return np.where(q < PINBALL_TARGET, -0.9, 0.1) / q.size


LABELS = np.array([2, 0, 1])


def softmax_loss(x):
    """Loss from logits and class numbers; the gradient by probabilities less one."""
    p = np.exp(x - np.max(x, axis=1, keepdims=True))
    p /= np.sum(p, axis=1, keepdims=True)
    return -np.sum(np.log(p[np.arange(len(x)), LABELS])) / len(x)


def softmax_loss_grad(x):
    p = np.exp(x - np.max(x, axis=1, keepdims=True))
    p /= np.sum(p, axis=1, keepdims=True)
    p[np.arange(len(x)), LABELS] -= 1
    return p / len(x)


def focal(z, gamma=2.0):
    """(1 − p)^γ · −log p for the logits of the true classes."""
    p = 1 / (1 + np.exp(-z))
    return -((1 - p) ** gamma * np.log(p)).sum()


def focal_grad(z, gamma=2.0):
    p = 1 / (1 + np.exp(-z))
    return gamma * p * (1 - p) ** gamma * np.log(p) - (1 - p) ** (gamma + 1)


def msle(y_pred):
    return np.mean((np.log1p(y_pred) - np.log1p(np.arange(1.0, 5.0))) ** 2)


def msle_grad(y_pred):
    return 2 * (np.log1p(y_pred) - np.log1p(np.arange(1.0, 5.0))) / (1 + y_pred) / 4


CASES = [
    layer(L1Loss, 1),
    layer(MSELoss, 1),
    layer(MSEPerSample, 1),
    layer(MeanSquaredError, 1),
    layer(HuberLoss, 1),
    layer(CrossEntropyRows, 1),
    layer(CrossEntropyEpsilon, 1),
    layer(SoftmaxCrossEntropy, 1),
    layer(CrossEntropyIndices, 1),
    layer(NLLLoss, 1),
    layer(BCELoss, 1),
    layer(BCEWithLogits, 1),
    at(bce_logits, some(4), np.array([1.0, 0.0, 0.0, 1.0]), vjp=bce_logits_vjp),
    beside(mse),
    beside(smooth_l1),
    beside(rmse),
    beside(log_cosh),
    at(pinball, some(5), grad=pinball_grad),
    at(softmax_loss, some(3, 4), grad=softmax_loss_grad),
    at(focal, some(5), grad=focal_grad),
    at(msle, np.array([0.5, 2.5, 3.0, 7.0]), grad=msle_grad),
]
