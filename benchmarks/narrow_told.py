"""Narrow mistakes where names and numbers tell what code takes: classes, lengths, filters, words, two settings at once.

Each right class stands before its wrong twins, which inherit from it.
"""

from __future__ import annotations

import numpy as np

from benchmarks.narrow_cases import Case


class TenClasses:
    """Smoothed labels of ten classes: on fewer columns the smoothed rows would not sum to 1."""

    def __init__(self, num_classes=10, smoothing=0.1):
        self.k, self.smoothing = num_classes, smoothing

    def forward(self, logits, labels):
        z = logits - logits.max(axis=1, keepdims=True)
        logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        self.p = np.exp(logp)
        self.t = np.full_like(logp, self.smoothing / self.k)
        self.t[np.arange(len(labels)), labels] += 1 - self.smoothing
        return -(self.t * logp).sum() / len(labels)

    def backward(self):
        return (self.p - self.t) / len(self.p)


class TenClassesOf90(TenClasses):
    def backward(self):
        return (self.p - self.t + (self.smoothing - 0.1) / self.k) / len(self.p)


class Plane:
    """Normalisation of each image; `affine` says whether there are weights at all."""

    def __init__(self, *, channels=2, affine=True):
        self.affine = affine
        if affine:
            self.gamma, self.beta = np.arange(1.0, channels + 1), np.zeros(channels)

    def forward(self, x):
        centred = x - x.mean(axis=(2, 3), keepdims=True)
        self.rstd = 1 / np.sqrt((centred**2).mean(axis=(2, 3), keepdims=True) + 1e-5)
        self.xhat = centred * self.rstd
        return self.gamma[:, None, None] * self.xhat + self.beta[:, None, None] if self.affine else self.xhat

    def backward(self, dy):
        if self.affine:
            self.dgamma, self.dbeta = (dy * self.xhat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))
            dy = dy * self.gamma[:, None, None]
        return self.back(dy, (2, 3))

    def back(self, dy, axes):
        mean = dy.mean(axis=axes, keepdims=True)
        return self.rstd * (dy - mean - self.xhat * (dy * self.xhat).mean(axis=axes, keepdims=True))


class PlaneOfBatch(Plane):
    def back(self, dy, axes):
        return super().back(dy, axes if self.affine else (0, 2, 3))


class Biased:
    """A bias that is there only where it is asked for."""

    def __init__(self, n_in, n_out, bias=False):
        self.W = np.random.default_rng(0).normal(size=(n_in, n_out))
        self.b = np.zeros(n_out) if bias else None

    def forward(self, x):
        self.x = x
        return x @ self.W if self.b is None else x @ self.W + self.b

    def backward(self, g):
        self.dW = self.x.T @ g
        if self.b is not None:
            self.db = self.over_rows(g)
        return g @ self.W.T

    def over_rows(self, g):
        return g.sum(axis=0)


class BiasedMean(Biased):
    def over_rows(self, g):
        return g.mean(axis=0)


class Pinball:
    """The quantile loss; with `q=0.5` half of the absolute error."""

    def __init__(self, q=0.5):
        self.q = q

    def forward(self, y_pred, y_true):
        self.e = y_true - y_pred
        return np.mean(np.maximum(self.q * self.e, (self.q - 1) * self.e))

    def backward(self):
        return np.where(self.e > 0, -self.q, 1 - self.q) / self.e.size


class PinballTurned(Pinball):
    def backward(self):
        return np.where(self.e > 0, self.q - 1, self.q) / self.e.size


class Bag:
    """Sum or mean of embeddings; any other word is a mean for forward, and backward does not know it."""

    def __init__(self, rows=6, width=3, mode="sum"):
        self.weight = np.random.default_rng(0).normal(size=(rows, width))
        self.mode = mode

    def forward(self, idx):
        self.idx = idx
        found = self.weight[idx]
        return found.sum(axis=1) if self.mode == "sum" else found.mean(axis=1)

    def backward(self, g):
        if self.mode == "mean":
            g = g / self.count()
        self.dweight = np.zeros_like(self.weight)
        np.add.at(self.dweight, self.idx, np.repeat(g[:, None], self.idx.shape[1], axis=1))

    def count(self):
        return self.idx.shape[1]


