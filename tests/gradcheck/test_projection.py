"""Past the budget: right gradients pass along random directions, planted errors do not, and the entry is found."""

import numpy as np

import gradcheck
from gradcheck import Options

SMALL = Options(budget=50)
rng = np.random.default_rng(0)
X = rng.normal(size=(6, 20))
TARGET = rng.normal(size=20)


def loss(w):
    return np.tanh(X @ w - X @ TARGET).sum() / 6


def gradient(w):
    return (1 - np.tanh(X @ w - X @ TARGET) ** 2) @ X / 6


def one(result):
    (claim,) = result.claims
    return claim


def check(grad, **kwargs):
    big = np.tile(TARGET, 1)[:, None] * np.ones((1, 5))

    def total(w):
        return sum(loss(w[:, k]) * (k + 1) for k in range(5))

    def columns(w):
        return np.stack([grad(w[:, k]) * (k + 1) for k in range(5)], axis=1)

    return one(
        gradcheck.check(total, big + rng.normal(size=big.shape) / 8, grad=kwargs.get("of", columns), options=SMALL)
    )


def test_a_right_gradient_passes_and_states_its_power():
    claim = check(gradient)
    assert claim.verdict == "correct"
    assert "escapes with probability below 1e-09" in claim.points[0].message


def test_an_error_of_the_stated_norm_is_caught():
    power = check(gradient).points[0].resolution
    for seed in range(20):
        error = np.random.default_rng(seed).normal(size=20)
        error *= 3 * power / np.linalg.norm(error)
        assert check(lambda w, error=error: gradient(w) + error).verdict == "wrong"


def test_a_single_wrong_entry_is_found_by_halving():
    def wrong(w):
        found = gradient(w)
        found[13] += 1e-6
        return found

    claim = check(wrong)
    assert claim.verdict == "wrong"
    assert claim.worst is not None
    assert claim.worst.index[0] == 13


def test_several_outputs_are_mixed_by_random_cotangents():
    w = rng.normal(size=(20, 4))
    right = gradcheck.check(lambda w: np.sin(X @ w), w, vjp=lambda w, g: X.T @ (g * np.cos(X @ w)), options=SMALL)
    assert one(right).verdict == "correct"

    def off(w, g):
        found = X.T @ (g * np.cos(X @ w))
        found[3, 2] *= 1 + 1e-6
        return found

    claim = one(gradcheck.check(lambda w: np.sin(X @ w), w, vjp=off, options=SMALL))
    assert claim.verdict == "wrong"
    assert claim.worst is not None
    assert claim.worst.index == (3, 2)
