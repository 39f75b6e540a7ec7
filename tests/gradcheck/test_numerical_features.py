"""What coarse steps step over, and what fine steps cannot see, is in the bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.numerical import Estimate, estimate
from gradcheck.numerical.evaluation.evaluate import Evaluator

EPS = np.finfo(float).eps
X = np.linspace(0.9, 1.1, 40).reshape(4, 10) * 1e-3


def of(f: Callable[[Any], Any], x: Any) -> Estimate:
    """The estimate of an elementwise function."""
    return estimate(lambda v: [f(v["x"])], {"x": x}, "x")


def holds(found: Estimate, truth: Any) -> None:
    """No error is above its bound."""
    error = np.abs(found.dense() - np.diag(truth.ravel()))
    assert np.all(error <= found.dense("bound")), (error / found.dense("bound")).max()


@pytest.mark.parametrize("width", [5.0, 7.0, 9.0, 11.0])
def test_the_tail_of_a_bell_that_coarse_steps_step_over_is_in_the_bound(width: float) -> None:
    place, k = 1.2e-3, width / 1.5e-4
    found = of(lambda x: x + 1e-3 * np.exp(-(((x - place) * k) ** 2)), X)
    holds(found, 1 - 2e-3 * k * k * (X - place) * np.exp(-(((X - place) * k) ** 2)))
    assert found.bound.max() <= 1e-6 * np.abs(found.value).max()


@pytest.mark.parametrize("scale", [1e3, 1e6])
def test_a_slope_below_the_grid_that_f_is_rounded_to_is_in_the_bound(scale: float) -> None:
    """In the tail of tanh no step that is short enough moves (v + C) − C; long ones do, by the grid's risers."""
    x = np.linspace(2, 14, 60).reshape(6, 10)
    holds(of(lambda v: (np.tanh(v / scale) + 1e6) - 1e6, x * scale), 1 / np.cosh(x) ** 2 / scale)


def test_a_clip_next_to_the_point_has_no_tail() -> None:
    """It must not be taken for one: the bound stays that of the short steps up to its edge."""
    x = np.array([[0.25 + 1e-7, 0.25 - 1e-7, 0.25 + 1e-5]])
    found = of(lambda x: np.clip(x, 0.25, 4), x)
    holds(found, np.array([1.0, 0.0, 1.0]))
    assert found.bound.max() < 1e-6


def test_a_grid_is_noise_where_f_is_what_is_left_of_larger_numbers() -> None:
    """σ(x²) less its mean, near 0: all values are nearly ½, and their roundings 10⁵ times what is left of them."""
    x = np.array([[3.6e-6, -2.1e-6, 5.2e-6, 1.3e-6, -4.4e-6]])

    def f(values: dict[str, Any]) -> list[Any]:
        y = 1 / (1 + np.exp(-(values["x"] ** 2)))
        d = y - y.mean(axis=-1, keepdims=True)
        return [d / np.sqrt((d * d).mean(axis=-1, keepdims=True) + 1e-5)]

    found = estimate(f, {"x": x}, "x")
    slope = x[0] / 2 / np.sqrt(1e-5)
    truth = (np.eye(5) - 1 / 5) * slope
    assert (np.abs(found.dense() - truth) <= found.dense("bound") + 1e-6 * np.abs(truth).max()).all()


def test_a_grid_that_fine_steps_do_not_leave_is_noise_on_top_of_a_line_too() -> None:
    """log(1 + eˣ) at x ≈ −26 rises in steps of 2⁻⁵², wider than fine steps, which see the line alone."""
    x = np.array([[-27.3, -25.1, -26.7]])
    holds(of(lambda v: np.log(1 + np.exp(v)) / 2 + 1e-12 * v, x), 0.5 / (1 + np.exp(-x)) + 1e-12)


def test_an_edge_on_both_sides_of_the_point_is_no_grid() -> None:
    """Clipped from below and from above, next to the point, f leaves its line on both sides, for straight ones."""
    found = of(lambda v: np.clip(v, 0.3 - 1e-5, 0.3 + 2e-5) + v * v, np.array([[0.3]]))
    holds(found, np.array([1.6]))
    assert found.bound.max() < 1e-6


