"""Functions whose gradients people write by hand in a framework, each with a right and a wrong one.

As in `rules.py`; a namespace of arrays has `gather(x, i)`, `scattered(n, i, g)` (what falls on one place is added),
`overwritten(n, i, g)`, `onehot(i, n, like)` and `largest(x)` (of each row, as a column) as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.frameworks.rules import B, Row, V, W, X, softmax

I = np.array([2, 0, 2])
LABELS = np.array([1, 0, 1])
SIGNS = np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
KEPT = np.array([[0.0, 2.0], [2.0, 2.0], [0.0, 2.0]])
SQUARE = W[:, :2].copy()


class Namespace:
    """A framework's functions of arrays, and `own`, which are called differently in each."""

    def __init__(self, module: Any, **own: Any) -> None:
        self.module = module
        vars(self).update(own)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)


def sigmoid(xp, x):
    return 1 / (1 + xp.exp(-x))


def by_row(xp, x):
    return xp.sum(x, -1)[:, None]


def inside(xp, x, g):
    return xp.where(xp.abs(x) < 1, g, 0 * g)


def clip(xp, x):
    return xp.where(xp.abs(x) < 1, x, xp.sign(x))


def elu(xp, x):
    return xp.where(x > 0, x, xp.exp(x) - 1)


def huber(xp, x):
    return xp.where(xp.abs(x) < 1, x**2 / 2, xp.abs(x) - 0.5)


def is_largest(xp, x, g):
    return xp.where(x == xp.largest(x), g[:, None] + 0 * x, 0 * x)


def unit(xp, x):
    return x / xp.sqrt(by_row(xp, x**2))


def deviation(xp, x):
    return xp.sqrt(by_row(xp, (x - by_row(xp, x) / 2) ** 2) / 2 + 1)


def standard(xp, x):
    return (x - by_row(xp, x) / 2) / deviation(xp, x)


def by_standard(xp, g, x, spread=1.0):
    y = standard(xp, x)
    return ((g - by_row(xp, g) / 2 - spread * y * by_row(xp, g * y) / 2) / deviation(xp, x),)


def cross_entropy(xp, x, i):
    return -xp.sum(xp.log(softmax(xp, x)) * xp.onehot(i, 2, x))


def turned(xp, w):
    return xp.swapaxes(w, 0, 1)


