"""Pools: maxima with ties in three conventions, averages, global, strided, overlapping; and their reverse."""

import numpy as np

from tests.right.table import at, beside, cached, instance, layer, some


class MaxPool2d:
    """Loops over windows; the first maximum of a window takes the gradient."""

    def __init__(self, kernel_size=2, stride=2):
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x):
        n, c, h, w = x.shape
        k, s = self.kernel_size, self.stride
        self.shape = x.shape
        rows, cols = (h - k) // s + 1, (w - k) // s + 1
        out = np.zeros((n, c, rows, cols), dtype=x.dtype)
        self.argmax = np.zeros((n, c, rows, cols), dtype=int)
        for i in range(rows):
            for j in range(cols):
                window = x[:, :, i * s : i * s + k, j * s : j * s + k].reshape(n, c, -1)
                self.argmax[:, :, i, j] = window.argmax(axis=2)
                out[:, :, i, j] = window.max(axis=2)
        return out

    def backward(self, dout):
        dx = np.zeros(self.shape, dtype=dout.dtype)
        n, c, rows, cols = dout.shape
        for i in range(rows):
            for j in range(cols):
                di, dj = np.divmod(self.argmax[:, :, i, j], self.kernel_size)
                where = np.arange(n)[:, None], np.arange(c), i * self.stride + di, j * self.stride + dj
                dx[where] += dout[:, :, i, j]
        return dx


class MaxPoolReshape:
    """Windows of 2 × 2 by reshaping; tied maxima share the gradient."""

    def forward(self, x):
        n, c, h, w = x.shape
        self.blocks = x.reshape(n, c, h // 2, 2, w // 2, 2)
        self.out = self.blocks.max(axis=(3, 5), keepdims=True)
        return self.out[:, :, :, 0, :, 0]

    def backward(self, dout):
        mask = self.blocks == self.out
        shared = mask / mask.sum(axis=(3, 5), keepdims=True)
        dblocks = shared * dout[:, :, :, None, :, None]
        n, c, rows, _, cols, _ = dblocks.shape
        return dblocks.reshape(n, c, 2 * rows, 2 * cols)


class MaxPoolEveryTie:
    """Every entry that equals the maximum takes the whole gradient."""

    def forward(self, x):
        n, t, c = x.shape
        self.x = x.reshape(n, t // 2, 2, c)
        self.out = self.x.max(axis=2, keepdims=True)
        return self.out[:, :, 0]

    def backward(self, dout):
        dx = (self.x == self.out) * dout[:, :, None]
        return dx.reshape(len(dx), -1, dx.shape[-1])

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 6, 3)]


class AvgPool2d:
    """Overlapping windows, padded, and the padding counts."""

    def __init__(self, kernel_size=3, stride=2, padding=1):
        self.k, self.s, self.p = kernel_size, stride, padding

    def forward(self, x):
        self.shape = x.shape
        padded = np.pad(x, ((0, 0), (0, 0), (self.p,) * 2, (self.p,) * 2))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (self.k, self.k), axis=(2, 3))
        return windows[:, :, :: self.s, :: self.s].mean(axis=(-2, -1))

    def backward(self, dout):
        n, c, h, w = self.shape
        dx = np.zeros((n, c, h + 2 * self.p, w + 2 * self.p))
        each = dout / self.k**2
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                top, left = i * self.s, j * self.s
                dx[:, :, top : top + self.k, left : left + self.k] += each[:, :, i : i + 1, j : j + 1]
        return dx[:, :, self.p : self.p + h, self.p : self.p + w]


class GlobalAveragePool:
    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=(2, 3))

    def backward(self, dout):
        area = self.shape[2] * self.shape[3]
        return np.broadcast_to(dout[:, :, None, None] / area, self.shape).copy()

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 3, 2, 4)]


class GlobalMaxPool1d:
    """Over time, by the winners' indices."""

    def forward(self, x):
        self.shape = x.shape
        self.winner = x.argmax(axis=1)[:, None, :]
        return np.take_along_axis(x, self.winner, axis=1)[:, 0]

    def backward(self, dout):
        dx = np.zeros(self.shape)
        np.put_along_axis(dx, self.winner, dout[:, None, :], axis=1)
        return dx

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(3, 4, 2)]