def test_a_saturated_tanh_is_flat_but_not_of_derivative_zero() -> None:
    """Short steps do not move tanh(−26) by a bit; all that the difference from the mean leaves is as small."""

    def f(values: dict[str, Any]) -> list[Any]:
        t = np.tanh(values["x"])
        d = t - t.mean(axis=-1, keepdims=True)
        return [d / np.sqrt((d * d).mean(axis=-1, keepdims=True) + 1e-5)]

    x = np.array([[-26.4, -15.0]])
    found = estimate(f, {"x": x}, "x")
    truth = np.array([[0.5, -0.5], [-0.5, 0.5]]) / np.cosh(x) ** 2 / np.sqrt(1e-5)
    assert (np.abs(found.dense() - truth) <= found.dense("bound") + 1e-6 * np.abs(truth)).all()


def test_a_squared_relu_is_flat_up_to_an_edge_and_not_a_grid() -> None:
    """Its first move is next to nothing, like a tail's; but beyond the edge it follows a power of the step."""
    x = np.array([[3.9e-4, -5.2e-4, -3.8e-4]])
    found = of(lambda v: np.maximum(v, 0) ** 2, x)
    holds(found, 2 * np.maximum(x, 0))
    assert found.bound.max() <= 1e-9 * np.abs(found.value).max()


def test_an_exponential_that_is_small_here_leaves_no_rounding() -> None:
    """e^x is what it is; that it becomes large elsewhere says nothing of how f is rounded here."""
    x = np.array([[-32.0, 2.0, -19.0, 7.5]])
    found = estimate(lambda v: [(np.exp(v["x"]) ** 2).mean(axis=-1, keepdims=True)], {"x": x}, "x")
    truth = np.exp(2 * x) / 2
    assert np.all(np.abs(found.dense() - truth) <= found.dense("bound"))
    assert found.bound.max() <= 1e-9 * truth.max()


def test_noise_is_heard_where_round_steps_would_stay_on_the_grid() -> None:
    """Near 0, e^x moves by whole units of its last place at steps of few bits; its rounding shows at others only."""
    x = np.array([[1.4142761569900448e-05, -2.2e-05, 3.1e-06, 0.9e-05]])

    def f(values: dict[str, Any]) -> list[Any]:
        y = np.exp(values["x"])
        d = y - y.mean(axis=-1, keepdims=True)
        return [d / np.sqrt((d * d).mean(axis=-1, keepdims=True) + 1e-5)]

    found = estimate(f, {"x": x}, "x")
    assert found.bound.max() <= 1e-9 * np.abs(found.value).max()


def test_a_grid_whose_stairs_are_as_long_as_x_is_noise() -> None:
    """In float32, e^x near 0 stands still for steps of 6e-8, where x itself is 1e-6."""
    x = np.array([[5.9066383e-07, 3.8715558e-07, 6.6783326e-07, 1.6212184e-07, 1.0270927e-06]], dtype=np.float32)

    def f(values: dict[str, Any]) -> list[Any]:
        y = np.exp(values["x"])
        d = y - y.mean(axis=-1, keepdims=True)
        return [d / np.sqrt((d * d).mean(axis=-1, keepdims=True) + np.float32(1e-5))]

    found = estimate(f, {"x": x}, "x")
    truth = (np.eye(5) - 1 / 5) / np.sqrt(1e-5)
    assert (np.abs(found.dense() - truth) <= found.dense("bound") + 1e-4 * np.abs(truth).max()).all()


LEFT_OVER = {
    "exp(x) - 1 - x": (lambda x: np.exp(x) - 1 - x, np.expm1),
    "1 + x - exp(x)": (lambda x: 1 + x - np.exp(x), lambda x: -np.expm1(x)),
    "log cosh(x)": (lambda x: np.logaddexp(x, -x) - np.log(2), np.tanh),
    "√(1 + x) - 1 - x/2": (lambda x: np.sqrt(1 + x) - 1 - x / 2, lambda x: 0.5 / np.sqrt(1 + x) - 0.5),
    "cosh(x) - 1": (lambda x: np.cosh(x) - 1, np.sinh),
    "1000 times": (lambda x: 1000 * (np.exp(x) - 1 - x), lambda x: 1000 * np.expm1(x)),
}


