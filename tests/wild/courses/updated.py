"""Weights in lists and dicts of an object that each call changes: by an update, or by the state that it keeps."""

import numpy as np


class Listed:
    """Weights in lists, updated on the way back."""

    def __init__(self, sizes=(4, 5, 3), lr=0.1):
        rng = np.random.RandomState(0)
        self.W = [rng.randn(sizes[k], sizes[k + 1]) * 0.3 for k in range(len(sizes) - 1)]
        self.b = [np.zeros(n) for n in sizes[1:]]
        self.lr = lr

    def forward(self, x):
        self.a = [x]
        for W, b in zip(self.W, self.b, strict=True):
            self.a.append(np.tanh(self.a[-1] @ W + b))
        return self.a[-1]

    def backward(self, dout):
        for i in reversed(range(len(self.W))):
            dz = dout * (1 - self.a[i + 1] ** 2)
            dout = dz @ self.W[i].T
            self.W[i] = self.W[i] - self.lr * self.a[i].T @ dz
            self.b[i] = self.b[i] - self.lr * dz.sum(0)
        return dout


class Nested:
    """Weights in a list of dicts, updated in place."""

    def __init__(self, n_in=4, n_out=3):
        rng = np.random.RandomState(0)
        self.params = [{"W": rng.randn(n_in, n_out), "b": np.zeros(n_out)}]

    def forward(self, x):
        self.x = x
        return x @ self.params[0]["W"] + self.params[0]["b"]

    def backward(self, dout, learning_rate):
        own = self.params[0]
        dx = dout @ own["W"].T
        own["W"] -= learning_rate * self.x.T @ dout
        own["b"] -= learning_rate * dout.sum(0)
        return dx


class Stateful:
    """A state that goes on from call to call, and weights in a dict."""

    def __init__(self, n_in, n_hid):
        rng = np.random.default_rng(1)
        self.params = {"Wx": rng.normal(0, 0.3, (n_in, n_hid)), "Wh": rng.normal(0, 0.3, (n_hid, n_hid))}
        self.grads = {}
        self.h = None

    def forward(self, x):
        self.x = x
        self.before = np.zeros((len(x), len(self.params["Wh"]))) if self.h is None else self.h
        self.h = np.tanh(x @ self.params["Wx"] + self.before @ self.params["Wh"])
        return self.h

    def backward(self, dh):
        dz = dh * (1 - self.h**2)
        self.grads = {"Wx": self.x.T @ dz, "Wh": self.before.T @ dz}
        return dz @ self.params["Wx"].T


class Third:
    """Its small steps, of no few binary digits, are rounded beside the weight."""

    def __init__(self):
        self.w = np.array([[4.3, -1.7, 0.1], [0.9, 3.3, -0.7]])

    def forward(self, x):
        self.x = x
        return x / 3 @ self.w

    def backward(self, g, learning_rate=0.1):
        dx = g @ self.w.T / 3
        self.w = self.w - learning_rate * (self.x / 3).T @ g
        return dx
