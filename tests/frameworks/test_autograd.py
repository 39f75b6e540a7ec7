"""HIPS autograd: primitives with defvjp and defjvp, right and wrong."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from tests.frameworks.rules import ROWS, B, V, W, X
from tests.frameworks.usual import USUAL, Namespace

autograd = pytest.importorskip("autograd")
extend = pytest.importorskip("autograd.extend")

check = gradcheck.check

ALL = {**ROWS, **USUAL}
del ALL["two outputs"]  # autograd's functions have one


def scattered(n, i, g):
    out = np.zeros((n, g.shape[1]), g.dtype)
    np.add.at(out, i, g)
    return out


def overwritten(n, i, g):
    out = np.zeros((n, g.shape[1]), g.dtype)
    out[i] = g
    return out


XP = Namespace(
    np,
    gather=lambda x, i: x[i],
    scattered=scattered,
    overwritten=overwritten,
    onehot=lambda i, n, like: np.eye(n, dtype=like.dtype)[i],
    largest=lambda x: np.max(x, -1, keepdims=True),
)


def made(row, vjp):
    f = extend.primitive(lambda *args: row.forward(XP, *args))
    ones = np.ones_like(row.forward(XP, *row.args))
    about = [n for n, one in enumerate(row.right(XP, ones, *row.args)) if one is not None]
    makers = [lambda ans, *args, n=n: lambda g: vjp(XP, g, *args)[n] for n in about]
    extend.defvjp(f, *makers, argnums=about)
    return f


@pytest.mark.parametrize("name", ALL)
def test_a_right_rule_is_right_and_a_wrong_one_wrong(name):
    row = ALL[name]
    right = check(made(row, row.right), *row.args)
    assert right.verdict == "correct", right
    assert [claim.method for claim in right.claims] == ["vjp"] * row.claims
    assert check(made(row, row.wrong), *row.args).verdict == "wrong"


def test_what_has_no_rule_is_held_fixed_and_named():
    f = extend.primitive(lambda x, w: x @ w)
    with pytest.raises(gradcheck.UsageError, match="derivative of its own, but none was given"):
        check(f, X, W)
    extend.defvjp(f, lambda ans, x, w: lambda g: g @ w.T, argnums=(0,))
    result = check(f, X, W)
    assert result.verdict == "correct"
    assert [claim.wrt for claim in result.claims] == ["x"]
    assert "but nothing by w; w held fixed" in result.reading
    assert check(f, X, W, wrt="w").verdict == "wrong"  # somebody says that it is


def test_forward_rules_are_judged_as_well():
    f = extend.primitive(lambda x, v: np.sin(x) * v)
    extend.defjvp(f, lambda t, ans, x, v: t * np.cos(x) * v, lambda t, ans, x, v: t * np.sin(x))
    result = check(f, X, V)
    assert result.verdict == "correct"
    assert {claim.name for claim in result.claims} == {"jvp[x]", "jvp[v]"}
    extend.defjvp(f, lambda t, ans, x, v: t * np.cos(x) * v, lambda t, ans, x, v: t * np.cos(x))
    wrong = {claim.name: claim.verdict for claim in check(f, X, V).claims}
    assert wrong == {"jvp[x]": "correct", "jvp[v]": "wrong"}


def test_released_rules_pass():
    from autograd import numpy as anp

    assert check(anp.sin, X).verdict == "correct"
    assert check(anp.linalg.solve, np.eye(2) + 0.25 * W[:, :2], B).verdict == "correct"


def test_its_gradient_of_a_function_can_be_handed_over():
    from autograd import numpy as anp

    def f(x):
        return anp.sum(anp.tanh(x) ** 2)

    assert check(f, X, grad=autograd.grad(f)).verdict == "correct"
    assert check(f, X, grad=lambda x: autograd.grad(f)(x) / 2).verdict == "wrong"
