"""The comparison, on estimates written by hand: what is within the tolerance passes, what is not does not."""

import dataclasses

import numpy as np
import pytest

from gradcheck.asking.cotangents import SINGLE, Cotangents, choose
from gradcheck.comparing.compare import Place, compare
from gradcheck.comparing.expected import expected, largest
from gradcheck.comparing.scales import scale_of_rows
from gradcheck.numerical.estimate import Estimate

EPS = np.finfo(float).eps


def dense(jacobian, bound=1e-12, **fields):
    """An estimate that perturbs one entry at a time."""
    outputs, size = jacobian.shape
    value = jacobian.T.astype(float)
    return Estimate(
        wrt="x",
        variable_shape=(size,),
        output_shapes=((outputs,),),
        structure="dense",
        value=value,
        bound=np.full(value.shape, bound),
        truncation=np.full(value.shape, bound / 2),
        rounding=np.full(value.shape, bound / 2),
        step=np.full(value.shape, 1e-3),
        column=np.tile(np.arange(size)[:, None], (1, outputs)),
        zero_bound=np.zeros(outputs),
        variation=np.zeros(outputs),
        **fields,
    )


def elementwise(derivative, bound=1e-12):
    """An estimate of a diagonal, in one colour."""
    size = derivative.size
    row = derivative[None, :].astype(float)
    return dataclasses.replace(
        dense(np.diag(derivative), bound),
        structure="elementwise",
        value=row,
        bound=np.full(row.shape, bound),
        truncation=np.zeros(row.shape),
        rounding=np.zeros(row.shape),
        step=np.zeros(row.shape),
        column=np.arange(size)[None, :],
        zero_bound=np.full(size, 1e-13),
        variation=np.zeros(size),
    )


def judge(claim, estimate, rows, dtype="float64", values=None, outputs=None):
    values = np.ones(estimate.variable_shape) if values is None else values
    outputs = np.ones(estimate.value.shape[1]) if outputs is None else outputs
    asked = rows if isinstance(rows, Cotangents) else Cotangents(rows)
    tolerance = np.empty(claim.shape)
    for some in expected(estimate, asked, largest(estimate), outputs, values, dtype):
        tolerance[some.row, some.position] = some.tolerance
    scale = scale_of_rows(estimate, outputs, values)
    return compare(claim, asked, estimate, Place("here", dtype, dtype, outputs, values, scale)), tolerance


J = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 0.25]])


def test_a_right_claim_is_correct_and_says_what_it_would_have_caught():
    found, tolerance = judge(J, dense(J), np.eye(2))
    assert found.at.verdict == "correct"
    assert tolerance[0, 0] == pytest.approx(1e-12 + 24 * EPS * (2.0 + 1.0))
    claim = J.copy()
    claim[1, 2] += found.at.resolution
    assert judge(claim, dense(J), np.eye(2))[0].at.verdict == "wrong"


def test_the_worst_entry_is_the_one_that_was_planted():
    claim = J.copy()
    claim[1, 2] += 1e-9
    found, _ = judge(claim, dense(J), np.eye(2))
    assert found.worst is not None
    assert (found.worst.output, found.worst.index) == ((1,), (2,))
    assert found.wrong == 1


def test_products_with_any_cotangent_are_compared():
    rows = np.array([[2.0, -1.0]])
    asked = Cotangents(rows, mixed=1)
    assert judge(rows @ J, dense(J), asked)[0].at.verdict == "correct"
    assert judge(rows @ J + 1e-9, dense(J), asked)[0].at.verdict == "wrong"


def test_an_entry_outside_the_pattern_must_be_zero():
    derivative = np.array([1.0, 2.0, 3.0])
    claim = np.diag(derivative)
    assert judge(claim, elementwise(derivative), np.eye(3))[0].at.verdict == "correct"
    claim[0, 2] = 1e-9
    assert judge(claim, elementwise(derivative), np.eye(3))[0].at.verdict == "wrong"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_claim_that_is_not_finite_is_wrong(bad):
    claim = J.copy()
    claim[0, 0] = bad
    assert judge(claim, dense(J), np.eye(2))[0].at.verdict == "wrong"


def test_nan_does_not_equal_nan():
    jacobian = J.copy()
    jacobian[0, 0] = np.nan
    estimate = dense(jacobian)
    found, _ = judge(
        jacobian, dataclasses.replace(estimate, bound=np.where(np.isnan(estimate.value), np.inf, 1e-12)), np.eye(2)
    )
    assert found.at.verdict == "unresolved"


def test_a_wide_bound_is_unresolved_not_correct():
    found, _ = judge(J, dense(J, bound=1e-5), np.eye(2))
    assert found.at.verdict == "unresolved"
    assert "smallest error that could be seen" in found.at.message
    assert judge(J, dense(J, bound=1e-5), np.eye(2), dtype="float32")[0].at.verdict == "correct"


