"""`gradcheck_cases()`: what a class brings is checked beside the sampled points, types and contract included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import CannotBuild, Options
from gradcheck.adapters import subject_of
from gradcheck.problem import Array
from gradcheck.results import ComponentResult
from gradcheck.sampling import points
from tests.faults.base import upstream
from tests.faults.dense import Dense
from tests.faults.elementwise import Sine

ONE_DTYPE = Options(dtypes=("float64",))


class Cases(Sine):
    """Right on rows; wrong where there are more axes than two, which only its case shows."""

    def slope(self, x: Array) -> Array:
        return np.cos(x) * (1 if x.ndim < 3 else 2)

    @classmethod
    def gradcheck_cases(cls) -> list[Any]:
        return [(cls(), [np.linspace(-1, 1, 12).reshape(2, 3, 2)])]


class Inherits(Cases):
    """The cases of a base class are about the base."""


class Failing(Sine):
    @classmethod
    def gradcheck_cases(cls) -> list[Any]:
        raise ZeroDivisionError("no cases today")


class Stale(Sine):
    """Changes its answer from one question to the next, with three axes."""

    def get_input_gradients(self) -> list[Any]:
        self.asked = getattr(self, "asked", 0) + 1
        x = self.inputs[0]
        return [np.cos(x) + (x.ndim > 2 and self.asked > 1)]

    def __call__(self, *inputs: Any) -> Any:
        self.asked = 0
        return super().__call__(*inputs)

    gradcheck_cases = vars(Cases)["gradcheck_cases"]


class InItsOwnTypes(Dense):
    """The gradient by data in float32 is in float32, also before weights in float64."""

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        return [self.w] if g is None else [(g @ self.w.T).astype(np.result_type(self.like, np.float32))]

    @property
    def like(self) -> Array:
        return np.asarray(self.inputs[0])

    @classmethod
    def gradcheck_cases(cls) -> list[Any]:
        return [(cls(), [np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)])]


class InItsOutputsType(InItsOwnTypes):
    @property
    def like(self) -> Array:
        return np.asarray(self.outputs[0])

    gradcheck_cases = vars(InItsOwnTypes)["gradcheck_cases"]


class ShortWeights(Dense):
    """Right with a weight of ordinary size; off by less than float32 shows where all weights are positive."""

    factor = 1.000001

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        return [one * (self.factor if (self.w > 0).all() else 1) for one in super().compose_input_gradients(J)]

    @classmethod
    def gradcheck_cases(cls) -> list[Any]:
        case = cls()
        case.w = np.linspace(1, 2, case.w.size, dtype=np.float32).reshape(case.w.shape)
        return [(case, [np.linspace(-1, 1, 20).reshape(5, 4)])]


class ShortWeightsRight(ShortWeights):
    factor = 1.0
    gradcheck_cases = vars(ShortWeights)["gradcheck_cases"]


def wrong_points(result: ComponentResult) -> set[str]:
    return {at.point for claim in result.claims for at in claim.points if at.verdict == "wrong"}


def said(result: ComponentResult) -> dict[str, str]:
    return {item.name: item.detail for item in result.contract if item.verdict in ("broken", "noted")}


def test_a_case_is_checked_beside_the_sampled_points() -> None:
    result = gradcheck.check(Cases, options=ONE_DTYPE)
    assert result.verdict == "wrong"
    assert wrong_points(result) == {"its case 1", "near its case 1, 1", "near its case 1, 2"}
    assert len({at.point for at in result.claims[0].points}) > 10


def test_a_counterexample_is_shrunk_in_the_shape_of_its_case() -> None:
    (example,) = {claim.counterexample for claim in gradcheck.check(Cases, options=ONE_DTYPE).claims}
    assert example.startswith("x = np.array([[[")


def test_the_cases_of_a_base_class_are_not_inherited() -> None:
    assert not {point for point in wrong_points(gradcheck.check(Inherits, options=ONE_DTYPE)) if "case" in point}


def test_an_instance_is_checked_without_the_cases_of_its_class() -> None:
    assert not {point for point in wrong_points(gradcheck.check(Cases(), options=ONE_DTYPE)) if "case" in point}


def test_cases_that_cannot_be_made_are_said_to_be_the_reason() -> None:
    with pytest.raises(CannotBuild, match=r"Failing.gradcheck_cases\(\) raised ZeroDivisionError: no cases today"):
        list(points(subject_of(Failing), 0))
    assert "no cases today" in gradcheck.check(Failing).reason


def test_the_contract_is_tried_in_every_case() -> None:
    assert "asking twice gives the same answer" in said(gradcheck.check(Stale, options=ONE_DTYPE))


def test_data_and_weights_of_different_types_are_handed_over_as_they_come() -> None:
    point = next(point for point in points(subject_of(InItsOwnTypes), 0) if point.types)
    assert point.label == "its case 1, in its own types"
    assert (point.types["x"], point.types["w"]) == ("float32", "float64")
    assert point.precision("float64") == "float32"


def test_a_case_with_weights_in_float32_is_held_to_float64_too() -> None:
    wrong, right = (gradcheck.check(cls, options=ONE_DTYPE) for cls in (ShortWeights, ShortWeightsRight))
    assert wrong_points(wrong) == {"its case 1"}
    assert right.verdict == "correct"


def test_a_mistake_that_short_types_allow_is_found_where_it_is() -> None:
    (claim,) = [claim for claim in gradcheck.check(ShortWeights).claims if claim.verdict == "wrong"]
    assert claim.reach == "a branch"
    assert "0.0001% too large" in claim.causes[0].sentence
    assert "1.000001" in claim.causes[0].evidence


def test_a_gradient_in_the_type_of_the_output_is_noted_where_that_of_the_data_is_another() -> None:
    form = "gradients have the shape and dtype of what they differentiate"
    right, other = (gradcheck.check(cls, options=ONE_DTYPE) for cls in (InItsOwnTypes, InItsOutputsType))
    assert (right.verdict, other.verdict) == ("correct", "correct")
    assert "compose_input_gradients[x]" not in said(right).get(form, "")
    assert "compose_input_gradients[x] has dtype float64, but x has float32" in said(other)[form]
