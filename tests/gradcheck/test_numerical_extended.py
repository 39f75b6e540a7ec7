"""What float64 rounds inside of f and nothing shows outside is seen in long double, and is in the bound."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest

from gradcheck.numerical import Estimate, estimate
from tests.gradcheck.elementwise import Function, X, holds, in_float64, needs_long_double, of

pytestmark = needs_long_double


def softplus(x: Any) -> Any:
    """1 + eᵛ is a staircase: at −28 its stairs are longer than fine steps, which see a line."""
    return 1e12 * np.log(1 + np.exp(-28 * x)) + 1e-6 * x


def saturated(x: Any) -> Any:
    """What is left of a tanh that is almost 1, made large again."""
    return x + 1e5 * (np.tanh(18 * x) - 1)


def cancelled(x: Any) -> Any:
    """A function with noise of 1e-11, which everybody can hear."""
    return ((np.tanh(3 * x) + 1e5) - 1e5) / x


def by_cancelled(x: Any) -> Any:
    return 3 / np.cosh(3 * x) ** 2 / x - np.tanh(3 * x) / x**2


@pytest.mark.parametrize(
    ("f", "derivative"),
    [
        (softplus, lambda x: 1e-6 - 28e12 / (1 + np.exp(28 * x))),
        (saturated, lambda x: 1 + 18e5 / np.cosh(18 * x) ** 2),
    ],
)
def test_what_no_value_in_float64_shows_is_in_the_bound(f: Function, derivative: Function) -> None:
    wide, alone = of(f), of(in_float64(f))
    assert holds(wide, derivative(X))
    assert not holds(alone, derivative(X)) or wide.bound.max() <= alone.bound.max()


def test_long_double_tells_the_derivative_of_a_noisy_function() -> None:
    wide, narrow = of(cancelled), of(in_float64(cancelled))
    assert holds(wide, by_cancelled(X))
    assert holds(narrow, by_cancelled(X))
    assert wide.bound.max() < narrow.bound.max() / 4


def test_where_long_double_differs_by_more_than_float64_loses_it_is_not_heard() -> None:
    """Another 1e-5 of it is not what float64 has lost."""
    found = of(lambda x: cancelled(x) if x.dtype == np.float64 else cancelled(x) * (1 + 1e-5))
    assert holds(found, by_cancelled(X))


def clipped_loss(z: Any) -> Any:
    """As students write it: long double is clipped elsewhere."""
    p = 1 / (1 + np.exp(-z))
    eps = np.finfo(p.dtype).eps
    return -np.log(np.clip(p, eps, 1 - eps))


@pytest.mark.parametrize("z", [-36.5, -40.0, -43.0])
def test_where_long_double_is_another_function_it_is_not_heard(z: float) -> None:
    x = np.array([[z, 0.3, 1.0]])
    found = of(clipped_loss, x)
    p = 1 / (1 + np.exp(-x))
    assert holds(found, np.where(p > np.finfo(float).eps, p - 1, 0))
    assert found.bound.max() <= 1e-9


@pytest.mark.parametrize("f", [np.tanh, lambda x: 2 * x, lambda x: np.where(np.isfinite(x), x, 0) ** 3])
def test_nan_in_x_is_an_unknown_derivative_and_no_crash(f: Function) -> None:
    with np.errstate(all="ignore"):
        found = of(f, np.array([[1.0, np.nan, 0.2]]))
    assert np.isinf(found.bound).any()


@pytest.mark.filterwarnings("error")
def test_numbers_at_the_end_of_the_range_make_no_warning() -> None:
    assert np.isfinite(of(lambda x: 2 * x, np.array([[1e307, 8e307]])).bound).all()
    of(lambda x: np.exp(x).sum(axis=-1), np.array([[705.0, 700.0]]))


def refuses(x: Any) -> Any:
    if x.dtype != np.float64:
        raise TypeError("float64 only")
    return cancelled(x)


def loses_entries(x: Any) -> Any:
    return cancelled(x) if x.dtype == np.float64 else cancelled(x)[:1]


@pytest.mark.parametrize("f", [refuses, loses_entries])
def test_a_function_that_does_not_compute_in_long_double_is_estimated_in_float64(f: Function) -> None:
    found, other = of(f), of(in_float64(cancelled))
    np.testing.assert_array_equal(found.value, other.value)
    np.testing.assert_array_equal(found.bound, other.bound)


@pytest.mark.parametrize("x", [[[0.0, 0.5, 1.0, 0.25]], [[1e-9, 0.5, 1 - 1e-9, 0.25]]])
def test_long_double_stays_inside_the_domain(x: Any) -> None:
    point = np.array(x)

    def f(x: Any) -> Any:
        moved = x.reshape(-1, *point.shape) != point
        assert not (moved & ((x <= 0) | (x >= 1)).reshape(moved.shape)).any()
        return cancelled(x + 1)

    assert holds(of(f, point, domain=(0.0, 1.0)), by_cancelled(point + 1))


def forward(v: Any) -> list[Any]:
    return [cancelled(v["x"]), np.sin(v["x"]).sum(axis=1)]


def test_long_double_on_an_executor() -> None:
    alone = estimate(forward, {"x": X}, "x")
    with ProcessPoolExecutor(2) as pool:
        spread = estimate(forward, {"x": X}, "x", executor=pool)
    np.testing.assert_array_equal(alone.value, spread.value)
    np.testing.assert_array_equal(alone.bound, spread.bound)
    assert holds_in_rows(alone)


def holds_in_rows(found: Estimate) -> bool:
    """Whether both outputs of `forward` are within their bounds."""
    truth = np.zeros((X.size + len(X), X.size))
    truth[: X.size] = np.diag(by_cancelled(X).ravel())
    for row in range(len(X)):
        truth[X.size + row, row * X.shape[1] : (row + 1) * X.shape[1]] = np.cos(X[row])
    return bool((np.abs(found.dense() - truth) <= found.dense("bound")).all())


@pytest.mark.parametrize("clipped", [lambda x: np.clip(x, 0.25, 4), lambda x: np.clip(x, -4, 0.25)])
def test_a_kink_that_long_double_sees_where_float64_is_unsure_is_no_slope(clipped: Function) -> None:
    random = np.random.default_rng(2)
    distance = 10 ** random.uniform(-12, 0, (10, 50)) * random.choice([-1, 1], (10, 50))
    x = 0.25 + distance
    rising = (distance > 0) if clipped(1.0) == 1 else (distance < 0)
    found = of(clipped, x)
    value, bound = np.diag(found.dense()), np.diag(found.dense("bound"))
    taken_for_one = np.zeros(x.size, dtype=bool) if found.kink is None else found.kink.any(axis=0)
    assert (taken_for_one | (np.abs(value - rising.ravel()) <= bound)).all()
    assert not taken_for_one.all()
