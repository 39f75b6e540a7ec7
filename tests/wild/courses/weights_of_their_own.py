"""A loss of data by its own weights, gradients in holders, a gradient that is cut to size, float32 inside."""

import numpy as np


class Ridge:
    def __init__(self, n, l1=0.0, l2=0.0):
        self.w = np.linspace(-1, 1, n)
        self.l1, self.l2 = l1, l2

    def loss(self, X, y):
        r = X @ self.w - y
        return np.mean(r**2) + self.l1 * np.abs(self.w).sum() + self.l2 * self.w @ self.w

    def grad(self, X, y):
        r = X @ self.w - y
        return 2 * X.T @ r / len(y) + self.l1 * np.sign(self.w) + 2 * self.l2 * self.w


class Held:
    def __init__(self, value):
        self.value = value
        self.grad = np.zeros_like(value)


class Dense:
    def __init__(self, n_in, n_out):
        self.W, self.b = Held(np.ones((n_in, n_out))), Held(np.zeros(n_out))

    def forward(self, x):
        self.x = x
        return x @ self.W.value + self.b.value

    def backward(self, g):
        self.W.grad = self.x.T @ g
        self.b.grad = g.sum(axis=0)
        return g @ self.W.value.T


class Padded:
    def __init__(self, n_in, pad=1):
        self.w = np.linspace(1, 2, n_in + 2 * pad)
        self.pad = pad

    def forward(self, x):
        self.padded = np.pad(x, ((0, 0), (self.pad, self.pad)), mode="edge")
        return self.padded * self.w

    def backward(self, g):
        self.dw = (g * self.padded).sum(axis=0)
        d = g * self.w
        n = d.shape[1] - 2 * self.pad
        dx = d[:, self.pad : self.pad + n].copy()
        dx[:, 0] += d[:, : self.pad].sum(axis=1)
        dx[:, -1] += d[:, self.pad + n :].sum(axis=1)
        return dx


class SigmoidInSingle:
    def forward(self, x):
        self.y = (1 / (1 + np.exp(-x))).astype(np.float32)
        return self.y

    def backward(self, g):
        return (g * self.y * (1 - self.y)).astype(np.float32)
