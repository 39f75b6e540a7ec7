"""What finds the structure, and what evaluates many points at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.numerical import estimate
from gradcheck.numerical.evaluation.evaluate import Evaluator
from gradcheck.numerical.evaluation.steps import random_numbers
from gradcheck.numerical.evaluation.structure import halves, separable

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
    evaluator.perturbed.stacked = ("x",)
    index = np.array([[0], [5], [7]])
    found = evaluator(index, np.array([[1.0], [1000.0], [2.0]]), "steps")
    right = np.tile(X.ravel() ** 2, (3, 1))
    right[0, 0], right[2, 7] = 1, 4
    right[1] = np.nan
    np.testing.assert_array_equal(found, right - X.ravel() ** 2)
    assert evaluator.perturbed.error.startswith("ValueError: too large (")


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


@pytest.mark.parametrize("stacked", [(), ("x",)])
def test_points_take_turns_with_the_entries_that_are_told(stacked: tuple[str, ...]) -> None:
    evaluator = Evaluator(lambda v: [v["x"] ** 2], {"x": X}, "x")
    evaluator.perturbed.stacked = stacked
    new = np.arange(1.0, 6.0)
    right = np.tile(X.ravel() ** 2, (5, 1))
    right[np.arange(5), [0, 5, 0, 5, 0]] = new**2
    np.testing.assert_array_equal(evaluator(np.array([[0], [5]]), new[:, None], "steps"), right - X.ravel() ** 2)


@pytest.mark.parametrize("block", [1, 1 << 10, 1 << 20])
def test_several_directions_are_followed_as_each_alone(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.numerical.evaluation.evaluate.BLOCK_BYTES", block)
    evaluator = Evaluator(lambda v: [np.sin(v["x"])], {"x": X}, "x")
    x, steps = X.ravel(), np.array([0.5, 0.25, -0.25, -0.5])
    directions = np.stack([np.linspace(1, 2, x.size), np.eye(x.size)[3]])
    domain = -np.inf, float(x.max()) + 0.3
    f, free = evaluator.along(directions, steps, domain, "certificate")
    for i, direction in enumerate(directions):
        new = x + steps[:, None] * direction
        inside = new < domain[1]
        np.testing.assert_allclose(f[i], np.sin(np.where(inside, new, x)) - np.sin(x), rtol=0, atol=4e-16)
        np.testing.assert_array_equal(free[i], inside.all(axis=1))
        alone, its = evaluator.along(direction, steps, domain, "certificate")
        np.testing.assert_array_equal(alone, f[i])
        np.testing.assert_array_equal(its, free[i])
    assert not free.all()
    assert free.any()


@pytest.mark.parametrize("kind", [(True, False), (False, True), (True, True)])
def test_each_output_gets_the_number_of_its_own_entry(kind: tuple[bool, bool]) -> None:
    structure = separable((6, 4), ((6, 4),), *kind)
    numbers = np.random.default_rng(0).normal(size=24)
    np.testing.assert_array_equal(structure.spread(numbers[structure.index]), numbers[structure.column])


def test_random_numbers_take_every_value_equally_often() -> None:
    drawn = random_numbers(np.random.default_rng(0), 256 * 400 - 3, np.uint8)
    assert drawn.size == 256 * 400 - 3
    times = np.bincount(drawn, minlength=256)
    # The sum has a χ² distribution with 255 degrees of freedom: 255 ± 23.
    assert 160 < np.sum((times - 400) ** 2 / 400) < 350
