"""Lookups: embeddings and their kin; indices are whole numbers, may repeat, and have no gradient."""

import numpy as np

from tests.right.table import at, instance, layer, some

# ruff: noqa: NPY002


class Embedding:
    """Repeated indices add up by `np.add.at`."""

    def __init__(self, vocabulary=5, size=3):
        self.W = np.random.randn(vocabulary, size)

    def forward(self, idx):
        self.idx = idx
        return self.W[idx]

    def backward(self, dout):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.idx, dout)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [np.array([[1, 4, 1], [0, 2, 4]])]


class EmbeddingLoop:
    """A list of weights and one of gradients, which is written into."""

    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]
        self.idx = None

    def forward(self, idx):
        [W] = self.params
        self.idx = idx
        return W[idx]

    def backward(self, dout):
        [dW] = self.grads
        dW[...] = 0
        for i, word in enumerate(self.idx):
            dW[word] += dout[i]
        return None

    @classmethod
    def gradcheck_example(cls):
        return cls(some(4, 2)), [np.array([3, 1, 3])]


class OneHotEmbedding:
    """The lookup as a matrix product."""

    def __init__(self, tokens=4, dim=2):
        self.params = {"table": np.random.default_rng(0).normal(size=(tokens, dim))}
        self.grads = {}

    def forward(self, tokens):
        self.onehot = np.eye(len(self.params["table"]))[tokens]
        return self.onehot @ self.params["table"]

    def backward(self, dout):
        self.grads["table"] = np.tensordot(self.onehot, dout, axes=([0, 1], [0, 1]))

    @classmethod
    def gradcheck_example(cls):
        return cls(), [np.array([[0, 3], [3, 3]])]


class EmbeddingBag:
    """The mean of each bag's rows; index 0 is padding and does not count."""

    def __init__(self, n=5, d=2):
        self.weight = np.random.randn(n, d)

    def forward(self, bags):
        self.bags = bags
        self.count = np.maximum((bags != 0).sum(axis=1), 1)
        rows = self.weight[bags] * (bags != 0)[:, :, None]
        return rows.sum(axis=1) / self.count[:, None]

    def backward(self, dout):
        each = np.repeat((dout / self.count[:, None])[:, None, :], self.bags.shape[1], axis=1)
        self.grad_weight = np.zeros(self.weight.shape)
        used = self.bags != 0
        np.add.at(self.grad_weight, self.bags[used], each[used])

    @classmethod
    def gradcheck_example(cls):
        return cls(), [np.array([[1, 2, 0], [3, 3, 4]])]


class PositionalEmbedding:
    """Adds a learned row for each position."""

    def __init__(self, positions=3, dim=2):
        self.table = np.random.randn(positions, dim)

    def forward(self, x):
        return x + self.table[: x.shape[1]]

    def backward(self, dout):
        self.dtable = np.zeros(self.table.shape)
        self.dtable[: dout.shape[1]] = dout.sum(axis=0)
        return dout

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 3, 2)]


class Gather:
    """Fixed columns, some of them twice."""

    def __init__(self, columns):
        self.columns = columns

    def forward(self, x):
        self.width = x.shape[1]
        return x[:, self.columns]

    def backward(self, dout):
        dx = np.zeros((len(dout), self.width))
        for j, column in enumerate(self.columns):
            dx[:, column] += dout[:, j]
        return dx


TOKENS = np.array([2, 0, 2, 1])
EDGES = np.array([[0, 1, 1, 3], [1, 2, 3, 0]])


def lookup(table):
    return table[TOKENS]


def lookup_vjp(table, g):
    """Column by column, with `bincount`."""
    return np.stack([np.bincount(TOKENS, weights=column, minlength=len(table)) for column in g.T], axis=1)


def skip_gram(inputs, outputs):
    """Negative sampling: one true pair of words and two sampled ones."""
    centre, words, signs = inputs[1], outputs[[0, 2, 2]], np.array([1.0, -1.0, -1.0])
    return np.logaddexp(0, -signs * (words @ centre)).sum()


def skip_gram_grad(inputs, outputs):
    index, signs = np.array([0, 2, 2]), np.array([1.0, -1.0, -1.0])
    slope = -signs / (1 + np.exp(signs * (outputs[index] @ inputs[1])))
    dinputs, doutputs = np.zeros_like(inputs), np.zeros_like(outputs)
    dinputs[1] = slope @ outputs[index]
    np.add.at(doutputs, index, np.outer(slope, inputs[1]))
    return dinputs, doutputs


def messages(x):
    """Each node sums what its neighbours send, degree-normalised: a graph layer without weights."""
    source, target = EDGES
    degree = np.maximum(np.bincount(target, minlength=len(x)), 1)
    out = np.zeros_like(x)
    np.add.at(out, target, x[source])
    return out / degree[:, None]


def messages_vjp(x, g):
    source, target = EDGES
    degree = np.maximum(np.bincount(target, minlength=len(x)), 1)
    dx = np.zeros_like(x)
    np.add.at(dx, source, (g / degree[:, None])[target])
    return dx


CASES = [
    layer(Embedding, 1),
    layer(EmbeddingLoop, 1),
    layer(OneHotEmbedding, 1),
    layer(EmbeddingBag, 1),
    layer(PositionalEmbedding, 2),
    instance(lambda: Gather([0, 2, 2]), 1, "Gather"),
    at(lookup, some(3, 2), vjp=lookup_vjp),
    at(skip_gram, some(3, 2), some(3, 2, seed=1), grad=skip_gram_grad),
    at(messages, some(4, 2), vjp=messages_vjp),
]
