"""Weights and gradients in other places than `W` and `dW`."""

import numpy as np


class Slotted:
    __slots__ = ("W", "dW", "x")

    def __init__(self, n_in, n_out):
        self.W = np.random.default_rng(0).normal(size=(n_in, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class Parameter:
    def __init__(self, data):
        self.data = data
        self.grad = None


class WithHolders:
    def __init__(self, n_in, n_out):
        self.weight = Parameter(np.random.default_rng(0).normal(size=(n_in, n_out)))
        self.bias = Parameter(np.zeros(n_out))

    def forward(self, x):
        self.x = x
        return x @ self.weight.data + self.bias.data

    def backward(self, dout):
        self.weight.grad = self.x.T @ dout
        self.bias.grad = dout.sum(axis=0)
        return dout @ self.weight.data.T


class WithGetters:
    def __init__(self, n_in, n_out):
        self._w = np.random.default_rng(0).normal(size=(n_in, n_out))

    def get_parameters(self):
        return [self._w]

    def get_gradients(self):
        return [self._x.T @ self._delta]

    def forward(self, x):
        self._x = x
        return x @ self._w

    def backward(self, delta):
        self._delta = delta
        return delta @ self._w.T


class WithStep:
    def __init__(self, n_in, n_out, lr=0.1):
        self.w = np.random.default_rng(0).normal(size=(n_in, n_out))
        self.lr = lr

    def forward(self, x):
        self.x = x
        return x @ self.w

    def backward(self, delta):
        self.delta = delta
        return delta @ self.w.T

    def step(self):
        self.w = self.w - self.lr * self.x.T @ self.delta


class PythonFloat:
    def __init__(self):
        self.gain = 1.25
        self.dgain = 0.0

    def forward(self, x):
        self.x = x
        return self.gain * np.sin(x)

    def backward(self, dout):
        self.dgain = float(np.sum(dout * np.sin(self.x)))
        return self.gain * np.cos(self.x) * dout


class MadeAtTheFirstCall:
    def __init__(self, units=3):
        self.units = units
        self.built = False

    def build(self, width):
        self.kernel = np.random.default_rng(0).normal(size=(width, self.units))
        self.built = True

    def __call__(self, x):
        if not self.built:
            self.build(x.shape[-1])
        return self.forward(x)

    def forward(self, x):
        self.x = x
        return x @ self.kernel

    def backward(self, dout):
        self.kernel_grad = self.x.T @ dout
        return dout @ self.kernel.T


class TupleOfBoth:
    def __init__(self, n_in, n_out):
        self.params = (np.random.default_rng(0).normal(size=(n_in, n_out)), np.zeros(n_out))
        self.grads = (None, None)

    def forward(self, x):
        self.x = x
        w, b = self.params
        return x @ w + b

    def backward(self, dout):
        w, _ = self.params
        self.grads = (self.x.T @ dout, dout.sum(axis=0))
        return dout @ w.T


class AddsUp:
    def __init__(self, n_in, n_out):
        self.W = np.random.default_rng(0).normal(size=(n_in, n_out))
        self.W_grad = np.zeros_like(self.W)

    def forget(self):
        self.W_grad[:] = 0

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.W_grad += self.x.T @ dout
        return dout @ self.W.T
