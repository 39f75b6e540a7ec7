"""Small networks as classes: parameters in dicts, layers in lists, blocks of blocks."""

import numpy as np

from tests.right.activations import NaiveSigmoid, ReLUMask
from tests.right.attention import CausalAttention
from tests.right.linear_layers import Float32Dense
from tests.right.normalisation import LayerNorm
from tests.right.table import layer, some

# ruff: noqa: NPY002


class Linear:
    """Gradients add up until `zero_grad`."""

    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out) / np.sqrt(n_in), np.zeros(n_out)
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

    def zero_grad(self):
        self.dW.fill(0)
        self.db.fill(0)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW += self.x.T @ dout
        self.db += dout.sum(axis=0)
        return dout @ self.W.T


class Network:
    """Layers in a list, one after the other."""

    def __init__(self, n_in=3, n_hidden=4, n_out=2):
        self.layers = [Linear(n_in, n_hidden), NaiveSigmoid(), Linear(n_hidden, n_out)]

    def zero_grad(self):
        for part in self.layers:
            if hasattr(part, "zero_grad"):
                part.zero_grad()

    def forward(self, x):
        for part in self.layers:
            x = part.forward(x)
        return x

    def backward(self, dout):
        for part in reversed(self.layers):
            dout = part.backward(dout)
        return dout


class TwoLayers:
    """Everything in two dicts."""

    def __init__(self, input_size, hidden_size, output_size):
        self.params = {
            "W1": np.random.randn(input_size, hidden_size),
            "b1": np.random.randn(hidden_size),
            "W2": np.random.randn(hidden_size, output_size),
            "b2": np.random.randn(output_size),
        }
        self.grads = {}

    def forward(self, X):
        p = self.params
        self.X, self.z = X, X @ p["W1"] + p["b1"]
        self.a = np.tanh(self.z)
        return self.a @ p["W2"] + p["b2"]

    def backward(self, dout):
        dz = dout @ self.params["W2"].T * (1 - self.a**2)
        self.grads = {
            "W1": self.X.T @ dz,
            "b1": dz.sum(axis=0),
            "W2": self.a.T @ dout,
            "b2": dout.sum(axis=0),
        }
        return dz @ self.params["W1"].T


class ResidualBlock:
    """x + W₂ relu(W₁ x), from the layers of other files."""

    def __init__(self, dim):
        self.first, self.relu, self.second = Float32Dense(dim, dim), ReLUMask(), Float32Dense(dim, dim)

    def forward(self, x):
        return x + self.second.forward(self.relu.forward(self.first.forward(x)))

    def backward(self, dout):
        return dout + self.first.backward(self.relu.backward(self.second.backward(dout)))


class Highway:
    """t · h + (1 − t) · x; gradients are returned."""

    def __init__(self, dim):
        self.Wh, self.Wt = np.random.randn(dim, dim), np.random.randn(dim, dim)
        self.bt = np.full(dim, -1.0)

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.Wh)
        self.t = 1 / (1 + np.exp(-(x @ self.Wt + self.bt)))
        return self.t * self.h + (1 - self.t) * x

    def backward(self, dout):
        dh = dout * self.t * (1 - self.h**2)
        dt = dout * (self.h - self.x) * self.t * (1 - self.t)
        dx = dout * (1 - self.t) + dh @ self.Wh.T + dt @ self.Wt.T
        return dx, self.x.T @ dh, self.x.T @ dt, dt.sum(axis=0)


class TiedAutoencoder:
    """One matrix for both ways: both uses count."""

    def __init__(self, n_in, n_hidden):
        self.W = np.random.randn(n_in, n_hidden)
        self.b, self.c = np.zeros(n_hidden), np.zeros(n_in)

    def forward(self, x):
        self.x = x
        self.h = 1 / (1 + np.exp(-(x @ self.W + self.b)))
        return self.h @ self.W.T + self.c

    def backward(self, dout):
        self.dc = dout.sum(axis=0)
        dz = (dout @ self.W) * self.h * (1 - self.h)
        self.db = dz.sum(axis=0)
        self.dW = self.x.T @ dz + dout.T @ self.h
        return dz @ self.W.T


