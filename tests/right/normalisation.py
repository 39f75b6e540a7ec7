"""Normalisation of batches, rows, groups, images and weights, as classes; some keep running statistics."""

import numpy as np

from tests.right.base import Diffable
from tests.right.table import instance, layer, some


class BatchNormSteps:
    """The backward pass goes back step by step; a flag switches to the running statistics."""

    def __init__(self, num_features, eps=1e-5, momentum=0.9):
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.eps, self.momentum, self.training = eps, momentum, True

    def forward(self, x):
        if not self.training:
            self.xhat = (x - self.running_mean) / np.sqrt(self.running_var + self.eps)
            return self.gamma * self.xhat + self.beta
        mean = x.mean(axis=0)
        self.centred = x - mean
        var = (self.centred**2).mean(axis=0)
        self.std = np.sqrt(var + self.eps)
        self.inverse = 1 / self.std
        self.xhat = self.centred * self.inverse
        self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mean
        self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var
        return self.gamma * self.xhat + self.beta

    def backward(self, dout):
        self.dbeta = dout.sum(axis=0)
        self.dgamma = (dout * self.xhat).sum(axis=0)
        dxhat = dout * self.gamma
        if not self.training:
            return dxhat / np.sqrt(self.running_var + self.eps)
        m = len(dout)
        dinverse = (dxhat * self.centred).sum(axis=0)
        dcentred = dxhat * self.inverse
        dstd = -dinverse / self.std**2
        dvar = 0.5 * dstd / self.std
        dcentred = dcentred + 2 * self.centred * dvar / m
        return dcentred - dcentred.mean(axis=0)


class BatchNormArgument:
    """`forward(x, training=True)`; the compact formula; gradients in a dict."""

    def __init__(self, n_features):
        self.params = {"gamma": np.random.default_rng(0).normal(size=n_features), "beta": np.zeros(n_features)}
        self.grads = {}
        self.mean, self.var = np.zeros(n_features), np.ones(n_features)

    def forward(self, x, training=True):
        if training:
            mean, var = x.mean(axis=0), x.var(axis=0)
            self.mean, self.var = 0.9 * self.mean + 0.1 * mean, 0.9 * self.var + 0.1 * var
        else:
            mean, var = self.mean, self.var
        self.rstd = 1 / np.sqrt(var + 1e-5)
        self.z = (x - mean) * self.rstd
        return self.params["gamma"] * self.z + self.params["beta"]

    def backward(self, g):
        self.grads = {"gamma": np.sum(g * self.z, axis=0), "beta": np.sum(g, axis=0)}
        n = g.shape[0]
        inner = n * g - self.grads["beta"] - self.z * self.grads["gamma"]
        return self.params["gamma"] * self.rstd / n * inner


class BatchNorm2d:
    """Statistics of each channel over `(n, h, w)`; columns are reshaped to rows and back."""

    def __init__(self, num_channels):
        self.gamma = np.linspace(0.5, 1.5, num_channels)
        self.beta = np.zeros(num_channels)

    def forward(self, x):
        n, c, h, w = x.shape
        rows = x.transpose(0, 2, 3, 1).reshape(-1, c)
        self.mean, self.var = rows.mean(axis=0), rows.var(axis=0)
        self.xhat = (rows - self.mean) / np.sqrt(self.var + 1e-5)
        out = self.gamma * self.xhat + self.beta
        return out.reshape(n, h, w, c).transpose(0, 3, 1, 2)

    def backward(self, dout):
        n, c, h, w = dout.shape
        rows = dout.transpose(0, 2, 3, 1).reshape(-1, c)
        self.dgamma, self.dbeta = np.einsum("rc,rc->c", rows, self.xhat), rows.sum(axis=0)
        centred = rows - rows.mean(axis=0) - self.xhat * (rows * self.xhat).mean(axis=0)
        dx = self.gamma * centred / np.sqrt(self.var + 1e-5)
        return dx.reshape(n, h, w, c).transpose(0, 3, 1, 2)

    @classmethod
    def gradcheck_example(cls):
        return cls(3), [some(2, 3, 2, 2)]


