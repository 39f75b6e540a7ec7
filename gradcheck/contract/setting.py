"""A subject at one point, the questions that can be put to it, and when two answers are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.problem import Array, Method, Problem, Subject, Values
from gradcheck.replaced import precision_of_numpy

Answer = list[Any]

# Roundings that two ways to the same number may differ by.
ROUNDINGS = 256.0


class NotTried(Exception):
    """An item has no meaning for this subject; the message says why."""


@dataclass(frozen=True)
class Setting:
    """One subject at one point, with the methods that answer there. Of a `case`, no second object can be built."""

    subject: Subject
    problem: Problem
    values: dict[str, Array]
    outputs: list[Array]
    methods: tuple[Method, ...]
    rng: np.random.Generator
    case: bool = False

    def arguments(self, method: Method) -> list[Array]:
        """Draw what the method is asked with: a cotangent per output, a tangent per variable, or nothing."""
        if method.kind == "vjp":
            return [self._draw(output) for output in self.outputs]
        return [self._draw(self.values[name]) for name in method.wrt] if method.kind == "jvp" else []

    def _draw(self, like: Array) -> Array:
        kind = like.dtype if like.dtype.kind == "f" else np.dtype(float)
        size = self.rng.integers(1, 32, size=like.shape) / 16
        return np.asarray(size * self.rng.choice([-1, 1], size=like.shape), dtype=kind)

    def copies(self) -> dict[str, Array]:
        """Copies of the values, to be handed to code that may write into them."""
        return {name: np.array(value) for name, value in self.values.items()}

    def judged(self, method: Method, answer: Sequence[Any]) -> list[tuple[str, Any]]:
        """Pair the items of an answer with what they are about, without what the subject waives."""
        about = method.wrt if len(answer) == len(method.wrt) else [f"output {n}" for n in range(len(answer))]
        pairs = zip(about, answer, strict=True)
        return [(name, one) for name, one in pairs if f"{method.name}[{name}]" not in self.subject.waivers]

    def ask(self, method: Method, values: Values | None = None, arguments: list[Array] | None = None) -> Answer:
        """Ask one method at a fresh call; what comes back is copied, so that nobody can change it later."""
        derivative = method.at(self.copies() if values is None else values)
        return copied(derivative(self.arguments(method) if arguments is None else arguments))


def copied(answer: Sequence[Any]) -> Answer:
    """Copy what a method returned: it may hand out an array that it goes on using."""
    return [None if one is None else np.array(one) for one in answer]


def copies_of(arrays: list[Array]) -> list[Array]:
    return [np.array(one) for one in arrays]


def needed(methods: Sequence[Method], why: str = "no derivative method answers") -> Sequence[Method]:
    if not methods:
        raise NotTried(why)
    return methods


def reordered(value: Array) -> Array:
    """Values that are legal wherever these are, in another order."""
    return np.array(value.ravel()[::-1].reshape(value.shape)) if value.ndim < 2 else np.array(value[::-1])


def identical(a: Array, b: Array) -> bool:
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f" and b.dtype.kind == "f")


def agree(first: Answer, second: Answer) -> bool:
    """Whether two answers are the same, up to the order of summation."""
    if len(first) != len(second):
        return False
    for a, b in zip(first, second, strict=True):
        if (a is None) != (b is None):
            return False
        if a is not None and (np.shape(a) != np.shape(b) or not near(a, b, float(np.abs(b).max(initial=0.0)))):
            return False
    return True


def near(a: Any, b: Any, size: float, others: Sequence[Array] = ()) -> bool:
    """|a − b| ≤ some roundings of `size` in the coarsest of the two types and those of `others`; NaN is NaN."""
    left, right = np.asarray(a), np.asarray(b)
    floats = [np.dtype(precision_of_numpy()), *(one.dtype for one in (left, right, *others) if one.dtype.kind == "f")]
    eps = max(float(np.finfo(dtype).eps) for dtype in floats)
    with np.errstate(invalid="ignore"):
        close = np.abs(left - right) <= ROUNDINGS * eps * size
    return bool(np.all(close | (left == right) | (np.isnan(left) & np.isnan(right))))
