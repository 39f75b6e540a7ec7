"""Several points in one call: where their entries stand in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.numerical import estimate
from gradcheck.numerical.evaluation.stacking import SHORT, Tile, join
from gradcheck.numerical.ladders.short import POINTS

SHAPES = [(5,), (5, 3), (5, SHORT), (5, SHORT + 1), (5, 3, 2), (1, 4)]


@pytest.mark.parametrize("shape", SHAPES)
def test_points_stand_one_after_another(shape: tuple[int, ...]) -> None:
    points = np.random.default_rng(0).normal(size=(4, *shape))
    joined = join(points)
    np.testing.assert_array_equal(joined, np.concatenate(list(points)))
    short = len(shape) == 2 and 1 < shape[1] <= SHORT
    assert joined.flags.c_contiguous is not short


@pytest.mark.parametrize("shape", SHAPES)
def test_entries_are_replaced_where_they_stand(shape: tuple[int, ...]) -> None:
    value = np.random.default_rng(1).normal(size=shape)
    tile = Tile(value, 4)
    entries = np.array([[0, 2], [1, 3], [3, 0]])
    tile.memory[tile.where(entries, 3)] = 7
    right = np.repeat(value[None], 3, axis=0)
    for point, which in zip(right, entries, strict=True):
        point.reshape(-1)[which] = 7
    np.testing.assert_array_equal(tile.first(3), np.concatenate(list(right)))


def test_a_forward_that_takes_rows_in_c_order_alone_is_called_point_by_point() -> None:
    def forward(v: Any) -> list[Any]:
        if not v["x"].flags.c_contiguous:
            raise ValueError("expected an array in C order")
        return [np.tanh(v["x"])]

    x = np.random.default_rng(2).normal(size=(6, 4))
    found = estimate(forward, {"x": x}, "x")
    assert found.structure == "elementwise"
    assert np.all(np.abs(found.dense() - np.diag(1 - np.tanh(x.ravel()) ** 2)) <= found.dense("bound"))
    assert found.cost.calls["steps"] == found.cost.rows["steps"] / 6


def test_a_forward_that_reads_memory_as_it_lies_is_found_out() -> None:
    """As code in C does that is handed the address alone."""

    def forward(v: Any) -> list[Any]:
        x = v["x"]
        return [x.ravel(order="K").reshape(x.shape) * [1.0, 2.0, 3.0]]

    x = np.random.default_rng(3).normal(size=(6, 3))
    found = estimate(forward, {"x": x}, "x")
    assert np.all(np.abs(found.dense() - np.diag(np.tile([1.0, 2.0, 3.0], 6))) <= found.dense("bound"))


def test_a_wide_smooth_layer_needs_no_more_steps_for_each_entry_than_a_narrow_one() -> None:
    """Its entries move together where the noise is measured: so far that its own curvature was once taken for noise."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(8, 400))
    for n in (20, 400):

        def layer(v: Any, x: Any = x[:, :n]) -> list[Any]:
            return [np.tanh(x @ v["w"])]

        found = estimate(layer, {"w": rng.normal(size=(n, 4)) / 20}, "w")
        assert POINTS * n <= found.cost.calls["steps"] <= 1.02 * POINTS * n


def test_a_variable_in_column_order_is_estimated_as_in_row_order() -> None:
    """Its entries were once replaced in a copy that forward never saw."""
    x = np.random.default_rng(5).normal(size=(6, 4))
    rows, columns = (estimate(lambda v: [v["x"].ravel() ** 2], {"x": a}, "x") for a in (x, np.asfortranarray(x)))
    assert rows.cost == columns.cost
    np.testing.assert_array_equal(rows.value, columns.value)
    np.testing.assert_array_equal(rows.bound, columns.bound)
