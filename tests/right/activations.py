"""Activations, one number at a time, as classes of three styles."""

import numpy as np

from tests.right.base import Diffable
from tests.right.table import layer


class ReLUMask:
    """The mask is kept and multiplied with."""

    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class ReLUInPlace:
    """Copies what it is given, then overwrites by a boolean mask; the slope at 0 is 1."""

    def forward(self, x):
        self.negative = x < 0
        out = x.copy()
        out[self.negative] = 0
        return out

    def backward(self, dout):
        dx = dout.copy()
        dx[self.negative] = 0
        return dx


class ReLUZerosLike:
    def forward(self, x):
        self.x = x
        return np.maximum(0, x)

    def backward(self, dout):
        dx = np.zeros_like(self.x)
        positive = self.x >= 0
        dx[positive] = dout[positive]
        return dx


class LeakyReLU:
    def __init__(self, negative_slope=0.01):
        self.negative_slope = negative_slope

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.negative_slope * x)

    def backward(self, grad):
        return grad * np.where(self.x > 0, 1.0, self.negative_slope)


class PReLU:
    """One learned slope for each feature."""

    def __init__(self, num_features):
        self.alpha = np.full(num_features, 0.25)

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0) + self.alpha * np.minimum(x, 0)

    def backward(self, grad):
        self.dalpha = (grad * np.minimum(self.x, 0)).sum(axis=0)
        return grad * np.where(self.x > 0, 1, self.alpha)


class NaiveSigmoid:
    def forward(self, z):
        self.a = 1 / (1 + np.exp(-z))
        return self.a

    def backward(self, da):
        return da * self.a * (1 - self.a)


class StableSigmoid(Diffable):
    """Two formulas, each where its exponential is at most 1."""

    def forward(self, x):
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + e), e / (1 + e))

    def get_input_gradients(self):
        y = self.outputs[0]
        return [y * (1 - y)]


class Tanh(Diffable):
    def forward(self, x):
        return np.tanh(x)

    def get_input_gradients(self):
        return [1 - self.outputs[0] ** 2]


class ELU:
    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def forward(self, x):
        self.y = np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))
        return self.y

    def backward(self, grad):
        return grad * np.where(self.y > 0, 1.0, self.y + self.alpha)


class Swish:
    """x · σ(βx) with a learned β."""

    def __init__(self):
        self.beta = np.array([1.5])

    def forward(self, x):
        self.x, self.s = x, 1 / (1 + np.exp(-self.beta * x))
        return x * self.s

    def backward(self, grad):
        slope = self.s * (1 - self.s)
        self.dbeta = np.array([(grad * self.x**2 * slope).sum()])
        return grad * (self.s + self.x * self.beta * slope)


class SiLU(Diffable):
    def forward(self, x):
        self.sigmoid = 1 / (1 + np.exp(-x))
        return x * self.sigmoid

    def get_input_gradients(self):
        return [self.sigmoid + self.outputs[0] * (1 - self.sigmoid)]


class HardSwish:
    def forward(self, x):
        self.x = x
        return x * np.clip(x + 3, 0, 6) / 6

    def backward(self, grad):
        x = self.x
        return grad * np.where(x <= -3, 0, np.where(x >= 3, 1, (2 * x + 3) / 6))


class HardSigmoid(Diffable):
    def forward(self, x):
        return np.clip(0.2 * x + 0.5, 0, 1)

    def get_input_gradients(self):
        return [np.where((self.outputs[0] > 0) & (self.outputs[0] < 1), 0.2, 0.0)]


class Snake(Diffable):
    """x + sin²(ax)/a, for periodic data."""

    def __init__(self, a=0.5):
        self.a = a

    def forward(self, x):
        return x + np.sin(self.a * x) ** 2 / self.a

    def get_input_gradients(self):
        return [1 + np.sin(2 * self.a * self.inputs[0])]


CASES = [
    layer(ReLUMask, 1),
    layer(ReLUInPlace, 1),
    layer(ReLUZerosLike, 1),
    layer(LeakyReLU, 1),
    layer(PReLU, 2),
    layer(NaiveSigmoid, 1),
    layer(StableSigmoid, 1),
    layer(Tanh, 1),
    layer(ELU, 1),
    layer(Swish, 2),
    layer(SiLU, 1),
    layer(HardSwish, 1),
    layer(HardSigmoid, 1),
    layer(Snake, 1),
]