class BagOfBatch(Bag):
    def count(self):
        return len(self.idx)


class Same:
    """A convolution over sequences: padding matters to backward, and so does the stride."""

    def __init__(self, n_in, n_out, stride=1, padding="valid"):
        self.W = np.random.default_rng(0).normal(size=(n_out, n_in, 3))
        self.stride, self.padding = stride, padding

    def forward(self, x):
        self.around = 1 if self.padding == "same" else 0
        self.x = np.pad(x, ((0, 0), (0, 0), (self.around, self.around)))
        self.seen = np.lib.stride_tricks.sliding_window_view(self.x, 3, axis=2)[:, :, :: self.stride]
        return np.einsum("nctk,fck->nft", self.seen, self.W)

    def backward(self, g):
        self.dW = np.einsum("nctk,nft->fck", self.seen, g)
        dx = np.zeros_like(self.x)
        for k in range(3):
            end = k + self.stride * g.shape[2]
            dx[:, :, k : end : self.stride] += np.einsum("nft,fc->nct", g, self.W[:, :, k])
        return self.cropped(dx)

    def cropped(self, dx):
        return dx[:, :, self.around : dx.shape[2] - self.around]


class SameShifted(Same):
    def cropped(self, dx):
        return np.roll(super().cropped(dx), self.stride - 1 if self.around else 0, axis=2)


class Filters:
    """A convolution that is told its filters, and hands out what backward needs."""

    def forward(self, x, w, b):
        seen = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
        return np.einsum("nchwij,fcij->nfhw", seen, w) + b[:, None, None], (seen, x, w)

    def backward(self, dout, cache):
        seen, x, w = cache
        dx = np.zeros_like(x)
        height, width = dout.shape[2:]
        for i in range(w.shape[2]):
            for j in range(w.shape[3]):
                dx[:, :, i : i + height, j : j + width] += np.einsum("nfhw,fc->nchw", dout, w[:, :, i, j])
        return dx, np.einsum("nchwij,nfhw->fcij", seen, dout), self.by_bias(dout)

    def by_bias(self, dout):
        return dout.sum(axis=(0, 2, 3))


class FiltersOfFirst(Filters):
    def by_bias(self, dout):
        return dout.sum(axis=(2, 3))[0]


class Joined:
    """A recurrent layer over (T, N, D) with one matrix for the input and the state."""

    def __init__(self, d=2, hidden=3):
        self.params = {"W": np.random.default_rng(0).normal(size=(d + hidden, hidden)) * 0.5}
        self.hidden = hidden

    def forward(self, x):
        steps, batch, self.d = x.shape
        self.seen, states = [], [np.zeros((batch, self.hidden))]
        for t in range(steps):
            self.seen.append(np.concatenate([x[t], states[-1]], axis=1))
            states.append(np.tanh(self.seen[t] @ self.params["W"]))
        self.states = np.array(states[1:])
        return self.states

    def backward(self, g):
        dw, dx, carried = np.zeros_like(self.params["W"]), [], 0.0
        for t in reversed(range(len(g))):
            dz = (g[t] + carried) * (1 - self.states[t] ** 2)
            dw += self.seen[t].T @ dz
            both = dz @ self.params["W"].T
            dx.append(both[:, : self.d])
            carried = self.carried(both[:, self.d :], t)
        self.grads = {"W": dw}
        return np.array(dx[::-1])

    def carried(self, dh, t):
        return dh


class JoinedOnce(Joined):
    def carried(self, dh, t):
        return dh * (t % 2)


class Queried:
    """A vector and a sequence for each sample: scores of positions, and their mean of the sequence."""

    def forward(self, query, keys):
        self.q, self.k = query, keys
        e = np.exp(np.einsum("bd,btd->bt", query, keys))
        self.a = e / e.sum(axis=1, keepdims=True)
        return np.einsum("bt,btd->bd", self.a, keys)

    def backward(self, g):
        da = np.einsum("bd,btd->bt", g, self.k)
        ds = self.a * (da - (self.a * da).sum(axis=1, keepdims=True))
        dk = ds[:, :, None] * self.q[:, None] + self.through(g)
        return np.einsum("bt,btd->bd", ds, self.k), dk

    def through(self, g):
        return self.a[:, :, None] * g[:, None]


class QueriedScores(Queried):
    def through(self, g):
        return 0.0


