"""The counterexample is small, still wrong, and its test really runs and fails for the wrong code only."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck import UsageError, assert_claim
from gradcheck.check import Options
from gradcheck.diagnose.shrink import shrink
from gradcheck.functions import check
from gradcheck.problem import Array, Values
from tests.faults.dense import Dense, DenseAveraged
from tests.faults.elementwise import LeakyReLU, LeakyReLUNegative, SineReversed
from tests.faults.losses import CategoricalCrossEntropy, CceBatch

ONE_DTYPE = Options(dtypes=("float64",))


def written_test(subject: type, claim: str) -> str:
    (found,) = [one for one in check(subject, options=ONE_DTYPE).claims if one.name == claim]
    assert found.verdict == "wrong"
    assert found.counterexample
    return found.test


class Parameters:
    """Keeps its weights in a dict."""

    def __init__(self, n_in, n_out):
        self.params = {"W": np.random.default_rng(0).normal(size=(n_in, n_out))}
        self.grads = {}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"]

    def backward(self, g):
        self.grads["W"] = self.x.T @ g * 3
        return g @ self.params["W"].T


def test_the_test_of_a_weight_in_a_dict_is_python() -> None:
    text = written_test(Parameters, "backward[params['W']]")
    assert "\"params['W']\"" in text
    compile(text, "pasted", "exec")


class OnlyOfSeveral(Parameters):
    """Leaves no gradient by W for a single sample."""

    def backward(self, g):
        given = super().backward(g)
        if len(g) < 3:
            self.grads.clear()
        return given


def test_a_claim_that_fewer_samples_do_not_make_keeps_its_samples() -> None:
    claims = {one.name: one for one in check(OnlyOfSeveral, options=ONE_DTYPE).claims}
    found = claims["backward[params['W']]"]
    assert found.verdict == "wrong"
    assert found.counterexample


CASES = [
    (LeakyReLUNegative, LeakyReLU, "get_input_gradients[x]"),
    (DenseAveraged, Dense, "compose_weight_gradients[w]"),
    (CceBatch, CategoricalCrossEntropy, "compose_input_gradients[y_pred]"),
    (SineReversed, SineReversed.__mro__[1], "compose_input_gradients[x]"),
]


def test_the_written_tests_fail_for_the_wrong_code_and_pass_for_the_right(tmp_path: Path) -> None:
    for number, (wrong, right, claim) in enumerate(CASES):
        text = written_test(wrong, claim)
        (tmp_path / f"test_wrong_{number}.py").write_text(text)
        (tmp_path / f"test_right_{number}.py").write_text(text.replace(wrong.__name__, right.__name__))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-q",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "4 failed, 4 passed" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("AssertionError: ") >= 4
    assert done.stdout.count(" and was measured as ") == 4
    failed = done.stdout.split("short test summary")[1]
    assert "test_right" not in failed


def test_a_wrong_slope_shrinks_to_one_row_of_ones() -> None:
    text = written_test(LeakyReLUNegative, "compose_input_gradients[x]")
    assert "x=np.array([[1.0, 1.0, -1.0, 1.0]])" in text


def test_a_missing_mean_over_the_batch_needs_two_samples() -> None:
    (claim,) = [one for one in check(CceBatch, options=ONE_DTYPE).claims if one.name.startswith("compose")][:1]
    rows = eval(claim.counterexample.splitlines()[0].removeprefix("y_pred = "), {"np": np})
    assert rows.shape == (2, 4)


def test_what_cannot_be_imported_has_no_test() -> None:
    class Local(LeakyReLUNegative):
        pass

    wrong = [claim for claim in check(Local, options=ONE_DTYPE).claims if claim.verdict == "wrong"]
    assert wrong
    assert all(claim.counterexample and claim.test == "" for claim in wrong)


def halved(x: Array) -> Array:
    return x


def square(x: Array) -> Array:
    return np.sum(x**2)


def test_a_plain_function_is_tested_by_its_name_and_its_derivatives() -> None:
    (claim,) = check(square, np.array([1.5, -0.75]), grad=halved).claims
    assert f"from {__name__} import halved" in claim.test
    assert "assert_correct(\n        square,\n        np.array([1.0, -1.0]),\n        grad=halved,\n    )" in claim.test
    with pytest.raises(AssertionError, match="2 × too small"):
        exec(claim.test + "\ntest_square_grad_by_x()", {})
    (unnamed,) = check(square, np.array([1.5]), grad=lambda x: x).claims
    assert unnamed.verdict == "wrong"
    assert unnamed.test == ""
    (partial,) = check(square, np.array([1.5]), grad=functools.partial(halved)).claims
    assert partial.verdict == "wrong"
    assert partial.test == ""


def test_shrinking_keeps_what_is_wrong() -> None:
    start = {"x": np.array([[0.8125, -1.71875], [1.40625, 0.59375]])}

    def negative(values: Values) -> bool:
        return bool(np.any(values["x"] < -0.5))

    assert shrink(start, negative, {"x": "signed"})["x"].tolist() == [[1.0, -1.0], [1.0, 1.0]]
    assert sum(shrink(start, negative)["x"].ravel() != 0) == 1


def test_shrinking_leaves_labels_and_probabilities_alone() -> None:
    start: dict[str, Array] = {"p": np.array([[0.3, 0.7]]), "x": np.array([[3.5]])}
    found = shrink(start, lambda values: True, {"p": "data"})
    assert found["p"] is start["p"]
    assert found["x"].tolist() == [[0.0]]


def test_shrinking_survives_a_subject_that_refuses() -> None:
    start = {"x": np.array([0.3, 0.7])}

    def refuses(values: Values) -> bool:
        raise ValueError("not this")

    assert shrink(start, refuses)["x"] is start["x"]


def test_one_claim_can_be_asserted_by_hand() -> None:
    x = np.array([[1.5, -0.5, 2.0, 0.25]])
    assert_claim(LeakyReLU, "compose_input_gradients", "x", x=x)
    with pytest.raises(AssertionError, match=r"output \[0, 1\] by x\[0, 1\] is claimed to be -0.3"):
        assert_claim(LeakyReLUNegative, "compose_input_gradients", "x", x=x)
    with pytest.raises(ValueError, match="no method 'jump'"):
        assert_claim(LeakyReLU, "jump", "x", x=x)
    with pytest.raises(ValueError, match=r"cannot be built in the sizes .*: x \(7, 7, 7\)"):
        assert_claim(LeakyReLU, "compose_input_gradients", "x", x=np.ones((7, 7, 7)))


class Square:
    """Right as it is."""

    def forward(self, x: Any) -> Any:
        self.x = x
        return x**2

    def backward(self, grad: Any) -> Any:
        return grad * 2 * self.x


class Silent(Square):
    """Says nothing."""

    def backward(self, grad: Any) -> Any:
        return None


class Drowned(Square):
    """Its value hides all of its change."""

    def forward(self, x: Any) -> Any:
        self.x = x
        return 1e18 + x**2


@pytest.mark.parametrize(
    ("thing", "method", "more", "error", "said"),
    [
        (Silent, "backward", {}, AssertionError, "backward by x: it returned nothing"),
        (Drowned, "backward", {}, AssertionError, "backward by x cannot be told here: no value of f moves"),
        (Square, "backward", {"x": np.full((2, 2), np.inf)}, UsageError, "forward is not finite here"),
        (Square, "backward", {"dtype": "float9"}, UsageError, "expected dtype to be among float64, float32, float16"),
        (Square, "back", {}, UsageError, "has no method 'back'"),
    ],
)
def test_a_claim_that_nobody_can_tell_does_not_pass(
    thing: type, method: str, more: dict[str, Any], error: type[Exception], said: str
) -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert_claim(Square, "backward", "x", x=x)
    with pytest.raises(error, match=said):
        assert_claim(thing, method, "x", **{"x": x, **more})
