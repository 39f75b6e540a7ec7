"""Classes and functions with one mistake each, whose cause is known, and the right ones beside them."""

from __future__ import annotations

import numpy as np

RNG = np.random.default_rng(5)
X, W1, W2 = RNG.normal(size=(5, 3)), RNG.normal(size=(4, 3)), RNG.normal(size=(2, 4))
SIGNAL, KERNEL = RNG.normal(size=(2, 13)), RNG.normal(size=4)
THETA = RNG.normal(size=7)
PENALTY = 0.31
STRIDE = 3


def network(w):
    hidden = np.maximum(w @ X.T, 0)
    return ((W2 @ hidden) ** 2).sum() / 2


def network_grad(w):
    hidden = np.maximum(w @ X.T, 0)
    back = W2.T @ (W2 @ hidden)
    return (back * (hidden > 0)) @ X


def network_through_itself(w):
    hidden = np.maximum(w @ X.T, 0)
    back = W2.T @ (W2 @ hidden)
    back = np.maximum(back, 0)
    return back @ X


def filtered(x):
    return np.stack([x[:, j * STRIDE : j * STRIDE + 4] @ KERNEL for j in range(4)], axis=1)


def filtered_vjp(x, g):
    dx = np.zeros_like(x)
    for j in range(g.shape[1]):
        dx[:, j * STRIDE : j * STRIDE + 4] += g[:, j : j + 1] * KERNEL
    return dx


def filtered_without_stride(x, g):
    dx = np.zeros_like(x)
    for j in range(g.shape[1]):
        dx[:, j : j + 4] += g[:, [j]] * KERNEL
    return dx


def first_only(x, g):
    dx = np.zeros_like(x)
    for j in range(g.shape[1]):
        dx[:, j * STRIDE : j * STRIDE + 4] += g[:, j : j + 1] * KERNEL
        return dx


def decayed(theta):
    """The first two entries have no penalty."""
    return np.sin(theta).sum() + PENALTY / 2 * (theta[2:] ** 2).sum()


def decayed_grad(theta):
    grad = np.cos(theta)
    grad[2:] += PENALTY * theta[2:]
    return grad


def decayed_of_all(theta):
    return np.cos(theta) + PENALTY * theta


def biased(theta):
    """The first three entries have no penalty."""
    return np.sin(theta).sum() + PENALTY / 2 * (theta[3:] ** 2).sum()


def biased_grad(theta):
    return np.cos(theta) + PENALTY * np.where(np.arange(7) < 3, 0, theta)


def biased_of_all(theta):
    return np.cos(theta) + PENALTY * theta


def biased_with_ones(theta):
    return np.cos(theta) + PENALTY * np.where(np.arange(7) < 3, 1, theta)


def biased_in_place(theta):
    cosines = np.cos(theta)
    theta[:3] = 0
    return cosines + PENALTY * theta


def biased_overwritten(theta):
    theta[:2] = 0
    return np.cos(theta) + PENALTY * np.where(np.arange(7) < 3, 0, theta)


def bent(x):
    return x + 0.044715 * x**3


def bent_vjp(x, g):
    return g * (1 + 3 * 0.044715 * x**2)


def bent_rounded(x, g):
    return g * (1 + 0.134 * x**2)


def highest(x):
    return x.max(axis=1)


def highest_vjp(x, g):
    winners = x == x.max(axis=1, keepdims=True)
    return winners / winners.sum(axis=1, keepdims=True) * g[:, None]


def highest_twice(x, g):
    return 2.0 * (x == x.max(axis=1, keepdims=True)) * g[:, None]


class Clipped:
    limit = 30

    def forward(self, x):
        self.x = x
        return np.clip(x, -30, 30)

    def backward(self, dout):
        return dout * (np.abs(self.x) < self.limit)


class ClippedLater(Clipped):
    limit = 35


class OneSided:
    """Slopes of a shrinkage; `right` is that of the right side."""

    right = 1.0

    def forward(self, x):
        self.x = x
        return np.where(x > 0.5, x - 0.5, np.where(x < -0.5, x + 0.5, 0))

    def backward(self, dout):
        return dout * np.where(self.x > 0.5, self.right, np.where(self.x < -0.5, 1.0, 0.0))


class OneSidedWrong(OneSided):
    right = 2.0


class Filter:
    """Each row filtered, padded by a zero at either end; `cut` is what is left of the padded gradient."""

    cut = slice(1, -1)

    def __init__(self, weights=(0.5, -1.25, 0.75)):
        self.weights = np.array(weights)

    def forward(self, x):
        self.padded = np.pad(x, ((0, 0), (1, 1)))
        windows = [self.padded[:, i : i + 3] for i in range(x.shape[1])]
        return np.stack([one @ self.weights for one in windows], axis=1)

    def backward(self, dout):
        dx = np.zeros(self.padded.shape)
        for i in range(dout.shape[1]):
            dx[:, i : i + 3] += dout[:, i : i + 1] * self.weights
        return dx[:, self.cut]


class FilterCutAtTheEnd(Filter):
    cut = slice(None, -2)


class PairMax:
    """The larger of each two neighbours; `every` hands the gradient to both."""

    every = False

    def forward(self, x):
        self.pairs = x.reshape(len(x), -1, 2)
        return self.pairs.max(axis=2)

    def backward(self, dout):
        chosen = self.pairs == self.pairs.max(axis=2, keepdims=True)
        share = np.ones(chosen.shape) if self.every else chosen / chosen.sum(axis=2, keepdims=True)
        return (dout[:, :, None] * share).reshape(len(dout), -1)


class PairMaxOfBoth(PairMax):
    every = True


class PairMaxOfNeither(PairMax):
    def backward(self, dout):
        return np.roll(super().backward(dout), 1, axis=1)


class Gained:
    """Rows of mean 0 and variance 1, times gains of either sign; `along` is how much of the variance's term counts."""

    along = 1.0

    def __init__(self, size):
        self.gains = np.linspace(-1.5, 2.0, size)

    def forward(self, x):
        self.scale = np.sqrt(x.var(axis=1, keepdims=True) + 1e-3)
        self.unit = (x - x.mean(axis=1, keepdims=True)) / self.scale
        return self.gains * self.unit

    def backward(self, dout):
        self.dgains = (dout * self.unit).sum(axis=0)
        d = dout * self.gains
        along = self.along * self.unit * (d * self.unit).mean(axis=1, keepdims=True)
        return (d - d.mean(axis=1, keepdims=True) - along) / self.scale


class GainedWithoutVariance(Gained):
    along = 0.0


class GainedTwice(Gained):
    along = 2.0
