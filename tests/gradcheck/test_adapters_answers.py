"""What derivative methods return, in all its containers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.adapters.returned import listed, outputs
from tests.faults.seeds import AffineSummed, AffineUnsummed

A = np.arange(20.0).reshape(5, 4)


@pytest.mark.parametrize("answer", [[A], (A,), A, A[None], {"x": A}, A.tolist(), [A.tolist()]])
def test_one_gradient_in_any_container(answer: Any) -> None:
    [found] = listed(answer, ["x"], [(5, 4)], "f")
    np.testing.assert_array_equal(found, A)  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [[A, 2 * A], (A, 2 * A), np.stack([A, 2 * A]), {"y": 2 * A, "x": A}])
def test_two_gradients_in_any_container(answer: Any) -> None:
    x, y = listed(answer, ["x", "y"], [(5, 4), (5, 4)], "f")
    np.testing.assert_array_equal(x, A)  # type: ignore[arg-type]
    np.testing.assert_array_equal(y, 2 * A)  # type: ignore[arg-type]


@pytest.mark.parametrize("order", [["y_pred", "y_true"], ["y_true", "y_pred"]])
def test_a_constant_may_be_left_out(order: list[str]) -> None:
    found = dict(zip(order, listed([A], order, [(5, 4), (5, 4)], "f", ["y_true"]), strict=True))
    assert found["y_true"] is None
    np.testing.assert_array_equal(found["y_pred"], A)  # type: ignore[arg-type]


def test_a_bare_array_where_a_list_belongs_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"expected f to return a list .* y_pred, y_true, but got a bare array of shape \(5, 4\)"
    ):
        listed(A, ["y_pred", "y_true"], [(5, 4), (5, 4)], "f", ["y_true"])


def test_a_bare_array_is_taken_where_the_package_returns_arrays() -> None:
    found = listed(A, ["inputs", "truths"], [(5, 4), (5, 4)], "f", ["truths"], bare=True)
    np.testing.assert_array_equal(found[0], A)  # type: ignore[arg-type]
    assert found[1] is None


def test_a_wrong_number_of_gradients_is_refused() -> None:
    with pytest.raises(ValueError, match="expected f to return 2 gradients, one each for x, y, but got 3"):
        listed([A, A, A], ["x", "y"], [(5, 4), (5, 4)], "f")
    with pytest.raises(ValueError, match="expected f to return 1 gradient, one each for x, but got 2"):
        listed([A, A], ["x"], [(5, 4)], "f")


@pytest.mark.parametrize("answer", [None, NotImplementedError, NotImplemented, ..., [], ()])
def test_nothing_is_not_implemented(answer: Any) -> None:
    with pytest.raises(NotImplementedError):
        listed(answer, ["x"], [(5, 4)], "f")


def test_a_wrong_shape_is_passed_on_for_the_checker_to_judge() -> None:
    [found] = listed([A.T], ["x"], [(5, 4)], "f")
    assert found is not None
    assert found.shape == (4, 5)


def test_outputs_are_copies() -> None:
    [found] = outputs(A)
    found[...] = 0
    assert A.any()
    assert [one.shape for one in outputs((A, A[0]))] == [(5, 4), (4,)]
    assert outputs(2.5)[0].shape == ()
    with pytest.raises(NotImplementedError, match="forward returned nothing"):
        outputs(None)
    with pytest.raises(TypeError, match="expected forward to return numbers, but got str"):
        outputs("hello")


def test_a_way_back_for_one_sample_only_is_asked_with_one_and_that_is_said():
    result = gradcheck.check(AffineUnsummed)
    assert result.verdict == "correct"
    [note] = [note for note in result.notes if note.about == "backward_propagation"]
    assert "forward takes input_data of shape (5, 4), too, but then it raises ValueError" in note.text
    assert "seeds.py, line 76" in note.text
    assert not [note for note in gradcheck.check(AffineSummed).notes if note.about == "backward_propagation"]
