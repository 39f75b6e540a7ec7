"""Objectives that return their gradient, whose names say neither that one nor the other; and what only looks so."""

import numpy as np


def lasso(w, X, y, lam):
    residual = X @ w - y
    return 0.5 * np.sum(residual**2) + lam * np.sum(np.abs(w)), X.T @ residual + lam * np.sign(w)


def elastic_net(w, X, y, alpha, rho):
    r = y - X @ w
    return (
        r @ r / (2 * len(y)) + alpha * rho * np.abs(w).sum() + 0.5 * alpha * (1 - rho) * w @ w,
        -X.T @ r / len(y) + alpha * rho * np.sign(w) + alpha * (1 - rho) * w,
    )


def normal_equations(theta, X, y):
    return X.T @ X, X.T @ y


def fitted(w, X, y):
    r = X @ w - y
    return np.mean(r**2), X @ w


def one_step(w, X, y, rate):
    r = X @ w - y
    return r @ r, w - rate * X.T @ r


def moments(W, X):
    Z = X @ W
    return Z.mean(), Z.std(), Z.T @ Z