class MaskedMeanPool:
    """The mean over the steps that a mask lets through; a mask is data."""

    constant_inputs = ("mask",)

    def forward(self, x, mask):
        self.share = mask / mask.sum(axis=1, keepdims=True)
        return np.einsum("ntd,nt->nd", x, self.share)

    def backward(self, dout):
        return np.einsum("nd,nt->ntd", dout, self.share), None

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 4, 3), np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]])]


class Upsample2d:
    """Nearest neighbour: the transpose of a sum over blocks."""

    def forward(self, x):
        return x.repeat(2, axis=2).repeat(2, axis=3)

    def backward(self, dout):
        n, c, h, w = dout.shape
        return dout.reshape(n, c, h // 2, 2, w // 2, 2).sum(axis=(3, 5))

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(1, 2, 3, 2)]


class PixelShuffle:
    """Channels become pixels."""

    def __init__(self, r=2):
        self.r = r

    def forward(self, x):
        n, c, h, w = x.shape
        r = self.r
        return x.reshape(n, c // r**2, r, r, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, -1, h * r, w * r)

    def backward(self, dout):
        n, c, h, w = dout.shape
        r = self.r
        return dout.reshape(n, c, h // r, r, w // r, r).transpose(0, 1, 3, 5, 2, 4).reshape(n, -1, h // r, w // r)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 4, 2, 3)]


def max_pool_forward(x, pool_param):
    ph, pw, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    N, C, H, W = x.shape
    out = np.empty((N, C, 1 + (H - ph) // s, 1 + (W - pw) // s))
    for i, j in np.ndindex(out.shape[2:]):
        out[:, :, i, j] = np.max(x[:, :, i * s : i * s + ph, j * s : j * s + pw], axis=(2, 3))
    return out, (x, pool_param)


def max_pool_backward(dout, cache):
    x, pool_param = cache
    ph, pw, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        window = x[n, c, i * s : i * s + ph, j * s : j * s + pw]
        winner = np.unravel_index(np.argmax(window), window.shape)
        dx[n, c, i * s + winner[0], j * s + winner[1]] += dout[n, c, i, j]
    return dx


def lp_pool_forward(x):
    """(mean of x⁴ over pairs)^¼, with a little under the root."""
    fourth = (x.reshape(len(x), -1, 2) ** 4).mean(axis=-1)
    out = (fourth + 1e-3) ** 0.25
    return out, (x, out)


def lp_pool_backward(dout, cache):
    x, out = cache
    each = np.repeat(dout / (2 * out**3), 2, axis=1)
    return each * x**3


def global_max(x):
    return x.max()


def global_max_grad(x):
    g = np.zeros(x.shape)
    g.flat[np.argmax(x)] = 1
    return g


def adaptive_mean(x, bins=3):
    """Bins of unequal length, as PyTorch cuts them."""
    edges = [(i * len(x) // bins, -(-(i + 1) * len(x) // bins)) for i in range(bins)]
    return np.array([x[start:stop].mean() for start, stop in edges])


def adaptive_mean_jac(x, bins=3):
    J = np.zeros((bins, len(x)))
    for i in range(bins):
        start, stop = i * len(x) // bins, -(-(i + 1) * len(x) // bins)
        J[i, start:stop] = 1 / (stop - start)
    return J


def segment_sum(x):
    return np.add.reduceat(x, [0, 2, 3])


def segment_sum_vjp(x, g):
    return np.repeat(g, [2, 1, len(x) - 3])


CASES = [
    instance(MaxPool2d, 1, "MaxPool2d"),
    instance(lambda: MaxPool2d(3, 1), 1, "MaxPool2d_overlapping"),
    layer(MaxPoolReshape, 1),
    layer(MaxPoolEveryTie, 1),
    layer(AvgPool2d, 1),
    layer(GlobalAveragePool, 1),
    layer(GlobalMaxPool1d, 1),
    layer(MaskedMeanPool, 1),
    layer(Upsample2d, 1),
    layer(PixelShuffle, 1),
    cached(
        max_pool_forward,
        max_pool_backward,
        some(2, 2, 4, 4),
        settings=({"pool_height": 2, "pool_width": 2, "stride": 2},),
    ),
    cached(
        max_pool_forward,
        max_pool_backward,
        np.round(some(1, 2, 4, 4)),
        settings=({"pool_height": 3, "pool_width": 2, "stride": 1},),
        name="max_pool_forward_ties",
    ),
    beside(lp_pool_forward),
    beside(global_max),
    at(adaptive_mean, some(7), jac=adaptive_mean_jac),
    at(segment_sum, some(6), vjp=segment_sum_vjp),
]
