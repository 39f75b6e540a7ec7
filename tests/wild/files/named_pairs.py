"""Functions and derivatives by name: `f_prime`, `dg`, `grad_softplus`."""

import numpy as np


def f(x):
    return x**3 - 2 * x


def f_prime(x):
    return 3 * x**2 - 2


def g(x):
    return np.exp(-(x**2) / 2)


def dg(x):
    return -x * np.exp(-(x**2) / 2)


def softplus(x):
    return np.log1p(np.exp(-abs(x))) + np.maximum(x, 0)


def grad_softplus(x):
    return 1 / (1 + np.exp(-x))
