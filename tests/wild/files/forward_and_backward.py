"""A network in two functions."""

import numpy as np


def forward(x, w1, b1, w2, b2):
    z1 = x @ w1 + b1
    a1 = np.maximum(z1, 0)
    out = a1 @ w2 + b2
    return out, (x, w1, z1, a1, w2)


def backward(dout, cache):
    x, w1, z1, a1, w2 = cache
    dw2 = a1.T @ dout
    db2 = dout.sum(axis=0)
    dz1 = (dout @ w2.T) * (z1 > 0)
    return x.T @ dz1, dz1.sum(axis=0), dw2, db2


def mse_loss(pred, target):
    return ((pred - target) ** 2).mean()


def mse_loss_grad(pred, target):
    return 2 * (pred - target) / pred.size
