"""Dropout and noise: NumPy's global generator, one of the layer's own, a mask as an argument, a mode as an argument."""

import numpy as np

from tests.right.table import cached, layer, some

# ruff: noqa: NPY002


class DropoutGlobal:
    """Inverted, from `np.random.rand`."""

    def __init__(self, p=0.5):
        self.p = p

    def forward(self, x):
        self.mask = (np.random.rand(*x.shape) >= self.p) / (1 - self.p)
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class DropoutGenerator:
    """A generator of its own, and a training flag."""

    def __init__(self, rate=0.4, seed=0):
        self.rate, self.rng, self.training = rate, np.random.default_rng(seed), True

    def forward(self, x):
        self.mask = None
        if not self.training or self.rate == 0:
            return x
        self.mask = self.rng.random(x.shape) > self.rate
        return np.where(self.mask, x, 0) / (1 - self.rate)

    def backward(self, grad):
        return grad if self.mask is None else np.where(self.mask, grad, 0) / (1 - self.rate)


class DropoutArgument:
    """`forward(x, training=True)`; at evaluation the input is scaled instead."""

    def __init__(self, dropout_ratio=0.3):
        self.dropout_ratio = dropout_ratio
        self.mask = None

    def forward(self, x, training=True):
        if training:
            self.mask = np.random.rand(*x.shape) > self.dropout_ratio
            return x * self.mask
        return x * (1.0 - self.dropout_ratio)

    def backward(self, dout):
        return dout * self.mask


class DropoutRequiredMode:
    """The mode has no default."""

    def __init__(self, p=0.2):
        self.p = p

    def forward(self, x, train):
        self.scale = np.random.binomial(1, 1 - self.p, size=x.shape) / (1 - self.p) if train else np.ones(x.shape)
        return x * self.scale

    def backward(self, dout):
        return dout * self.scale


class SpatialDropout:
    """Whole channels go."""

    def __init__(self, p=0.5):
        self.p, self.random = p, np.random.RandomState(1)

    def forward(self, x):
        keep = self.random.uniform(size=(*x.shape[:2], 1, 1)) > self.p
        self.factor = keep / (1 - self.p)
        return self.factor * x

    def backward(self, dout):
        return self.factor * dout

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 3, 2, 2)]


class DropConnect:
    """A Dense layer whose weights are dropped; gradients in a dict."""

    def __init__(self, n_in, n_out, p=0.25):
        self.params = {"W": np.random.randn(n_in, n_out), "b": np.zeros(n_out)}
        self.grads = {}
        self.p = p

    def forward(self, x):
        self.x = x
        self.mask = (np.random.random(self.params["W"].shape) > self.p).astype(x.dtype) / (1 - self.p)
        return x @ (self.params["W"] * self.mask) + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = (self.x.T @ dout) * self.mask
        self.grads["b"] = dout.sum(axis=0)
        return dout @ (self.params["W"] * self.mask).T


class GaussianNoise:
    def __init__(self, sigma=0.1):
        self.sigma = sigma

    def forward(self, x):
        return x + self.sigma * np.random.standard_normal(x.shape)

    def backward(self, dout):
        return dout.copy()


class MultiplicativeNoise:
    """Gaussian dropout: the noise is kept for the backward pass."""

    def __init__(self, p=0.2, seed=3):
        self.std, self.rng = np.sqrt(p / (1 - p)), np.random.default_rng(seed)

    def forward(self, x):
        self.noise = self.rng.normal(1, self.std, size=x.shape)
        return x * self.noise

    def backward(self, dout):
        return dout * self.noise


class AlphaDropout:
    """For SELU networks: what is dropped becomes α′, then all is scaled and shifted."""

    def __init__(self, p=0.1):
        alpha = -1.7580993408473766
        self.p, self.value = p, alpha
        self.a = ((1 - p) * (1 + p * alpha**2)) ** -0.5
        self.b = -self.a * alpha * p

    def forward(self, x):
        self.keep = np.random.rand(*x.shape) > self.p
        return self.a * np.where(self.keep, x, self.value) + self.b

    def backward(self, dout):
        return self.a * dout * self.keep


class StochasticDepth:
    """A residual branch tanh(xW) that whole samples skip."""

    def __init__(self, dim, survival=0.7):
        self.W, self.survival = np.random.randn(dim, dim), survival

    def forward(self, x):
        self.x, self.t = x, np.tanh(x @ self.W)
        self.alive = (np.random.rand(len(x), 1) < self.survival) / self.survival
        return x + self.alive * self.t

    def backward(self, dout):
        dz = dout * self.alive * (1 - self.t**2)
        self.dW = self.x.T @ dz
        return dout + dz @ self.W.T


class GumbelSoftmax:
    """A softmax of logits with Gumbel noise, at a temperature."""

    def __init__(self, tau=0.8, seed=5):
        self.tau, self.rng = tau, np.random.default_rng(seed)

    def forward(self, logits):
        noise = -np.log(-np.log(self.rng.uniform(1e-6, 1 - 1e-6, size=logits.shape)))
        z = (logits + noise) / self.tau
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        self.y = e / e.sum(axis=-1, keepdims=True)
        return self.y

    def backward(self, dout):
        return self.y * (dout - (dout * self.y).sum(axis=-1, keepdims=True)) / self.tau


def dropout_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    mask = (np.random.rand(*x.shape) < p) / p if mode == "train" else None
    return x if mask is None else x * mask, (dropout_param, mask)


def dropout_backward(dout, cache):
    dropout_param, mask = cache
    return dout * mask if dropout_param["mode"] == "train" else dout


CASES = [
    layer(DropoutGlobal, 1),
    layer(DropoutGenerator, 1),
    layer(DropoutArgument, 1),
    layer(DropoutRequiredMode, 1),
    layer(SpatialDropout, 1),
    layer(DropConnect, 3),
    layer(GaussianNoise, 1),
    layer(MultiplicativeNoise, 1),
    layer(AlphaDropout, 1),
    layer(StochasticDepth, 2),
    layer(GumbelSoftmax, 1),
    cached(dropout_forward, dropout_backward, some(3, 4), settings=({"p": 0.6, "mode": "train", "seed": 7},)),
]
