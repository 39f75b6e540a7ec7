"""Losses of margins: labels of −1 and 1, though nothing is subtracted from 1."""

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
