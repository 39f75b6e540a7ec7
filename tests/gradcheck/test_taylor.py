"""The remainder of Taylor's formula: its slope where a claim is right and where it is not, as data and picture."""

from __future__ import annotations

import math

import numpy as np
import pytest

import gradcheck
from gradcheck.data import to_json
from gradcheck.report.terminal import explain
from gradcheck.report.words import order
from gradcheck.results import ComponentResult, Taylor, from_json

X = np.array([0.5, -1.0, 2.0])


def f(x):
    return np.sum(np.sin(x) * x[::-1])


def grad(x):
    return np.cos(x) * x[::-1] + np.sin(x[::-1])


def shown(result: ComponentResult) -> Taylor:
    taylor = result.claims[0].taylor
    assert taylor is not None
    return taylor


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e6])
def test_the_remainder_of_a_right_claim_is_of_second_order(scale):
    found = shown(gradcheck.check(lambda x: f(x / scale), scale * X, grad=lambda x: grad(x / scale) / scale))
    assert found.slope == pytest.approx(2, abs=0.05)
    assert order(found) == f"slope {found.slope:.3g}, as where a claim is right"
    for (h, k), (r, s) in zip(
        zip(found.steps, found.steps[1:], strict=False),
        zip(found.remainders, found.remainders[1:], strict=False),
        strict=True,
    ):
        assert r / s == pytest.approx((h / k) ** 2, rel=0.1) or s < found.noise


@pytest.mark.parametrize("wrong", [lambda g: 2 * g, lambda g: -g, lambda g: g * 1.01, lambda g: g + [1e-3, 0, 0]])
def test_the_remainder_of_a_wrong_claim_is_of_first_order(wrong):
    found = shown(gradcheck.check(f, X, grad=lambda x: wrong(grad(x))))
    assert found.slope == pytest.approx(1, abs=0.1)
    assert order(found).endswith("as where a claim is wrong")


def test_what_a_claim_foretells_to_the_last_digit_has_no_slope():
    found = shown(
        gradcheck.check(lambda x: np.array([[1.0, 2.0, 0.5]]) @ x, X, jac=lambda x: np.array([[1.0, 2.0, 0.5]]))
    )
    assert math.isnan(found.slope)
    assert max(found.remainders) <= found.noise
    assert order(found) == "no slope: the remainder is rounding"
    wrong = shown(
        gradcheck.check(lambda x: np.array([[1.0, 2.0, 0.5]]) @ x, X, jac=lambda x: np.array([[1.0, 2.0, 0.6]]))
    )
    assert wrong.slope == pytest.approx(1, abs=1e-2)


def test_it_is_drawn_where_the_claim_is_wrong():
    class Leaky:
        def forward(self, x):
            self.x = x
            return np.where(x < 0, 0.3 * x + x**2, x)

        def backward(self, g):
            return g * np.where(self.x < 0, 0.3 + 2 * self.x, 1 + (self.x > 6.5))

    found = gradcheck.check(Leaky).claims[0]
    assert found.verdict == "wrong"
    assert found.taylor is not None
    assert found.taylor.point == "from 2 to 8"
    assert found.taylor.slope == pytest.approx(1, abs=0.1)


def test_no_step_leaves_the_domain():
    def strict(p):
        assert ((p > 0) & (p < 1)).all()
        return np.log(p) + np.log1p(-p)

    found = shown(
        gradcheck.check(strict, np.array([1e-3, 0.5, 0.99]), domain=(0, 1), deriv=lambda p: 1 / p - 1 / (1 - p))
    )
    assert found.slope == pytest.approx(2, abs=0.1)


def test_without_evidence_or_near_values_that_f_refuses_there_is_none():
    assert gradcheck.check(f, X, grad=grad, options=gradcheck.Options(evidence=False)).claims[0].taylor is None

    def only_here(x):
        return np.where(np.abs(x - X) < 1e-3, x**2, np.nan)

    assert gradcheck.check(only_here, X, deriv=lambda x: 2 * x).claims[0].taylor is None


def test_it_costs_a_few_calls_of_f():
    calls = 0

    def counted(x):
        nonlocal calls
        calls += 1
        return f(x)

    from gradcheck.taylor import STEPS, taylor

    taylor(
        lambda values: [np.asarray(counted(values["x"]))],
        {"x": X},
        "x",
        grad(X),
        np.ones(1),
        np.array([f(X)]),
        None,
        "here",
    )
    assert calls == len(STEPS) == 8


def test_it_is_in_the_data_and_comes_back():
    result = gradcheck.check(f, X, grad=lambda x: 2 * grad(x))
    again = from_json(to_json(result))
    assert again == result
    assert again.claims[0].taylor == result.claims[0].taylor


def test_v_prints_it_as_a_table():
    result = gradcheck.check(f, X, grad=grad)
    assert "Taylor" not in str(result)
    lines = explain(result).split("\n")
    first = next(i for i, line in enumerate(lines) if "Taylor" in line)
    assert lines[first].split() == ["Taylor", "h", "remainder", "order"]
    assert lines[first + 1].split()[0] == "0.125"
    assert [line.split()[-1] for line in lines[first + 2 : first + 9]] == ["2.01", *["2"] * 5, "–"]
    assert lines[first + 9].strip() == "slope 2, as where a claim is right"


def test_the_page_of_a_claim_shows_it():
    pytest.importorskip("matplotlib")
    from gradcheck.report import pictures
    from gradcheck.report.sheet import Sheet

    right, wrong = (shown(gradcheck.check(f, X, grad=lambda x, c=c: c * grad(x))) for c in (1, 2))
    with Sheet.open() as sheet:
        drawn = [pictures.taylor(sheet, one, "salt") for one in (right, wrong)]
    for picture, said in zip(
        drawn, ("slope 2, as where a claim is right", "slope 1, as where a claim is wrong"), strict=True
    ):
        assert picture is not None
        assert said in picture.svg
        assert said in picture.alt
        assert picture.header == ("Step", "Remainder", "Order")
        assert len(picture.rows) == len(right.steps)
    page = gradcheck.check(f, X, grad=grad)._repr_html_()
    assert "Taylor remainder along one direction, as given" in page


def test_a_remainder_that_is_nothing_is_not_drawn():
    pytest.importorskip("matplotlib")
    from gradcheck.report import pictures
    from gradcheck.report.sheet import Sheet

    with Sheet.open() as sheet:
        assert pictures.taylor(sheet, Taylor("here", (0.5, 0.25), (0.0, 0.0), 0.0, math.nan), "salt") is None
