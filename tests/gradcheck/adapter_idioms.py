"""More ways in which courses write layers; all right."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class LeavesEverything:
    """Forward and backward return nothing: `output`, `dinputs`, `dweights`, `dbiases`."""

    def __init__(self, n_inputs: int, n_neurons: int) -> None:
        self.weights = np.linspace(-1, 1, n_inputs * n_neurons).reshape(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = inputs @ self.weights + self.biases

    def backward(self, dvalues: Array) -> None:
        self.dweights = self.inputs.T @ dvalues
        self.dbiases = dvalues.sum(axis=0, keepdims=True)
        self.dinputs = dvalues @ self.weights.T


class LongNames:
    """Gradients called `dLdW` and `dLdb`; the bias is a column."""

    def __init__(self, in_features: int, out_features: int) -> None:
        self.W = np.linspace(-1, 1, in_features * out_features).reshape(out_features, in_features)
        self.b = np.ones((out_features, 1))

    def forward(self, A: Array) -> Array:
        self.A = A
        return A @ self.W.T + self.b.T

    def backward(self, dLdZ: Array) -> Array:
        self.dLdW = dLdZ.T @ self.A
        self.dLdb = dLdZ.sum(axis=0)[:, None]
        return dLdZ @ self.W


class BatchNorm:
    """Scale and shift whose names end alike, gradients made in advance, and running statistics that are no weights."""

    def __init__(self, num_features: int) -> None:
        self.BW, self.Bb = np.ones((1, num_features)), np.zeros((1, num_features))
        self.dLdBW, self.dLdBb = np.zeros((1, num_features)), np.zeros((1, num_features))
        self.running = np.zeros((1, num_features))

    def forward(self, Z: Array, eval: bool = False) -> Array:
        self.deviation = np.sqrt(Z.var(axis=0, keepdims=True) + 1e-5)
        self.NZ = (Z - Z.mean(axis=0, keepdims=True)) / self.deviation
        self.running = 0.9 * self.running + 0.1 * Z.mean(axis=0, keepdims=True)
        return self.BW * self.NZ + self.Bb

    def backward(self, dLdBZ: Array) -> Array:
        self.dLdBW = np.sum(dLdBZ * self.NZ, axis=0, keepdims=True)
        self.dLdBb = np.sum(dLdBZ, axis=0, keepdims=True)
        g = dLdBZ * self.BW
        return (g - g.mean(axis=0) - self.NZ * (g * self.NZ).mean(axis=0)) / self.deviation


class Convolution:
    """Images `(batch, channels, height, width)`; gradients accumulate from zero in each backward."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        self.k = kernel_size
        shape = (out_channels, in_channels, kernel_size, kernel_size)
        self.W = np.linspace(-1, 1, int(np.prod(shape))).reshape(shape)
        self.b = np.zeros(out_channels)

    def windows(self, shape: tuple[int, ...]) -> list[tuple[int, int]]:
        return [(i, j) for i in range(shape[2] - self.k + 1) for j in range(shape[3] - self.k + 1)]

    def forward(self, A: Array) -> Array:
        self.A = A
        n, _, h, w = A.shape
        Z = np.zeros((n, len(self.b), h - self.k + 1, w - self.k + 1))
        for i, j in self.windows(A.shape):
            patch = A[:, :, i : i + self.k, j : j + self.k]
            Z[:, :, i, j] = np.tensordot(patch, self.W, axes=([1, 2, 3], [1, 2, 3])) + self.b
        return Z

    def backward(self, dLdZ: Array) -> Array:
        self.dLdW, dLdA = np.zeros(self.W.shape), np.zeros(self.A.shape)
        self.dLdb = dLdZ.sum(axis=(0, 2, 3))
        for i, j in self.windows(self.A.shape):
            g = dLdZ[:, :, i, j]
            self.dLdW += np.tensordot(g, self.A[:, :, i : i + self.k, j : j + self.k], axes=([0], [0]))
            dLdA[:, :, i : i + self.k, j : j + self.k] += np.tensordot(g, self.W, axes=([1], [0]))
        return dLdA


class InList:
    """Weights that the constructor takes, in lists `params` and `grads`; the gradient is written in place."""

    def __init__(self, W: Array) -> None:
        self.params = [W]
        self.grads = [np.zeros_like(W)]

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.params[0]

    def backward(self, dout: Array) -> Array:
        self.grads[0][...] = self.x.T @ dout
        return dout @ self.params[0].T


class Stateless:
    """`backward(input, grad_output)` takes the input once more, and learns with a rate of its own."""

    def __init__(self, input_units: int, output_units: int, learning_rate: float = 0.1) -> None:
        self.learning_rate = learning_rate
        self.weights = np.linspace(-1, 1, input_units * output_units).reshape(input_units, output_units)
        self.biases = np.zeros(output_units)

    def forward(self, input: Array) -> Array:
        return input @ self.weights + self.biases

    def backward(self, input: Array, grad_output: Array) -> Array:
        grad_input = grad_output @ self.weights.T
        self.weights = self.weights - self.learning_rate * (input.T @ grad_output)
        self.biases = self.biases - self.learning_rate * grad_output.sum(axis=0)
        return grad_input


class SoftmaxWithLoss:
    """Two inputs, one gradient; right for labels that sum to 1 only."""

    def forward(self, x: Array, t: Array) -> Any:
        self.t = t
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        return -np.sum(t * np.log(self.y)) / len(x)

    def backward(self, dout: Any = 1) -> Array:
        return dout * (self.y - self.t) / len(self.t)


class Recurrent:
    """One step: two inputs, three weights, gradients of both inputs returned."""

    def __init__(self, input_dim: int, hidden_dim: int) -> None:
        self.Wx = np.linspace(-1, 1, input_dim * hidden_dim).reshape(input_dim, hidden_dim)
        self.Wh = np.linspace(-1, 1, hidden_dim * hidden_dim).reshape(hidden_dim, hidden_dim)
        self.b = np.zeros(hidden_dim)

    def forward(self, x: Array, h: Array) -> Array:
        self.x, self.h = x, h
        self.next = np.tanh(x @ self.Wx + h @ self.Wh + self.b)
        return self.next

    def backward(self, dh: Array) -> tuple[Array, Array]:
        g = dh * (1 - self.next**2)
        self.dWx, self.dWh, self.db = self.x.T @ g, self.h.T @ g, g.sum(axis=0)
        return g @ self.Wx.T, g @ self.Wh.T


def affine_forward(x: Array, w: Array, b: Array) -> tuple[Array, Any]:
    return x @ w + b, (x, w)


def affine_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)
