"""A Jacobian that steps along a random direction contradict gets bounds that reach what they say."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from gradcheck.numerical import estimate
from gradcheck.numerical.entries import Entries
from gradcheck.numerical.evaluation import certificate
from gradcheck.numerical.evaluation.evaluate import Evaluator
from gradcheck.numerical.evaluation.structure import dense
from gradcheck.numerical.evaluation.surroundings import Surroundings
from tests.gradcheck.elementwise import Function, X, holds, in_float64, needs_long_double, of

MIDDLE = np.array([[0.5, -0.25, 2.0]])

pytestmark = needs_long_double


def rounded_constant(x: Any) -> Any:
    """0.63, of which a cancellation has taken the last digits."""
    return ((x / x - 0.37) + 1e5) - 1e5


def tail(x: Any) -> Any:
    """√softplus(−x), written so that it is 0 from 45 on in long double as well."""
    return np.sqrt(np.log(1 + np.exp(-x)))


@np.vectorize
def by_tail(x: float) -> float:
    with mpmath.workdps(50):
        e = mpmath.exp(-mpmath.mpf(x))
        return float(-e / (1 + e) / (2 * mpmath.sqrt(mpmath.log(1 + e))))


FAR = X.copy()
FAR[0, :5] = 46 + np.arange(5) / 7


@pytest.mark.parametrize(
    ("f", "derivative", "x"),
    [
        (lambda x: x * rounded_constant(x), lambda x: np.full(x.shape, 0.63), X),
        (lambda x: np.sin(x) * rounded_constant(x), lambda x: 0.63 * np.cos(x), X),
        (lambda x: x + 5e-15 * np.sin(1e4 * x), lambda x: 1 + 5e-11 * np.cos(1e4 * x), X),
        (tail, by_tail, FAR),
    ],
    ids=["an affine function", "a smooth function", "a wave as low as the noise", "a tail"],
)
def test_what_long_double_contradicts_is_in_the_bound(f: Function, derivative: Function, x: Any) -> None:
    found = of(f, x)
    assert holds(found, derivative(x))
    alone = of(in_float64(f), x)
    assert not holds(alone, derivative(x)) or found.bound.max() <= alone.bound.max()
    assert found.bound.max() <= 1e-8 * np.abs(found.value).max()


def test_a_kink_far_nearer_than_the_step_is_not_taken_for_a_contradiction() -> None:
    x = np.array([[0.3 + 0.3 * 2.0**-22, 0.3 - 0.3 * 2.0**-22, 1.0]])
    found = of(lambda x: np.maximum(x, 0.3), x)
    assert holds(found, np.array([1.0, 0.0, 1.0]))
    assert found.bound.max() <= 1e-4


@pytest.mark.parametrize("d", [2e-7, 3e-7, 5e-7])
def test_two_kinks_that_cancel_each_other_along_the_direction_contradict_nothing(d: float) -> None:
    x = np.array([1 + d, 1 - d, 0.3, 2.0])
    found = estimate(lambda v: [(np.sin(v["x"]) + np.abs(v["x"] - 1)).sum(keepdims=True)], {"x": x}, "x")
    truth = np.cos(x) + np.sign(x - 1)
    assert (np.abs(found.dense()[0] - truth) <= found.dense("bound")[0]).all()
    assert found.bound.max() <= 1e-4


def test_where_0_is_clipped_no_step_of_another_size_is_asked() -> None:
    """−log p at p = 0, clipped at 1e-12: its slope is 0, and 1e12 next to it."""
    x = np.array([[0.0, 0.5, 0.25]])
    found = of(lambda p: -np.log(np.clip(p, 1e-12, 1)), x)
    assert holds(found, np.array([0.0, -2.0, -4.0]))
    assert found.bound.max() <= 1e-6


def missed(f: Function, matrix: Any, x: Any = MIDDLE, domain: tuple[float, float] | None = None) -> Any:
    """By how much f contradicts a Jacobian `(entries, outputs)` with bounds of 1e-12, by output."""
    value = np.array(matrix, dtype=float)
    small = np.full(value.shape, 1e-12)
    rng = np.random.default_rng(0)
    around = Surroundings.of(Evaluator(lambda v: [f(v["x"])], {"x": x}, "x"), domain, 0.0, rng)
    found = Entries.smooth(value, small, np.zeros(value.shape), np.full(value.shape, 1e-3))
    return certificate.missed(around, dense(*value.shape), found, np.zeros(x.size), False, rng)


def test_long_double_agrees_with_the_right_jacobian_and_with_no_other() -> None:
    right = np.diag(np.exp(MIDDLE[0]))
    assert not missed(np.exp, right).any()
    for i in range(3):
        for j in range(3):
            wrong = right.copy()
            wrong[i, j] += 1e-8
            assert np.flatnonzero(missed(np.exp, wrong)).tolist() == [j]


def test_what_cannot_move_contradicts_nothing() -> None:
    wrong = np.diag(np.exp(MIDDLE[0])) + 1e-8
    assert not missed(np.exp, wrong, domain=(np.nextafter(-0.25, -1), 3.0)).any()


def test_only_outputs_that_contradict_are_widened() -> None:
    wrong = np.diag(np.exp(MIDDLE[0]))
    wrong[1, 1] += 1e-8
    gap = missed(np.exp, wrong)
    around = Surroundings.of(
        Evaluator(lambda v: [np.exp(v["x"])], {"x": MIDDLE}, "x"), None, 0.0, np.random.default_rng(0)
    )
    more = certificate.reach(around, dense(3, 3), gap)
    assert not more[:, [0, 2]].any()
    assert 1e-8 <= more[1, 1] <= 2.1e-8


def test_in_float64_it_is_the_noise_that_says_what_contradicts() -> None:
    right = np.diag(np.exp(MIDDLE[0]))
    assert not missed(in_float64(np.exp), right).any()
    assert missed(in_float64(np.exp), right + 1e-6 * np.eye(3)).all()
