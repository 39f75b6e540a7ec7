"""Losses of margins: labels of −1 and 1, though nothing is subtracted from 1, and class numbers that choose."""

import numpy as np


def log_loss(theta, X, y):
    margin = y * X.dot(theta)
    return np.log(1 + np.exp(-margin)).sum()


def log_loss_gradient(theta, X, y):
    p = 1 / (1 + np.exp(y * X.dot(theta)))
    return -X.T.dot(p * y)


def softplus_loss(w, X, y):
    return np.log1p(np.exp(-y * (X @ w))).mean()


def softplus_loss_grad(w, X, y):
    s = -y / (1 + np.exp(y * (X @ w)))
    return X.T @ s / len(y)


def hinge_loss(W, X, y, reg):
    scores = X.dot(W).T
    right = np.choose(y, scores)
    margins = np.maximum(0, scores - right + 1)
    loss = margins.sum() / len(X) - 1 + 0.5 * reg * np.sum(W * W)
    counted = (margins > 0).astype(float)
    counted[y, range(len(y))] = 1 - counted.sum(axis=0)
    return loss, X.T @ counted.T / len(X) + reg * W