USUAL = {
    "ReLU": Row(
        lambda xp, x: xp.where(x > 0, x, 0 * x),
        lambda xp, g, x: (xp.where(x > 0, g, 0 * g),),
        lambda xp, g, x: (xp.where(g > 0, g, 0 * g),),
        (X,),
    ),
    "clip": Row(clip, lambda xp, g, x: (inside(xp, x, g),), lambda xp, g, x: (g * 1.0,), (X,)),
    "sign": Row(lambda xp, x: xp.sign(x), lambda xp, g, x: (0 * g,), lambda xp, g, x: (inside(xp, x / 3, g),), (X,)),
    "abs": Row(
        lambda xp, x: xp.abs(x), lambda xp, g, x: (g * xp.sign(x),), lambda xp, g, x: (g * xp.abs(xp.sign(x)),), (X,)
    ),
    "swish": Row(
        lambda xp, x: x * sigmoid(xp, x),
        lambda xp, g, x: (g * (sigmoid(xp, x) + x * sigmoid(xp, x) * (1 - sigmoid(xp, x))),),
        lambda xp, g, x: (g * (sigmoid(xp, x) + x * sigmoid(xp, x)),),
        (X,),
    ),
    "ELU": Row(
        elu,
        lambda xp, g, x: (xp.where(x > 0, g, g * xp.exp(x)),),
        lambda xp, g, x: (xp.where(x > 0, g, g * elu(xp, x)),),
        (X,),
    ),
    "where": Row(
        lambda xp, i, x, v: xp.where(i[:, None] > 0, x, v),
        lambda xp, g, i, x, v: (None, xp.where(i[:, None] > 0, g, 0 * g), xp.where(i[:, None] > 0, 0 * g, g)),
        lambda xp, g, i, x, v: (None, xp.where(i[:, None] > 0, g, 0 * g), g * 1.0),
        (LABELS, X, V),
        about=2,
    ),
    "squared error": Row(
        lambda xp, x, v: xp.mean((x - v) ** 2),
        lambda xp, g, x, v: (g * (x - v) / 3, g * (v - x) / 3),
        lambda xp, g, x, v: (g * (x - v) / 3, g * (x - v) / 3),
        (X, V),
    ),
    "Huber": Row(
        lambda xp, x, v: xp.sum(huber(xp, x - v)),
        lambda xp, g, x, v: (g * clip(xp, x - v), None),
        lambda xp, g, x, v: (g * (x - v), None),
        (X, V / 2),
        about=1,
    ),
    "hinge": Row(
        lambda xp, x, y: xp.sum(xp.where(x * y < 1, 1 - x * y, 0 * x)),
        lambda xp, g, x, y: (xp.where(x * y < 1, -g * y, 0 * x), None),
        lambda xp, g, x, y: (xp.where(x * y < 1, g * y, 0 * x), None),
        (X, SIGNS),
        about=1,
    ),
    "dropout of a given mask": Row(
        lambda xp, x, kept: x * kept,
        lambda xp, g, x, kept: (g * kept, None),
        lambda xp, g, x, kept: (g * xp.sign(kept), None),
        (X, KEPT),
        about=1,
    ),
    "linear with bias": Row(
        lambda xp, x, w, b: x @ w + b,
        lambda xp, g, x, w, b: (g @ turned(xp, w), turned(xp, x) @ g, xp.sum(g, 0)),
        lambda xp, g, x, w, b: (g @ w, turned(xp, x) @ g, xp.sum(g, 0)),
        (X, SQUARE, B),
    ),
    "softmax cross-entropy": Row(
        cross_entropy,
        lambda xp, g, x, i: (g * (softmax(xp, x) - xp.onehot(i, 2, x)), None),
        lambda xp, g, x, i: (g * (softmax(xp, x) - xp.onehot(i, 2, x)) / 3, None),
        (X, LABELS),
        about=1,
    ),
    "log-softmax": Row(
        lambda xp, x: xp.log(softmax(xp, x)),
        lambda xp, g, x: (g - softmax(xp, x) * by_row(xp, g),),
        lambda xp, g, x: (g - softmax(xp, x) * g,),
        (X,),
    ),
    "rows of length 1": Row(
        unit,
        lambda xp, g, x: ((g - unit(xp, x) * by_row(xp, g * unit(xp, x))) / xp.sqrt(by_row(xp, x**2)),),
        lambda xp, g, x: (g / xp.sqrt(by_row(xp, x**2)),),
        (X,),
    ),
    "layer norm": Row(standard, by_standard, lambda xp, g, x: by_standard(xp, g, x, 0.0), (X,)),
    "largest of a row": Row(
        lambda xp, x: xp.largest(x)[:, 0],
        lambda xp, g, x: (is_largest(xp, x, g),),
        lambda xp, g, x: (g[:, None] / 2 + 0 * x,),
        (X,),
    ),
    "two outputs": Row(
        lambda xp, x, v: (xp.sin(x), x * v),
        lambda xp, g, x, v: (g[0] * xp.cos(x) + g[1] * v, g[1] * x),
        lambda xp, g, x, v: (g[0] * xp.cos(x), g[1] * x),
        (X, V),
    ),
    "gather": Row(
        lambda xp, x, i: xp.gather(x, i),
        lambda xp, g, x, i: (xp.scattered(3, i, g), None),
        lambda xp, g, x, i: (xp.overwritten(3, i, g), None),
        (X, I),
        about=1,
    ),
    "scatter": Row(
        lambda xp, x, i: xp.scattered(3, i, x),
        lambda xp, g, x, i: (xp.gather(g, i), None),
        lambda xp, g, x, i: (g * 1.0, None),
        (X, I),
        about=1,
    ),
}