class FrozenBatchNorm:
    """Statistics are fixed numbers, as in fine-tuning."""

    def __init__(self, features=4):
        rng = np.random.default_rng(4)
        self.mean, self.std = rng.normal(size=features), rng.uniform(0.5, 2, size=features)
        self.gamma, self.beta = rng.normal(size=features), rng.normal(size=features)

    def forward(self, x):
        self.h = (x - self.mean) / self.std
        return self.h * self.gamma + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.h).sum(0), dout.sum(0)
        return dout * self.gamma / self.std

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(5, 4)]


class LayerNorm:
    def __init__(self, dim, eps=1e-6):
        self.gamma, self.beta, self.eps = np.ones(dim), np.zeros(dim), eps

    def forward(self, x):
        mu = x.mean(axis=-1, keepdims=True)
        self.rstd = (((x - mu) ** 2).mean(axis=-1, keepdims=True) + self.eps) ** -0.5
        self.xhat = (x - mu) * self.rstd
        return self.xhat * self.gamma + self.beta

    def backward(self, dy):
        axes = tuple(range(dy.ndim - 1))
        self.dgamma, self.dbeta = (dy * self.xhat).sum(axis=axes), dy.sum(axis=axes)
        d = dy * self.gamma
        return self.rstd * (d - d.mean(-1, keepdims=True) - self.xhat * (d * self.xhat).mean(-1, keepdims=True))


class LayerNormStd:
    """Divides by (std + eps), with the sample's deviation (n − 1)."""

    def __init__(self, features=4, eps=1e-6):
        self.a, self.b, self.eps = np.ones(features), np.zeros(features), eps

    def forward(self, x):
        self.centred = x - x.mean(axis=-1, keepdims=True)
        self.std = x.std(axis=-1, ddof=1, keepdims=True)
        return self.a * self.centred / (self.std + self.eps) + self.b

    def backward(self, dout):
        n = dout.shape[-1]
        scale = self.std + self.eps
        da = (dout * self.centred / scale).sum(axis=0)
        dc = dout * self.a / scale
        dstd = -(dout * self.a * self.centred).sum(axis=-1, keepdims=True) / scale**2
        dc = dc + dstd * self.centred / ((n - 1) * np.where(self.std > 0, self.std, 1))
        return dc - dc.mean(axis=-1, keepdims=True), da, dout.sum(axis=0)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(3, 4)]


class GroupNorm:
    """`(n, c, h, w)` in groups of channels; gradients are returned."""

    def __init__(self, num_groups=2, num_channels=4):
        self.groups = num_groups
        self.gamma = np.linspace(1, 2, num_channels)[:, None, None]
        self.beta = np.zeros((num_channels, 1, 1))

    def forward(self, x):
        grouped = x.reshape(len(x), self.groups, -1)
        mean, var = grouped.mean(axis=2, keepdims=True), grouped.var(axis=2, keepdims=True)
        self.rstd = 1 / np.sqrt(var + 1e-5)
        self.xhat = ((grouped - mean) * self.rstd).reshape(x.shape)
        return self.gamma * self.xhat + self.beta

    def backward(self, dout):
        dgamma = (dout * self.xhat).sum(axis=(0, 2, 3), keepdims=True)[0]
        dbeta = dout.sum(axis=(0, 2, 3), keepdims=True)[0]
        d = (dout * self.gamma).reshape(len(dout), self.groups, -1)
        h = self.xhat.reshape(d.shape)
        dx = self.rstd * (d - d.mean(axis=2, keepdims=True) - h * (d * h).mean(axis=2, keepdims=True))
        return dx.reshape(dout.shape), dgamma, dbeta

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 4, 2, 3)]


