"""Regressions: linear models of all links, penalties, margins, survival."""

import math

import numpy as np

from tests.right.table import at, layer, some

X, Y = some(6, 3), some(6)
CLASSES = np.array([0, 2, 1, 1, 0, 2])
YES = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0])
COUNTS = np.array([0.0, 3.0, 1.0, 2.0, 0.0, 5.0])
TIMES = np.array([5.0, 1.0, 3.0, 2.0, 6.0, 4.0])

_erf = np.vectorize(math.erf)
_lgamma = np.vectorize(math.lgamma)


class LogisticRegression:
    """Data in the constructor; the cost and its gradient by a flat θ, penalty without the intercept."""

    def __init__(self, lam=0.1):
        self.X, self.y, self.lam = np.column_stack([np.ones(6), X]), YES, lam

    def forward(self, theta):
        self.theta, self.h = theta, 1 / (1 + np.exp(-self.X @ theta))
        likelihood = self.y @ np.log(self.h) + (1 - self.y) @ np.log(1 - self.h)
        return -likelihood / len(self.y) + self.lam / 2 * np.sum(theta[1:] ** 2)

    def backward(self):
        penalty = self.lam * self.theta
        penalty[0] = 0
        return self.X.T @ (self.h - self.y) / len(self.y) + penalty

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(4)]


def least_squares_cost(w):
    r = X @ w - Y
    return 0.5 * r @ r / len(Y)


def least_squares_cost_grad(w):
    return X.T @ (X @ w - Y) / len(Y)


def ridge(W, b):
    """Two targets at once, the intercept unpenalised."""
    r = X @ W + b - np.column_stack([Y, YES])
    return (r**2).sum() + 0.3 * (W**2).sum()


def ridge_grad(W, b):
    r = X @ W + b - np.column_stack([Y, YES])
    return 2 * X.T @ r + 0.6 * W, 2 * r.sum(axis=0)


def lasso(w):
    return 0.5 * np.mean((X @ w - Y) ** 2) + 0.2 * np.abs(w).sum()


def lasso_grad(w):
    return X.T @ (X @ w - Y) / len(Y) + 0.2 * np.sign(w)


def elastic_net(w):
    return np.sum((X @ w - Y) ** 2) / 12 + 0.1 * (0.4 * np.linalg.norm(w, 1) + 0.3 * w @ w)


def elastic_net_grad(w):
    return X.T @ (X @ w - Y) / 6 + 0.1 * (0.4 * np.sign(w) + 0.6 * w)


def least_absolute(w):
    """Mean |y − Xw|: as many kinks as rows."""
    return np.mean(np.abs(Y - X @ w))


def least_absolute_grad(w):
    return -X.T @ np.sign(Y - X @ w) / len(Y)


def robust(w):
    """Huber's regression."""
    r = X @ w - Y
    return np.where(np.abs(r) < 0.5, r**2 / 2, 0.5 * np.abs(r) - 0.125).sum()


def robust_grad(w):
    return X.T @ np.clip(X @ w - Y, -0.5, 0.5)


def softmax_regression(W):
    """Cost over class numbers, with L2."""
    s = X @ W
    s -= s.max(axis=1, keepdims=True)
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(6), CLASSES]).mean() + 0.5 * 0.05 * np.sum(W * W)


def softmax_regression_grad(W):
    s = X @ W
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(6), CLASSES] -= 1
    return X.T @ p / 6 + 0.05 * W


def support_vectors(w):
    """Squared hinge."""
    slack = np.maximum(0, 1 - (2 * YES - 1) * (X @ w))
    return 0.5 * w @ w + 2 * (slack**2).mean()


def support_vectors_grad(w):
    signs = 2 * YES - 1
    slack = np.maximum(0, 1 - signs * (X @ w))
    return w - 4 * X.T @ (slack * signs) / 6


def poisson_regression(w):
    eta = X @ w
    return np.sum(np.exp(eta) - COUNTS * eta + _lgamma(COUNTS + 1))


def poisson_regression_grad(w):
    return X.T @ (np.exp(X @ w) - COUNTS)


def gamma_regression(w):
    """The deviance of positive data under a log link."""
    mu = np.exp(X @ w)
    return 2 * np.sum(TIMES / mu - 1 - np.log(TIMES / mu))


def gamma_regression_grad(w):
    return 2 * X.T @ (1 - TIMES / np.exp(X @ w))


def probit(w):
    p = 0.5 * (1 + _erf(X @ w / np.sqrt(2)))
    return -np.sum(YES * np.log(p) + (1 - YES) * np.log(1 - p))


def probit_grad(w):
    eta = X @ w
    p = 0.5 * (1 + _erf(eta / np.sqrt(2)))
    density = np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi)
    return -X.T @ (density * (YES / p - (1 - YES) / (1 - p)))


def negative_binomial(w):
    """With dispersion 2: −Σ y log(μ/(μ + 2)) + 2 log(2/(μ + 2))."""
    mu = np.exp(X @ w)
    return -np.sum(COUNTS * np.log(mu / (mu + 2)) + 2 * np.log(2 / (mu + 2)))


def negative_binomial_grad(w):
    mu = np.exp(X @ w)
    return X.T @ (2 * (mu - COUNTS) / (mu + 2))


def cox(w):
    """The negative partial likelihood; `YES` says whose time ended in an event."""
    eta = X @ w
    at_risk = TIMES[:, None] <= TIMES
    return -np.sum(YES * (eta - np.log(at_risk @ np.exp(eta))))


def cox_grad(w):
    hazard = np.exp(X @ w)
    at_risk = TIMES[:, None] <= TIMES
    share = at_risk * hazard / (at_risk @ hazard)[:, None]
    return -X.T @ (YES - YES @ share)


CASES = [
    layer(LogisticRegression, 1),
    at(least_squares_cost, some(3), grad=least_squares_cost_grad),
    at(ridge, some(3, 2), some(2), grad=ridge_grad),
    at(lasso, some(3), grad=lasso_grad),
    at(elastic_net, some(3), grad=elastic_net_grad),
    at(least_absolute, some(3), grad=least_absolute_grad),
    at(robust, some(3), grad=robust_grad),
    at(softmax_regression, some(3, 3), grad=softmax_regression_grad),
    at(support_vectors, some(3), grad=support_vectors_grad),
    at(poisson_regression, some(3), grad=poisson_regression_grad),
    at(gamma_regression, some(3), grad=gamma_regression_grad),
    at(probit, some(3), grad=probit_grad),
    at(negative_binomial, some(3), grad=negative_binomial_grad),
    at(cox, some(3), grad=cox_grad),
]
