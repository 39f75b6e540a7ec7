"""Jacobians of several outputs by several arguments, a row for each output, as lists and as arrays."""

import math

import numpy as np


def polar(r, t):
    return r * math.cos(t), r * math.sin(t)


def polar_jac(r, t):
    return [[math.cos(t), -r * math.sin(t)], [math.sin(t), r * math.cos(t)]]


def shear(x, y):
    return np.array([x + 2 * y, x * y, np.sin(x)])


def shear_jacobian(x, y):
    one = np.ones_like(x)
    return np.array([[one, 2 * one], [y, x], [np.cos(x), 0 * one]])


def spiral(r, t):
    return [r * np.cos(t), r * np.sin(t), 0.5 * t]


def spiral_jacobian(r, t):
    return ((np.cos(t), -r * np.sin(t)), (np.sin(t), r * np.cos(t)), (0.0, 0.5))
