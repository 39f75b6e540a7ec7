"""A claim on a whole interval: equal, different somewhere, or not decided around a kink."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("flint", reason="python-flint, the extra `proof`, is not installed")

from gradcheck.exact import Boxes, NotExact, box

Function = Callable[[Any], Any]


def boxed(f: Function, slope: Function, low: float = -40.0, high: float = 40.0, **options: Any) -> Boxes:
    values = {"x": np.zeros((4, 5))}
    at = lambda v: lambda cotangents: [cotangents[0] * slope(v["x"])]  # noqa: E731
    return box(lambda v: [f(v["x"])], at, values, "x", low, high, **options)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


RIGHT: dict[str, tuple[Function, Function]] = {
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x))),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "sin": (np.sin, np.cos),
    "softplus": (lambda x: np.log1p(np.exp(x)), sigmoid),
    "squares": (lambda x: np.sqrt(1 + x * x), lambda x: x / np.sqrt(1 + x * x)),
    "arctan": (np.arctan, lambda x: 1 / (1 + x * x)),
    "arcsinh": (np.arcsinh, lambda x: (1 + x**2) ** -0.5),
    "gaussian": (lambda x: np.exp(-(x**2) / 2), lambda x: -x * np.exp(-(x**2) / 2)),
    "swish": (lambda x: x * sigmoid(x), lambda x: sigmoid(x) + x * sigmoid(x) * (1 - sigmoid(x))),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_slope_is_right_everywhere(name: str) -> None:
    found = boxed(*RIGHT[name])
    assert found.everywhere
    assert [(one.low, one.high) for one in found.equal] == [(-40.0, 40.0)]
    assert 0 <= found.bound <= 1e-9


@pytest.mark.parametrize(
    ("f", "slope", "low", "high"),
    [
        (np.tanh, lambda x: np.where(abs(x) > 9, 0, 1 - np.tanh(x) ** 2), 8.75, 11.25),
        (np.sin, lambda x: np.cos(x) + np.where(x > 3, 1e-6, 0), 3.0, 40.0),
    ],
)
def test_where_a_slope_is_wrong_is_said(f: Function, slope: Function, low: float, high: float) -> None:
    found = boxed(f, slope)
    assert not found.everywhere
    assert found.different
    assert all(low - 2 <= abs(end) <= high + 2 for one in found.different for end in (one.low, one.high))
    assert any(one.low <= 1.0 <= one.high for one in found.equal)
    assert not any(one.low < 10.0 < one.high for one in found.equal)


def test_a_kink_is_not_decided_in_a_small_interval_around_it() -> None:
    found = boxed(lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0)
    [around] = found.undecided
    assert around.low < 0 < around.high
    assert around.high - around.low < 1e-4
    assert len(found.equal) == 2
    assert not found.different


def test_a_difference_below_the_bound_is_equal() -> None:
    assert boxed(np.sin, lambda x: np.cos(x) * (1 + 1e-12)).everywhere
    assert not boxed(np.sin, lambda x: np.cos(x) * (1 + 1e-12), within=1e-13).everywhere


def test_the_number_of_boxes_is_limited() -> None:
    found = boxed(lambda x: np.sin(1000 * x), lambda x: 1000 * np.cos(1000 * x), most=100)
    assert found.undecided


def test_what_leaves_says_so() -> None:
    with pytest.raises(NotExact, match="hashes"):
        boxed(lambda x: x * hash(x.item(0)), np.ones_like)
