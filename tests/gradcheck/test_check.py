"""The whole pipeline on small classes: each verdict, and what belongs to it."""

from typing import ClassVar

import numpy as np
import pytest

import gradcheck
from gradcheck import Options, UsageError
from tests.right.recurrent_functions import rnn_step_forward


class Layer:
    """A layer whose derivative a subclass writes."""

    def __call__(self, x):
        self.inputs = [x]
        self.outputs = [self.forward(x)]
        return self.outputs[0]


class Cube(Layer):
    def forward(self, x):
        return x**3

    def get_input_gradients(self):
        return [np.asarray(3.0, self.outputs[0].dtype) * self.inputs[0] ** 2]


class Quadruple(Cube):
    def get_input_gradients(self):
        return [4.0 * self.inputs[0] ** 2]


class Stub(Cube):
    def get_input_gradients(self):
        raise NotImplementedError("later")


class Silent(Cube):
    def get_input_gradients(self):
        return None


class Raising(Cube):
    def get_input_gradients(self):
        return [self.no_such_name]


class Rounded(Layer):
    """Right, and known to differ from the true derivative (which is 0)."""

    gradcheck_waivers: ClassVar = {"get_input_gradients[x]": "straight-through estimator"}

    def forward(self, x):
        return np.round(x)

    def get_input_gradients(self):
        return [np.ones_like(self.inputs[0])]


class Noisy(Cube):
    def forward(self, x):
        return x**3 + np.random.default_rng().normal(size=x.shape)


class Noise(Cube):
    """Carries so much noise, at every scale, that nothing can be resolved."""

    def forward(self, x):
        bits = np.array(x, dtype=float).view(np.uint64)
        return x**3 + 1e-4 * np.ldexp(((bits * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11)).astype(float), -53)


class Wide(Layer):
    """Takes another branch in float32, where 1 − 1e-9 is 1."""

    def slope(self, x):
        real = x.dtype.type if x.dtype.kind == "f" else float
        return 3 if real(1) - real(1e-9) < 1 else 5

    def forward(self, x):
        return np.sin(x) * self.slope(x)

    def get_input_gradients(self):
        x = self.inputs[0]
        return [np.cos(x) * self.slope(x)]


class Loss(Layer):
    def __call__(self, y_pred, y_true):
        self.inputs = [y_pred, y_true]
        self.outputs = [self.forward(y_pred, y_true)]
        return self.outputs[0]

    def forward(self, y_pred, y_true):
        return np.mean((y_pred - y_true) ** 2)

    def get_input_gradients(self):
        y_pred, y_true = self.inputs
        return [2 * (y_pred - y_true) / y_pred.size, np.zeros_like(y_true)]


class HalfConstant(Loss):
    """Claims a wrong gradient for its labels."""

    def get_input_gradients(self):
        y_pred, y_true = self.inputs
        return [2 * (y_pred - y_true) / y_pred.size, (y_pred - y_true) / y_pred.size]


@pytest.mark.parametrize(
    ("subject", "verdict"),
    [
        (Cube, "correct"),
        (Quadruple, "wrong"),
        (Stub, "not implemented"),
        (Silent, "not implemented"),
        (Raising, "wrong"),
        (Rounded, "waived"),
        (Noisy, "unresolved"),
        (Noise, "unresolved"),
        (Wide, "correct"),
        (Loss, "correct"),
        (HalfConstant, "wrong"),
    ],
)
def test_verdict(subject, verdict):
    result = gradcheck.check(subject)
    found = {claim.name: claim.verdict for claim in result.claims}
    assert verdict in found.values(), (found, result.reason)
    assert result.verdict == verdict or any(item.verdict == "broken" for item in result.contract)


def claim(result, name="get_input_gradients[x]"):
    return next(one for one in result.claims if one.name == name)


def test_a_wrong_claim_says_why_where_and_how_to_see_it():
    wrong = claim(gradcheck.check(Quadruple))
    assert wrong.causes
    assert wrong.worst is not None
    assert wrong.worst.claim == pytest.approx(wrong.worst.estimate * 4 / 3)
    assert "x = np.array" in wrong.counterexample


def test_a_correct_claim_says_what_it_would_have_caught():
    right = claim(gradcheck.check(Cube))
    assert 0 < right.resolution < 1e-9

    class Off(Cube):
        def get_input_gradients(self):
            return [super().get_input_gradients()[0] + 1e-9]

    assert claim(gradcheck.check(Off)).verdict == "wrong"


def test_what_is_not_implemented_is_said_with_its_reason():
    assert claim(gradcheck.check(Stub)).reason == "later"


def test_random_forward_is_named_not_differenced():
    assert "forward is random" in claim(gradcheck.check(Noisy)).reason


def test_another_branch_in_float32_is_labelled_and_judged_by_that_branch():
    labels = {at.point for at in claim(gradcheck.check(Wide)).points if at.dtype == "float32" and at.entries}
    assert labels
    assert all("dtype-dependent" in label for label in labels)


