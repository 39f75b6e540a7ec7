"""Linear maps as layers: rows and columns, float32 weights, products of several inputs."""

import numpy as np

from tests.right.base import Diffable
from tests.right.table import layer, some

# ruff: noqa: NPY002


class Dense(Diffable):
    """The layer of all layers."""

    def __init__(self, input_size, output_size):
        self.w = np.random.normal(size=(input_size, output_size))
        self.b = np.zeros((1, output_size))

    @property
    def weights(self):
        return [self.w, self.b]

    @weights.setter
    def weights(self, given):
        self.w, self.b = given

    def forward(self, x):
        return x @ self.w + self.b

    def get_input_gradients(self):
        return [self.w]

    def compose_input_gradients(self, J=None):
        return self.get_input_gradients() if J is None or J[0] is None else [J[0] @ self.w.T]

    def get_weight_gradients(self):
        x = self.inputs[0]
        return [np.repeat(x[:, :, None], self.w.shape[1], axis=2), np.ones_like(self.outputs[0])]


class Float32Dense:
    """Weights in float32, whatever comes in."""

    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out).astype(np.float32)
        self.b = np.zeros(n_out, dtype=np.float32)

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b

    def backward(self, dout):
        self.dW, self.db = np.dot(self.x.T, dout), dout.sum(axis=0)
        return np.dot(dout, self.W.T)


class StrictFloat32Dense:
    """Takes float32 rows, and nothing else."""

    def __init__(self, in_features, out_features):
        self.weight = np.random.randn(in_features, out_features).astype(np.float32)

    def forward(self, x):
        assert x.dtype == np.float32, f"expected float32, got {x.dtype}"
        assert x.ndim == 2
        self.x = x
        return x @ self.weight

    def backward(self, dout):
        self.grad_weight = self.x.T @ dout
        return dout @ self.weight.T

    @classmethod
    def gradcheck_example(cls):
        return cls(4, 3), [some(5, 4).astype(np.float32)]


class ColumnLinear:
    """Samples are columns: W is `(out, in)`, b is `(out, 1)`."""

    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_out, n_in), np.zeros((n_out, 1))

    def forward(self, A):
        self.A = A
        return self.W @ A + self.b

    def backward(self, dZ):
        dW = dZ @ self.A.T
        db = dZ.sum(axis=1, keepdims=True)
        return self.W.T @ dZ, dW, db


class Bilinear:
    """x₁ᵀ W x₂ for each output."""

    def __init__(self, n_left=2, n_right=3, n_out=2):
        self.W = np.random.randn(n_left, n_right, n_out)

    def forward(self, x1, x2):
        self.x1, self.x2 = x1, x2
        return np.einsum("ni,ijo,nj->no", x1, self.W, x2)

    def backward(self, g):
        self.dW = np.einsum("ni,nj,no->ijo", self.x1, self.x2, g)
        dx1 = np.einsum("ijo,nj,no->ni", self.W, self.x2, g)
        dx2 = np.einsum("ijo,ni,no->nj", self.W, self.x1, g)
        return dx1, dx2

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(4, 2), some(4, 3)]


class MatMul:
    """A product of stacks, broadcast against one matrix."""

    def forward(self, a, b):
        self.a, self.b = a, b
        return a @ b

    def backward(self, grad):
        da = grad @ self.b.T
        db = np.tensordot(self.a, grad, axes=([0, 1], [0, 1]))
        return da, db

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 3, 4), some(4, 2)]


CASES = [
    layer(Dense, 3),
    layer(Float32Dense, 3),
    layer(StrictFloat32Dense, 2),
    layer(ColumnLinear, 3),
    layer(Bilinear, 3),
    layer(MatMul, 2),
]
