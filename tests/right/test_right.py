"""No right derivative is called wrong, and each of its gradients is judged."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.report.terminal import explain
from gradcheck.results import ComponentResult
from gradcheck.verdicts import PASSING
from tests.right.registry import RIGHT
from tests.right.table import Right, at


def complaint(right: Right, result: ComponentResult) -> str:
    """What is wrong with a result about a right derivative: "" where nothing is."""
    if right.unresolved and result.verdict == "unresolved":
        return ""
    if result.verdict not in PASSING:
        return f"{right.name} is right, but is called {result.verdict}:\n{explain(result)}"
    judged = {claim.wrt for claim in result.claims if claim.points and claim.verdict in PASSING}
    if len(judged) < right.gradients:
        return f"{right.name} claims {right.gradients} gradients, but only {sorted(judged)} were judged"
    return ""


def every_fourth(rights: list[Right]) -> list[object]:
    """The whole collection takes many minutes: `tox -e right` runs it, and every other run a quarter of it."""
    return [
        pytest.param(r, id=r.name, marks=[pytest.mark.long] if i % 4 or r.slow else []) for i, r in enumerate(rights)
    ]


@pytest.mark.parametrize("right", every_fourth(RIGHT))
def test_a_right_derivative_is_not_called_wrong(right: Right) -> None:
    said = complaint(right, right.check())
    assert not said, said


def test_the_collection_is_large_and_hardly_anything_in_it_may_be_unresolved() -> None:
    assert len(RIGHT) >= 160
    assert len({right.name for right in RIGHT}) == len(RIGHT)
    assert sum(bool(right.unresolved) for right in RIGHT) <= 2


def test_a_wrong_derivative_would_be_complained_about() -> None:
    wrong = at(np.square, np.ones(2), jac=lambda x: np.diag(3 * x))
    assert "is called wrong" in complaint(wrong, wrong.check())
    assert "is called wrong" in complaint(at(np.square, np.ones(2), unresolved="hard"), wrong.check())


def test_a_gradient_that_nobody_judged_would_be_complained_about() -> None:
    half = at(lambda a, b: a * b, np.ones(2), np.ones(2), gradients=3, vjp=lambda a, b, g: (g * b, g * a))
    assert "only ['a', 'b'] were judged" in complaint(half, half.check())