class OneArrayForAllAnswers(Layer):
    """Every product is written into the same array."""

    def forward(self, x):
        self.kept = np.empty_like(np.sin(x))
        return np.sin(x)

    def get_input_gradients(self):
        return [np.cos(self.inputs[0])]

    def compose_input_gradients(self, J):
        return [np.multiply(J[0], np.cos(self.inputs[0]), out=self.kept)]


def test_an_array_that_is_filled_again_for_the_next_answer_is_read_before():
    assert gradcheck.check(OneArrayForAllAnswers).claims[1].verdict == "correct"


class WholeNumbersInFloat32(Layer):
    """Whole numbers become float32, as in PyTorch; `error` is a factor of theirs alone."""

    error = 1.0

    def forward(self, x):
        self.x = x if x.dtype.kind == "f" else x.astype(np.float32)
        self.was_whole = x.dtype.kind != "f"
        return np.tanh(self.x)

    def get_input_gradients(self):
        slope = 1 - np.tanh(self.x) ** 2
        return [slope * np.asarray(self.error if self.was_whole else 1, slope.dtype)]


class WrongOfWholeNumbers(WholeNumbersInFloat32):
    error = 1.01


def test_whole_numbers_that_are_answered_in_float32_are_held_to_float32():
    result = gradcheck.check(WholeNumbersInFloat32)
    assert result.verdict == "correct"
    (at,) = (at for at in result.claims[0].points if at.point == "integers")
    assert at.dtype == "int64"
    assert at.tolerance > 1e-8
    wrong = gradcheck.check(WrongOfWholeNumbers)
    assert {at.point for at in wrong.claims[0].points if at.verdict == "wrong"} == {"integers"}


class LikeTheInput(Layer):
    """Its gradient is kept in an array of the input's own type."""

    def forward(self, x):
        self.x = x
        return 1.5 * x

    def backward(self, g):
        dx = np.zeros_like(self.x)
        dx[:] = 1.5 * g
        return dx


def test_what_is_truncated_for_whole_numbers_only_is_a_note():
    result = gradcheck.check(LikeTheInput)
    assert result.verdict == "correct"
    assert [note.text.partition(":")[0] for note in result.notes] == [
        "for whole numbers (int64) it is truncated to int64"
    ]
    assert gradcheck.check(WrongOfWholeNumbers).reach == "whole numbers"


def test_labels_are_held_constant_or_checked():
    assert "held constant" in claim(gradcheck.check(Loss), "get_input_gradients[y_true]").reason
    assert claim(gradcheck.check(HalfConstant), "get_input_gradients[y_true]").verdict == "wrong"


def test_a_function_that_writes_into_its_argument_is_noticed():
    def doubles(x):
        x *= 2
        return x.copy()

    result = gradcheck.check(doubles, np.array([1.0, 2.0]), jac=lambda x: 2 * np.eye(2))
    assert result.verdict == "correct"
    noted = [item.detail for item in result.contract if item.verdict == "noted"]
    assert noted == ["forward changes its input x in place: wrong where two branches share it"]


def test_what_underflows_is_not_called_correct():
    measured = Options(exact=False)
    assert gradcheck.check(lambda x: x**2, 1e-160, grad=lambda x: 3 * x, options=measured).verdict == "unresolved"
    assert gradcheck.check(lambda x: x**2, 1e-300, grad=lambda x: 3 * x, options=measured).verdict == "unresolved"
    assert gradcheck.check(lambda x: x**3, 0.0, grad=lambda x: 3 * x**2).verdict == "correct"


def test_a_scalar_function_of_many_variables_is_compared_along_random_directions():
    x = np.random.default_rng(0).normal(size=10_000)
    right = gradcheck.check(lambda x: (x**2).sum(), x, grad=lambda x: 2 * x)
    assert right.verdict == "correct"
    assert "random directions" in claim(right, "grad[x]").points[0].message
    assert gradcheck.check(lambda x: (x**2).sum(), x, grad=lambda x: 2.001 * x).verdict == "wrong"


def test_a_large_jacobian_of_some_structure_is_compared_entry_by_entry():
    x = np.maximum(np.random.default_rng(0).normal(size=(20, 100)), 0)  # half of it at the kink
    small = Options(budget=10_000)
    for slope, verdict in ((lambda x: 1.0 * (x > 0), "correct"), (lambda x: 1.001 * (x > 0), "wrong")):
        found = gradcheck.check(lambda x: np.maximum(x, 0), x, vjp=lambda x, g, d=slope: g * d(x), options=small)
        assert found.verdict == verdict
        assert "random directions" not in found.claims[0].points[0].message


def test_the_same_seed_gives_the_same_result():
    assert gradcheck.check(Cube) == gradcheck.check(Cube)


def test_only_the_dtypes_that_were_asked_for_are_checked():
    result = gradcheck.check(Cube, options=Options(dtypes=("float32",)))
    assert {at.dtype for at in claim(result).points if at.entries} == {"float32"}