def test_a_float32_claim_may_lose_what_float32_loses_and_no_more():
    assert judge(J.astype(np.float32) * (1 + 2e-7), dense(J), np.eye(2), "float32")[0].at.verdict == "correct"
    assert judge(J * (1 + 1e-4), dense(J), np.eye(2), "float32")[0].at.verdict == "wrong"


def kinked(left, right):
    estimate = dense(np.array([[(left + right) / 2]]))
    full = np.ones((1, 1))
    return dataclasses.replace(estimate, kink=full > 0, left=left * full, right=right * full)


@pytest.mark.parametrize(
    ("claim", "verdict", "convention"),
    [
        (0.0, "correct", "0"),
        (0.3, "correct", "the left derivative"),
        (1.0, "correct", "the right derivative"),
        (0.5, "correct", "between the two sides"),
        (1.1, "wrong", "none"),
        (-0.1, "wrong", "none"),
        (0.2, "wrong", "none"),
    ],
)
def test_a_convention_at_a_kink_is_named_and_anything_else_is_wrong(claim, verdict, convention):
    found, _ = judge(np.array([[claim]]), kinked(0.3, 1.0), np.eye(1))
    assert found.at.verdict == verdict
    assert found.kinks[0].convention == convention


def test_outputs_that_share_no_input_go_together_beyond_a_few():
    size = SINGLE + 10
    rows = choose(size, elementwise(np.ones(size)), "vjp", np.random.default_rng(0)).rows
    assert rows.shape == (2, size)
    assert (rows[0] != 0).all()


def test_grouped_cotangents_still_see_a_leak_between_samples():
    size = SINGLE + 10
    estimate = elementwise(np.full(size, 2.0))
    asked = choose(size, estimate, "vjp", np.random.default_rng(0))
    right = asked.rows * 2.0
    assert judge(right, estimate, asked)[0].at.verdict == "correct"
    leak = right + 1e-9 * asked.rows.mean(axis=1, keepdims=True)
    assert judge(leak, estimate, asked)[0].at.verdict == "wrong"


def test_zero_at_a_kink_with_both_sides_above_it_leans_on_the_rest_of_the_claim():
    between, above = (judge(np.zeros((1, 1)), kinked(left, 1.0), np.eye(1))[0] for left in (-0.3, 0.3))
    assert (between.leaning, above.leaning) == (0, 1)


def infinite(left, right):
    """An estimate that knows of its one entry that it is infinite on the left, on the right, or on both sides."""
    return dataclasses.replace(dense(np.zeros((1, 1)), np.inf), infinite=np.array([left, right]).reshape(2, 1, 1))


@pytest.mark.parametrize(
    ("claim", "verdict"), [(np.inf, "correct"), (-np.inf, "wrong"), (0.0, "convention"), (1e300, "convention")]
)
@pytest.mark.parametrize(("left", "right"), [(1, 1), (0, 1), (1, 0)])
def test_infinity_of_the_right_sign_is_right_and_a_finite_number_a_convention(claim, verdict, left, right):
    assert judge(np.array([[claim]]), infinite(left, right), np.eye(1))[0].at.verdict == verdict
    assert judge(np.array([[-claim]]), infinite(left, right), -np.eye(1))[0].at.verdict == verdict


def test_at_a_cusp_infinity_of_either_side_is_right():
    for claim in (np.inf, -np.inf):
        assert judge(np.array([[claim]]), infinite(-1, 1), np.eye(1))[0].at.verdict == "correct"


@pytest.mark.parametrize(("claim", "verdict"), [(np.inf, "correct"), (-np.inf, "wrong"), (0.0, "convention")])
def test_an_infinite_derivative_is_known_in_a_sum_of_outputs_too(claim, verdict):
    estimate = dataclasses.replace(
        dense(np.array([[0.0], [1.0]])), bound=np.array([[np.inf, 1e-12]]), infinite=np.array([[[0, 0]], [[1, 0]]])
    )
    assert judge(np.array([[claim]]), estimate, Cotangents(np.ones((1, 2)), 1))[0].at.verdict == verdict


def test_each_row_has_a_scale_of_its_own():
    large = np.array([[1e9, 0.0], [0.0, 1e-3]])
    wrong = large + [[0.0, 0.0], [0.0, 1e-9]]
    assert judge(large, dense(large, bound=1e-12), np.eye(2))[0].at.verdict == "correct"
    assert judge(wrong, dense(large, bound=1e-12), np.eye(2))[0].at.verdict == "wrong"
    coarse = dataclasses.replace(dense(large), bound=np.array([[1e-3, 1e-3], [1e-6, 1e-6]]))
    assert judge(large, coarse, np.eye(2))[0].at.verdict == "unresolved"
