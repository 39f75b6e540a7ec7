"""Losses of probabilities, labels first or last, with a guard against log(0) and a setting that both functions take."""

import numpy as np


def log_loss(y, p):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def log_loss_grad(y, p):
    return (p - y) / (p * (1 - p)) / p.size


def guarded_loss(t, a, eps=1e-12):
    a = np.clip(a, eps, 1 - eps)
    return -np.mean(t * np.log(a) + (1 - t) * np.log(1 - a))


def guarded_loss_grad(t, a, eps=1e-12):
    inside = (a > eps) & (a < 1 - eps)
    a = np.clip(a, eps, 1 - eps)
    return np.where(inside, (a - t) / (a * (1 - a)), 0) / a.size


def focal_loss(p, y, gamma=2.0):
    pt = np.where(y == 1, p, 1 - p)
    return np.mean(-((1 - pt) ** gamma) * np.log(pt))


def focal_loss_grad(p, y, gamma=2.0):
    pt = np.where(y == 1, p, 1 - p)
    d = gamma * (1 - pt) ** (gamma - 1) * np.log(pt) - (1 - pt) ** gamma / pt
    return np.where(y == 1, d, -d) / p.size
