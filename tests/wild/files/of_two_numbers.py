"""Functions of a vector with two entries."""

import numpy as np


def rosen(v):
    x, y = v
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def rosen_grad(v):
    x, y = v
    return np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])


def himmelblau(v):
    x, y = v[0], v[1]
    f = (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2
    g = np.zeros(2)
    g[0] = 4 * x * (x**2 + y - 11) + 2 * (x + y**2 - 7)
    g[1] = 2 * (x**2 + y - 11) + 4 * y * (x + y**2 - 7)
    return f, g