@pytest.mark.parametrize("name", LEFT_OVER)
def test_the_grid_of_what_is_left_of_numbers_like_1_is_no_slope(name: str) -> None:
    """Between two of its points f is exactly flat, or a line: steps that short agree on a derivative that is none."""
    f, derivative = LEFT_OVER[name]
    x = np.geomspace(1e-12, 1e-4, 60).reshape(6, 10) * np.where(np.arange(10) % 2, 1, -1)
    for point in (x, 1.01 * x, 0.7 * x):
        found = of(f, point)
        holds(found, derivative(point))
        bound, times = np.diag(found.dense("bound")), 1000 if name == "1000 times" else 1
        # Numbers like 1 are rounded, over a step as long as x. One entry in sixty may be left unresolved: whether two
        # of its stairs look like a slope is a matter of where they lie.
        assert (bound > 64 * EPS * times / np.abs(point.ravel())).sum() <= 1
        assert bound[np.abs(point.ravel()) > 1e-6].max() < 1e-10 * times


def test_finer_steps_that_agree_on_nothing_are_in_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The edge of a power is as near as the finest steps that are not noise."""
    monkeypatch.setattr(Evaluator, "in_long_double", lambda self: None)
    x = np.array([1 + 1e-9])
    for power in (1.8, 1.9):
        found = of(lambda x, power=power: x + np.abs(x - 1) ** power, x)
        holds(found, 1 + power * (x - 1) ** (power - 1))


def test_quotients_that_agree_below_their_noise_are_in_the_bound() -> None:
    """At the crest of a fast wave, coarse steps and fine ones see two slopes that are both nearly right."""
    x = np.array([[1.0]])
    found = of(lambda x: np.tanh(x) + np.sin(1e5 * (x - 1) + np.pi / 2), x)
    holds(found, 1 / np.cosh(x) ** 2 + 1e5 * np.cos(np.pi / 2))


@pytest.mark.parametrize("height", [1e-11, 1e-9])
@pytest.mark.parametrize("period", [1e-5, 3e-4])
def test_a_small_wave_on_a_line_is_no_noise(height: float, period: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """One long step along the line takes no notice of it; its slope is 10⁴ to 10⁶ times its height."""
    monkeypatch.setattr(Evaluator, "in_long_double", lambda self: None)
    k = 2 * np.pi / period
    x = np.linspace(0.9, 1.1, 10).reshape(2, 5)
    holds(of(lambda x: 3 * x + height * np.sin(k * x), x), 3 + height * k * np.cos(k * x))


@pytest.mark.parametrize("period", [5.5e-3, 7e-3, 8.5e-3, 2e-2])
def test_a_wave_between_the_steps_of_a_short_ladder_is_in_the_bound(
    period: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Evaluator, "in_long_double", lambda self: None)
    k = 2 * np.pi / period
    for x in np.linspace(0.5, 1.9, 20).reshape(4, 1, 5):
        for height in (1e-12, 1e-11):
            holds(of(lambda x, h=height: np.sin(x) + h * np.sin(k * x), x), np.cos(x) + height * k * np.cos(k * x))


def test_odd_derivatives_that_are_small_by_luck_are_in_the_bound() -> None:
    """Two large scores are nearly equal: there the middle of a sigmoid hides how fast the logarithm of a sum bends."""
    times, x = 13.0, np.array([0.134, 1.595, 1.597])

    def log_sum_exp(v: Any) -> Any:
        z = times * v["x"]
        return [np.log(np.exp(z - z.max()).sum(keepdims=True)) + z.max()]

    found = estimate(log_sum_exp, {"x": x}, "x")
    shares = np.exp(times * (x - x.max()))
    error = np.abs(found.dense()[0] - times * shares / shares.sum())
    assert np.all(error <= found.dense("bound")[0])


@pytest.mark.parametrize("seed", [36, 79, 294, 366])
def test_an_entry_that_bends_more_than_a_random_direction_is_in_the_bound(seed: int) -> None:
    """Of running sums near 0 an arc tangent is a line but for 1e-12 of it: more for the first entry, in every sum."""
    first = [1.7247447273868318e-06, 7.64286345665396e-07, 7.731794456581232e-07, -7.57298791498279e-07]
    second = [-9.539415822763768e-07, -1.5566129391814729e-06, 1.618482300461856e-06, 2.484493784500783e-07]
    x = np.array([first, second])

    def f(v: Any) -> Any:
        return [np.arctan(np.cumsum(v["x"], axis=-1)).sum(keepdims=True)]

    slopes = 1 / (1 + np.cumsum(x.astype(np.longdouble), axis=-1) ** 2)
    truth = np.flip(np.cumsum(np.flip(slopes, -1), axis=-1), -1).ravel()
    found = estimate(f, {"x": x}, "x", seed=seed)
    assert np.all(np.abs(found.dense()[0] - truth) <= found.dense("bound")[0])
