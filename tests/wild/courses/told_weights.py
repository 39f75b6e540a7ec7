"""Costs that are told their weights, as methods of a class."""

import numpy as np


class LogisticRegression:
    """`theta` comes after the data; the penalty is an attribute."""

    def __init__(self, lam=0.1):
        self.lam = lam

    def sigmoid(self, z):
        return 1.0 / (1.0 + np.exp(-z))

    def cost(self, X, y, theta):
        m = len(y)
        h = self.sigmoid(X @ theta)
        return -(y @ np.log(h) + (1 - y) @ np.log(1 - h)) / m + self.lam / (2 * m) * theta @ theta

    def gradient(self, X, y, theta):
        m = len(y)
        h = self.sigmoid(X @ theta)
        return X.T @ (h - y) / m + self.lam / m * theta


class LinearRegression:
    """Two gradients from what the cost has kept of its last call."""

    def loss(self, X, y, w, b):
        self.error = X @ w + b - y
        return np.mean(self.error**2)

    def loss_gradient(self, X, y, w, b):
        dw = 2 * X.T @ self.error / len(y)
        db = 2 * np.mean(self.error)
        return dw, db


class SoftmaxClassifier:
    """`W` first, and class numbers."""

    def loss(self, W, X, y):
        return -self.log_probabilities(X @ W)[np.arange(len(y)), y].mean()

    def gradient(self, W, X, y):
        p = np.exp(self.log_probabilities(X @ W))
        p[np.arange(len(y)), y] -= 1
        return X.T @ p / len(y)

    def log_probabilities(self, scores):
        scores = scores - scores.max(axis=1, keepdims=True)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


class Costs:
    """Several costs in one class, each with its gradient beside it or from the same call."""

    def ridge_cost(self, X, y, w, lam=0.5):
        r = X.dot(w) - y
        return (r.dot(r) + lam * w.dot(w)) / (2 * len(y))

    def ridge_cost_gradient(self, X, y, w, lam=0.5):
        return (X.T.dot(X.dot(w) - y) + lam * w) / len(y)

    @staticmethod
    def poisson(beta, X, y):
        eta = X @ beta
        return np.sum(np.exp(eta) - y * eta)

    @staticmethod
    def grad_poisson(beta, X, y):
        return X.T @ (np.exp(X @ beta) - y)

    @classmethod
    def squared(cls, w, X, y):
        r = X @ w - y
        loss, grad = r @ r, 2 * X.T @ r
        return loss, grad

    def propagate(self, w, b, X, Y):
        m = X.shape[1]
        A = 1 / (1 + np.exp(-(np.dot(w.T, X) + b)))
        cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m
        return {"dw": np.dot(X, (A - Y).T) / m, "db": np.sum(A - Y) / m}, cost
