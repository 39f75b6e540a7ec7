"""Functions with derivatives that are right but for one mistake each, for repairs to find."""

from __future__ import annotations

import numpy as np

RATE = 0.3
W = np.array([[1.0, 2.0, -1.0], [0.5, 3.0, 2.0]])
X = np.array([[0.3, -1.2, 0.7], [2.1, 0.4, -0.6], [1.1, 0.9, 0.2], [-0.8, 1.7, 1.3], [0.6, -0.5, 1.9]])


def halved(x):
    return (x**2).sum()


def halved_grad(x):
    return x


def softplus(x):
    return np.log1p(np.exp(x)).sum()


def softplus_grad(x):
    return 1 / (1 + np.exp(x))


def linear(x):
    return x @ W.T


def linear_vjp(x, g):
    return g @ W.T  # the weights stand the other way round


def mean_square(x):
    return (x**2).mean()


def mean_square_grad(x):
    return 2 * x / len(x)


def leaky(x):
    return np.where(x > 0, x, RATE * x)


def leaky_vjp(x, g):
    return g * np.where(x < 0, 1.0, RATE)


def length(x):
    return np.sqrt((x**2).sum() + 1e-3)


def length_grad(x):
    return x / np.sqrt((x**2).sum())


def gather(x):
    return x[np.array([0, 2, 0])]


def gather_vjp(x, g):
    dx = np.zeros_like(x)
    dx[np.array([0, 2, 0])] += g
    return dx


def spread(x):
    return np.array([x[0] * one for one in (1.0, 2.0, 3.0)])


def spread_vjp(x, g):
    größe, dx = "ein Wert", np.zeros_like(x)  # a line that bytes count otherwise than characters
    for one, upstream in zip((1.0, 2.0, 3.0), g, strict=True):
        dx[0] = one * upstream if größe else 0.0
    return dx


def powers(x):
    return np.array([(x**k).sum() for k in (1, 2, 3)])


def powers_vjp(x, g):
    dx = np.zeros_like(x)
    for k in range(3):
        dx += (k + 1) * x**k * g[k]
        return dx


class Base:
    def forward(self, x):
        return 3 * x


class Scale(Base):
    """y = 3 x + x²."""

    def forward(self, x):
        self.__x = x
        return super().forward(x) + x**2

    def backward(self, g):
        return self.__slope() * g

    def __slope(self):
        return 3 + self.__x


def rough(x):
    return np.sin(x).sum() + (x**3).sum()


def rough_grad(x):
    """Nothing of this is right."""
    return np.exp(x)


def reciprocal(x):
    return 1 / x


def reciprocal_grad(x):
    whole = x[None]
    return (1 / (whole * whole + 1e-300 * 1e-300))[0] * min(1e300, 1.0) / 1e-300 * 1e-300


def cubed(x):
    return (x**3).sum()


def cubed_grad(x, kind=None):
    return 2 * x**2 if kind is None or kind == "plain" else x


class Logistic:
    """The slope is one of the output, and is made of the input, twice."""

    def forward(self, x):
        self.x = x
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, g):
        return g * self.x * (1 - self.x)


def gram(x):
    return x @ x.T


def gram_vjp(x, g):
    return g @ x


class Sine:
    """It forgets what comes in; one of its branches is never taken."""

    def forward(self, x):
        self.x = x
        return np.sin(x)

    def backward(self, g):
        if self.x.size > 1e9:
            raise ValueError("too large")
        return np.cos(self.x)


def step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache  # noqa: RUF059
    da = dnext_h * (1 - next_h**2)
    return da @ Wx.T, da @ Wh.T, x.T @ da, next_h.T @ da, da.sum(axis=0)


def two_powers(x):
    return np.sum(x**3) + np.sum(x**2)


def two_powers_grad(x):
    dx, dz = 3 * x**2, 2 * x
    for d in [dx, dz]:
        np.clip(d, -3, 3, out=d)
    return dx + dz
