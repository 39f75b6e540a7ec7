"""Logistic regression with a training loop below it, as a script has."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cost(theta, X, y, lam):
    m = len(y)
    h = sigmoid(X @ theta)
    J = -(y @ np.log(h) + (1 - y) @ np.log(1 - h)) / m + lam / (2 * m) * np.sum(theta[1:] ** 2)
    grad = X.T @ (h - y) / m
    grad[1:] += lam / m * theta[1:]
    return J, grad


rng = np.random.default_rng(0)
X = np.c_[np.ones(50), rng.normal(size=(50, 3))]
y = (X @ np.array([0.1, 1, -1, 2]) > 0).astype(float)
theta = np.zeros(4)
for it in range(200):
    J, g = cost(theta, X, y, 0.1)
    theta -= 0.5 * g
    if it % 100 == 0:
        print(it, J)
print("final", theta)
