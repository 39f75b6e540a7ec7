"""The call for library authors: the test to paste is the call that was made, at smaller values, and it fails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import GradcheckFailure
from gradcheck.literal import literal, written

X = np.array([0.5, -1.25, 2.0])
A = np.array([[1.5, 0.25, -1.0], [2.0, 0.5, 1.0]])
S = np.array([[2.0, 0.5], [0.5, 1.0]])


def linear(x, A):
    return np.sum((A @ x) ** 2)


def linear_grad(x, A):
    return A.T @ (A @ x)


def named(x, kind, n, scale=1.0):
    return scale * np.sum(x**n)


def named_grad(x, kind, n, scale=1.0):
    return scale * np.abs(x) ** (n - 1)


def tree(params):
    return np.sum(params["w"] ** 2) + params["b"][0].sum()


def tree_grad(params):
    return {"w": 2 * params["w"], "b": [2 * np.ones_like(params["b"][0])]}


def pair(x):
    return x @ x, x


def energy(z):
    return np.sum(np.abs(z) ** 2)


def energy_grad(z):
    return z


def trace(S):
    return np.sum(S**2)


def trace_grad(S):
    return S


def cubic(x):
    return np.sum(x**3)


def cubic_grad(x):
    return 3 * x**2


def cubic_hess(x):
    return np.diag(3 * x)


def cubic_hessp(x, p):
    return 3 * x * p


CALLS: dict[str, tuple[Any, tuple[Any, ...], dict[str, Any], str]] = {
    "point": (linear, (X, A), {"grad": linear_grad}, "        grad=linear_grad,"),
    "args": (linear, (X,), {"args": (A,), "grad": linear_grad}, "        args=(np.array([["),
    "static": (named, (X, "p", 3), {"kwargs": {"scale": 2.0}, "grad": named_grad}, '        kwargs={"scale": 2.0},'),
    "wrt": (linear, (X, A), {"wrt": 0, "grad": linear_grad}, '        wrt=["x"],'),
    "tree": (tree, ({"w": X, "b": [X]},), {"grad": tree_grad}, '        {"w": np.array('),
    "jac true": (pair, (X,), {"jac": True}, "        jac=True,"),
    "complex": (energy, (X + 1j,), {"grad": energy_grad}, "j)]),"),
    "symmetric": (trace, (S,), {"symmetric": True, "grad": trace_grad}, "        symmetric=True,"),
    "domain": (linear, (X, A), {"domain": (-9, 9), "grad": linear_grad}, "        domain=(-9, 9),"),
    "hess": (cubic, (X,), {"grad": cubic_grad, "hess": cubic_hess}, "        hess=cubic_hess,"),
    "hessp": (cubic, (X,), {"hessp": cubic_hessp}, "        hessp=cubic_hessp,"),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_test_to_paste_is_the_call_and_fails(name):
    f, point, how, line = CALLS[name]
    result = gradcheck.check(f, *point, **how)
    wrong = next(claim for claim in result.claims if claim.verdict == "wrong")
    assert line in wrong.test
    scope: dict[str, Any] = {}
    exec(wrong.test, scope)
    run = next(one for key, one in scope.items() if key.startswith("test_"))
    with pytest.raises(GradcheckFailure, match="wrong"):
        run()


def test_what_cannot_be_written_has_no_test():
    result = gradcheck.check(linear, X, args=(A,), tangent=lambda x, v: v, grad=linear_grad)
    assert result.verdict == "wrong"
    assert result.claims[0].test == ""


def test_a_value_is_written_as_python_reads_it():
    for value in (
        X,
        A,
        {"a": [1, (2.0,), None, "text", True]},
        (),
        [],
        np.array([1 + 2j]),
        np.float32(0.5),
        np.zeros((0, 3)),
    ):
        text = written(value)
        assert text is not None
        again = eval(text, {"np": np})
        np.testing.assert_equal(again, value)
    for value in (object(), [object()], {"a": np.sin}, np.array(["a"]), {1: {2: ...}}):
        assert written(value) is None
    assert eval(literal(np.array([np.nan, -np.inf], np.float16)), {"np": np}).dtype == np.float16
