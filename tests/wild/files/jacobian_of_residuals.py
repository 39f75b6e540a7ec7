"""Residuals with their Jacobian, the loss with its gradient; parameters that are taken by their numbers."""

import numpy as np


def residuals(theta, t, y):
    a, k, c = theta
    return a * np.exp(-k * t) + c - y


def jac(theta, t, y):
    a, k, c = theta
    e = np.exp(-k * t)
    return np.stack([e, -a * t * e, np.ones_like(t)], axis=1)


def loss(theta, t, y):
    return np.sum(residuals(theta, t, y) ** 2)


def gradient(theta, t, y):
    return 2 * jac(theta, t, y).T @ residuals(theta, t, y)


def turned(p):
    return np.array([p[0] * np.cos(p[1]), p[0] * np.sin(p[1])])


def turned_jacobian(p):
    c, s = np.cos(p[1]), np.sin(p[1])
    return np.array([[c, -p[0] * s], [s, p[0] * c]])


def quadratic(x, A, b):
    return 0.5 * x @ A @ x - b @ x


def quadratic_grad(x, A, b):
    return 0.5 * (A + A.T) @ x - b
