"""Functions of one vector in classes, and operations of a graph whose nodes stand elsewhere."""

import numpy as np


class Rosenbrock:
    """Entries by their numbers."""

    def __call__(self, x):
        return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2

    def grad(self, x):
        return np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])


class Valleys:
    """A vector that is taken apart, beside another function."""

    def himmelblau(self, p):
        x, y = p
        return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2

    def himmelblau_grad(self, p):
        x, y = p
        a, b = x**2 + y - 11, x + y**2 - 7
        return np.array([4 * x * a + 2 * b, 2 * a + 4 * y * b])


class Quadratic:
    """A matrix and a vector that the constructor takes."""

    def __init__(self, A, b):
        self.A = A
        self.b = b

    def value(self, x):
        return 0.5 * x @ self.A @ x - self.b @ x

    def gradient(self, x):
        return self.A @ x - self.b


class Op:
    """The base of operations."""

    def compute(self, *args):
        raise NotImplementedError

    def gradient(self, out_grad, node):
        raise NotImplementedError


class EWiseMul(Op):
    """Two inputs of a node."""

    def compute(self, a, b):
        return a * b

    def gradient(self, out_grad, node):
        a, b = node.inputs
        return out_grad * b, out_grad * a


class Summation(Op):
    """Along axes that the constructor takes."""

    def __init__(self, axes=None):
        self.axes = axes

    def compute(self, a):
        return np.sum(a, axis=self.axes)

    def gradient(self, out_grad, node):
        like = np.ones_like(node.inputs[0])
        return like * out_grad if self.axes is None else like * np.expand_dims(out_grad, self.axes)
