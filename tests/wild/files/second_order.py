"""Hessians times a vector, beside the gradients."""

import numpy as np

A = np.diag([3.0, 2.0, 5.0, 1.0]) + 0.3


def cost(w):
    return 0.5 * w @ A @ w + np.sum(np.cosh(w))


def cost_grad(w):
    return A @ w + np.sinh(w)


def cost_hessp(w, p):
    return A @ p + np.cosh(w) * p


def chained(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def chained_der(x):
    g = np.zeros_like(x)
    g[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    g[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return g


def chained_hvp(x, v):
    out = np.zeros_like(x)
    out[:-1] += (1200 * x[:-1] ** 2 - 400 * x[1:] + 2) * v[:-1] - 400 * x[:-1] * v[1:]
    out[1:] += 200 * v[1:] - 400 * x[:-1] * v[:-1]
    return out
