"""Right derivatives in the company of habits: caches that are spent, buffers, refusals, weights in odd places."""

import threading

import numpy as np

from tests.right.table import instance, layer, some

# ruff: noqa: NPY002


class FreedCache:
    """The input is forgotten after one backward pass."""

    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dout):
        dx = 2 * self.x * dout
        del self.x
        return dx


class PoppedCache:
    def __init__(self):
        self.cache = {}

    def forward(self, x):
        self.cache["x"], self.cache["y"] = x, np.exp(-x * x)
        return self.cache["y"]

    def backward(self, dout):
        return -2 * self.cache.pop("x") * self.cache.pop("y") * dout


class OverwritesInput:
    """ReLU to save memory: the input array becomes the output."""

    def forward(self, x):
        self.mask = x <= 0
        x[self.mask] = 0
        return x

    def backward(self, dout):
        dx = dout.copy()
        dx[self.mask] = 0
        return dx


class OverwritesUpstream:
    """The mask is put on the gradient that came in."""

    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


class ReusedGradientBuffer:
    """One array for dW as long as the layer lives."""

    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
        self.dW = np.empty_like(self.W)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        np.matmul(self.x.T, dout, out=self.dW)
        return dout @ self.W.T


class Accumulates:
    """Adds up until the optimiser has stepped; the layer itself never resets."""

    def __init__(self, n_in, n_out):
        self.params = {"W": np.random.randn(n_in, n_out), "b": np.zeros(n_out)}
        self.grads = {"W": np.zeros((n_in, n_out)), "b": np.zeros(n_out)}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["W"] += self.x.T @ dout
        self.grads["b"] += dout.sum(axis=0)
        return dout @ self.params["W"].T


class ClearsGradients:
    """`clear_grads`, and None before the first backward pass."""

    def __init__(self, dim):
        self.scale, self.scale_grad = np.ones(dim), None

    def clear_grads(self):
        self.scale_grad = None

    def forward(self, x):
        self.x = x
        return x * self.scale

    def backward(self, dout):
        g = (dout * self.x).sum(axis=0)
        self.scale_grad = g if self.scale_grad is None else self.scale_grad + g
        return dout * self.scale


class LeavesEverything:
    """Neither pass returns anything."""

    def __init__(self, n_inputs, n_neurons):
        self.weights = 0.1 * np.random.randn(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.weights + self.biases

    def backward(self, dvalues):
        self.dweights = self.inputs.T @ dvalues
        self.dbiases = dvalues.sum(axis=0, keepdims=True)
        self.dinputs = dvalues @ self.weights.T


class ListsOfArrays:
    """`params` and `grads` are lists, in the same order; gradients are written into."""

    def __init__(self, W, b):
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]

    def forward(self, x):
        W, b = self.params
        self.x = x
        return np.dot(x, W) + b

    def backward(self, dout):
        W, _ = self.params
        self.grads[0][...] = np.dot(self.x.T, dout)
        self.grads[1][...] = np.sum(dout, axis=0)
        return np.dot(dout, W.T)


class ReturnsPairAndList:
    """`backward` returns (dx, [dW, db])."""

    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros((1, n_out))

    def forward(self, X):
        self.X = X
        return X @ self.W + self.b

    def backward(self, grad):
        return grad @ self.W.T, [self.X.T @ grad, grad.sum(axis=0, keepdims=True)]


class Slots:
    __slots__ = ("W", "dW", "x")

    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class ScalarWeight:
    """A weight that is a Python float."""

    def __init__(self):
        self.gain = 1.25

    def forward(self, x):
        self.x = x
        return self.gain * x

    def backward(self, dout):
        self.dgain = float((dout * self.x).sum())
        return self.gain * dout


class HoldsALock:
    """Cannot be copied."""

    def __init__(self):
        self.lock, self.W = threading.Lock(), np.array([[1.0, -0.5], [0.25, 2.0], [0.5, 1.5]])

    def forward(self, x):
        with self.lock:
            self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class PropertyWeight:
    """What is stored is the logarithm; the scale is a property."""

    def __init__(self, dim):
        self.log_scale = np.zeros(dim)

    @property
    def scale(self):
        return np.exp(self.log_scale)

    def forward(self, x):
        self.x = x
        return x * self.scale

    def backward(self, dout):
        self.dlog_scale = (dout * self.x * self.scale).sum(axis=0)
        return dout * self.scale


class BroadcastView:
    """The gradient is a read-only view of one number per row."""

    def forward(self, x):
        self.shape = x.shape
        return x.sum(axis=1, keepdims=True)

    def backward(self, dout):
        return np.broadcast_to(dout, self.shape)


class ListsForArrays:
    """Plain lists go out."""

    def forward(self, x):
        self.x = np.asarray(x)
        return (self.x**3).tolist()

    def backward(self, dout):
        return (3 * self.x**2 * np.asarray(dout)).tolist()


