"""What NumPy and SciPy people hold in their hands: a function of SciPy's, its derivative, and one slip in each twin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
from scipy import interpolate, optimize, special, stats
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import gradcheck
from gradcheck.results import ComponentResult
from gradcheck.verdicts import PASSING

Call = Callable[[float], ComponentResult]
check = gradcheck.check
X = np.array([0.5, -1.25, 2.0, 0.75])
T = np.linspace(0.0, 2.0, 6)
DATA = np.array([1.0, 0.6, 0.45, 0.2, 0.15, 0.1])
K = np.array([[2.0, 1.0, 0.0, 0.5], [1.0, 3.0, -0.5, 0.0], [0.0, -0.5, 1.5, 0.25], [0.5, 0.0, 0.25, 2.5]])
SPARSE = scipy.sparse.csr_array(np.diag([2.0, 1.0, 3.0, 0.5]) + np.diag([1.0, -1.0, 0.5], 1))


def decay(t, a, k):
    return a * np.exp(-k * t)


def decay_jac(t, a, k):
    return np.stack([np.exp(-k * t), -a * t * np.exp(-k * t)], axis=1)


def residual(p, t, y):
    return decay(t, *p) - y


def logistic(w, X, y, penalty):
    """The value and the gradient of a logistic regression, labels −1 and 1."""
    z = y * (X @ w)
    value = np.sum(np.log1p(np.exp(-z))) + 0.5 * penalty * w @ w
    return value, -X.T @ (y * special.expit(-z)) + penalty * w


def kernel(theta, X):
    """A squared-exponential kernel and its derivative, the last axis by θ (logarithms of scale and length)."""
    d = ((X[:, None] - X[None]) ** 2).sum(-1) * np.exp(-2 * theta[1])
    k = np.exp(theta[0] - 0.5 * d)
    return k, np.stack([k, k * d], axis=-1)


SPLINE = interpolate.CubicSpline(T, DATA)
POINTS = np.array([[0.0, 1.0], [0.5, -0.5], [1.5, 0.25]])
LABELS = np.array([1.0, -1.0, 1.0])

# Each call with a factor by which (somewhere in) the derivative is off: 1 is right.
CALLS: dict[str, Call] = {
    "minimize, jac=True": lambda c: check(
        lambda w, *d: (logistic(w, *d)[0], c * logistic(w, *d)[1]),
        np.array([0.5, -1.0]),
        args=(POINTS, LABELS, 0.1),
        jac=True,
    ),
    "minimize, jac and hess": lambda c: check(
        optimize.rosen, X, grad=optimize.rosen_der, hess=lambda x: c * optimize.rosen_hess(x)
    ),
    "minimize, hessp": lambda c: check(
        optimize.rosen, X, grad=optimize.rosen_der, hessp=lambda x, p: optimize.rosen_hess_prod(x, c * p)
    ),
    "rosen": lambda c: check(optimize.rosen, X, grad=lambda x: optimize.rosen_der(x) * [1, 1, c, 1]),
    "least_squares, jac": lambda c: check(
        residual, np.array([1.0, 1.2]), args=(T, DATA), jac=lambda p, t, y: decay_jac(t, *p) * [1, c]
    ),
    "least_squares, sparse": lambda c: check(
        lambda x: SPARSE @ np.sin(x), X, jac=lambda x: SPARSE @ scipy.sparse.diags_array(c * np.cos(x))
    ),
    "least_squares, operator": lambda c: check(
        lambda x: K @ x**3, X, jac=lambda x: aslinearoperator(K * (3 * c * x**2))
    ),
    "operator of its own": lambda c: check(
        lambda x: K @ x**2,
        X,
        jac=lambda x: LinearOperator((4, 4), matvec=lambda v: c * K @ (2 * x * v), rmatvec=lambda u: 2 * x * (K.T @ u)),
    ),
    "root": lambda c: check(
        lambda x: x**3 - np.roll(x, 1), X, jac=lambda x: np.diag(3 * c * x**2) - np.roll(np.eye(4), 1, axis=0)
    ),
    "curve_fit": lambda c: check(decay, T, 1.5, 0.75, wrt=("a", "k"), jac=lambda t, a, k: decay_jac(t, a, k) * [c, 1]),
    "solve_ivp": lambda c: check(
        lambda t, y, mu: np.array([y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]]),
        0.0,
        X[:2],
        args=(3.0,),
        wrt="y",
        jac=lambda t, y, mu: [[0, 1], [-2 * c * mu * y[0] * y[1] - 1, mu * (1 - y[0] ** 2)]],
    ),
    "norm": lambda c: check(stats.norm.cdf, X, deriv=lambda x: c * stats.norm.pdf(x)),
    "gamma, args": lambda c: check(
        stats.gamma.cdf, np.abs(X), args=(2.5,), deriv=lambda x, a: c * stats.gamma.pdf(x, a), domain=(0, np.inf)
    ),
    "expit": lambda c: check(special.expit, X, deriv=lambda x: c * special.expit(x) * special.expit(-x)),
    "erf": lambda c: check(special.erf, X, jac=lambda x: c * 2 / np.sqrt(np.pi) * np.exp(-(x**2))),
    "gammaln": lambda c: check(special.gammaln, np.abs(X), deriv=lambda x: c * special.digamma(x), domain=(0, np.inf)),
    "jv, order fixed": lambda c: check(special.jv, 2, np.abs(X), wrt=1, deriv=lambda n, x: c * special.jvp(n, x)),
    "logsumexp": lambda c: check(special.logsumexp, X, grad=lambda x: c * special.softmax(x)),
    "softmax": lambda c: check(
        special.softmax, X, vjp=lambda x, g: special.softmax(x) * (c * g - special.softmax(x) @ g)
    ),
    "xlogy": lambda c: check(special.xlogy, np.abs(X), X + 2, deriv=lambda x, y: (c * np.log(y), x / y)),
    "spline": lambda c: check(SPLINE, np.array([0.3, 1.1, 1.7]), deriv=lambda t: c * SPLINE(t, 1)),
    "kernel": lambda c: check(
        lambda th, X: (kernel(th, X)[0], kernel(th, X)[1] * [1, c]), np.array([0.3, -0.2]), args=(POINTS,), jac=True
    ),
    "logdet": lambda c: check(
        lambda S: 2 * np.log(np.diag(scipy.linalg.cholesky(S))).sum(),
        K,
        symmetric=True,
        grad=lambda S: c * np.linalg.inv(S),
    ),
    "solve": lambda c: check(
        scipy.linalg.solve,
        K,
        X,
        vjp=lambda A, b, g: (lambda u: (-c * np.outer(u, np.linalg.solve(A, b)), u))(np.linalg.solve(A.T, g)),
    ),
    "dirichlet on the simplex": lambda c: check(
        lambda p: stats.dirichlet.logpdf(p, [2.0, 3.0, 1.5]),
        np.array([0.25, 0.25, 0.5]),
        tangent=lambda p, v: v - v.mean(),
        grad=lambda p: np.array([1.0, 2.0 * c, 0.5]) / p,
    ),
    "Fourier": lambda c: check(np.fft.fft, X, jvp=lambda x, v: c * np.fft.fft(v)),
    "power spectrum": lambda c: check(lambda z: np.sum(np.abs(np.fft.fft(z)) ** 2), X + 0.5j, grad=lambda z: 8 * c * z),
    "slopes that are true or false": lambda c: check(
        lambda x: np.clip(x, -1, 1), X, deriv=lambda x: np.abs(x) < (1 if c == 1 else 2)
    ),
    "nested lists": lambda c: check(
        lambda x: (x[0] * x[1], x[2] ** 2), X, jac=lambda x: [[x[1], x[0], 0, 0], [0, 0, 2 * c * x[2], 0]]
    ),
    "brentq, to a tolerance": lambda c: check(
        lambda a: optimize.brentq(lambda x: x**3 + x - a, -5, 5, xtol=1e-13, rtol=1e-14),
        2.5,
        accuracy=1e-13,
        deriv=lambda a: c / (3 * optimize.brentq(lambda x: x**3 + x - a, -5, 5) ** 2 + 1),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_right_call_passes_and_every_claim_in_it_is_judged(name: str) -> None:
    result = CALLS[name](1.0)
    assert result.verdict in PASSING, result
    assert result.claims
    assert all(claim.verdict in PASSING and claim.points for claim in result.claims)
    assert not result.unjudged


@pytest.mark.parametrize("name", CALLS)
def test_its_wrong_twin_is_wrong(name: str) -> None:
    result = CALLS[name](1.001)
    assert result.verdict == "wrong", result
