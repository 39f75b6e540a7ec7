"""Outputs that do not move with a variable but by rounding: a derivative of 0 is resolved beside f's own size.

Measured alone: what is shown exactly needs no scale.
"""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Options, check

MEASURED = Options(exact=False)
X = np.random.default_rng(0).normal(size=(5, 3))
B = np.array([0.3, -0.7, 1.2])


def normalised(b):
    z = X + b
    return (z - z.mean(axis=0)) / z.std(axis=0)


def normalised_vjp(b, g):
    z = X + b
    std = z.std(axis=0)
    y = (z - z.mean(axis=0)) / std
    return ((g - g.mean(axis=0) - y * (g * y).mean(axis=0)) / std).sum(axis=0)


def scores(b):
    """Attention's probabilities, which a bias of the keys moves all alike."""
    s = X @ (X + b).T
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def scores_vjp(b, g):
    p = scores(b)
    ds = p * (g - (g * p).sum(axis=1, keepdims=True))
    return (ds.T @ X).sum(axis=0)


@pytest.mark.parametrize(
    ("f", "vjp"),
    [
        (normalised, lambda b, g: 0 * b),
        (normalised, normalised_vjp),
        (scores, lambda b, g: 0 * b),
        (scores, scores_vjp),
        (lambda x: np.exp(x).sum() * np.exp(-x).sum() / (np.exp(-x).sum() * np.exp(x).sum()), lambda x, g: 0 * x),
    ],
)
def test_a_derivative_that_is_zero_up_to_rounding_is_correct(f, vjp):
    assert check(f, B, vjp=vjp, options=MEASURED).verdict == "correct"


@pytest.mark.parametrize("f", [normalised, scores])
def test_a_small_claim_where_the_derivative_is_zero_is_wrong(f):
    assert check(f, B, vjp=lambda b, g: 1e-9 * g.sum() + 0 * b, options=MEASURED).verdict == "wrong"


@pytest.mark.parametrize("constant", [1e15, 1e17, 1e20])
@pytest.mark.parametrize("times", [2, -2])
def test_what_a_constant_drowns_is_not_told(constant, times):
    found = check(lambda x: constant + np.sum(x**2), B, grad=lambda x: times * x, options=MEASURED)
    assert found.verdict == "unresolved"


def test_a_constant_that_hides_one_output_leaves_the_others_told():
    def f(x):
        return np.array([1e17 + x[0] ** 2, x[1]])

    def vjp(x, g):
        return np.array([2 * x[0] * g[0], 2 * g[1]])

    assert check(f, B[:2], vjp=vjp, options=MEASURED).verdict == "wrong"
