"""Plain functions with their derivatives: given, or beside them by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.adapters import function_subject, is_subject, subject_of
from gradcheck.errors import UsageError
from gradcheck.problem import Array, Problem, Sizes

X = np.array([0.5, -1.0, 2.0])
W = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def product(x: Array, w: Array) -> Array:
    return w @ x


def jacobians(x: Array, w: Array) -> tuple[Array, Array]:
    by_w = np.zeros((2, 2, 3))
    by_w[0, 0], by_w[1, 1] = x, x
    return w, by_w


def swish(x: Array) -> Array:
    return x * np.tanh(x)


def swish_grad(x: Array) -> Array:
    return np.tanh(x) + x * (1 - np.tanh(x) ** 2)


def hinge(y_true: Array, y_pred: Array) -> Any:
    return np.mean((y_true - y_pred) ** 2)


def hinge_prime(y_true: Array, y_pred: Array) -> Array:
    return 2 * (y_pred - y_true) / y_true.size


def built(*args: Any, **keywords: Any) -> Problem:
    return function_subject(*args, **keywords).build(Sizes(), np.random.default_rng(0))


def ask(problem: Problem, cotangents: list[Array]) -> list[Any]:
    values = {v.name: v.example for v in problem.variables}
    return problem.methods[0].at(values)(cotangents)


@pytest.mark.parametrize("flat", [False, True])
def test_a_jacobian_answers_for_every_cotangent(flat: bool) -> None:
    def jac(x: Array, w: Array) -> list[Array]:
        return [j.reshape(2, -1) if flat else j for j in jacobians(x, w)]

    problem = built(product, (X, W), jac=jac)
    assert [v.name for v in problem.variables] == ["x", "w"]
    by_x, by_w = ask(problem, [np.array([1.0, 10.0])])
    np.testing.assert_array_equal(by_x, W[0] + 10 * W[1])
    np.testing.assert_array_equal(by_w, np.outer([1.0, 10.0], X))


def test_a_nan_stays_in_its_row() -> None:
    problem = built(lambda x: x[:2] * 1, (X,), jac=lambda x: np.array([[1.0, 0, 0], [np.nan, 1, 0]]))
    assert np.isfinite(ask(problem, [np.array([1.0, 0.0])])[0]).all()
    assert np.isnan(ask(problem, [np.array([0.0, 1.0])])[0][0])


def test_a_jacobian_of_the_wrong_shape_is_refused() -> None:
    problem = built(product, (X, W), jac=lambda x, w: (w.T, jacobians(x, w)[1]))
    with pytest.raises(
        ValueError, match=r"expected jac to return a Jacobian of shape \(2, 3\), but got shape \(3, 2\)"
    ):
        ask(problem, [np.ones(2)])


def test_vjp_jvp_and_grad() -> None:
    vjp = built(product, (X, W), vjp=lambda x, w, g: (g @ w, np.outer(g, x)))
    np.testing.assert_array_equal(ask(vjp, [np.ones(2)])[0], W.sum(axis=0))
    jvp = built(product, (X, W), jvp=lambda x, w, dx, dw: w @ dx + dw @ x)
    assert jvp.methods[0].kind == "jvp"
    np.testing.assert_array_equal(ask(jvp, [X, 0 * W])[0], W @ X)
    grad = built(lambda x: np.sum(x**2), (X,), grad=lambda x: 2 * x)
    assert grad.methods[0].kind == "sum"
    np.testing.assert_array_equal(ask(grad, [])[0], 2 * X)


def test_names_come_from_the_signature_or_the_caller() -> None:
    assert [v.name for v in built(lambda *args: args[0] * args[1], (X, X), grad=lambda x, y: (y, x)).variables] == [
        "x0",
        "x1",
    ]
    assert [v.name for v in built(np.sin, (X,), grad=np.cos).variables] == ["x"]
    assert [v.name for v in built(product, (X, W), grad=product, names=["a", "b"]).variables] == ["a", "b"]


@pytest.mark.parametrize(
    ("args", "keywords", "message"),
    [
        ((3, (X,)), {"grad": np.cos}, "expected a function to differentiate, but got int"),
        ((np.sin, (X,)), {}, "nothing to check: give a derivative as jac=, grad=, deriv=, vjp= or jvp="),
        ((np.sin, (X,)), {"grad": 3}, "expected grad to be a function, but got int: pass it uncalled"),
        ((np.sin, ()), {"grad": np.cos}, "nothing to differentiate by"),
        ((np.sin, (["a"],)), {"grad": np.cos}, "real or complex numbers, .* but x is a list of dtype <U1"),
        ((np.sin, ([[1], [1, 2]],)), {"grad": np.cos}, "real or complex numbers, .* but x is a list that is no array"),
        ((np.sin, (X,)), {"grad": np.cos, "names": ["a", "b"]}, "expected 1 different names, one for each argument"),
    ],
)
def test_calls_that_make_no_sense_are_refused(args: Any, keywords: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        function_subject(*args, **keywords)


def test_a_derivative_beside_a_function_is_found_by_name() -> None:
    assert is_subject(swish)
    assert not is_subject(swish_grad)
    problem = subject_of(swish).build(Sizes(), np.random.default_rng(0))
    [method] = problem.methods
    assert (method.name, method.kind, method.wrt) == ("swish_grad", "local", ("x",))
    loss = subject_of(hinge).build(Sizes(), np.random.default_rng(0))
    assert loss.methods[0].wrt == ("y_pred",)
    assert loss.variable("y_true").constant


def logistic_loss(w: Array, X: Array, y: Array) -> tuple[Any, Array]:
    """Labels −1 and 1, weights of a sigmoid that is written as a softplus."""
    margins = y * (X @ w)
    return np.logaddexp(0, -margins).mean(), -X.T @ (y * np.exp(-np.logaddexp(0, margins))) / len(y)


def test_labels_that_weight_a_softplus_are_not_one_hot_rows() -> None:
    problem = subject_of(logistic_loss).build(Sizes(), np.random.default_rng(0))
    assert problem.variable("y").example.ndim == 1
    assert gradcheck.check(logistic_loss).verdict == "correct"


def test_the_gradient_that_comes_with_a_value_is_made_anew_for_every_answer() -> None:
    assert not [note.text for note in gradcheck.check(logistic_loss).notes if "its next answer" in note.text]