class RefusesLarge:
    """Raises where the exponential would overflow."""

    def forward(self, x):
        if np.any(np.abs(x) > 100):
            raise ValueError(f"expected inputs within ±100, got {np.abs(x).max()}")
        self.y = np.exp(x)
        return self.y

    def backward(self, dout):
        return dout * self.y


class ClippedSigmoid:
    """Clips at ±500 to keep `exp` quiet."""

    def forward(self, x):
        self.y = 1 / (1 + np.exp(-np.clip(x, -500, 500)))
        return self.y

    def backward(self, dout):
        return dout * self.y * (1 - self.y)


class LoudSigmoid:
    """Turns warnings into errors, and has a formula that raises none."""

    def forward(self, x):
        with np.errstate(all="raise", under="ignore"):
            e = np.exp(-np.abs(x))
            self.y = np.where(x >= 0, 1.0, e) / (1 + e)
        return self.y

    def backward(self, dout):
        return dout * self.y * (1 - self.y)


class EvenBatch:
    """Pairs of rows: the batch must be even."""

    def forward(self, x):
        assert len(x) % 2 == 0, "expected an even number of rows"
        self.x = x
        return x[0::2] * x[1::2]

    def backward(self, dout):
        dx = np.empty(self.x.shape)
        dx[0::2], dx[1::2] = dout * self.x[1::2], dout * self.x[0::2]
        return dx


class FixedBatch:
    """Sizes are settled in the constructor."""

    def __init__(self, batch_size, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
        self.x, self.out = np.zeros((batch_size, n_in)), np.zeros((batch_size, n_out))

    def forward(self, x):
        self.x[...] = x
        return np.tanh(self.x @ self.W)

    def backward(self, dout):
        dz = dout * (1 - np.tanh(self.x @ self.W) ** 2)
        self.dW = self.x.T @ dz
        return dz @ self.W.T


class Casts:
    """Everything in float64, whatever comes in."""

    def forward(self, x):
        self.x = np.asarray(x, dtype=np.float64)
        return np.sin(self.x)

    def backward(self, dout):
        return np.asarray(dout, dtype=np.float64) * np.cos(self.x)


class SinglePrecision:
    """Everything in float32, whatever comes in."""

    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out).astype("float32")

    def forward(self, x):
        self.x = x.astype("float32")
        return self.x @ self.W

    def backward(self, dout):
        dout = dout.astype("float32")
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class OneSample:
    """Vectors, not rows."""

    def __init__(self):
        self.W = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])

    def forward(self, x):
        assert x.ndim == 1
        self.x = x
        return self.W @ x

    def backward(self, dout):
        self.dW = np.outer(dout, self.x)
        return self.W.T @ dout


class EmptyMethods:
    """A base class whose methods are to be written, without `abc`."""

    def forward(self, x):
        raise NotImplementedError

    def backward(self, dout):
        raise NotImplementedError


class Doubled(EmptyMethods):
    def forward(self, x):
        return 2 * x

    def backward(self, dout):
        return 2 * dout


class Lazy:
    """Weights are made when the first rows come."""

    def __init__(self, units=3):
        self.units, self.W = units, None

    def forward(self, x):
        if self.W is None:
            self.W = np.random.default_rng(0).normal(size=(x.shape[1], self.units))
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class Recomputes:
    """Nothing but the input is kept: the backward pass runs forward again."""

    def __init__(self, dim):
        self.W = np.random.randn(dim, dim)

    def _hidden(self):
        return np.tanh(self.x @ self.W)

    def forward(self, x):
        self.x = x
        return np.sin(self._hidden())

    def backward(self, dout):
        h = self._hidden()
        dz = dout * np.cos(h) * (1 - h**2)
        self.dW = self.x.T @ dz
        return dz @ self.W.T


CASES = [
    layer(FreedCache, 1),
    layer(PoppedCache, 1),
    layer(OverwritesInput, 1),
    layer(OverwritesUpstream, 1),
    layer(ReusedGradientBuffer, 2),
    layer(Accumulates, 3),
    layer(ClearsGradients, 2),
    layer(LeavesEverything, 3),
    layer(ListsOfArrays, 3),
    layer(ReturnsPairAndList, 3),
    layer(Slots, 2),
    layer(ScalarWeight, 2),
    layer(HoldsALock, 2),
    layer(PropertyWeight, 2),
    layer(BroadcastView, 1),
    layer(ListsForArrays, 1),
    layer(RefusesLarge, 1),
    layer(ClippedSigmoid, 1),
    layer(LoudSigmoid, 1),
    layer(EvenBatch, 1),
    layer(FixedBatch, 2),
    layer(Casts, 1),
    layer(SinglePrecision, 2),
    layer(OneSample, 2),
    layer(Doubled, 1),
    layer(Lazy, 2),
    layer(Recomputes, 2),
    instance(lambda: ListsOfArrays(some(4, 4), np.zeros(4)), 3, "ListsOfArrays_square"),
]