class TransformerBlock:
    """Norm first, attention, a residual."""

    def __init__(self, dim=3):
        self.norm, self.attention = LayerNorm(dim), CausalAttention(dim, dim)

    def forward(self, x):
        return x + self.attention.forward(self.norm.forward(x))

    def backward(self, dout):
        return dout + self.norm.backward(self.attention.backward(dout))

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 3, 3)]


class MixtureOfExperts:
    """A softmax gate over three linear experts."""

    def __init__(self, n_in=3, n_out=2, experts=3):
        rng = np.random.default_rng(5)
        self.params = {"gate": rng.normal(size=(n_in, experts)), "experts": rng.normal(size=(experts, n_in, n_out))}
        self.grads = {}

    def forward(self, x):
        s = x @ self.params["gate"]
        e = np.exp(s - s.max(axis=1, keepdims=True))
        self.x, self.g = x, e / e.sum(axis=1, keepdims=True)
        self.y = np.einsum("ni,kio->nko", x, self.params["experts"])
        return np.einsum("nk,nko->no", self.g, self.y)

    def backward(self, dout):
        dg = np.einsum("no,nko->nk", dout, self.y)
        ds = self.g * (dg - (dg * self.g).sum(axis=1, keepdims=True))
        dy = self.g[:, :, None] * dout[:, None, :]
        self.grads = {"gate": self.x.T @ ds, "experts": np.einsum("ni,nko->kio", self.x, dy)}
        return ds @ self.params["gate"].T + np.einsum("nko,kio->ni", dy, self.params["experts"])

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(4, 3)]


class ConvNet:
    """A convolution of width 2 over time, ReLU, the mean over time, a linear map."""

    def __init__(self, n_in=2, n_filters=3, n_out=2):
        self.params = {
            "K": np.random.randn(2, n_in, n_filters),
            "W": np.random.randn(n_filters, n_out),
        }
        self.grads = {"K": None, "W": None}

    def forward(self, x):
        self.x = x
        self.z = x[:, :-1] @ self.params["K"][0] + x[:, 1:] @ self.params["K"][1]
        self.pooled = np.maximum(self.z, 0).mean(axis=1)
        return self.pooled @ self.params["W"]

    def backward(self, dout):
        self.grads["W"] = self.pooled.T @ dout
        dpooled = dout @ self.params["W"].T
        dz = dpooled[:, None, :] / self.z.shape[1] * (self.z > 0)
        self.grads["K"] = np.stack([np.einsum("nti,ntf->if", part, dz) for part in (self.x[:, :-1], self.x[:, 1:])])
        dx = np.zeros(self.x.shape)
        dx[:, :-1] += dz @ self.params["K"][0].T
        dx[:, 1:] += dz @ self.params["K"][1].T
        return dx

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 4, 2)]


class Siamese:
    """One net on two inputs, and the squared distance of what comes out."""

    def __init__(self, n_in=3, n_out=2):
        self.W = np.random.randn(n_in, n_out)

    def forward(self, left, right):
        self.left, self.right = left, right
        self.a, self.b = np.tanh(left @ self.W), np.tanh(right @ self.W)
        return ((self.a - self.b) ** 2).sum(axis=1)

    def backward(self, dout):
        d = 2 * dout[:, None] * (self.a - self.b)
        da, db = d * (1 - self.a**2), -d * (1 - self.b**2)
        self.dW = self.left.T @ da + self.right.T @ db
        return da @ self.W.T, db @ self.W.T


CASES = [
    layer(Linear, 3),
    layer(Network, 5),
    layer(TwoLayers, 5),
    layer(ResidualBlock, 5),
    layer(Highway, 4),
    layer(TiedAutoencoder, 4),
    layer(TransformerBlock, 6),
    layer(MixtureOfExperts, 3),
    layer(ConvNet, 3),
    layer(Siamese, 3),
]
