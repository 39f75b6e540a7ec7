"""One function for both, and a network in global variables that trains when it is imported."""

import numpy as np

np.random.seed(1)
X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
y = np.array([[0, 1, 1, 0]]).T
w0 = 2 * np.random.random((3, 4)) - 1
w1 = 2 * np.random.random((4, 1)) - 1


def nonlin(x, deriv=False):
    if deriv == True:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))


for j in range(1000):
    l1 = nonlin(X @ w0)
    l2 = nonlin(l1 @ w1)
    l2_error = y - l2
    l2_delta = l2_error * nonlin(l2, deriv=True)
    l1_error = l2_delta @ w1.T
    l1_delta = l1_error * nonlin(l1, deriv=True)
    w1 += l1.T @ l2_delta
    w0 += X.T @ l1_delta
