"""A cost, and a function with loops that returns its gradients by some arguments."""

import numpy as np


def compute_cost(X, y, w, b):
    m = X.shape[0]
    total = 0.0
    for i in range(m):
        total += (np.dot(X[i], w) + b - y[i]) ** 2
    return total / (2 * m)


def compute_gradient(X, y, w, b):
    m, n = X.shape
    dj_dw = np.zeros((n,))
    dj_db = 0.0
    for i in range(m):
        err = np.dot(X[i], w) + b - y[i]
        for j in range(n):
            dj_dw[j] += err * X[i, j]
        dj_db += err
    return dj_db / m, dj_dw / m


def gradient_descent(X, y, w_in, b_in, alpha, num_iters):
    w, b = w_in.copy(), b_in
    for _ in range(num_iters):
        dj_db, dj_dw = compute_gradient(X, y, w, b)
        w = w - alpha * dj_dw
        b = b - alpha * dj_db
    return w, b
