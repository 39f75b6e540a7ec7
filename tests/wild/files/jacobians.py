"""A Jacobian, a vector-Jacobian and a Jacobian-vector product by their names."""

import numpy as np


def rotate(p):
    x, y = p
    return np.array([x * np.cos(y), x * np.sin(y)])


def rotate_jac(p):
    x, y = p
    return np.array([[np.cos(y), -x * np.sin(y)], [np.sin(y), x * np.cos(y)]])


def cube(x):
    return x**3


def cube_vjp(x, v):
    return 3 * x**2 * v


def cube_jvp(x, dx):
    return 3 * x**2 * dx
