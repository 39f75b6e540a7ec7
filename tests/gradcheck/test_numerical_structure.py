"""What finds the structure, and what evaluates many points at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.numerical import estimate
from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.structure import halves

X = np.random.default_rng(5).normal(size=(6, 4))


@pytest.mark.parametrize("n", [2, 3, 7, 20, 21, 300])
def test_any_two_positions_are_told_apart_both_ways(n: int) -> None:
    masks = halves(n)
    for i in range(n):
        alone = masks[:, [i]] & ~masks  # calls that move i and leave j
        assert np.delete(alone, i, axis=1).any(axis=0).all()


def test_one_point_that_cannot_be_evaluated_costs_its_block_nothing() -> None:
    def forward(v: Any) -> list[Any]:
        if (v["x"] > 100).any():
            raise ValueError("too large")
        return [v["x"] ** 2]

    evaluator = Evaluator(forward, {"x": X}, "x")
    evaluator.worker.stacked = ("x",)
    index = np.array([[0], [5], [7]])
    found = evaluator(index, np.array([[1.0], [1000.0], [2.0]]), "steps")
    right = np.tile(X.ravel() ** 2, (3, 1))
    right[0, 0], right[2, 7] = 1, 4
    right[1] = np.nan
    np.testing.assert_array_equal(found, right)
    assert evaluator.worker.error == "ValueError: too large"


def test_a_forward_that_fills_one_array_again_and_again() -> None:
    kept = np.empty(X.shape)

    def forward(v: Any) -> list[Any]:
        if v["x"].shape != X.shape:
            raise ValueError("one batch only")
        return [np.sin(v["x"], out=kept)]

    found = estimate(forward, {"x": X}, "x")
    assert np.all(np.abs(found.dense() - np.diag(np.cos(X.ravel()))) <= found.dense("bound"))


def test_an_affine_function_whose_rows_meet_only_when_most_of_them_move_is_found_out() -> None:
    def forward(v: Any) -> list[Any]:
        x = v["x"]
        everything = (x[: len(X)] != X).any(axis=1).sum() > 4
        return [2 * x + (x.sum() - X.sum() if everything else 0.0)]

    assert estimate(forward, {"x": X}, "x").structure == "dense"