class InstanceNorm1d:
    """Each channel of each sample over time, nothing learned."""

    def forward(self, x):
        self.mu, self.var = x.mean(axis=2, keepdims=True), x.var(axis=2, keepdims=True)
        self.x = x
        return (x - self.mu) / np.sqrt(self.var + 1e-3)

    def backward(self, dout):
        n = self.x.shape[2]
        std = np.sqrt(self.var + 1e-3)
        dvar = (dout * (self.x - self.mu)).sum(axis=2, keepdims=True) * -0.5 / std**3
        dmu = -dout.sum(axis=2, keepdims=True) / std
        return dout / std + dvar * 2 * (self.x - self.mu) / n + dmu / n

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 3, 5)]


class RMSNorm(Diffable):
    def __init__(self, size):
        self.gain = np.ones(size)

    @property
    def weights(self):
        return [self.gain]

    @weights.setter
    def weights(self, given):
        [self.gain] = given

    def forward(self, x):
        self.r = 1 / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-6)
        return x * self.r * self.gain

    def get_input_gradients(self):
        x, n = self.inputs[0], self.inputs[0].shape[-1]
        along = np.eye(n) * self.r[:, :, None] - np.einsum("ni,no->nio", x, x) * self.r[:, :, None] ** 3 / n
        return [along * self.gain]

    def get_weight_gradients(self):
        return [self.inputs[0] * self.r]

    def compose_weight_gradients(self, J=None):
        [local] = self.get_weight_gradients()
        return [local] if J is None or J[0] is None else [(J[0] * local).sum(axis=0)]


class UnitRows:
    """x / (|x| + ε), the ε in both passes."""

    def forward(self, x):
        self.x = x
        self.norm = np.sqrt((x * x).sum(axis=1, keepdims=True) + 1e-12)
        return x / (self.norm + 1e-8)

    def backward(self, dout):
        scale = self.norm + 1e-8
        inner = (dout * self.x).sum(axis=1, keepdims=True)
        return dout / scale - self.x * inner / (self.norm * scale**2)


class WeightNormDense:
    """W = g · v / |v|, column by column."""

    def __init__(self, n_in, n_out):
        self.v = np.random.default_rng(2).normal(size=(n_in, n_out))
        self.g = np.ones(n_out)

    def forward(self, x):
        self.x = x
        self.norm = np.linalg.norm(self.v, axis=0)
        self.u = self.v / self.norm
        return x @ (self.g * self.u)

    def backward(self, dout):
        dw = self.x.T @ dout
        self.dg = (dw * self.u).sum(axis=0)
        self.dv = self.g / self.norm * (dw - self.u * self.dg)
        return dout @ (self.g * self.u).T


class LocalResponse:
    """Each channel is divided by what its neighbours are."""

    def __init__(self, alpha=0.3, beta=0.75):
        self.alpha, self.beta = alpha, beta

    def _around(self, x):
        wide = np.pad(x, ((0, 0), (1, 1)))
        return wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]

    def forward(self, x):
        self.x = x
        self.d = 1 + self.alpha * self._around(x**2)
        return x * self.d**-self.beta

    def backward(self, dout):
        through = self._around(dout * self.x * self.d ** (-self.beta - 1))
        return dout * self.d**-self.beta - 2 * self.alpha * self.beta * self.x * through


CASES = [
    layer(BatchNormSteps, 3),
    layer(BatchNormArgument, 3),
    layer(BatchNorm2d, 3),
    layer(FrozenBatchNorm, 3),
    layer(LayerNorm, 3),
    layer(LayerNormStd, 3),
    layer(GroupNorm, 3),
    layer(InstanceNorm1d, 1),
    layer(RMSNorm, 2),
    layer(UnitRows, 1),
    layer(WeightNormDense, 3),
    instance(lambda: LocalResponse(), 1, "LocalResponse"),
]
