"""Whole checks of classes as people write them, where a wrong verdict was near: both sides of each line."""

import numpy as np
import pytest

import gradcheck


class Residual:
    """1 − tanh² is what is left of numbers like 1: in float32, eps of them."""

    def __init__(self, dim):
        self.W = np.random.default_rng(0).normal(size=(dim, dim))

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.W)
        return x + self.h

    def backward(self, dy):
        g = dy * (1 - self.h**2)
        self.dW = self.x.T @ g
        return dy + g @ self.W.T


class TwoLayers:
    """Saturated at ±40, where its float32 gradient is what 1 − σ has left."""

    def __init__(self, n_in, n_out):
        draw = np.random.default_rng(0)
        self.W1, self.W2 = draw.normal(size=(n_in, 3)), draw.normal(size=(3, n_out))

    def forward(self, x):
        self.x = x
        self.a = (1 + np.tanh(x @ self.W1 / 2)) / 2
        return self.a @ self.W2

    def backward(self, dy):
        self.dW2 = self.a.T @ dy
        g = dy @ self.W2.T * self.a * (1 - self.a)
        self.dW1 = self.x.T @ g
        return g @ self.W1.T


class SelfAttention:
    """At ±40 its logits are 1600, and the float32 forward is no more exact than that."""

    def forward(self, x):
        self.x = x
        s = x @ x.T
        e = np.exp(s - s.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p @ x

    def backward(self, dy):
        dp = dy @ self.x.T
        ds = self.p * (dp - (dp * self.p).sum(axis=1, keepdims=True))
        return self.p.T @ dy + ds @ self.x + ds.T @ self.x


class RMSNorm:
    """One feature, divided by its own size: the derivative is ε, below what float32 can tell."""

    def forward(self, x):
        self.r = 1 / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-6)
        self.y = x * self.r
        return self.y

    def backward(self, dy):
        return self.r * (dy - self.y * (dy * self.y).mean(axis=1, keepdims=True))


class PReLU:
    """A slope per feature, of which there are four: one feature would be stretched to four."""

    def __init__(self, num_parameters=4):
        self.alpha = np.full(num_parameters, 0.25)

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.alpha * x)

    def backward(self, dy):
        self.dalpha = (dy * np.minimum(self.x, 0)).sum(axis=0)
        return dy * np.where(self.x > 0, 1, self.alpha)


class Conv1D:
    """Takes (batch, time, channels); with one channel, a matrix runs as well."""

    def __init__(self, in_channels, out_channels):
        self.W = np.random.default_rng(2).normal(size=(2, in_channels, out_channels))

    def forward(self, x):
        self.x = x
        t = x.shape[1] - 1
        return x[:, :t] @ self.W[0] + x[:, 1:] @ self.W[1]

    def backward(self, dy):
        t = dy.shape[1]
        self.dW = np.stack([np.einsum("ntc,nto->co", self.x[:, i : i + t], dy) for i in (0, 1)])
        dx = np.zeros(self.x.shape)
        dx[:, :-1] += dy @ self.W[0].T
        dx[:, 1:] += dy @ self.W[1].T
        return dx


class Accumulating:
    """As in PyTorch: gradients add up until zero_grad()."""

    def __init__(self, n_in, n_out):
        self.W = np.random.default_rng(0).normal(size=(n_in, n_out))
        self.dW = np.zeros_like(self.W)

    def zero_grad(self):
        self.dW = np.zeros_like(self.W)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dy):
        self.dW += self.x.T @ dy
        return dy @ self.W.T


class PoissonLoss:
    """Overflows at logits of 1000; of the counts nothing is claimed there either."""

    def forward(self, logits, y_true):
        self.rate, self.counts = np.exp(logits), y_true
        return np.mean(self.rate - y_true * logits)

    def backward(self):
        return (self.rate - self.counts) / self.counts.size


class Hardshrink:
    """Jumps at ±½, which some numbers are: there it has no derivative."""

    def forward(self, x):
        self.x = x
        return np.where(np.abs(x) > 0.5, x, 0)

    def backward(self, dy):
        return dy * (np.abs(self.x) > 0.5)


