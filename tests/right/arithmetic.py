"""Arithmetic of one and two inputs: broadcasting, joining, dividing, and functions that live on one side."""

import numpy as np

from tests.right.base import Diffable
from tests.right.table import beside, layer, positive, some


class Add:
    """Two inputs, one of which broadcasts."""

    def forward(self, a, b):
        self.shapes = a.shape, b.shape
        return a + b

    def backward(self, dout):
        grads = []
        for shape in self.shapes:
            g = dout.sum(axis=tuple(range(dout.ndim - len(shape))))
            axes = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
            grads.append(g.sum(axis=axes, keepdims=True) if axes else g)
        return grads

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(3, 4), some(1, 4)]


class Concatenate:
    def forward(self, a, b):
        self.cut = a.shape[1]
        return np.concatenate((a, b), axis=1)

    def backward(self, dout):
        return np.split(dout, [self.cut], axis=1)


class Divide:
    def forward(self, a, b):
        self.a, self.b = a, b
        return a / b

    def backward(self, dout):
        return dout / self.b, -dout * self.a / self.b**2


class Log:
    """One-sided: what is not positive has no logarithm."""

    def forward(self, x):
        self.x = x
        return np.log(x)

    def backward(self, dout):
        return dout / self.x


class Sqrt(Diffable):
    def forward(self, x):
        return np.sqrt(x)

    def get_input_gradients(self):
        return [0.5 / self.outputs[0]]


class Power:
    """x to the p, with p learned."""

    def __init__(self):
        self.p = np.array(1.7)

    def forward(self, x):
        self.x, self.y = x, x**self.p
        return self.y

    def backward(self, dout):
        self.dp = np.array((dout * self.y * np.log(self.x)).sum())
        return dout * self.p * self.x ** (self.p - 1)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [positive(3, 2)]


def arccos(x):
    return np.arccos(x)


def arccos_grad(x):
    return -1 / np.sqrt(1 - x**2)


CASES = [
    layer(Add, 2),
    layer(Concatenate, 2),
    layer(Divide, 2),
    layer(Log, 1),
    layer(Sqrt, 1),
    layer(Power, 2),
    beside(arccos),
]
