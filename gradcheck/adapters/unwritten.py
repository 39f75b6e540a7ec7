"""Losses that code starts from without writing them: `A - Y`, and the rest of the backward pass follows.

Which one is meant is told by what is written: the loss whose slope the code has a method for, else the one that most of
its gradients fit, up to a mean over samples or over all entries. What does not fit it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.problem import Array, Problem

Function = Callable[[Array, Array], Array]


def half_square(a: Array, y: Array) -> Array:
    """½ Σ (a − y)²"""
    return np.asarray(0.5 * np.sum((a - y) ** 2))


def square(a: Array, y: Array) -> Array:
    """Σ (a − y)²"""
    return np.asarray(np.sum((a - y) ** 2))


def binary(a: Array, y: Array) -> Array:
    """−Σ y log a + (1 − y) log (1 − a)"""
    return np.asarray(-np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)))


def categorical(a: Array, y: Array) -> Array:
    """−Σ y log a"""
    return np.asarray(-np.sum(y * np.log(a)))


TABLE: Mapping[str, Function] = {
    "half the squared error": half_square,
    "the squared error": square,
    "binary cross-entropy": binary,
    "cross-entropy": categorical,
}
STEP = 1e-5
FITS = 1e-4


@dataclass(frozen=True)
class Assumed:
    """A loss from the table, over `share` samples (an object, so that it can be sent to other processes).

    `axis` along which samples are counted; None for all entries, -2 for none: a sum.
    """

    name: str
    over: str = ""

    def __call__(self, a: Array, y: Array) -> Array:
        a, y = np.asarray(a), np.asarray(y)
        if y.dtype.kind in "iu" and y.ndim == a.ndim - 1:  # class numbers
            y = np.eye(a.shape[-1])[y]
        count = {"": 1, "rows": len(a) if a.ndim else 1, "columns": a.shape[-1] if a.ndim else 1, "all": a.size}
        return np.asarray(TABLE[self.name](a, y) / count[self.over])

    @property
    def shown(self) -> str:
        """Its name, for people."""
        words = {"": "", "rows": ", over the samples", "columns": ", over the samples", "all": ", over all entries"}
        return f"{self.name}{words[self.over]}"


def candidates() -> Iterator[Assumed]:
    """Every loss of the table, as a sum and as means."""
    for over in ("", "rows", "columns", "all"):
        for name in TABLE:
            yield Assumed(name, over)


def fitting(problem: Problem, rng: np.random.Generator) -> int:
    """How many of the gradients that a problem's first method claims fit its forward: along a random direction each."""
    try:
        return _fitting(problem, rng)
    except Exception:  # other people's code, asked about a loss that is not its own
        return 0


def _fitting(problem: Problem, rng: np.random.Generator) -> int:
    values = {v.name: np.asarray(v.example, dtype=v.example.dtype) for v in problem.variables}
    method = problem.methods[0]
    claimed = method.at({name: array.copy() for name, array in values.items()})([np.ones(())])
    found = 0
    for name, gradient in zip(method.wrt, claimed, strict=True):
        if gradient is None or np.shape(gradient) != values[name].shape or values[name].dtype.kind != "f":
            continue
        along = rng.normal(size=values[name].shape)
        sides = [problem.forward({**values, name: values[name] + sign * STEP * along})[0] for sign in (1, -1)]
        slope, claim = float(sides[0] - sides[1]) / (2 * STEP), float(np.sum(gradient * along))
        found += bool(claim) and abs(slope - claim) <= FITS * max(abs(slope), abs(claim))
    return found
