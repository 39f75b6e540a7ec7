"""What decides where values are equal, what does not, and what is left in the trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("flint", reason="python-flint, the extra `proof`, is not installed")

from flint import arb

from gradcheck.exact import NotExact, along, jacobian, one_sided
from gradcheck.exact.trace import Decision


def at(f: Callable[[Any], Any], x: Any, v: Any = 1.0, **options: Any) -> Any:
    """Both one-sided derivatives of f at x along v."""
    return one_sided(lambda values: [f(values["x"])], {"x": np.array(x)}, {"x": np.array(v)}, **options)


def floats(parts: list[Any]) -> list[float]:
    return [float(ball) for ball in parts[0].flat]


def decisions(found: Any) -> dict[str, Decision]:
    return {decision.kind: decision for decision in found.trace.decisions.values()}


@pytest.mark.parametrize(
    ("f", "left", "right"),
    [
        (lambda x: np.maximum(x, 0), 0, 1),
        (lambda x: np.minimum(x, 0), 1, 0),
        (lambda x: np.where(x > 0, x, 0.25 * x), 0.25, 1),
        (lambda x: np.where(x >= 0, x, 0.25 * x), 0.25, 1),
        (lambda x: np.where(x < 0, 0.25 * x, x), 0.25, 1),
        (np.abs, -1, 1),
        (np.fabs, -1, 1),
        (lambda x: np.clip(x, 0, 1), 0, 1),
        (lambda x: np.clip(x, -1, 0), 1, 0),
        (lambda x: x * np.sign(x), -1, 1),
        (lambda x: x * (x > 0), 0, 1),
        (lambda x: np.where(np.signbit(x), -x, x), -1, 1),
        (lambda x: np.sort(np.stack([x, -x]), axis=0)[1], -1, 1),
        (lambda x: np.median(np.stack([x, 0 * x, 2 * x]), axis=0), 1, 1),
        (lambda x: np.stack([x, -x]).max(axis=0), -1, 1),
        (lambda x: np.hypot(x, 0), -1, 1),
        (lambda x: np.linalg.norm(np.stack([3 * x, 4 * x]), axis=0), -5, 5),
        (lambda x: x if x > 0 else 3 * x, 3, 1),
        (lambda x: max(x, 0.5 * x), 0.5, 1),
        (lambda x: np.select([x < 0, x >= 0], [2 * x, 3 * x]), 2, 3),
        (lambda x: np.piecewise(x, [x < 0, x >= 0], [lambda t: 2 * t, lambda t: 3 * t]), 2, 3),
        (lambda x: np.interp(x, [-1.0, 0.0, 1.0], [1.0, 0.0, 2.0]), -1, 2),
    ],
)
def test_a_kink_has_two_exact_sides(f: Callable[[Any], Any], left: float, right: float) -> None:
    found = at(f, 0.0)
    assert (floats(found.left), floats(found.right)) == ([left], [right])
    assert found.kinks[0].all() == (left != right)
    assert not found.jumps[0].any()
    assert found.ties


@pytest.mark.parametrize(
    "f", [np.sign, np.floor, lambda x: np.where(x > 0, 1.0, 0.0), lambda x: x + np.heaviside(x, 0)]
)
def test_a_value_that_differs_on_both_sides_is_a_jump(f: Callable[[Any], Any]) -> None:
    assert at(f, 0.0).jumps[0].all()
    assert not at(f, 0.3).jumps[0].any()


def test_a_value_of_its_own_at_the_point_is_a_jump() -> None:
    assert at(lambda x: np.where(x == 0, 1.0, x), 0.0).jumps[0].all()


def test_ties_are_ordered_by_the_direction() -> None:
    """max(a, b) with a = b: along (1, 2) the second grows faster, against it the first falls slower."""
    found = at(lambda x: x.max(), [3.0, 3.0], [1.0, 2.0])
    assert (floats(found.right), floats(found.left)) == ([2.0], [1.0])


def test_argmax_takes_the_first_of_what_stays_equal_and_is_not_certain() -> None:
    def forward(values: Any) -> list[Any]:
        return [values["x"] * (np.arange(3) == np.argmax(values["x"]))]

    found = along(forward, {"x": np.array([3.0, 3.0, 1.0])}, {"x": np.ones(3)})
    assert floats(found.derivative) == [1.0, 0.0, 0.0]
    assert decisions(found)["argmax"].flat == 1


def test_what_is_equal_with_its_derivative_is_not_certain() -> None:
    """x² > 0 at 0: neither value nor slope tells, though just beside it is true."""
    with pytest.raises(NotExact, match=r"test_decisions\.py:\d+: greater"):
        at(lambda x: np.where(x * x > 0, x, 0 * x) + np.maximum(x, 0), 0.0)


def test_continuous_choices_between_what_stays_equal_are_certain() -> None:
    found = at(lambda x: np.maximum(x * x, 0) + np.abs(x), 0.0)
    assert (floats(found.left), floats(found.right)) == ([-1.0], [1.0])


def test_a_tie_of_products_is_seen_with_more_bits() -> None:
    """Two products of full doubles are equal, which 64 bits do not show, and 128 do."""
    a, b = 1 / 3, 1 / 7
    found = at(lambda x: np.maximum(x * b, a * x), [a], [1.0], bits=64)
    assert found.value[0][0] > 0
    tied = at(lambda x: np.maximum(x[:1] * x[1:], x[1:] * x[:1]), [a, b], [1.0, 2.0], bits=64)
    assert not tied.kinks[0].any()


def test_what_no_bits_decide_is_not_exact() -> None:
    with pytest.raises(NotExact, match=r"test_decisions\.py:\d+: greater: two numbers agree to 1024 bits") as caught:
        at(lambda x: np.where(np.sin(x) ** 2 + np.cos(x) ** 2 > 1, 1.0, x), [0.1], [1.0])
    assert caught.value.undecided


@pytest.mark.parametrize(
    ("f", "left", "right"),
    [
        (lambda x: np.maximum(x.mean() - x[0], 0), 0, 1 / 3),
        (lambda x: np.abs(x - x.mean()).sum(), -4 / 3, 4 / 3),
        (lambda x: np.exp(x[:2]).max() - np.exp(x[:2]).min(), -np.exp(0.1), np.exp(0.1)),
        (lambda x: np.maximum(x[0] * np.exp(x[2]), np.exp(x[0]) * x[1]), 0, np.exp(0.1)),
        (lambda x: np.maximum(np.log(x[0] ** 3), np.log(x[1] ** 3)), 0, 30),
        (lambda x: np.sort(np.sqrt(x / 7))[2], 0, 0.5 / np.sqrt(0.7)),
    ],
)
def test_what_arithmetic_shows_to_be_equal_is_a_tie(f: Callable[[Any], Any], left: float, right: float) -> None:
    """All three entries are equal, and the second alone grows; balls that are not exact would never show it."""
    found = at(f, [0.1, 0.1, 0.1], [0.0, 1.0, 0.0])
    np.testing.assert_allclose([*floats(found.left), *floats(found.right)], [left, right], rtol=1e-12)
    assert found.ties


def test_two_ways_to_the_same_number_have_one_maximum() -> None:
    """Nothing is decided: what encloses both is as narrow as either."""
    found = at(lambda x: np.maximum(x / 3 * 3, x) + np.minimum(x / 3 * 3, x), 0.1)
    assert floats(found.right) == [2.0]
    assert not found.ties


def test_a_maximum_of_overlapping_numbers_with_other_slopes_is_undecided() -> None:
    with pytest.raises(NotExact, match="maximum"):
        at(lambda x: np.maximum(np.sin(x) ** 2 + np.cos(x) ** 2, 1 + 2 * (x - 0.1)), 0.1)


def test_the_trace_says_where_what_and_between_which_numbers() -> None:
    def f(x: Any) -> Any:
        y = np.where(x > 1, x, 2 * x) if True else x
        return y * (x < 3) + np.abs(x)

    found = at(f, [0.5, 2.0], [1.0, 1.0])
    made = decisions(found)
    line = f.__code__.co_firstlineno
    assert {kind: one.site.line - line for kind, one in made.items()} == {"greater": 1, "less": 2, "absolute": 2}
    assert all(one.site.file == __file__ and "f" in one.site.function for one in made.values())
    assert made["greater"].outcomes == {True: 1, False: 1}
    choices = made["greater"].choices
    assert [float(choice.difference.ball) for choice in choices] == [-0.5, 1.0]
    assert [float(choice.difference.slope) for choice in choices] == [1.0, 1.0]


def test_two_decisions_on_one_line_are_told_apart() -> None:
    found = at(lambda x: (x > 0) * x + (x > 1) * x, 0.5)
    sites = {decision.site for decision in found.trace.decisions.values()}
    assert len(sites) == 2
    assert len({site.line for site in sites}) == 1
    assert len({site.column for site in sites}) == 2


def test_an_aimed_point_can_be_solved_for() -> None:
    """Newton on left − right of the decision leads to the threshold."""
    x = 1.0
    for _ in range(6):
        found = at(lambda x: np.where(x * x > 2, 1.0, x), x)
        difference = decisions(found)["greater"].choices[0].difference
        x -= float(difference.ball) / float(difference.slope)
    assert abs(x - 2**0.5) < 1e-15


def test_the_piece_is_the_same_for_the_same_decisions_only() -> None:
    def piece(x: list[float]) -> int:
        return int(at(lambda x: np.maximum(x, 0), x, [1.0, 1.0]).trace.piece)

    assert piece([1.0, -1.0]) == piece([2.0, -5.0])
    assert piece([1.0, -1.0]) != piece([-1.0, 1.0])


def test_a_decision_inside_of_numpy_is_at_the_users_line() -> None:
    def f(x: Any) -> Any:
        return np.unique(x).sum()

    for decision in at(f, [2.0, 1.0], [1.0, 1.0]).trace.decisions.values():
        assert (decision.site.line, decision.site.function) == (f.__code__.co_firstlineno + 1, f.__qualname__)


def test_a_block_of_directions_that_disagree_is_run_one_by_one() -> None:
    def forward(values: Any) -> list[Any]:
        return [np.maximum(values["x"], 0) + values["x"].max()]

    x = {"x": np.array([0.0, 2.0, 2.0])}
    ahead, behind = (jacobian(forward, x, "x", side=side).astype(float) for side in (1, -1))
    assert ahead.tolist() == [[1, 1, 1], [0, 2, 1], [0, 1, 2]]
    assert behind.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_without_a_direction_equal_is_equal() -> None:
    found = along(lambda v: [np.where(v["x"] > 0, 1.0, 2.0)], {"x": np.array([0.0])}, {})
    assert found.value[0][0] == 2


def test_a_constant_that_is_compared_is_no_tie() -> None:
    found = at(lambda x: x * (np.round(x * 0) == 0), 1.0)
    assert not found.ties
    assert isinstance(found.right[0].item(), arb)


def test_a_comparison_with_what_is_not_a_number_is_not_decided() -> None:
    """x != x tells NaN in floats; here nothing tells NaN from infinity."""
    with pytest.raises(NotExact, match="equal"):
        at(lambda x: np.where((x - x) / (x - x) != 1, x, 0), [1.0], [1.0])
    with pytest.raises(NotExact, match="equal"):
        along(lambda v: [_without_nan(v["x"] / (v["x"] - v["x"]))], {"x": np.ones(1)}, {})


def _without_nan(y: Any) -> Any:
    y[y != y] = 0
    return y
