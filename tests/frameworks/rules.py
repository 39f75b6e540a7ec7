"""Twenty functions with a right and a wrong vjp each, in whichever namespace of arrays they are called with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

X = np.array([[0.5, -1.25], [2.0, 0.75], [-0.5, 1.5]])
V = np.array([[1.5, 0.25], [-1.0, 2.0], [0.75, -0.5]])
W = np.array([[1.0, -0.5, 0.25, 2.0], [0.5, 1.5, -1.0, 0.75]])
B = np.array([0.5, -2.0])
P = np.array([[0.5, 1.25], [2.0, 0.75], [1.5, 3.0]])


@dataclass(frozen=True)
class Row:
    """`forward(xp, *args)`, and `right(xp, g, *args)` and `wrong(xp, g, *args)`, which return a tuple.

    Of several outputs, `g` is a tuple. `about`: of how many arguments they are no None; None of all.
    """

    forward: Callable[..., Any]
    right: Callable[..., Any]
    wrong: Callable[..., Any]
    args: tuple[Any, ...]
    about: int | None = None

    @property
    def claims(self) -> int:
        """How many arguments a derivative is claimed by."""
        return len(self.args) if self.about is None else self.about


def holds(row, made, of, check):
    """The right vjp of a row is right, in the types and as sharply as it should be, and the wrong one wrong.

    `made(row, vjp)` writes it for a framework, `of` makes its arrays of NumPy's, and `check` checks it.
    """
    right = check(made(row, row.right), *map(of, row.args))
    assert right.verdict == "correct", right
    assert [claim.method for claim in right.claims] == ["vjp"] * row.claims
    assert {at.dtype for at in right.claims[0].points} == {"float64", "float32"}
    assert max(claim.resolution for claim in right.claims) < 1e-8
    assert check(made(row, row.wrong), *row.args).verdict == "wrong"


def softmax(xp, x):
    e = xp.exp(x)
    return e / xp.sum(e, -1)[:, None]


def by_softmax(xp, g, x):
    s = softmax(xp, x)
    return (s * (g - xp.sum(g * s, -1)[:, None]),)


def norm(xp, x):
    return xp.sqrt(xp.sum(x**2))


def leaky(xp, x, slope):
    return xp.where(x > 0, xp.ones_like(x), slope * xp.ones_like(x))


ROWS = {
    "sin": Row(lambda xp, x: xp.sin(x), lambda xp, g, x: (g * xp.cos(x),), lambda xp, g, x: (-g * xp.cos(x),), (X,)),
    "square": Row(lambda xp, x: x**2, lambda xp, g, x: (2 * x * g,), lambda xp, g, x: (x * g,), (X,)),
    "exp": Row(lambda xp, x: xp.exp(x), lambda xp, g, x: (g * xp.exp(x),), lambda xp, g, x: (xp.exp(x),), (X,)),
    "log": Row(lambda xp, x: xp.log(x), lambda xp, g, x: (g / x,), lambda xp, g, x: (g / x**2,), (P,)),
    "sqrt": Row(
        lambda xp, x: xp.sqrt(x), lambda xp, g, x: (g / (2 * xp.sqrt(x)),), lambda xp, g, x: (g / xp.sqrt(x),), (P,)
    ),
    "tanh": Row(
        lambda xp, x: xp.tanh(x),
        lambda xp, g, x: (g * (1 - xp.tanh(x) ** 2),),
        lambda xp, g, x: (g * (1 - xp.tanh(x)),),
        (X,),
    ),
    "sigmoid": Row(
        lambda xp, x: 1 / (1 + xp.exp(-x)),
        lambda xp, g, x: (g * xp.exp(-x) / (1 + xp.exp(-x)) ** 2,),
        lambda xp, g, x: (g * x * (1 - x),),
        (X,),
    ),
    "softplus": Row(
        lambda xp, x: xp.log1p(xp.exp(x)),
        lambda xp, g, x: (g / (1 + xp.exp(-x)),),
        lambda xp, g, x: (g / (1 + xp.exp(x)),),
        (X,),
    ),
    "product": Row(
        lambda xp, x, v: x * v, lambda xp, g, x, v: (g * v, g * x), lambda xp, g, x, v: (g * v, g * v), (X, V)
    ),
    "quotient": Row(
        lambda xp, x, p: x / p,
        lambda xp, g, x, p: (g / p, -g * x / p**2),
        lambda xp, g, x, p: (g / p, g * x / p**2),
        (X, P),
    ),
    "matmul": Row(
        lambda xp, x, w: x @ w,
        lambda xp, g, x, w: (g @ xp.swapaxes(w, 0, 1), xp.swapaxes(x, 0, 1) @ g),
        lambda xp, g, x, w: (g @ xp.swapaxes(w, 0, 1), xp.swapaxes(x, 0, 1) @ g / len(x)),
        (X, W),
    ),
    "sum of squares": Row(lambda xp, x: xp.sum(x**2), lambda xp, g, x: (2 * g * x,), lambda xp, g, x: (g * x,), (X,)),
    "sum over the batch": Row(
        lambda xp, x: xp.sum(x, 0),
        lambda xp, g, x: (g * xp.ones_like(x),),
        lambda xp, g, x: (g * xp.ones_like(x) / len(x),),
        (X,),
    ),
    "transpose": Row(
        lambda xp, x: xp.swapaxes(x, 0, 1) * 1.0,
        lambda xp, g, x: (xp.swapaxes(g, 0, 1) * 1.0,),
        lambda xp, g, x: (xp.reshape(g, x.shape) * 1.0,),
        (X,),
    ),
    "bias": Row(
        lambda xp, x, b: x + b,
        lambda xp, g, x, b: (g * 1.0, xp.sum(g, 0)),
        lambda xp, g, x, b: (g * 1.0, xp.mean(g, 0)),
        (X, B),
    ),
    "cumulative sum": Row(
        lambda xp, x: xp.cumsum(x, 0),
        lambda xp, g, x: (xp.flip(xp.cumsum(xp.flip(g, (0,)), 0), (0,)),),
        lambda xp, g, x: (xp.cumsum(g, 0),),
        (X,),
    ),
    "softmax": Row(softmax, by_softmax, lambda xp, g, x: (g * softmax(xp, x) * (1 - softmax(xp, x)),), (X,)),
    "log-sum-exp": Row(
        lambda xp, x: xp.log(xp.sum(xp.exp(x), -1)),
        lambda xp, g, x: (g[:, None] * softmax(xp, x),),
        lambda xp, g, x: (g[:, None] * xp.exp(x),),
        (X,),
    ),
    "leaky ReLU": Row(
        lambda xp, x: x * leaky(xp, x, 0.1),
        lambda xp, g, x: (g * leaky(xp, x, 0.1),),
        lambda xp, g, x: (g * leaky(xp, x, 0.0),),
        (X,),
    ),
    "norm": Row(norm, lambda xp, g, x: (g * x / norm(xp, x),), lambda xp, g, x: (g * x,), (X,)),
}
