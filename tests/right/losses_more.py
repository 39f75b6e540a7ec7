"""Losses of distributions, margins, pairs, sets and alignments."""

import numpy as np

from tests.right.base import Diffable
from tests.right.table import at, beside, layer, positive, some


class KLDivLoss:
    """Log-probabilities against probabilities: the mean over the batch."""

    constant_inputs = ("target",)
    input_data = {"log_q": "real", "target": "probabilities"}  # noqa: RUF012

    def forward(self, log_q, target):
        self.target = target
        log_p = np.log(np.where(target > 0, target, 1))
        return (target * (log_p - log_q)).sum() / len(log_q)

    def backward(self):
        return -self.target / len(self.target)


class PoissonNLL(Diffable):
    """The input is the logarithm of the rate."""

    constant_inputs = ("counts",)

    def forward(self, log_rate, counts):
        return np.mean(np.exp(log_rate) - counts * log_rate)

    def get_input_gradients(self):
        log_rate, counts = self.inputs
        return [(np.exp(log_rate) - counts) / log_rate.size, np.zeros(counts.shape)]

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(3, 2), np.array([[0.0, 1.0], [4.0, 2.0], [0.0, 7.0]])]


class GaussianNLL:
    """Mean and variance are predicted, the variance not below ε."""

    constant_inputs = ("target",)

    def forward(self, mean, var, target):
        self.r = mean - target
        self.free = var > 1e-6
        self.var = np.maximum(var, 1e-6)
        return 0.5 * np.mean(np.log(self.var) + self.r**2 / self.var)

    def backward(self, dout=1.0):
        n = self.r.size
        dvar = 0.5 * self.free * (1 / self.var - self.r**2 / self.var**2) / n
        return dout * self.r / self.var / n, dout * dvar, None

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(3, 2), positive(3, 2), some(3, 2, seed=1)]


class MarginRanking:
    """max(0, −y (x₁ − x₂) + margin), y = ±1."""

    constant_inputs = ("order",)

    def __init__(self, margin=0.5):
        self.margin = margin

    def forward(self, x1, x2, order):
        self.slack = self.margin - order * (x1 - x2)
        self.order = order
        return np.maximum(self.slack, 0).mean()

    def backward(self):
        d = self.order * (self.slack > 0) / self.slack.size
        return -d, d, np.zeros_like(d)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(4), some(4, seed=1), np.array([1.0, -1.0, 1.0, 1.0])]


class MulticlassHinge:
    """SVM loss of scores and class numbers: max(0, sⱼ − s_y + 1), j ≠ y."""

    def forward(self, scores, labels):
        n = np.arange(len(scores))
        margins = np.maximum(0, scores - scores[n, labels][:, None] + 1)
        margins[n, labels] = 0
        self.positive, self.labels = (margins > 0).astype(float), labels
        return margins.sum() / len(scores)

    def backward(self):
        n = np.arange(len(self.labels))
        dscores = self.positive.copy()
        dscores[n, self.labels] -= self.positive.sum(axis=1)
        return dscores / len(n)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(4, 3), np.array([0, 2, 1, 1])]


class TripletMargin:
    """max(0, |a − p| − |a − n| + 1)."""

    def forward(self, anchor, near, far):
        self.to_near, self.to_far = anchor - near, anchor - far
        self.d_near = np.sqrt((self.to_near**2).sum(axis=1, keepdims=True) + 1e-12)
        self.d_far = np.sqrt((self.to_far**2).sum(axis=1, keepdims=True) + 1e-12)
        self.loss = np.maximum(self.d_near - self.d_far + 1, 0)
        return self.loss.mean()

    def backward(self):
        on = (self.loss > 0) / len(self.loss)
        u, v = on * self.to_near / self.d_near, on * self.to_far / self.d_far
        return u - v, -u, v

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(3, 2), some(3, 2, seed=1), some(3, 2, seed=2)]


class CosineEmbedding:
    """1 − cos for pairs that belong together, max(0, cos) for others."""

    constant_inputs = ("same",)

    def forward(self, a, b, same):
        self.na, self.nb = (np.sqrt((x * x).sum(axis=1, keepdims=True) + 1e-8) for x in (a, b))
        self.ua, self.ub = a / self.na, b / self.nb
        self.cos = (self.ua * self.ub).sum(axis=1, keepdims=True)
        self.sign = np.where(same[:, None] > 0, -1.0, (self.cos > 0) * 1.0)
        return np.where(same[:, None] > 0, 1 - self.cos, np.maximum(self.cos, 0)).mean()

    def backward(self):
        g = self.sign / len(self.cos)
        return g * (self.ub - self.cos * self.ua) / self.na, g * (self.ua - self.cos * self.ub) / self.nb, None

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(3, 4), some(3, 4, seed=1), np.array([1.0, -1.0, -1.0])]


class DiceLoss(Diffable):
    constant_inputs = ("y_true",)

    def forward(self, y_pred, y_true):
        return 1 - (2 * np.sum(y_pred * y_true) + 1) / (np.sum(y_pred) + np.sum(y_true) + 1)

    def get_input_gradients(self):
        p, t = self.inputs
        above, below = 2 * np.sum(p * t) + 1, np.sum(p) + np.sum(t) + 1
        return [(above - 2 * t * below) / below**2, np.zeros(t.shape)]


SIGNS = np.array([1.0, -1.0, -1.0, 1.0])
SETS = np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def hinge_embedding(x, margin=1.0):
    return np.where(SIGNS > 0, x, np.maximum(0, margin - x)).mean()


