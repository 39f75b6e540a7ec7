"""Functions with a cache, and a loss that returns its gradient divided by the batch."""

import numpy as np


def fc_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    return out, (x, w, b)


def fc_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = dout.sum(axis=0)
    return dx, dw, db


def flat_forward(x, w, b):
    samples, features = x.shape[0], w.shape[0]
    return x.reshape(samples, features) @ w + b, (x, w, b)


def flat_backward(dout, cache):
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape[0], *x.shape[1:]), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def leaky_forward(x, alpha=0.01):
    return np.where(x > 0, x, alpha * x), (x, alpha)


def leaky_backward(dout, cache):
    x, alpha = cache
    return np.where(x > 0, dout, alpha * dout)


def softmax_ce(scores, y):
    shifted = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(shifted)
    p /= p.sum(axis=1, keepdims=True)
    n = scores.shape[0]
    loss = -np.log(p[np.arange(n), y]).mean()
    dscores = p.copy()
    dscores[np.arange(n), y] -= 1
    return loss, dscores / n
