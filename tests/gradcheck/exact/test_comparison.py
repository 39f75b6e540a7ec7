"""Enclosures compared: the same, apart by rounding, disjoint; digits kept; how far floats are off."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("flint", reason="python-flint, the extra `proof`, is not installed")

from flint import arb

from gradcheck.exact import agreement, compare, digits, midpoint, row_scale
from gradcheck.exact import session as exact_session
from gradcheck.exact.comparison import at_kink


def balls(*numbers: Any) -> Any:
    made = np.empty(len(numbers), dtype=object)
    made[:] = [number if isinstance(number, arb) else arb(number) for number in numbers]
    return made


@pytest.mark.parametrize(
    ("left", "right", "relation"),
    [
        (1.0, 1.0, "identical"),
        (arb(1, 1e-19), arb(1, 1e-19), "identical"),
        (1 + 2.0**-52, 1.0, "constants rounded"),
        (1 + 2.0**-47, 1.0, "disjoint"),
        (1.1, 1.0, "disjoint"),
        (arb(1, 1e-3), 1.0, "too wide"),
        (arb(1, 2.0**-50), 1.0, "constants rounded"),
        (arb.nan(), 1.0, "not finite"),
        (arb.pos_inf(), 1.0, "not finite"),
        (1.0, arb.nan(), "undefined"),
        (arb.nan(), arb.nan(), "undefined"),
        (0.0, 0.0, "identical"),
    ],
)
def test_relations(left: Any, right: Any, relation: str) -> None:
    assert compare(balls(left), balls(right), 1.0).relation == relation


def test_the_worst_entry_is_named_with_its_share_of_the_scale() -> None:
    found = compare(balls(1.0, 2.5, 3.1), balls(1.0, 2.0, 3.0), balls(10.0, 10.0, 1.0))
    assert (found.relation, found.place) == ("disjoint", 2)
    assert abs(found.apart - 0.1) < 1e-9
    assert found.relations == ("identical", "disjoint", "disjoint")
    assert compare(balls(), balls(), 1.0).relation == "identical"


def test_a_scale_of_zero_forgives_nothing() -> None:
    assert compare(balls(1e-300), balls(0.0), 0.0).relation == "disjoint"
    assert compare(balls(0.0), balls(0.0), 0.0).relation == "identical"


@pytest.mark.parametrize(
    ("claim", "relation"),
    [(0.0, "identical"), (1.0, "identical"), (0.5, "convention"), (1.5, "disjoint"), (-0.1, "disjoint")],
)
def test_between_the_sides_of_a_kink(claim: float, relation: str) -> None:
    assert at_kink(balls(claim), balls(0.0), balls(1.0), arb(1)).relation == relation


def test_the_scale_of_a_row() -> None:
    assert row_scale(balls(1.0, -3.0, arb(0, 1e-30)), arb(5), np.array([2.0])) == 3
    assert row_scale(balls(0.0, arb(0, 1e-30)), arb(5), np.array([2.0])) == 2.5
    assert row_scale(balls(0.0), arb(5), np.array([0.5])) == 5


@pytest.mark.parametrize(
    ("claim", "exact", "kept"),
    [(1.0, 1.0, 17), (1.0 + 1e-9, 1.0, 9), (0.0, 1.0, 0), (2.0, 1.0, 0), (math.nan, 1.0, 0), (math.inf, 1.0, 0)],
)
def test_digits(claim: float, exact: float, kept: int) -> None:
    assert abs(digits(claim, arb(exact), 1.0) - kept) < 1e-6


def test_digits_that_a_cancellation_loses() -> None:
    """y (1 − y) of a sigmoid at 30 keeps three digits of float64's sixteen."""
    y = 1 / (1 + np.exp(-30.0))
    with exact_session.precisely():
        e = arb(-30).exp()
        slope = e / (1 + e) ** 2
    assert 2 < digits(float(y * (1 - y)), slope, slope) < 4


def test_agreement_of_floats_with_what_they_stand_for() -> None:
    with exact_session.precisely():
        thirds = balls(arb(1) / 3, arb(2) / 3)
    assert 0 < agreement(np.array([1 / 3, 2 / 3]), thirds) < 1e-16
    assert abs(agreement(np.array([1 / 3, 0.6]), thirds) - 0.1) < 1e-12
    assert agreement(np.array([1 / 3, math.nan]), thirds) == math.inf
    assert agreement(np.array([math.inf]), balls(arb.nan())) == 0
    assert agreement(np.zeros(2), balls(0.0, 0.0)) == 0


def test_the_middle_of_a_ball() -> None:
    assert midpoint(arb(1.5, 0.25)) == 1.5


def test_outside_of_a_run_nothing_is_lost_to_the_precision_of_a_double() -> None:
    with exact_session.precisely(400):
        near = arb(1) + arb(2) ** -70
    assert compare(balls(near), balls(1.0), 2.0**-15).relation == "constants rounded"
    assert compare(balls(near), balls(1.0), 2.0**-30).relation == "disjoint"