def hinge_embedding_grad(x, margin=1.0):
    return np.where(SIGNS > 0, 1.0, -1.0 * (x < margin)) / x.size


def soft_margin(x):
    return np.log1p(np.exp(-SIGNS * x)).mean()


def soft_margin_grad(x):
    return -SIGNS / (1 + np.exp(SIGNS * x)) / x.size


def multilabel_margin(x):
    """Every label of a set against every class outside of it."""
    gaps = 1 - (x[:, :, None] - x[:, None, :])
    counts = SETS[:, :, None] * (1 - SETS)[:, None, :]
    return (np.maximum(gaps, 0) * counts).sum() / x.size


def multilabel_margin_grad(x):
    active = (1 - (x[:, :, None] - x[:, None, :]) > 0) * SETS[:, :, None] * (1 - SETS)[:, None, :]
    return (active.sum(axis=1) - active.sum(axis=2)) / x.size


def multilabel_soft_margin(x):
    return -(SETS * -np.logaddexp(0, -x) + (1 - SETS) * -np.logaddexp(0, x)).mean()


def multilabel_soft_margin_grad(x):
    return (1 / (1 + np.exp(-x)) - SETS) / x.size


def multi_margin(x, p=2):
    """Squared margins against class 1."""
    gaps = np.maximum(0, 0.5 - x[1] + np.delete(x, 1))
    return (gaps**p).sum() / len(x)


def multi_margin_grad(x, p=2):
    gaps = np.insert(np.maximum(0, 0.5 - x[1] + np.delete(x, 1)), 1, 0)
    d = p * gaps ** (p - 1) / len(x)
    d[1] = -d.sum()
    return d


def contrastive(z):
    """NT-Xent of four vectors: 0 and 1 are a pair, 2 and 3 are one."""
    u = z / np.linalg.norm(z, axis=1, keepdims=True)
    s = u @ u.T / 0.5
    np.fill_diagonal(s, -np.inf)
    return np.mean(np.log(np.exp(s).sum(axis=1)) - s[np.arange(4), [1, 0, 3, 2]])


def contrastive_grad(z):
    r = np.linalg.norm(z, axis=1, keepdims=True)
    u = z / r
    s = u @ u.T / 0.5
    np.fill_diagonal(s, -np.inf)
    ds = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    ds[np.arange(4), [1, 0, 3, 2]] -= 1
    du = (ds + ds.T) @ u / (4 * 0.5)
    return (du - u * (du * u).sum(axis=1, keepdims=True)) / r


def _ctc_alphas(y, path):
    """Probabilities of all beginnings of the alignment, step by step; blanks are even places."""
    alpha = np.zeros((len(y), len(path)))
    alpha[0, :2] = y[0, path[:2]]
    for t in range(1, len(y)):
        for s in range(len(path)):
            before = alpha[t - 1, s] + (alpha[t - 1, s - 1] if s else 0)
            if s > 1 and path[s] and path[s] != path[s - 2]:
                before += alpha[t - 1, s - 2]
            alpha[t, s] = before * y[t, path[s]]
    return alpha


CTC_PATH = np.array([0, 1, 0, 2, 0])


def ctc(logits):
    """−log of the probability of all ways to read the labels 1, 2 (class 0 is blank) from `(t, classes)`."""
    y = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -np.log(_ctc_alphas(y, CTC_PATH)[-1, -2:].sum())


def ctc_grad(logits):
    y = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    alpha = _ctc_alphas(y, CTC_PATH)
    beta = _ctc_alphas(y[::-1], CTC_PATH[::-1])[::-1, ::-1]
    through = alpha * beta / y[:, CTC_PATH]
    occupied = np.zeros_like(y)
    np.add.at(occupied.T, CTC_PATH, through.T)
    return y - occupied / alpha[-1, -2:].sum()


def kl_to_standard(mu, log_var):
    """Of a diagonal normal distribution, as in a variational autoencoder."""
    return -0.5 * np.sum(1 + log_var - mu**2 - np.exp(log_var))


def kl_to_standard_grad(mu, log_var):
    return mu, 0.5 * (np.exp(log_var) - 1)


def mean_percentage(y_pred, y_true):
    return np.mean(np.abs((y_pred - y_true) / (np.abs(y_true) + 1e-8)))


def mean_percentage_grad(y_pred, y_true):
    return np.sign(y_pred - y_true) / (np.abs(y_true) + 1e-8) / y_pred.size


CASES = [
    layer(KLDivLoss, 1),
    layer(PoissonNLL, 1),
    layer(GaussianNLL, 2),
    layer(MarginRanking, 2),
    layer(MulticlassHinge, 1),
    layer(TripletMargin, 3),
    layer(CosineEmbedding, 2),
    layer(DiceLoss, 1),
    at(hinge_embedding, some(4), grad=hinge_embedding_grad),
    at(soft_margin, some(4), grad=soft_margin_grad),
    at(multilabel_margin, some(2, 4), grad=multilabel_margin_grad),
    at(multilabel_soft_margin, some(2, 4), grad=multilabel_soft_margin_grad),
    at(multi_margin, some(5), grad=multi_margin_grad),
    at(contrastive, some(4, 3), grad=contrastive_grad),
    at(ctc, some(5, 3), grad=ctc_grad),
    at(kl_to_standard, some(3), some(3, seed=1), grad=kl_to_standard_grad),
    beside(mean_percentage),
]
