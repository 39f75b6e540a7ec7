"""Weights and data that a constructor takes ready-made: the shapes that are tried, in their order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.problem import Sizes

Shape = tuple[int, ...]

# One set of shapes that go together, for each kind of name; b is the batch, i and o the sizes of a layer.
Set = Mapping[str, Callable[[int, int, int], Shape]]
SETS: tuple[Set, ...] = (
    {"w": lambda b, i, o: (i, o), "b": lambda b, i, o: (o,), "wh": lambda b, i, o: (o, o), "y": lambda b, i, o: (b, o)},
    {
        "w": lambda b, i, o: (i, o),
        "b": lambda b, i, o: (1, o),
        "wh": lambda b, i, o: (o, o),
        "scale": lambda b, i, o: (i,),
        "y": lambda b, i, o: (b, 1),
    },
    {
        "w": lambda b, i, o: (o, i),
        "b": lambda b, i, o: (o, 1),
        "wh": lambda b, i, o: (o, o),
        "scale": lambda b, i, o: (1, i),
    },
    {"w": lambda b, i, o: (o, i), "b": lambda b, i, o: (o,)},
    {"w": lambda b, i, o: (o, i, 2, 2), "b": lambda b, i, o: (o,)},
    {"w": lambda b, i, o: (2, 2, i, o), "b": lambda b, i, o: (o,)},
    {"w": lambda b, i, o: (i, 4 * o), "b": lambda b, i, o: (4 * o,), "wh": lambda b, i, o: (o, 4 * o)},
    {"w": lambda b, i, o: (i, 3 * o), "b": lambda b, i, o: (3 * o,), "wh": lambda b, i, o: (o, 3 * o)},
    {"square": lambda b, i, o: (i, i), "b": lambda b, i, o: (i,), "scale": lambda b, i, o: (i,)},
)
SQUARE = re.compile(r"A|H|K|M|P|Q|S|[Ss]igma|[Cc]ov(ariance)?|[Pp]recision")
KINDS = (
    ("wh", re.compile(r"w_?h+|w_?hh|u")),
    ("w", re.compile(r"w|weights?|w_?x|w_?xh|w_?ih|kernels?|filters?|param|parameter|w\d|weight_?matrix")),
    ("b", re.compile(r"b|bias|biases|b_?x|b_?h|b\d")),
    ("scale", re.compile(r"gamma|beta|scale|shift|gain")),
    ("x", re.compile(r"x|data")),
    ("y", re.compile(r"y|targets?|labels?|t")),
)


def kind_of(name: str) -> str | None:
    """What an argument of this name may be, if it is an array."""
    if SQUARE.fullmatch(name):
        return "square"
    return next((kind for kind, pattern in KINDS if pattern.fullmatch(name.lower())), None)


def ready_made(name: str, sizes: Sizes, variant: int) -> Any:
    """Return an array for a constructor's argument; None where the name says nothing, or no array in this variant."""
    kind = kind_of(name)
    if kind is None:
        return None
    b, i, o = sizes.batch, sizes.inputs, sizes.outputs
    if kind == "x":
        return _numbers((b, i))
    shape = SETS[variant].get(kind, SETS[0].get(kind))
    if shape is None:
        return None
    numbers = _numbers(shape(b, i, o))
    if kind == "square":  # those of quadratic forms and of normal distributions are symmetric and positive
        return np.eye(len(numbers)) + 0.25 * numbers @ numbers.T
    return np.round(np.abs(numbers)) if kind == "y" else numbers


def _numbers(shape: Shape) -> Any:
    return np.linspace(-1, 1, int(np.prod(shape))).reshape(shape)
