"""Claim, measurement and difference stand side by side in a terminal's width, whatever the example's size is."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gradcheck.report.tables import WIDE, cells, cut, side_by_side
from gradcheck.results import Matrices


def made(rows, columns, wrong, axes=2):
    """A matrix of ones that is claimed to be 10 in the `wrong` places."""
    bad = tuple(tuple((i, j) in wrong for j in range(columns)) for i in range(rows))
    claim = tuple(tuple(10.0 if w else 1.0 for w in row) for row in bad)
    difference = tuple(tuple(9.0 if w else 0.0 for w in row) for row in bad)
    zeros = ", 0" * (axes - 1)
    return Matrices(
        tuple(f"[{i}{zeros}]" for i in range(rows)), tuple(f"[{j}{zeros}]" for j in range(columns)),
        claim, ((1.0,) * columns,) * rows, difference, bad,
    )  # fmt: skip


@pytest.mark.parametrize("rows", [1, 2, 12])
@pytest.mark.parametrize("columns", [1, 2, 12])
@pytest.mark.parametrize("axes", [1, 2, 4])
def test_the_lines_fit_and_show_what_is_wrong(rows, columns, axes):
    lines = side_by_side(made(rows, columns, {(rows - 1, columns - 1)}, axes))
    assert max(map(len, lines)) <= WIDE
    assert len(lines) <= 2 + 6 + 1
    text = "\n".join(lines)
    assert text.count("10*") == 1
    assert text.count(" 9*") == 1
    assert lines[0].split() == ["claim", "measured", "difference"]


def test_what_is_small_is_shown_whole_and_what_is_large_around_what_is_wrong():
    small = made(6, 6, {(2, 3)})
    assert cut(small, 6, 6) == small
    large = cut(made(12, 12, {(7, 9), (7, 10)}), 6, 6)
    assert large.rows == ("[0, 0]", "[1, 0]", "[7, 0]")
    assert large.columns == ("[0, 0]", "[1, 0]", "[9, 0]", "[10, 0]")
    assert large.cut == (9, 8)
    everywhere = cut(made(12, 12, {(i, i) for i in range(12)}), 6, 4)
    assert everywhere.columns == ("[0, 0]", "[1, 0]", "[2, 0]", "[3, 0]")
    assert everywhere.rows[:4] == everywhere.columns
    assert sum(map(sum, everywhere.wrong)) == 4


@pytest.mark.parametrize(
    ("claim", "measured", "said"),
    [
        (2.0, 1.0, ("2", "1")),
        (2.000002, 2.0, ("2.000002", "2")),
        (1 / 3, 1 / 3 + 1e-9, ("0.333333333", "0.333333334")),
        (math.inf, 1.0, ("∞", "1")),
        (-math.inf, math.inf, ("−∞", "∞")),
        (math.nan, 1.0, ("NaN", "1")),
        (-0.0, 1.0, ("0", "1")),
        (1e-300, 0.0, ("1e-300", "0")),
    ],
)
def test_a_wrong_claim_looks_different_from_what_was_measured(claim, measured, said):
    shown = Matrices(("",), ("",), ((claim,),), ((measured,),), ((claim - measured,),), ((True,),))
    tables = dict(cells(shown))
    assert (tables["claim"][0][0], tables["measured"][0][0]) == said


def test_what_is_not_known_is_no_number_and_is_explained():
    one = made(1, 2, {(0, 1)})
    unknown = replace(one, measured=((1.0, math.nan),), difference=((0.0, math.nan),))
    lines = side_by_side(unknown)
    assert lines[2].split() == ["[0,", "0]", "1", "10*", "1", "?", "0", "?*"]
    assert lines[-1] == "(?: not known there)"
    assert "?" not in "\n".join(side_by_side(one))
    claimed = replace(one, claim=((1.0, math.nan),), difference=((0.0, math.nan),))
    assert side_by_side(claimed)[2].split()[-5:] == ["NaN*", "1", "1", "0", "NaN*"]


def test_measurements_that_say_nothing_come_from_estimates_that_say_nothing():
    """At the end of a domain the smallest example keeps what the point was: steps may leave it there."""
    import gradcheck

    class CrossEntropy:
        def forward(self, y_pred, y_true):
            self.inputs = y_pred, y_true
            return -np.mean(np.sum(y_true * np.log(np.maximum(y_pred, 1e-12)), axis=-1))

        def get_input_gradients(self):
            y_pred, y_true = self.inputs
            return [-y_true / y_pred / len(y_pred), np.zeros_like(y_true)]

    (claim,) = [one for one in gradcheck.check(CrossEntropy).claims if one.verdict == "wrong"]
    shown = claim.matrices
    for row in zip(shown.claim, shown.measured, shown.wrong, strict=True):
        for said, measured, wrong in zip(*row, strict=True):
            assert math.isnan(measured) or measured == 0.0
            assert not wrong or not math.isfinite(said)
    assert any(measured == 0.0 for row in shown.measured for measured in row)
