"""Activations of whole rows: softmax in all forms, gates, maxout, sparsemax."""

import numpy as np

from tests.right.base import Diffable
from tests.right.table import at, layer, some


class Softmax(Diffable):
    """The local derivative is one matrix for each row."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def get_input_gradients(self):
        y = self.outputs[0]
        return [np.einsum("ni,ij->nij", y, np.eye(y.shape[1])) - np.einsum("ni,nj->nij", y, y)]


class NaiveSoftmax:
    """Without the maximum; the backward pass loops over the rows."""

    def forward(self, x):
        e = np.exp(x)
        self.y = e / np.sum(e, axis=1, keepdims=True)
        return self.y

    def backward(self, dout):
        dx = np.empty_like(dout)
        for i, (y, g) in enumerate(zip(self.y, dout, strict=True)):
            jacobian = np.diag(y) - np.outer(y, y)
            dx[i] = jacobian @ g
        return dx


class SoftmaxTemperature:
    def __init__(self, temperature=2.0):
        self.temperature = temperature

    def forward(self, x):
        z = x / self.temperature
        z = z - z.max(axis=-1, keepdims=True)
        self.y = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
        return self.y

    def backward(self, dout):
        inner = (dout * self.y).sum(axis=-1, keepdims=True)
        return self.y * (dout - inner) / self.temperature


class LogSoftmax:
    def forward(self, x):
        shifted = x - np.max(x, axis=-1, keepdims=True)
        self.log_y = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        return self.log_y

    def backward(self, dout):
        return dout - np.exp(self.log_y) * dout.sum(axis=-1, keepdims=True)


class ColumnSoftmax:
    """Samples are columns."""

    def forward(self, Z):
        T = np.exp(Z - np.max(Z, axis=0))
        self.A = T / T.sum(axis=0)
        return self.A

    def backward(self, dA):
        return self.A * (dA - np.sum(self.A * dA, axis=0))

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(4, 6)]


class Softmin:
    def forward(self, x):
        e = np.exp(-(x - x.min(axis=-1, keepdims=True)))
        self.y = e / e.sum(axis=-1, keepdims=True)
        return self.y

    def backward(self, dout):
        return -self.y * (dout - (dout * self.y).sum(axis=-1, keepdims=True))


class GLU:
    """Half of the features gate the other half."""

    def forward(self, x):
        self.a, b = np.split(x, 2, axis=-1)
        self.s = 1 / (1 + np.exp(-b))
        return self.a * self.s

    def backward(self, dout):
        da = dout * self.s
        db = dout * self.a * self.s * (1 - self.s)
        return np.concatenate([da, db], axis=-1)


class SwiGLU:
    """Three matrices, no bias; gradients in a dict."""

    def __init__(self, in_features, hidden_features):
        rng = np.random.default_rng(0)
        self.params = {
            "W": rng.normal(size=(in_features, hidden_features)),
            "V": rng.normal(size=(in_features, hidden_features)),
            "U": rng.normal(size=(hidden_features, in_features)),
        }
        self.grads = {}

    def forward(self, x):
        self.x = x
        self.a, self.b = x @ self.params["W"], x @ self.params["V"]
        self.s = 1 / (1 + np.exp(-self.a))
        self.h = self.a * self.s * self.b
        return self.h @ self.params["U"]

    def backward(self, dout):
        dh = dout @ self.params["U"].T
        da = dh * self.b * (self.s + self.a * self.s * (1 - self.s))
        db = dh * self.a * self.s
        self.grads = {"W": self.x.T @ da, "V": self.x.T @ db, "U": self.h.T @ dout}
        return da @ self.params["W"].T + db @ self.params["V"].T


class Maxout:
    """The largest of k linear maps."""

    def __init__(self, n_in, n_out, k=3):
        self.W = np.random.default_rng(1).normal(size=(k, n_in, n_out))
        self.b = np.zeros((k, n_out))

    def forward(self, x):
        self.x = x
        z = np.einsum("ni,kio->nko", x, self.W) + self.b
        self.which = z.argmax(axis=1)
        return z.max(axis=1)

    def backward(self, dout):
        won = np.arange(len(self.W))[:, None] == self.which[:, None, :]
        dz = won * dout[:, None, :]
        self.dW = np.einsum("ni,nko->kio", self.x, dz)
        self.db = dz.sum(axis=0)
        return np.einsum("nko,kio->ni", dz, self.W)


class CReLU(Diffable):
    """[max(x, 0), max(−x, 0)], twice as wide."""

    def forward(self, x):
        return np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)], axis=-1)

    def get_input_gradients(self):
        x = self.inputs[0]
        eye = np.eye(x.shape[-1])
        return [np.concatenate([(x > 0)[:, :, None] * eye, (x < 0)[:, :, None] * -eye], axis=-1)]


class Sparsemax:
    """The nearest point of the simplex, by sorting (Martins and Astudillo 2016)."""

    def forward(self, z):
        ranked = np.sort(z, axis=-1)[:, ::-1]
        partial = np.cumsum(ranked, axis=-1)
        k = np.arange(1, z.shape[-1] + 1)
        inside = 1 + k * ranked > partial
        size = inside.sum(axis=-1, keepdims=True)
        tau = (np.take_along_axis(partial, size - 1, axis=-1) - 1) / size
        p = np.maximum(z - tau, 0)
        self.support = p > 0
        return p

    def backward(self, dout):
        kept = dout * self.support
        mean = kept.sum(axis=-1, keepdims=True) / self.support.sum(axis=-1, keepdims=True)
        return self.support * (dout - mean)


def softmax_of_vector(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def softmax_of_vector_jac(x):
    y = softmax_of_vector(x).reshape(-1, 1)
    return np.diagflat(y) - y @ y.T


def logits_to_pairwise(x):
    """The odds of every pair: σ(xᵢ − xⱼ)."""
    return 1 / (1 + np.exp(x[None, :] - x[:, None]))


def logits_to_pairwise_vjp(x, g):
    p = logits_to_pairwise(x)
    slope = g * p * (1 - p)
    return slope.sum(axis=1) - slope.sum(axis=0)


CASES = [
    layer(Softmax, 1),
    layer(NaiveSoftmax, 1),
    layer(SoftmaxTemperature, 1),
    layer(LogSoftmax, 1),
    layer(ColumnSoftmax, 1),
    layer(Softmin, 1),
    layer(GLU, 1),
    layer(SwiGLU, 4),
    layer(Maxout, 3),
    layer(CReLU, 1),
    layer(Sparsemax, 1),
    at(softmax_of_vector, some(5), jac=softmax_of_vector_jac),
    at(logits_to_pairwise, some(4), vjp=logits_to_pairwise_vjp),
]
