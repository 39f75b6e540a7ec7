"""Claims asked exactly, whatever their kind, and held against the derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("flint", reason="python-flint, the extra `proof`, is not installed")

from gradcheck.adapters import function_subject
from gradcheck.exact import ExactPoint, NotExact, ask, claim
from gradcheck.problem import Problem, Sizes

X = np.array([0.75, -1.25, 2.0])


def problem(f: Any, *args: Any, **claims: Any) -> Problem:
    return function_subject(f, args or (X,), **claims).build(Sizes(), np.random.default_rng(0))


def compared(f: Any, *args: Any, **claims: Any) -> Any:
    """What is found about the only claim by the first variable."""
    made = problem(f, *args, **claims)
    point = ExactPoint(made, {v.name: v.example for v in made.variables}, np.random.default_rng(1))
    [method] = made.methods
    return point.compare(method)[made.variables[0].name]


def cubes(x: Any) -> Any:
    return x**3 / 6


@pytest.mark.parametrize(
    "claims",
    [
        {"vjp": lambda x, g: g * x**2 / 2},
        {"jvp": lambda x, t: x**2 / 2 * t},
        {"grad": lambda x: x**2 / 2},
        {"jac": lambda x: np.diag(x**2 / 2)},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_a_right_claim_of_any_kind_is_identical(claims: Any) -> None:
    assert compared(cubes, **claims).comparison.relation == "identical"


@pytest.mark.parametrize(
    "claims",
    [
        {"vjp": lambda x, g: g * x**2 / 2 + 1e-12 * g.sum()},
        {"jvp": lambda x, t: x**2 / 2 * t[::-1]},
        {"grad": lambda x: x**2 / 3},
        {"jac": lambda x: np.diag(x**2 / 2) + 1e-13 * np.eye(3)[::-1]},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_a_wrong_claim_of_any_kind_is_disjoint(claims: Any) -> None:
    found = compared(cubes, **claims).comparison
    assert found.relation == "disjoint"
    assert found.apart > 1e-14


@pytest.mark.parametrize(
    ("third", "relation", "low", "high"),
    [
        (1 / 3, "constants rounded", 0, 2.0**-52),
        (0.3333333333333333, "constants rounded", 0, 2.0**-52),
        (0.3333333333333, "disjoint", 1e-15, 2e-13),
        (0.33333, "disjoint", 1e-6, 2e-5),
    ],
)
def test_rounded_constants_are_told_from_mistyped_ones(third: float, relation: str, low: float, high: float) -> None:
    found = compared(lambda x: x**2 / 6, grad=lambda x: x * third).comparison
    assert found.relation == relation
    assert low < found.most_apart < high


def test_a_tiny_wrong_entry_is_disjoint() -> None:
    """Of three entries one is off by 1e-10 of the largest."""
    found = compared(lambda x: (x**2).sum(), grad=lambda x: 2 * x + np.array([0, 0, 4e-10])).comparison
    assert found.relation == "disjoint"
    assert abs(found.apart - 1e-10) < 5e-11


def test_a_scalar_is_asked_with_one() -> None:
    """As losses are, whose gradient often ignores what is upstream."""
    assert compared(lambda x: (x**2).sum(), vjp=lambda x, g: 2 * x).comparison.relation == "identical"


def test_at_a_kink_what_lies_between_is_a_convention() -> None:
    at = np.array([0.0, 1.0, -2.0])
    for share, relation in ((0.0, "identical"), (1.0, "identical"), (0.5, "convention"), (1.5, "disjoint")):
        found = compared(
            lambda x: np.maximum(x, 0), at, vjp=lambda x, g, share=share: g * np.where(x == 0, share, x > 0)
        )
        assert found.at_kink
        assert found.comparison.relation == relation


def test_a_jump_is_not_compared() -> None:
    found = compared(np.floor, np.array([1.0, 0.5, 2.5]), vjp=lambda x, g: 0 * g)
    assert (found.comparison, found.left) == (None, "jump")


def test_who_leaves_is_said() -> None:
    found = compared(lambda x: x * hash(x[0].item()) * 0 + x, vjp=lambda x, g: g)
    assert (found.left, type(found.why)) == ("forward", NotExact)
    found = compared(cubes, vjp=lambda x, g: g * hash(x.item(0)))
    assert (found.left, type(found.why)) == ("claim", NotExact)
    assert "test_claims.py" in found.why.place


def test_a_claim_of_another_shape_is_unreadable() -> None:
    found = compared(cubes, vjp=lambda x, g: [np.outer(g, x)])
    assert found.left == "claim"
    assert "shape (3, 3)" in str(found.why)


def test_a_claim_that_is_not_finite_where_the_derivative_is() -> None:
    found = compared(lambda x: x**2, np.array([0.0, 1.0, 2.0]), vjp=lambda x, g: g * 2 * x**2 / x)
    assert found.comparison.relation == "not finite"


def test_a_derivative_that_is_infinite_is_undefined() -> None:
    found = compared(np.sqrt, np.array([0.0, 1.0, 2.0]), vjp=lambda x, g: g / (2 * np.sqrt(x)))
    assert found.comparison.relation == "undefined"


def test_answers_as_they_came() -> None:
    def at(values: Any) -> Any:
        return lambda cotangents: [cotangents[0] * values["x"], None, 3.0]

    said, trace, notes, bits = claim(at, {"x": X}, [[np.ones(3)], [np.eye(3)[0]]])
    assert [float(one[0][0].ball) for one in said] == [0.75, 0.75]
    assert [one[1] for one in said] == [None, None]
    assert (len(trace), notes, bits) == (0, (), 128)


def test_code_that_fills_one_array_again_and_again_does_not_change_earlier_answers() -> None:
    kept = np.zeros(3)

    def vjp(x: Any, g: Any) -> Any:
        kept[:] = g * x
        return kept

    class Claims:
        buffer = None

        def __init__(self) -> None:
            self.buffer = np.zeros(3)

        def vjp(self, x: Any, g: Any) -> Any:
            self.buffer[:] = g * x
            return self.buffer

    made = problem(lambda x: x**2 / 2, vjp=Claims().vjp)
    found = ask(made, made.methods[0], {"x": X}, [(3,)], np.eye(3))
    assert found.rows["x"].astype(float).tolist() == np.diag(X).tolist()


def test_the_decisions_of_a_claim_are_in_its_own_trace() -> None:
    found = compared(lambda x: x * abs(x), vjp=lambda x, g: g * 2 * np.where(x > 0, x, -x))
    assert {decision.kind for decision in found.forward.trace.decisions.values()} == {"absolute"}
    assert {decision.kind for decision in found.claim.trace.decisions.values()} == {"greater"}
