"""Derivatives by numbers: a length scale, a mean and the logarithm of a deviation."""

import numpy as np


def rbf(x1, x2, lengthscale):
    d = x1[:, None] - x2[None, :]
    return np.exp(-0.5 * d**2 / lengthscale**2)


def rbf_grad(x1, x2, lengthscale):
    """Derivative of the kernel with respect to the length scale."""
    d = x1[:, None] - x2[None, :]
    return np.exp(-0.5 * d**2 / lengthscale**2) * d**2 / lengthscale**3


def neg_log_likelihood(mu, log_sigma, data):
    s = np.exp(log_sigma)
    return np.sum(log_sigma + 0.5 * ((data - mu) / s) ** 2)


def grad_neg_log_likelihood(mu, log_sigma, data):
    s = np.exp(log_sigma)
    return np.array([np.sum((mu - data) / s**2), np.sum(1 - ((data - mu) / s) ** 2)])