class Steps:
    """The mean over as many steps of each sequence as it is long."""

    def forward(self, x, lengths):
        self.counted = np.arange(x.shape[1]) < lengths[:, None]
        self.lengths = lengths
        return (x * self.counted[:, :, None]).sum(axis=1) / lengths[:, None]

    def backward(self, g):
        return self.counted[:, :, None] * (g / self.number()[:, None])[:, None]

    def number(self):
        return self.lengths


class StepsOfLongest(Steps):
    def number(self):
        return np.full_like(self.lengths, self.lengths.max())


class Positions:
    """Learned positions, more than there are steps: a square of numbers would do as well as sequences."""

    def __init__(self, max_len=8, dim=4):
        self.P = np.random.default_rng(0).normal(size=(max_len, dim))

    def forward(self, x):
        self.steps = x.shape[1]
        return x + self.P[: self.steps]

    def backward(self, g):
        self.dP = np.zeros_like(self.P)
        self.dP[: self.steps] = self.over_samples(g)
        return g

    def over_samples(self, g):
        return g.sum(axis=0)


class PositionsOfFirst(Positions):
    def over_samples(self, g):
        return g[0] if len(g) == 2 else g.sum(axis=0)


class Gained:
    """An image, and a gain for each of its channels."""

    def forward(self, x, gain):
        self.x, self.gain = x, gain
        return gain[:, :, None, None] * x

    def backward(self, g):
        return self.gain[:, :, None, None] * g, self.over_pixels(self.x * g)

    def over_pixels(self, g):
        return g.sum(axis=(2, 3))


class GainedMean(Gained):
    def over_pixels(self, g):
        return g.mean(axis=(2, 3))


class Angles:
    """Of points in the plane; what has more coordinates is not taken back."""

    def forward(self, x):
        self.x = x
        return np.arctan2(x[:, 1], x[:, 0])

    def backward(self, g):
        a, b = self.x.T
        return np.stack([-g * b, self.by_second(g * a)], axis=1) / (a**2 + b**2)[:, None]

    def by_second(self, g):
        return g


class AnglesTurned(Angles):
    def by_second(self, g):
        return np.where(self.x[:, 0] < 0, -g, g)


class Columns:
    """A recurrent layer of columns, with the state that it begins with."""

    def __init__(self, n_in, hidden):
        draws = np.random.default_rng(0)
        self.Wx, self.Wh = draws.normal(size=(hidden, n_in)) * 0.5, draws.normal(size=(hidden, hidden)) * 0.5

    def forward(self, xs, h0):
        self.xs, self.hs = xs, [h0]
        for x in xs:
            self.hs.append(np.tanh(self.Wx @ x + self.Wh @ self.hs[-1]))
        return np.array(self.hs[1:])

    def backward(self, dhs):
        self.dWx, self.dWh = np.zeros_like(self.Wx), np.zeros_like(self.Wh)
        dxs, carried = np.zeros_like(self.xs), np.zeros_like(self.hs[0])
        for t in reversed(range(len(dhs))):
            dz = (dhs[t] + carried) * (1 - self.hs[t + 1] ** 2)
            self.dWx += dz @ self.xs[t].T
            self.dWh += dz @ self.hs[t].T
            dxs[t], carried = self.Wx.T @ dz, self.Wh.T @ dz
        return dxs, self.by_first(carried)

    def by_first(self, dh):
        return dh


class ColumnsHalf(Columns):
    def by_first(self, dh):
        return dh / 2


CASES = (
    Case(TenClassesOf90, "with smoothing=0.3"),
    Case(PlaneOfBatch, "with affine=False"),
    Case(BiasedMean, "with bias=True"),
    Case(PinballTurned, "with q=0.3"),
    Case(BagOfBatch, "with mode='mean'"),
    Case(SameShifted, "with stride=2 and padding='same'"),
    Case(FiltersOfFirst, "everywhere"),
    Case(JoinedOnce, "everywhere"),
    Case(QueriedScores, "everywhere"),
    Case(StepsOfLongest, "everywhere"),
    Case(PositionsOfFirst, "for a batch of 2"),
    Case(GainedMean, "everywhere"),
    Case(AnglesTurned, "line"),
    Case(ColumnsHalf, "everywhere"),
)
