"""What is shown exactly beside what is measured: it decides what measurements leave open, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("flint", reason="python-flint, the extra `proof`, is not installed")

import gradcheck
from gradcheck import Options, exact
from gradcheck.command.founded import contradiction
from gradcheck.comparing.judge import LOSES
from gradcheck.data import to_json
from gradcheck.problem import Array
from gradcheck.report.proof import between
from gradcheck.results import ClaimResult, ComponentResult, Proof, from_json
from tests.right.reductions import Sort

X = np.array([0.75, -1.25, 2.0])
MEASURED = Options(exact=False)
SCANNED = Options(scan=True)


def check(f: Callable[..., Any], slope: Callable[..., Any], x: Any = X, options: Options | None = None) -> Any:
    """Check a function that acts entry by entry with its derivative."""
    return gradcheck.check(f, x, vjp=lambda x, g: g * slope(x), options=options)


def shown(result: ComponentResult) -> tuple[ClaimResult, Proof]:
    [claim] = result.claims
    assert claim.proof is not None
    return claim, claim.proof


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def slope_of_sigmoid(x: Any) -> Any:
    return sigmoid(x) * (1 - sigmoid(x))


def test_a_right_claim_is_proved_and_measured_with_its_pieces_and_digits() -> None:
    result = check(lambda x: np.where(x > 0, x**2, x), lambda x: np.where(x > 0, 2 * x, 1.0))
    claim, proof = shown(result)
    assert (claim.verdict, claim.basis, proof.points, proof.left) == ("correct", "both", 1, "")
    [piece] = proof.pieces
    assert piece.shapes == ((3,),)
    assert any("test_proving.py" in decision and "greater" in decision for decision in piece.decisions)
    [digits] = proof.digits
    assert (digits.kept, digits.of) == (15, 15)
    assert "proved at 1 point, 15 of 15 digits kept" in str(result)
    assert from_json(to_json(result)) == result


def test_a_constant_that_no_measurement_can_see_is_wrong_by_proof() -> None:
    def mistyped(x: Any) -> Any:
        return 1.0000000000001 * np.cos(x)

    assert check(np.sin, mistyped, options=MEASURED).verdict == "correct"
    claim, proof = shown(check(lambda x: np.sin(x), mistyped))
    assert (claim.verdict, claim.basis) == ("wrong", "proved")
    assert proof.off == pytest.approx(1e-13, rel=1e-2)
    assert claim.causes[0].name == "another formula"
    assert "test_proving.py" in claim.source


def test_constants_that_are_rounded_are_right() -> None:
    claim, proof = shown(check(lambda x: x / 6, lambda x: (1 / 6) * np.ones_like(x)))
    assert (claim.verdict, claim.basis) == ("correct", "both")
    assert 0 < proof.apart < 2**-48


def test_what_no_measurement_resolves_is_resolved() -> None:
    tiny = np.array([1e-160])
    assert check(lambda x: x**2, lambda x: 2 * x, tiny, MEASURED).verdict == "unresolved"
    claim, _ = shown(check(lambda x: x**2, lambda x: 2 * x, tiny))
    assert (claim.verdict, claim.basis) == ("correct", "proved")
    assert check(lambda x: x**2, lambda x: 3 * x, tiny).verdict == "wrong"


def test_a_right_formula_says_where_it_loses_digits() -> None:
    claim, proof = shown(check(sigmoid, slope_of_sigmoid, np.array([0.5, 36.0, -36.0])))
    [digits] = proof.digits
    assert claim.verdict == "correct"
    assert digits.least <= 2
    assert digits.index == (1,)
    line = slope_of_sigmoid.__code__.co_firstlineno + 1
    assert digits.place.endswith(f"test_proving.py:{line}")
    assert f"lost at {digits.place}" in str(check(sigmoid, slope_of_sigmoid, np.array([0.5, 36.0, -36.0])))


def test_a_function_that_acts_by_entry_is_scanned_over_an_interval() -> None:
    _, proof = shown(check(sigmoid, slope_of_sigmoid, options=SCANNED))
    float64, float32 = proof.kept
    assert (float64.dtype, float32.dtype) == ("float64", "float32")
    at = dict(zip(float64.x, float64.digits, strict=True))
    assert min(kept for x, kept in at.items() if x < 0) == 15
    assert max(kept for x, kept in at.items() if x > 37) == 0
    assert proof.boxes is not None
    assert proof.boxes.equal == ((-40.0, 40.0),)
    assert between(proof.boxes) == "Equal within 1e-9 for all x in [−40, 40]."


def test_boxes_name_the_interval_where_a_claim_is_another_function() -> None:
    def clipped(x: Any) -> Any:
        return np.where(x > 16.0, 0.0, 2 * x)

    boxes = shown(check(lambda x: x**2, clipped, options=SCANNED))[1].boxes
    assert boxes is not None
    assert boxes.different[-1][1] == 40.0
    assert boxes.different[0][0] == pytest.approx(16.0, abs=0.2)
    assert boxes.equal[0][0] == -40.0


def test_a_kept_zero_keeps_all_digits() -> None:
    _, proof = shown(check(lambda x: np.maximum(x, 0.0), lambda x: np.where(x > 0, 1.0, 0.0), options=SCANNED))
    assert set(proof.kept[0].digits) == {15.0}


def test_stairs_of_a_shorter_float_are_no_evidence_against_a_formula() -> None:
    def forward(x: Any) -> Any:
        kept = np.zeros(x.shape, dtype=np.float32)
        kept[...] = np.tanh(x)
        return kept * 1.0

    def slope(x: Any) -> Any:
        return 1 - np.tanh(x) ** 2

    steep = np.array([6.5, -6.0])
    assert check(forward, slope, steep, MEASURED).verdict == "unresolved"
    claim, _ = shown(check(forward, slope, steep))
    assert (claim.verdict, claim.basis) == ("correct", "proved")
    assert check(forward, lambda x: 1.01 * slope(x), steep).verdict == "wrong"


def test_a_claim_that_rounds_alone_to_a_shorter_float_has_lost_its_digits() -> None:
    [claim] = check(np.sin, lambda x: np.cos(x.astype(np.float32)).astype(x.dtype)).claims
    assert (claim.verdict, claim.where) == ("wrong", "everywhere")
    assert claim.causes[0].name == "lost precision"


class NaiveSoftmax:
    """Of one feature its derivative is 0, and the claim is what rounding leaves."""

    def forward(self, x: Any) -> Any:
        e = np.exp(x)
        self.y = e / e.sum(axis=-1, keepdims=True)
        return self.y

    def backward(self, g: Any) -> Any:
        return self.y * g - self.y * (self.y * g).sum(axis=-1, keepdims=True)


def test_rounding_where_the_derivative_is_0_is_no_other_claim() -> None:
    claim, proof = shown(gradcheck.check(NaiveSoftmax))
    assert (claim.basis, proof.left) == ("both", "")


class OverflowingSigmoid:
    """Far out, where the derivative is smaller than any float, the claim is NaN."""

    def forward(self, x: Any) -> Any:
        self.x = x
        return sigmoid(x)

    def backward(self, upstream: Any) -> Any:
        grown = np.exp(-self.x)
        return upstream * grown / (1 + grown) ** 2


class SortedWrong(Sort):
    def backward(self, dout: Array) -> Array:
        return np.asarray(super().backward(dout)[..., ::-1])


@pytest.mark.parametrize("seed", [1, 101])
def test_where_three_tie_a_permutation_is_no_other_formula(seed: int) -> None:
    """Of three zeros that are sorted, the one in the middle moves no output in the middle, whichever way it goes."""
    right, wrong = (gradcheck.check(cls, options=Options(seed=seed, evidence=False)) for cls in (Sort, SortedWrong))
    assert (right.verdict, wrong.verdict) == ("correct", "wrong")


class Smoothed:
    """With one class, the softmax is 1, and so is its target but for the rounding of 1 − 0.1."""

    eps, factor = 0.1, 1.0

    def forward(self, logits: Array, labels: Array) -> Array:
        z = logits - logits.max(-1, keepdims=True)
        self.logp = z - np.log(np.exp(z).sum(-1, keepdims=True))
        self.t = np.eye(logits.shape[-1])[labels] * (1 - self.eps) + self.eps / logits.shape[-1]
        return -(self.t * self.logp).sum() / len(logits)

    def backward(self) -> Array:
        return self.factor * (np.exp(self.logp) - self.t) / len(self.t)


class SmoothedWrong(Smoothed):
    factor = 1 + 1e-10


def test_constants_that_add_up_to_1_in_floats_are_rounded_beside_the_usual_derivative() -> None:
    right, wrong = (
        next(c for c in gradcheck.check(cls).claims if c.wrt == "logits") for cls in (Smoothed, SmoothedWrong)
    )
    assert (right.verdict, right.basis) == ("correct", "both")
    assert wrong.verdict == "wrong"


def test_nan_is_wrong_where_the_derivative_is_smaller_than_any_float() -> None:
    [claim] = gradcheck.check(OverflowingSigmoid).claims
    assert {(at.dtype, at.verdict) for at in claim.points if at.point == "saturation ±1000"} == {
        ("float64", "wrong"),
        ("float32", "wrong"),
    }


def test_what_leaves_exact_arithmetic_is_measured_and_says_its_line() -> None:
    def forward(x: Any) -> Any:
        return np.array([np.float64(str(v)) for v in x.tolist()]) ** 2

    claim, proof = shown(check(forward, lambda x: 2 * x))
    assert (claim.verdict, claim.basis, proof.points) == ("correct", "measured", 0)
    assert "test_proving.py:" in proof.left


def test_a_contradiction_is_noted_and_the_measurement_decides() -> None:
    def forward(x: Any) -> Any:
        return np.round(x * 2.0**44) / 2.0**44

    result = check(forward, np.ones_like)
    claim, _ = shown(result)
    assert claim.basis == "measured"
    assert claim.verdict == check(forward, np.ones_like, options=MEASURED).claims[0].verdict
    [note] = [note for note in result.notes if "exactly" in note.text]
    assert note.text.endswith("the verdict is the measured one")


def test_a_failure_of_the_engine_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Any, method: Any) -> Any:
        raise ZeroDivisionError("in the engine")

    monkeypatch.setattr(exact.ExactPoint, "compare", fails)
    claim, proof = shown(check(sigmoid, slope_of_sigmoid))
    assert (claim.verdict, claim.basis) == ("correct", "measured")
    assert proof.left.startswith("the exact run failed: ZeroDivisionError")


def test_without_the_extra_everything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "available", lambda: False)
    [claim] = check(sigmoid, slope_of_sigmoid).claims
    assert (claim.verdict, claim.basis, claim.proof) == ("correct", "measured", None)


class Mixed:
    """Softmax between two products with one weight: at ±40 its slope is small beside f, and keeps few digits."""

    def __init__(self, n_in: int, n_out: int) -> None:
        self.W = np.random.default_rng(0).normal(size=(n_in, n_out))

    def forward(self, x: Any) -> Any:
        self.x = x
        z = x @ self.W
        e = np.exp(z - z.max(axis=1, keepdims=True))
        self.a = e / e.sum(axis=1, keepdims=True)
        return self.a @ self.W.T

    def backward(self, g: Any) -> Any:
        h = g @ self.W
        dz = self.a * (h - (h * self.a).sum(axis=1, keepdims=True))
        self.dW = self.x.T @ dz + g.T @ self.a
        return dz @ self.W.T


def test_a_ratio_beyond_a_measured_tolerance_is_not_kept_where_the_proof_decides() -> None:
    result = gradcheck.check(Mixed)
    decided = [at for claim in result.claims for at in claim.points if LOSES in at.message]
    assert result.verdict == "correct"
    assert decided, "no point is decided by the proof alone any more: the test needs another class"
    assert contradiction(result) == ""


class Attention:
    """At scores from −100 to 100, where a measured entry of 1e-10 once was off by 2.5 bounds."""

    def forward(self, Q: Any, K: Any, V: Any) -> Any:
        self.Q, self.K, self.V = Q, K, V
        scores = Q @ K.swapaxes(-1, -2) / np.sqrt(Q.shape[-1])
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        self.A = e / e.sum(axis=-1, keepdims=True)
        return self.A @ V

    def slope(self, dout: Any) -> Any:
        dA = dout @ self.V.swapaxes(-1, -2)
        return self.A * (dA - np.sum(dA * self.A, axis=-1, keepdims=True)) / np.sqrt(self.Q.shape[-1])

    def backward(self, dout: Any) -> Any:
        dS = self.slope(dout)
        return dS @ self.K, dS.swapaxes(-1, -2) @ self.Q, self.A.swapaxes(-1, -2) @ dout


class Slanted(Attention):
    def slope(self, dout: Any) -> Any:
        return super().slope(dout) * (1 + 1e-8)


@pytest.mark.parametrize(("layer", "verdict"), [(Attention, "correct"), (Slanted, "wrong")])
def test_a_bound_that_a_saturated_softmax_breaks_calls_no_formula_wrong(layer: type, verdict: str) -> None:
    options = Options(dtypes=("float64",), evidence=False, fail_fast=True)
    [claim] = [one for one in gradcheck.check(layer, options=options).claims if one.wrt == "Q"]
    assert claim.verdict == verdict


class OfTwoWeights:
    """A layer that is not linear in two weights, of whose gradients the second is wrong."""

    def __init__(self, features: int, units: int) -> None:
        rng = np.random.default_rng(0)
        self.w, self.v = rng.normal(size=(features, units)), rng.normal(size=(features, units))

    def forward(self, x: Any) -> Any:
        self.x, self.y = x, np.tanh(x @ np.tanh(self.w) + x @ np.tanh(self.v))
        return self.y

    def backward(self, grad: Any) -> Any:
        z = grad * (1 - self.y**2)
        self.dw = self.x.T @ z * (1 - np.tanh(self.w) ** 2)
        self.dv = self.x.T @ z * (1 + np.tanh(self.v) ** 2)
        return z @ (np.tanh(self.w) + np.tanh(self.v)).T


def test_beside_a_wrong_claim_nothing_is_measured_that_is_shown_exactly() -> None:
    result = gradcheck.check(OfTwoWeights)
    right, wrong = (next(one for one in result.claims if one.wrt == name) for name in ("w", "v"))
    assert (right.verdict, wrong.verdict) == ("correct", "wrong")
    for claim, verdict in ((right, "correct"), (wrong, "wrong")):
        for label in ("generic, third seed", "tiny (1e-8)", "Fortran order", "read-only"):
            point = next(one for one in claim.points if one.point == label)
            assert (point.verdict, point.truncation, point.rounding) == (verdict, 0, 0)
    assert wrong.wrong_count > 0
