"""Functions that return a value and its gradient, which has no name."""

import numpy as np


def half_square_and_grad(x):
    return 0.5 * x.dot(x), x.copy()


def huber_value_grad(r, delta=1.0):
    a = np.abs(r)
    value = np.where(a < delta, 0.5 * r**2, delta * (a - 0.5 * delta)).sum()
    return value, np.clip(r, -delta, delta)


def masked_cross_entropy(scores, labels, mask):
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(scores))
    loss = -np.sum(mask * np.log(p[rows, labels])) / len(scores)
    d = p.copy()
    d[rows, labels] -= 1
    return loss, d * mask[:, None] / len(scores)
