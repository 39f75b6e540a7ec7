"""Kinks: classified where they are, stepped around where they are near."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.numerical import estimate


@pytest.mark.parametrize(
    ("f", "left", "right"),
    [
        (lambda x: np.maximum(x, 0), 0, 1),
        (lambda x: np.where(x > 0, x, 0.3 * x), 0.3, 1),
        (np.abs, -1, 1),
        (lambda x: np.clip(x, 0, 1), 0, 1),
        (lambda x: np.clip(x, -1, 0), 1, 0),
        (lambda x: np.abs(x) + np.sin(x), 0, 2),
    ],
)
def test_exact_kinks_are_classified(f: Callable[[Any], Any], left: float, right: float) -> None:
    x = np.array([[0.0, 0.7], [-0.4, 0.0]])
    found = estimate(lambda v: [f(v["x"])], {"x": x}, "x")
    assert found.kink is not None
    assert found.left is not None
    assert found.right is not None
    kink = np.zeros(4, dtype=bool)
    for colour, output in zip(*np.nonzero(found.kink), strict=True):
        assert found.column[colour, output] == output
        kink[output] = True
        assert abs(found.left[colour, output] - left) <= found.bound[colour, output]
        assert abs(found.right[colour, output] - right) <= found.bound[colour, output]
    assert kink.tolist() == [True, False, False, True]
    assert found.bound.max() < 1e-9


def test_ties_in_max() -> None:
    x = np.array([[1.0, 1.0, 0.0], [2.0, 3.0, 4.0]])
    found = estimate(lambda v: [v["x"].max(axis=-1)], {"x": x}, "x")
    assert found.kink is not None
    tied = {(int(o), int(found.column[c, o])) for c, o in zip(*np.nonzero(found.kink), strict=True)}
    assert tied == {(0, 0), (0, 1)}


@pytest.mark.parametrize("distance", [1e-1, 1e-3, 1e-6, 1e-9, 1e-12])
def test_next_to_a_kink_the_true_side_is_found(distance: float) -> None:
    x = np.array([[distance, -distance, 2 * distance]])
    found = estimate(lambda v: [np.maximum(v["x"], 0)], {"x": x}, "x")
    truth = np.diag([1.0, 0.0, 1.0])
    assert np.all(np.abs(found.dense() - truth) <= found.dense("bound") + 1e-300)
    assert found.bound.max() < 1e-6


def test_a_jump_is_no_kink() -> None:
    found = estimate(lambda v: [(v["x"] >= 0) * 1.0], {"x": np.array([[0.0, 0.7]])}, "x")
    assert found.jump is not None
    assert found.jump.sum() == 1
    assert found.reason == "f jumps at the point"
    assert np.isinf(found.bound[found.jump]).all()


def test_a_central_difference_of_one_half_is_not_taken_for_the_truth() -> None:
    found = estimate(lambda v: [np.maximum(v["x"], 0)], {"x": np.array([[0.0, 0.0]])}, "x")
    assert found.kink is not None
    assert found.kink.all()


def test_a_kink_of_one_output_is_no_noise_of_another_that_rests() -> None:
    x, y = np.array([0.5, -1.25]), np.array([0.5, 1.25])

    def larger(v: dict[str, Any]) -> list[Any]:
        return [np.array(np.maximum(v["x"], y).tolist())]

    def larger_in_single_precision(v: dict[str, Any]) -> list[Any]:
        return [(np.float32(1.1) * np.maximum(v["x"], y).astype(np.float32)).astype(float)]

    assert estimate(larger, {"x": x}, "x").bound.max() < 1e-11
    # Here the first output shows how the second may be rounded, kink or not.
    assert estimate(larger_in_single_precision, {"x": x}, "x").bound[:, 1].max() > 1e-7
