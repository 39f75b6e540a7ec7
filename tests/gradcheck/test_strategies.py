"""The strategies draw what breaks derivatives, and shrink to the smallest example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

import gradcheck
from gradcheck import strategies
from gradcheck.errors import GradcheckFailure, UsageError

Array = Any
QUICK = settings(max_examples=2000, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def smallest(strategy: st.SearchStrategy[Array], condition: Callable[[Array], bool] = lambda x: True) -> Array:
    return find(strategy, condition, settings=QUICK)


@given(strategies.magnitudes())
def test_magnitudes_have_few_digits_and_stay_in_range(x: float) -> None:
    assert x == 0 or 1e-8 <= abs(x) <= 1e6
    assert float(f"{x:.3g}") == x


@given(strategies.magnitudes(1e-3, 0.5))
def test_magnitudes_stay_in_a_narrow_range(x: float) -> None:
    assert abs(x) <= 0.5


@given(strategies.positive(2.001, 2.002))
def test_positive_numbers_stay_in_the_narrowest_range(x: float) -> None:
    assert 2.001 <= x <= 2.002


@pytest.mark.parametrize(
    "condition",
    [lambda x: 0 < abs(x) < 1e-6, lambda x: abs(x) > 1e5, lambda x: x < 0, lambda x: x == 0, lambda x: 0.1 < x < 1],
)
def test_magnitudes_reach_every_scale_and_sign(condition: Callable[[float], bool]) -> None:
    smallest(strategies.magnitudes(), condition)


@given(strategies.arrays(dtype="float32"))
def test_arrays_have_the_dtype_and_no_subnormals(x: Array) -> None:
    assert x.dtype == np.float32
    assert x.size > 0
    assert not ((x != 0) & (np.abs(x) < np.finfo(np.float32).tiny)).any()


@given(strategies.simplex())
def test_rows_of_a_simplex_are_probabilities(p: Array) -> None:
    assert p.shape[0] <= 4
    assert 2 <= p.shape[1] <= 5
    assert (p >= 0).all()
    assert np.abs(p.sum(axis=1) - 1).max() <= 4 * np.finfo(float).eps


@given(strategies.simplex(batch=3, classes=4, inside=True))
def test_inside_a_simplex_nothing_is_zero_or_one(p: Array) -> None:
    assert p.shape == (3, 4)
    assert ((p > 0) & (p < 1)).all()


@given(strategies.one_hot(batch=st.just(5)))
def test_one_hot_rows_have_one_one(y: Array) -> None:
    assert y.shape[0] == 5
    assert set(np.unique(y)) <= {0.0, 1.0}
    assert (y.sum(axis=1) == 1).all()


@given(strategies.soft_labels())
def test_soft_labels_sum_to_one(y: Array) -> None:
    assert np.abs(y.sum(axis=1) - 1).max() <= 4 * np.finfo(float).eps


def test_soft_labels_are_smoothed_and_mixed() -> None:
    smallest(strategies.soft_labels(), lambda y: bool(((y > 0) & (y < 1)).all() and np.unique(y).size == 2))
    smallest(strategies.soft_labels(), lambda y: bool((y == 0).any()))


@given(strategies.upstream((2, 3)))
def test_upstream_is_never_all_zero(g: Array) -> None:
    assert g.shape == (2, 3)
    assert g.any()


@pytest.mark.parametrize("offset", [0.0, 1e-9, -1e-9, 2.0])
def test_kinks_are_hit_and_just_missed(offset: float) -> None:
    smallest(strategies.near_kinks((0.0, 1.0)), lambda x: x == 1.0 + offset)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (strategies.shapes(), (1,)),
        (strategies.shapes(min_dims=2), (1, 1)),
        (strategies.magnitudes(), 0.0),
        (strategies.positive(), 1.0),
        (strategies.near_kinks((2.0, 5.0)), 2.0),
        (strategies.arrays(), [0.0]),
        (strategies.simplex(), [[0.5, 0.5]]),
        (strategies.one_hot(), [[1.0, 0.0]]),
        (strategies.upstream((1, 2)), [[0.0, 1.0]]),
    ],
)
def test_everything_shrinks_to_the_smallest(strategy: st.SearchStrategy[Array], expected: object) -> None:
    assert np.array_equal(smallest(strategy), expected)


ONE_DTYPE = gradcheck.Options(dtypes=("float64",))


def test_failing_gradient_shrinks_to_one_simple_number() -> None:
    def vjp(x: Array, g: Array) -> Array:
        # Right for |x| < 10: a mistake that only a large input shows.
        return 2 * x * g * np.where(np.abs(x) < 10, 1, -1)

    def is_wrong(x: Array) -> bool:
        return gradcheck.check(lambda x: x**2, x, vjp=vjp, options=ONE_DTYPE).verdict == "wrong"

    drawn = strategies.arrays(strategies.shapes(max_dims=1), strategies.near_kinks((0.0, 10.0)))
    found = find(drawn, is_wrong, settings=QUICK)
    assert found.shape == (1,)
    assert found[0] == 10.0


def test_with_given_a_failure_is_an_assertion_error() -> None:
    @settings(QUICK, max_examples=20)
    @given(x=strategies.arrays(shape=(1,)))
    def test_square(x: Array) -> None:
        gradcheck.assert_correct(lambda x: x**2, x, vjp=lambda x, g: x * g, options=ONE_DTYPE)

    with pytest.raises(GradcheckFailure, match="wrong"):
        test_square()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: strategies.shapes(max_side=0), "max_side to be a whole number from 1 up, but got 0"),
        (lambda: strategies.shapes(min_dims=3, max_dims=2), "max_dims to be a whole number from 3 up"),
        (lambda: strategies.magnitudes(0.0), "expected 1e-300 <= smallest <= largest"),
        (lambda: strategies.positive(2.0, 1.0), "expected 1e-300 <= smallest <= largest"),
        (lambda: strategies.near_kinks(()), "at least one place of a kink"),
        (lambda: strategies.arrays(dtype="int64"), "expected a floating dtype, but got 'int64'"),
        (lambda: smallest(strategies.one_hot(batch=0)), "expected batch to be a whole number from 1 up"),
        (lambda: smallest(strategies.one_hot(classes=2.5)), "but got 2.5"),  # type: ignore[arg-type]
    ],
)
def test_misuse_is_a_clear_error(call: Callable[[], object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        call()
