"""Sums, products, orders and spreads: sort, top-k, cumulative functions with zeros, quantiles, log-sums, moments."""

import numpy as np

from tests.right.base import Diffable
from tests.right.table import at, layer, positive, some

WITH_ZERO = np.array([1.5, -0.5, 0.0, 2.0, -1.0])
TWO_ZEROS = np.array([1.5, 0.0, -2.0, 0.0])


class Sort:
    """Along the rows; the gradient goes back by the same permutation."""

    def forward(self, x):
        self.order = np.argsort(x, axis=-1, kind="stable")
        return np.take_along_axis(x, self.order, axis=-1)

    def backward(self, dout):
        dx = np.empty_like(dout)
        np.put_along_axis(dx, self.order, dout, axis=-1)
        return dx


class TopK:
    """The k largest of each row, largest first."""

    def __init__(self, k=2):
        self.k = k

    def forward(self, x):
        self.shape = x.shape
        self.index = np.argsort(-x, axis=1)[:, : self.k]
        return np.take_along_axis(x, self.index, axis=1)

    def backward(self, dout):
        dx = np.zeros(self.shape, dtype=dout.dtype)
        np.put_along_axis(dx, self.index, dout, axis=1)
        return dx


class LogSumExp(Diffable):
    """Per row, of shape `(n, 1)`."""

    def forward(self, x):
        m = x.max(axis=1, keepdims=True)
        return m + np.log(np.exp(x - m).sum(axis=1, keepdims=True))

    def get_input_gradients(self):
        return [np.exp(self.inputs[0] - self.outputs[0])[:, :, None]]


class RowMean(Diffable):
    def forward(self, x):
        return x.mean(axis=-1, keepdims=True)

    def get_input_gradients(self):
        n = self.inputs[0].shape[-1]
        return [np.full((n, 1), 1 / n)]

    def compose_input_gradients(self, J=None):
        [mean] = self.get_input_gradients()
        return [mean] if J is None or J[0] is None else [J[0] @ mean.T]


class SumAll:
    def forward(self, x):
        self.shape = x.shape
        return x.sum()

    def backward(self, dout=1):
        return dout * np.ones(self.shape)


class RowMax:
    """Ties are shared."""

    def forward(self, x):
        self.x = x
        self.y = x.max(axis=1, keepdims=True)
        return self.y

    def backward(self, dout):
        won = (self.x == self.y).astype(float)
        return dout * won / won.sum(axis=1, keepdims=True)


class RowVariance:
    def __init__(self, ddof=0):
        self.ddof = ddof

    def forward(self, x):
        self.c = x - x.mean(axis=1, keepdims=True)
        return (self.c**2).sum(axis=1) / (x.shape[1] - self.ddof)

    def backward(self, dout):
        return 2 * self.c * dout[:, None] / (self.c.shape[1] - self.ddof)


class Cumsum:
    """Along the batch."""

    def forward(self, x):
        return np.cumsum(x, axis=0)

    def backward(self, dout):
        return np.cumsum(dout[::-1], axis=0)[::-1]


def product(x):
    return np.prod(x)


def product_grad(x):
    """Leave-one-out products: right with one zero and with two."""
    return np.array([np.prod(np.delete(x, i)) for i in range(len(x))])


def cumulative_product(x):
    return np.cumprod(x)


def cumulative_product_jac(x):
    J = np.zeros((len(x), len(x)))
    for i in range(len(x)):
        for j in range(i + 1):
            J[i, j] = np.prod(x[:j]) * np.prod(x[j + 1 : i + 1])
    return J


def running_max(x):
    return np.maximum.accumulate(x)


def running_max_vjp(x, g):
    y = np.maximum.accumulate(x)
    leader = np.maximum.accumulate(np.where(np.r_[True, y[1:] > y[:-1]], np.arange(len(x)), 0))
    return np.bincount(leader, weights=g, minlength=len(x))


def median(x):
    return np.median(x)


def median_grad(x):
    order = np.argsort(x)
    g = np.zeros_like(x)
    g[order[(len(x) - 1) // 2]] += 0.5
    g[order[len(x) // 2]] += 0.5
    return g


def quantile(x, q=0.3):
    return np.quantile(x, q)


def quantile_grad(x, q=0.3):
    """Linear interpolation between two order statistics."""
    place = q * (len(x) - 1)
    low = int(np.floor(place))
    order, g = np.argsort(x), np.zeros_like(x)
    g[order[low]] = 1 - (place - low)
    g[order[low + 1]] = place - low
    return g


def spread(x):
    return np.ptp(x)


def spread_grad(x):
    return (np.arange(len(x)) == np.argmax(x)) * 1 - (np.arange(len(x)) == np.argmin(x)) * 1


def deviation(x):
    return x.std()


def deviation_grad(x):
    return (x - x.mean()) / (len(x) * x.std())


def norm_3(x):
    return (np.abs(x) ** 3).sum() ** (1 / 3)


def norm_3_grad(x):
    return np.sign(x) * x**2 / norm_3(x) ** 2


def weighted_mean(x, w):
    return (w * x).sum() / w.sum()


def weighted_mean_grad(x, w):
    return w / w.sum(), (x - weighted_mean(x, w)) / w.sum()


def geometric_mean(x):
    return np.exp(np.log(x).mean())


def geometric_mean_grad(x):
    return geometric_mean(x) / (len(x) * x)


def trimmed_mean(x):
    return np.sort(x)[1:-1].mean()


def trimmed_mean_grad(x):
    rank = np.argsort(np.argsort(x))
    return ((rank > 0) & (rank < len(x) - 1)) / (len(x) - 2)


def differences(x):
    return np.diff(x)


def differences_jvp(x, v):
    return v[1:] - v[:-1]


def entropy(p):
    return -np.sum(p * np.log(p))


def entropy_grad(p):
    return -np.log(p) - 1


def sum_of_squares(x):
    return float((x**2).sum())


def sum_of_squares_grad(x):
    return 2.0 * x


CASES = [
    layer(Sort, 1),
    layer(TopK, 1),
    layer(LogSumExp, 1),
    layer(RowMean, 1),
    layer(SumAll, 1),
    layer(RowMax, 1),
    layer(RowVariance, 1),
    layer(Cumsum, 1),
    at(product, WITH_ZERO, grad=product_grad),
    at(product, TWO_ZEROS, grad=product_grad, name="product_two_zeros"),
    at(cumulative_product, WITH_ZERO, jac=cumulative_product_jac),
    at(running_max, some(6), vjp=running_max_vjp),
    at(median, some(6), grad=median_grad),
    at(median, some(7), grad=median_grad, name="median_odd"),
    at(quantile, some(6), grad=quantile_grad),
    at(spread, some(5), grad=spread_grad),
    at(deviation, some(5), grad=deviation_grad),
    at(norm_3, some(4), grad=norm_3_grad),
    at(weighted_mean, some(4), positive(4), grad=weighted_mean_grad),
    at(geometric_mean, positive(4), grad=geometric_mean_grad),
    at(trimmed_mean, some(6), grad=trimmed_mean_grad),
    at(differences, some(5), jvp=differences_jvp),
    at(entropy, np.array([0.125, 0.5, 0.375]), grad=entropy_grad),
    at(sum_of_squares, np.array([1, -2, 3]), grad=sum_of_squares_grad),
]
