"""Numbers that know how they were made: what is shown to be equal is, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from operator import add, mul, sub, truediv
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("flint", reason="python-flint, the extra `proof`, is not installed")

from flint import arb

from gradcheck.exact import session
from gradcheck.exact.jets import analytic
from gradcheck.exact.jets.terms import LARGEST, Term, term


@pytest.fixture(autouse=True)
def _inside_of_a_run() -> Iterator[None]:
    with session.running(128, uses_terms=True):
        yield


A, B = 0.1, 0.7
Expression = Callable[[Any, Any], Any]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda a, b: a / 3 * 3, lambda a, b: a),
        (lambda a, b: (a + a + a) / 3, lambda a, b: a),
        (lambda a, b: (a + b) * (a - b), lambda a, b: a * a - b * b),
        (lambda a, b: a + b, lambda a, b: b + a),
        (lambda a, b: analytic.exp(a) * b, lambda a, b: b * analytic.exp(a / 3 * 3)),
        (lambda a, b: analytic.exp(a) - analytic.exp(a), lambda a, b: term(0)),
        (lambda a, b: analytic.exp(a - a), lambda a, b: term(1)),
        (lambda a, b: analytic.sqrt(a / 7) ** 3, lambda a, b: analytic.sqrt(a / 7) ** 3),
        (lambda a, b: -a, lambda a, b: 0 - a),
        (lambda a, b: 2**-1 * a, lambda a, b: a / 2),
    ],
)
def test_what_is_shown_to_be_equal_is_one_term(first: Expression, second: Expression) -> None:
    assert first(term(A), term(B)) is second(term(A), term(B))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda a, b: a / 3, lambda a, b: b / 3),
        (lambda a, b: analytic.exp(a) - b, lambda a, b: b - analytic.exp(a)),
        (lambda a, b: analytic.exp(a), lambda a, b: analytic.exp2(a)),
        (lambda a, b: analytic.exp(a) ** 2, lambda a, b: analytic.exp(a) ** 3),
        (lambda a, b: analytic.exp(a) ** arb(0.5), lambda a, b: analytic.exp(a) ** arb(0.25)),
        (lambda a, b: term(arb.pi()), lambda a, b: term(arb.pi())),
        (lambda a, b: term(float("inf")) - term(float("inf")), lambda a, b: term(0)),
        (lambda a, b: analytic.sin(a) ** 2 + analytic.cos(a) ** 2, lambda a, b: term(1)),
    ],
)
def test_what_is_not_shown_to_be_equal_is_not(first: Expression, second: Expression) -> None:
    assert first(term(A), term(B)) is not second(term(A), term(B))


@settings(database=None, deadline=None)
@given(
    numbers=st.lists(st.floats(-8, 8).filter(lambda x: abs(x) > 1e-3), min_size=4, max_size=4),
    operations=st.lists(st.sampled_from([add, sub, mul, truediv]), min_size=6, max_size=6),
)
def test_fractions_are_one_term_where_they_are_equal(
    numbers: list[float], operations: list[Callable[[Any, Any], Any]]
) -> None:
    """Two ways through the same numbers: equal terms exactly where the fractions are equal."""

    def values(kind: Callable[[float], Any]) -> list[Any]:
        made = []
        for order, how in ((numbers, operations[:3]), (numbers[::-1], operations[3:])):
            x = kind(order[0])
            for operation, y in zip(how, order[1:], strict=True):
                x = operation(x, kind(y))
            made.append(x)
        return made

    with session.running(128, uses_terms=True):
        terms, exact = values(term), values(Fraction)
        assert (terms[0] is terms[1]) == (exact[0] == exact[1])
        for one, fraction in zip(terms, exact, strict=True):
            assert (int(one.fraction.p), int(one.fraction.q)) == fraction.as_integer_ratio()
            assert one.ball.overlaps(arb(fraction.numerator) / fraction.denominator)


def test_fractions_that_grow_too_long_go_on_as_balls() -> None:
    x = term(1 / 3)
    while x.fraction is not None:
        last, x = x, x * x
    assert last.fraction.height_bits() <= LARGEST < 2 * last.fraction.height_bits()
    assert x is last * last
    assert x.ball > 0


def test_what_is_no_number_is_no_term() -> None:
    assert term("a") is NotImplemented
    with pytest.raises(TypeError):
        _ = term(1.0) + "a"
    assert type(term(True)) is Term
