"""Functions that return functions: a value with its pullback, or a loss with its gradient."""

import numpy as np


def softsign(x):
    d = 1 + np.abs(x)

    def back(dy):
        return dy / d**2

    return x / d, back


def tanh_vjp(x):
    y = np.tanh(x)
    return y, lambda g: (g * (1 - y * y),)


def scores(q, k):
    return q @ k.T, lambda g: (g @ k, g.T @ q)


def dense(w, b):
    def forward(x):
        def back(dout):
            return dout @ w.T, x.T @ dout, dout.sum(axis=0)

        return x @ w + b, back

    return forward


def make_ridge(X, y, lam=0.1):
    def loss(w):
        r = X @ w - y
        return 0.5 * r @ r / len(y) + 0.5 * lam * w @ w

    def grad(w):
        return X.T @ (X @ w - y) / len(y) + lam * w

    return loss, grad


def build_objective(A, b):
    def fun(x):
        r = A @ x - b
        s = np.sqrt(1 + r * r)
        return np.sum(s - 1), A.T @ (r / s)

    return fun
