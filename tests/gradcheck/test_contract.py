"""The contract's items: kept, broken or not tried, and never at the price of the subject's state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradcheck import check
from gradcheck.adapters import subject_of
from gradcheck.contract import ITEMS, check_contract
from gradcheck.contract.sameness import earlier_calls_leave_no_trace
from gradcheck.problem import Array, Method, Problem, Sizes, Subject, Values, Variable
from gradcheck.results import ContractResult
from gradcheck.sampling import points
from tests.faults.contract import BROKEN, Broken, WeightCopied
from tests.faults.dense import Dense
from tests.faults.elementwise import Sine
from tests.faults.unusual import UNUSUAL, Dropout

TRACE = next(name for name, item in ITEMS.items() if item is earlier_calls_leave_no_trace)
SHAPE = "gradients have the shape and dtype of what they differentiate"


def contract(thing: Any) -> dict[str, ContractResult]:
    subject = subject_of(thing)
    point = next(points(subject, 0))
    return {item.name: item for item in check_contract(subject, point.problem, point.values, np.random.default_rng(1))}


def verdicts(thing: Any) -> dict[str, str]:
    return {name: item.verdict for name, item in contract(thing).items()}


@pytest.mark.parametrize(
    "case", [case for case in BROKEN if case.item != SHAPE], ids=lambda case: case.subject.__name__
)
def test_a_broken_item_is_named_and_its_twin_keeps_it(case: Broken) -> None:
    assert verdicts(case.subject)[case.item] == case.verdict
    assert contract(case.subject)[case.item].detail
    assert "broken" not in verdicts(case.right).values()


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_layers_keep_the_contract(name: str) -> None:
    assert "broken" not in verdicts(UNUSUAL[name]).values()


def test_every_item_is_reported_in_its_order() -> None:
    assert list(verdicts(WeightCopied)) == list(ITEMS)
    assert set(verdicts(WeightCopied).values()) == {"kept"}


def test_randomness_with_a_pinned_seed_is_no_mismatch() -> None:
    assert "broken" not in verdicts(Dropout).values()
    item = contract(Dropout)["forward is deterministic"]
    assert (item.verdict, item.detail) == ("kept", "it draws random numbers; their seed was pinned")
    assert contract(Sine)["forward is deterministic"].detail == ""


def test_the_subject_is_left_as_it_was() -> None:
    layer = Dense()
    before = {name: np.array(value) for name, value in vars(layer).items() if isinstance(value, np.ndarray)}
    contract(layer)
    assert all(np.array_equal(getattr(layer, name), value) for name, value in before.items())


def by_hand(forward: Callable[[Values], list[Array]], answer: Callable[[Values, list[Array]], list[Any]]) -> Subject:
    """A subject of one input and one vector-Jacobian product."""
    x = np.array([[0.5, -1.0], [1.5, 2.0]])

    def build(sizes: Sizes, rng: np.random.Generator) -> Problem:
        method = Method("vjp", "vjp", ("x",), lambda values: lambda g: answer(values, g))
        return Problem((Variable("x", "input", x),), forward, (method,))

    return Subject("by hand", "", "", build, fixed=True, examples=True)


def tried(subject: Subject) -> dict[str, ContractResult]:
    problem = subject.build(Sizes(), np.random.default_rng(0))
    values = {v.name: v.example for v in problem.variables}
    return {item.name: item for item in check_contract(subject, problem, values, np.random.default_rng(1))}


def test_a_case_is_not_what_the_subject_builds() -> None:
    """So nothing is learned about it from another object that is built."""
    subject = subject_of(WeightCopied)
    point = next(points(subject, 0))
    args = subject, point.problem, point.values, np.random.default_rng(1)
    (found,) = [item for item in check_contract(*args, case=True) if item.name == TRACE]
    assert (found.verdict, found.detail) == ("not tried", "a case cannot be built anew")


def test_a_method_that_raises_is_a_matter_of_its_claims() -> None:
    def fails(values: Values, g: list[Array]) -> list[Any]:
        raise RuntimeError("no")

    found = tried(by_hand(lambda v: [np.sin(v["x"])], fails))
    assert "broken" not in {item.verdict for item in found.values()}
    assert found["asking twice gives the same answer"].detail == "no derivative method answers"


def test_a_method_that_fails_later_does_not_stop_the_others() -> None:
    def moderate_only(values: Values, g: list[Array]) -> list[Any]:
        if np.abs(values["x"]).max() > 100:
            raise OverflowError("too large")
        return [g[0] * np.cos(values["x"])]

    found = tried(replace(by_hand(lambda v: [np.sin(v["x"])], moderate_only), fixed=False))
    assert found["no floating-point warnings"].verdict == "not tried"
    assert "OverflowError: too large" in found["no floating-point warnings"].detail
    assert found["vector-Jacobian products are linear"].verdict == "kept"


def test_nothing_is_asked_where_forward_is_not_finite() -> None:
    def cosh(v: Values) -> list[Array]:
        return [np.cosh(v["x"])]

    def asked(v: Values, g: list[Array]) -> list[Any]:
        assert np.isfinite(np.cosh(v["x"])).all()
        return [g[0] * np.sinh(v["x"])]

    found = tried(replace(by_hand(cosh, asked), fixed=False))
    assert found["no floating-point warnings"].verdict == "kept"


def test_float32_gradients_are_compared_as_float32() -> None:
    def coarse(values: Values, g: list[Array]) -> list[Any]:
        return [(g[0] * np.cos(values["x"])).astype(np.float32)]

    assert tried(by_hand(lambda v: [np.sin(v["x"])], coarse))["vector-Jacobian products are linear"].verdict == "kept"


def test_rounding_that_cancelled_terms_leave_is_linear() -> None:
    def nothing(values: Values, g: list[Array]) -> list[Any]:
        return [((0.3 * g[0]).sum() - 0.3 * g[0].sum()) * np.ones_like(values["x"])]

    def squared(values: Values, g: list[Array]) -> list[Any]:
        return [1e-15 * g[0] ** 2]

    item = "vector-Jacobian products are linear"
    assert tried(by_hand(lambda v: [0 * v["x"] + 1], nothing))[item].verdict == "kept"
    assert tried(by_hand(lambda v: [0 * v["x"] + 1], squared))[item].verdict == "broken"


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def through_softmax(x: Array, g: Array) -> Array:
    return np.asarray(softmax(x) * (g - (g * softmax(x)).sum(axis=-1, keepdims=True)))


def no_longer_than_a_tenth(x: Array, g: Array) -> Array:
    product = through_softmax(x, g)
    return product * min(1.0, 0.1 / max(float(np.abs(product).max()), 1e-300))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("apart", [30.0, 36.0, 38.0])
def test_what_saturation_leaves_of_a_product_is_rounding(apart: float, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(3, 4)) * 0.3
    x[:, 0] += apart
    assert check(softmax, x, vjp=through_softmax).verdict == "correct"
    assert check(softmax, x / 16, vjp=no_longer_than_a_tenth).verdict == "wrong"


def test_a_product_that_is_small_everywhere_is_not_rounding() -> None:
    """A sixteenth of x is milder for a softmax; here it is steeper, and still nothing is passed over."""

    def shortened(x: Array, g: Array) -> Array:
        return g / max(float(np.abs(g).max()) / 8, 1.0) * -8 / (x + 3) ** 9

    x = np.array([[40.0, 60.0], [80.0, 50.0]])
    found = check(lambda x: 1 / (x + 3) ** 8, x, vjp=shortened)
    assert [item.name for item in found.contract if item.verdict == "broken"] == ["vector-Jacobian products are linear"]


def test_a_local_gradient_that_is_zero_agrees_with_what_rounding_leaves_of_a_product() -> None:
    def build(scale: float, times: float) -> Subject:
        x = np.array([[0.9, -0.4, 0.2], [-0.3, 0.8, 0.1]]) * scale

        def local(values: Values) -> Callable[[list[Array]], list[Any]]:
            p = softmax(values["x"])
            return lambda _: [np.array([np.diag(row) - np.outer(row, row) for row in p])]

        def vjp(values: Values) -> Callable[[list[Array]], list[Any]]:
            return lambda g: [times * through_softmax(values["x"], g[0])]

        methods = Method("local", "local", ("x",), local), Method("vjp", "vjp", ("x",), vjp)
        problem = Problem((Variable("x", "input", x),), lambda v: [softmax(v["x"])], methods)
        return Subject("by hand", "", "", lambda sizes, rng: problem, fixed=True, examples=True)

    item = "vector-Jacobian products agree with the local gradients"
    for scale in (1.0, 30.0, 45.0, 60.0, 90.0):
        assert tried(build(scale, 1.0))[item].verdict == "kept"
    assert tried(build(1.0, 1.01))[item].verdict == "broken"


def test_it_costs_a_few_dozen_calls() -> None:
    calls = 0

    def counted(v: Values) -> list[Array]:
        nonlocal calls
        calls += 1
        return [np.sin(v["x"])]

    tried(by_hand(counted, lambda v, g: [g[0] * np.cos(v["x"])]))
    assert calls <= 16


def test_a_class_and_an_instance_are_treated_alike() -> None:
    assert verdicts(Sine) == verdicts(Sine())
