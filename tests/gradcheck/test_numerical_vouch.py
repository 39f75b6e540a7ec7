"""A Jacobian that contradicts long double along a random direction gets bounds that reach it."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from gradcheck.numerical import estimate, vouch
from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.extended import STEP, Extended
from gradcheck.numerical.found import Found
from gradcheck.numerical.structure import Structure, dense
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
    assert not holds(of(in_float64(f), x), derivative(x))
    assert found.bound.max() <= 1e-8 * np.abs(found.value).max()


def test_a_kink_far_nearer_than_the_step_is_not_taken_for_a_contradiction() -> None:
    x = np.array([[0.3 + 0.3 * STEP / 8, 0.3 - 0.3 * STEP / 8, 1.0]])
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


def extended(f: Function, x: Any = MIDDLE, domain: tuple[float, float] | None = None) -> Extended:
    return Extended(Evaluator(lambda v: [f(v["x"])], {"x": x}, "x"), domain)


def claimed(matrix: Any) -> tuple[Structure, Found]:
    """A Jacobian `(entries, outputs)` with bounds of 1e-12, as dense structure."""
    value = np.array(matrix, dtype=float)
    small = np.full(value.shape, 1e-12)
    return dense(*value.shape), Found.smooth(value, small, np.zeros(value.shape), small)


def test_long_double_agrees_with_the_right_jacobian_and_with_no_other() -> None:
    right = np.diag(np.exp(MIDDLE[0]))
    assert vouch.agrees(extended(np.exp), *claimed(right))
    for i in range(3):
        for j in range(3):
            wrong = right.copy()
            wrong[i, j] += 1e-8
            assert not vouch.agrees(extended(np.exp), *claimed(wrong))


def test_entries_that_cannot_move_are_not_vouched_for() -> None:
    f, right = np.exp, np.diag(np.exp(MIDDLE[0]))
    near_the_edge = (np.nextafter(-0.25, -1), 3.0)
    assert not vouch.agrees(extended(f, domain=near_the_edge), *claimed(right))
    x = np.array([[0.5, 0.0, 2.0]])
    assert not vouch.agrees(extended(f, x), *claimed(np.diag(np.exp(x[0]))))


def test_outputs_that_do_not_move_are_not_vouched_for() -> None:
    assert not vouch.agrees(extended(lambda x: 0 * x), *claimed(np.zeros((3, 3))))


def test_only_outputs_that_contradict_are_widened() -> None:
    right = np.diag(np.exp(MIDDLE[0]))
    wrong = right.copy()
    wrong[1, 1] += 1e-8
    bound = vouch.widen(extended(np.exp), *claimed(wrong)).bound
    assert (bound[:, [0, 2]] == 1e-12).all()
    assert 1e-8 <= bound[1, 1] <= 2e-8


def test_a_function_that_does_not_compute_in_long_double_has_no_voucher() -> None:
    right = np.diag(np.exp(MIDDLE[0]))
    structure, found = claimed(right + 1e-8)
    assert not vouch.agrees(extended(in_float64(np.exp)), structure, found)
    assert vouch.widen(extended(in_float64(np.exp)), structure, found) is found