def test_functions_with_every_kind_of_derivative():
    x, y = np.array([[0.5, -1.0], [2.0, 0.25]]), np.array([[1.0, 0.5, -2.0], [0.75, 1.0, 1.5]])
    result = gradcheck.check(
        lambda a, b: a @ b,
        x,
        y,
        vjp=lambda a, b, g: (g @ b.T, a.T @ g),
        jvp=lambda a, b, s, t: s @ b + a @ t,
        jac=lambda a, b: (np.einsum("ik,lj->ijkl", np.eye(2), b), np.einsum("jl,ik->ijkl", np.eye(3), a)),
    )
    assert {one.verdict for one in result.claims} == {"correct"}
    assert len(result.claims) == 6


def test_a_second_derivative_is_the_jacobian_of_a_gradient():
    x = np.array([0.5, -1.0, 2.0])
    assert gradcheck.check(lambda x: 3 * x**2, x, jac=lambda x: np.diag(6 * x)).verdict == "correct"
    assert gradcheck.check(lambda x: 3 * x**2, x, jac=lambda x: np.diag(3 * x)).verdict == "wrong"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gradcheck.check(np.sin, np.array(["a"]), grad=np.cos), "but x is an array of dtype <U1"),
        (lambda: gradcheck.numerical_jacobian(np.sin, np.array([1j])), "expected arg0 to be an array of real numbers"),
        (lambda: gradcheck.check(np.sin, np.array([np.nan]), grad=np.cos), "to be finite"),
        (lambda: gradcheck.check(np.sin, np.array([1.0])), "expected a derivative to check"),
        (lambda: gradcheck.check(np.sin, grad=np.cos), "expected the point"),
        (lambda: gradcheck.check(3, np.array([1.0]), grad=np.cos), "expected a function"),
        (lambda: gradcheck.check(np.sin, np.array([1.0]), jac=np.eye(1)), "expected jac to be a function"),
        (lambda: gradcheck.numerical_jacobian(np.sin, np.array([1.0]), argnum=2), "argnum"),
    ],
)
def test_a_call_that_cannot_be_carried_out_says_what_to_do(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_fail_fast_stops_at_the_first_point_that_is_wrong():
    whole, fast = gradcheck.check(Quadruple), gradcheck.check(Quadruple, options=Options(fail_fast=True))
    assert fast.verdict == whole.verdict == "wrong"
    assert {at.point for at in claim(fast).points} == {"generic"} != {at.point for at in claim(whole).points}
    assert claim(fast).causes == claim(whole).causes
    assert fast.contract == ()


def test_fail_fast_checks_what_is_right_in_full():
    whole, fast = gradcheck.check(Cube), gradcheck.check(Cube, options=Options(fail_fast=True))
    assert fast == whole


def test_fail_fast_goes_on_where_nothing_can_be_told():
    """At seed 1 the first point is so flat that no error could be seen; other points tell."""
    (at, *_) = gradcheck.check(rnn_step_forward, options=Options(seed=1, exact=False)).claims[0].points
    assert (at.point, at.verdict) == ("generic", "skipped")
    fast = gradcheck.check(rnn_step_forward, options=Options(seed=1, exact=False, fail_fast=True))
    assert fast.verdict == "correct"


@pytest.mark.parametrize("subject", [Cube, Quadruple])
def test_without_evidence_the_verdicts_are_the_same_and_nothing_is_there_to_look_at(subject):
    whole, bare = gradcheck.check(subject), gradcheck.check(subject, options=Options(evidence=False))
    assert [one.verdict for one in bare.claims] == [one.verdict for one in whole.claims]
    assert bare.contract == whole.contract
    found = claim(bare)
    assert (found.causes, found.counterexample, found.test, found.curve, found.heat) == ((), "", "", None, None)
    assert claim(whole).curve is not None


class Evaluated(Layer):
    """Divides by the root of a weight: what is named like a variance is never drawn negative."""

    def __init__(self):
        self.moving_variance = np.ones(3)

    @property
    def weights(self):
        return [self.moving_variance]

    def forward(self, x):
        return x / np.sqrt(self.moving_variance)

    def get_input_gradients(self):
        return [np.ones_like(self.inputs[0]) / np.sqrt(self.moving_variance)]


def test_a_variance_stays_positive():
    points = claim(gradcheck.check(Evaluated)).points
    assert {at.verdict for at in points if "generic" in at.point} == {"correct"}


class RefusesWholeNumbers:
    """It raises for whole numbers, which is passed over; what is wrong is the gradient of many features."""

    def forward(self, x):
        self.x = x
        return np.sin(x)

    def backward(self, upstream):
        grad = np.zeros_like(self.x)
        grad += upstream * np.cos(self.x)
        return 2 * grad if self.x.shape[1] > 8 else grad


def test_an_exception_that_is_passed_over_is_not_the_cause_of_what_is_wrong_elsewhere() -> None:
    result = gradcheck.check(RefusesWholeNumbers)
    [claim] = result.claims
    assert (claim.verdict, claim.where) == ("wrong", "for a batch of 4 with 12 features")
    assert claim.causes[0].name == "extra factor 2"
    assert any("cannot be asked for whole numbers" in note.text for note in result.notes)