class LogCosh:
    """Near 0 rounding makes it flat."""

    def forward(self, x):
        self.x = x
        return np.logaddexp(x, -x) - np.log(2)

    def backward(self, dy):
        return dy * np.tanh(self.x)


class Huber:
    def forward(self, y_pred, y_true):
        self.e = y_pred - y_true
        a = np.abs(self.e)
        return np.mean(np.where(a <= 1, 0.5 * a * a, a - 0.5))

    def backward(self):
        return np.clip(self.e, -1, 1) / self.e.size


class HardSigmoid:
    def forward(self, x):
        self.x = x
        return np.clip(0.2 * x + 0.5, 0, 1)

    def backward(self, dy):
        return dy * np.where(np.abs(self.x) < 2.5, 0.2, 0.0)


RIGHT = [Residual, TwoLayers, SelfAttention, RMSNorm, PReLU, Conv1D, Accumulating, PoissonLoss, Hardshrink, LogCosh]
RIGHT += [Huber, HardSigmoid]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("cls", RIGHT)
def test_what_is_right_is_called_correct(cls, seed):
    result = gradcheck.check(cls, options=gradcheck.Options(seed=seed))
    assert result.verdict == "correct", [(c.name, c.verdict, c.worst_point, c.reason) for c in result.claims]


class HuberOfSmallErrors(Huber):
    """Its other branch is never reached by probabilities."""

    def backward(self):
        return self.e / self.e.size


class HardSigmoidOfAnotherVersion(HardSigmoid):
    """The range of one version, the slope of another."""

    def backward(self, dy):
        return dy * np.where(np.abs(self.x) < 3, 0.2, 0.0)


class Clipping(Hardshrink):
    """Clips the gradient on its way, far beyond usual sizes."""

    def backward(self, dy):
        return np.clip(super().backward(dy), -10, 10)


class ResidualWithoutTheInput(Residual):
    def backward(self, dy):
        super().backward(dy)
        return dy * (1 - self.h**2) @ self.W.T


class ResidualWrongInFloat32(Residual):
    """By a hundredth, and only there."""

    def backward(self, dy):
        self.dx = super().backward(dy)
        return self.dx * np.asarray(1.01 if dy.dtype == np.float32 else 1, dy.dtype)


class AccumulatingOnTheWay(Accumulating):
    """zero_grad is there, and does not do it."""

    def zero_grad(self):
        pass


WRONG = [HuberOfSmallErrors, HardSigmoidOfAnotherVersion, Clipping, ResidualWithoutTheInput, ResidualWrongInFloat32]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("cls", [*WRONG, AccumulatingOnTheWay])
def test_what_is_wrong_beside_it_is_called_wrong(cls, seed):
    assert gradcheck.check(cls, options=gradcheck.Options(seed=seed)).verdict == "wrong"


def rnn_step(x, prev_h, Wx, Wh, b):
    return np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)


def rnn_step_grad(x, prev_h, Wx, Wh, b):
    g = 1 - rnn_step(x, prev_h, Wx, Wh, b) ** 2
    return g.dot(Wx.T), g.dot(Wh.T), x.T.dot(g), prev_h.T.dot(g), g.sum(axis=0)


def scale(x, gamma, beta):
    return x * gamma + beta


def scale_grad(x, gamma, beta):
    return np.ones_like(x) * gamma, x.sum(axis=0), np.full(beta.shape, float(len(x)))


@pytest.mark.parametrize("f", [rnn_step, scale])
def test_arguments_named_like_weights_get_the_shapes_of_weights(f):
    from gradcheck.adapters import subject_of
    from gradcheck.problem import Sizes

    problem = subject_of(f).build(Sizes(), np.random.default_rng(0))
    ranks = {v.name: v.example.ndim for v in problem.variables}
    assert ranks == (
        {"x": 2, "prev_h": 2, "Wx": 2, "Wh": 2, "b": 1} if f is rnn_step else {"x": 2, "gamma": 1, "beta": 1}
    )
