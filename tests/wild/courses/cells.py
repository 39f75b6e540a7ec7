"""Recurrent cells whose weights are of the input and the state together."""

import numpy as np


class GatedCell:
    """`W` is `(n_in + hidden, 2 · hidden)`: a gate and a proposal."""

    def __init__(self, n_in, hidden):
        self.W = np.random.default_rng(0).normal(0, 0.1, (n_in + hidden, 2 * hidden))

    def forward(self, x, h):
        xh = np.concatenate([x, h], axis=1)
        gate, new = np.split(np.tanh(xh @ self.W), 2, axis=1)
        self.cache = (xh, gate, new, x.shape[1])
        return gate * new + h

    def backward(self, dh):
        xh, gate, new, n = self.cache
        da = np.hstack([dh * new * (1 - gate**2), dh * gate * (1 - new**2)])
        self.dW = xh.T @ da
        dxh = da @ self.W.T
        return dxh[:, :n], dxh[:, n:] + dh


class ColumnCell:
    """Samples are columns, and nothing says how large the state is."""

    def __init__(self, input_size, hidden_size):
        self.W = np.random.default_rng(0).normal(0, 0.1, (hidden_size, input_size + hidden_size))

    def forward(self, x, h):
        self.xh = np.vstack([x, h])
        self.size = len(x)
        self.out = np.tanh(self.W @ self.xh)
        return self.out

    def backward(self, dh):
        dz = dh * (1 - self.out**2)
        self.dW = dz @ self.xh.T
        dxh = self.W.T @ dz
        return dxh[: self.size], dxh[self.size :]
