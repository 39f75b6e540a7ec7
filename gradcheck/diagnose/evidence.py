"""The facts about one wrong claim, and the questions that every hypothesis asks about them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.asking import layouts
from gradcheck.errors import TimeLimit
from gradcheck.guarded import in_time
from gradcheck.problem import Array, Method, Problem, Values, Variable
from gradcheck.results import Cause

# A claim that follows from an estimate may lose a little more than the estimate's own tolerance.
SLACK = 4.0


@dataclass(frozen=True)
class Evidence:
    """The facts about one wrong claim at one point.

    `claim`, `estimate` and `tolerance` are Jacobians of shape (outputs, variable size): all outputs
    flattened and concatenated, the variable flattened. An entry of infinite tolerance is not judged.

    - `previous`: the values of the call before this one;
    - `message`: the exception's text, or the complaint about a shape, where the claim could not be read
      (then `claim` may hold NaN only);
    - `kinked`: entries at a kink, where either side's derivative may be claimed;
    - `somewhere`: this is a special point, and the claim is right at ordinary ones.
    """

    method: Method
    variable: Variable
    problem: Problem
    values: Values
    outputs: list[Array]
    claim: Array
    estimate: Array
    tolerance: Array
    previous: Values | None = None
    message: str = ""
    kinked: Array | None = None
    somewhere: bool = False

    @property
    def x(self) -> Array:
        """The variable's values, in its own shape."""
        return np.asarray(self.values[self.variable.name])

    @cached_property
    def y(self) -> Array:
        """All outputs, flattened and concatenated."""
        return np.concatenate([np.asarray(output, dtype=float).ravel() for output in self.outputs])

    @cached_property
    def scale(self) -> float:
        """The largest estimate."""
        return float(np.abs(self.estimate).max(initial=0.0))

    @cached_property
    def judged(self) -> Array:
        """Entries that are known well enough to be judged."""
        known: Array = np.isfinite(self.tolerance) & np.isfinite(self.estimate)
        return known

    @cached_property
    def wrong(self) -> Array:
        """Entries whose claim is further from the estimate than the tolerance."""
        with np.errstate(invalid="ignore"):
            near = np.abs(self.claim - self.estimate) <= self.tolerance
        found: Array = self.judged & ~near
        return found

    def smooth(self) -> Evidence:
        """The same, but entries at a kink are not judged."""
        return self if self.kinked is None else replace(self, tolerance=np.where(self.kinked, np.inf, self.tolerance))

    @cached_property
    def readable(self) -> bool:
        """Whether the claim is a Jacobian at all (it may still hold NaN)."""
        return not self.message and self.claim.shape == self.estimate.shape

    @cached_property
    def elementwise(self) -> bool:
        """Whether output k depends on entry k of the variable and on no other."""
        rows, columns = self.estimate.shape
        return rows == columns and rows > 1 and self.vanishes(self.estimate[~np.eye(rows, dtype=bool)])

    @cached_property
    def by_output(self) -> bool:
        """Whether each row of the claim belongs to one output (a gradient of the sum has one row for all)."""
        return len(self.estimate) == self.y.size and self.method.kind != "sum"

    def vanishes(self, entries: Array) -> bool:
        """Whether some entries of a Jacobian are zero beside the others."""
        return bool(np.all(np.abs(entries) <= 1e-9 * self.scale))

    def diagonal(self) -> tuple[Array, Array, Array]:
        """Return the diagonals of claim, estimate and tolerance (of an elementwise function)."""
        return np.diagonal(self.claim), np.diagonal(self.estimate), np.diagonal(self.tolerance)

    def fits(self, candidate: Array, factor: float = 1.0, loss: float = 0.0) -> bool:
        """Whether the claim is `candidate` within what the estimate can tell.

        `factor`: by how much the candidate's tolerance differs from the estimate's; `loss`: what the
        candidate may have lost beyond that, relative to its largest entry.
        """
        if candidate.shape != self.claim.shape or not np.isfinite(candidate[self.judged]).all():
            return False
        lost = loss * float(np.abs(candidate[self.judged]).max(initial=0.0))
        with np.errstate(invalid="ignore"):
            if loss and np.all((np.abs(self.claim - self.estimate) <= SLACK * self.tolerance + lost)[self.judged]):
                return False  # to so few digits the claim is the derivative itself
            near = np.abs(self.claim - candidate) <= SLACK * max(abs(factor), 1e-300) * self.tolerance + lost
        return bool(np.all(near | ~self.judged))

    def ask(self, cotangents: list[Array], values: Values | None = None, times: int = 1) -> list[Any]:
        """Ask the method itself, `times` times in a row; an empty list where it raises."""
        try:
            # Copies: code that is wrong may well write into what it is given.
            given = {name: np.array(value) for name, value in (self.values if values is None else values).items()}
            derivative = self.method.at(given)
            cotangents = [np.array(one) for one in cotangents]
            place = self.method.wrt.index(self.variable.name)
            # Copied at once, for the next answer may be written into the same array.
            return [copy.deepcopy(list(derivative(cotangents))[place]) for _ in range(times)]
        except Exception:  # other people's code: that it raises is no answer to this question
            return []

    def after_asking(self) -> dict[str, Any]:
        """The values that the method was given, as it leaves them; empty where it raises."""
        given = {name: np.array(value) for name, value in self.values.items()}
        try:
            self.method.at(given)([np.array(one) for one in self.generic_cotangents])
        except Exception:  # other people's code: that it raises is no answer to this question
            return {}
        return given

    def said(self, values: Values | None = None) -> Array | None:
        """Ask the method for its product with the generic cotangents; `None` where no such array comes back."""
        answers = self.ask(self.generic_cotangents if self.method.kind == "vjp" else [], values)
        array = numbers(answers[0]) if answers and self.method.kind != "jvp" else None
        if array is None or self.method.kind != "local":
            return array
        try:
            shape = np.shape(self.outputs[0])
            times = layouts.read(array, np.shape(self.x), shape, self.variable.role)
        except ValueError:  # a layout that cannot be read
            return None
        return np.asarray(times(self.generic_cotangents[0]))

    @cached_property
    def generic_cotangents(self) -> list[Array]:
        """Cotangents without zeros or repetitions, so that no sum or permutation of them can hide."""
        flat = np.random.default_rng(0).permutation(self.y.size) / 8 + 0.5
        parts = np.split(flat, np.cumsum([np.size(output) for output in self.outputs])[:-1])
        pairs = zip(parts, self.outputs, strict=True)
        return [part.reshape(np.shape(output)).astype(self.dtype) for part, output in pairs]

    @property
    def dtype(self) -> Any:
        """The floating type in which the claim is asked for."""
        kinds = [np.asarray(output).dtype for output in self.outputs]
        return kinds[0] if kinds and kinds[0].kind == "f" else np.dtype(float)

    def product(self, jacobian: Array) -> Array:
        """Return gᵀ·J in the variable's shape, g being the generic cotangents (ones for a "sum" method)."""
        flat = np.concatenate([np.asarray(part, dtype=float).ravel() for part in self.generic_cotangents])
        if self.method.kind == "sum":
            flat = np.ones(len(jacobian))
        result: Array = (flat @ jacobian).reshape(np.shape(self.x))
        return result

    def measured(self, values: Values, name: str | None = None) -> Array:
        """Return the Jacobian at other values (by another variable), without a bound, as `claim` is laid out.

        NaN, which fits nothing, where forward refuses these values, or computes for too long.
        """
        try:
            jacobian = differences(self.problem, values, name or self.variable.name)
        except (Exception, TimeLimit):  # other people's forward, at values that nobody promised it
            return np.full(self.estimate.shape, np.nan)
        return jacobian.sum(axis=0, keepdims=True) if self.method.kind == "sum" else jacobian


def differences(problem: Problem, values: Values, name: str) -> Array:
    """Return a Jacobian by fourth-order central differences, without a bound: enough to recognise a pattern.

    (8·(f(x + h) − f(x − h)) − (f(x + 2h) − f(x − 2h))) / 12h, with h = 2⁻¹⁰·|x|, or 2⁻¹⁰ where x = 0. Raises TimeLimit
    where one call takes too long: far from where it is meant to be, a solver may never end.
    """
    x = np.asarray(values[name], dtype=float)

    def outputs(index: int, shift: float) -> Array:
        moved = x.copy()
        moved.flat[index] += shift
        with in_time():
            found = problem.forward({**values, name: moved})
        return np.concatenate([np.asarray(one, dtype=float).ravel() for one in found])

    columns = []
    with np.errstate(all="ignore"):
        for index, entry in enumerate(x.flat):
            h = 2.0**-10 * (abs(float(entry)) or 1.0)
            near = outputs(index, h) - outputs(index, -h)
            far = outputs(index, 2 * h) - outputs(index, -2 * h)
            columns.append((8 * near - far) / (12 * h))
    return np.stack(columns, axis=1)


def numbers(answer: Any) -> Array | None:
    """Return an answer as an array of real numbers, `None` where it is none (a ragged list, text, complex)."""
    try:
        array = np.asarray(answer)
    except ValueError:
        return None
    return array if array.dtype.kind in "fiub" else None


def similar(left: Any, right: Array, loss: float = 1e-5) -> bool:
    """Whether two arrays of one shape agree, relative to the largest entry of the second."""
    a = numbers(left)
    if a is None or a.shape != right.shape or not a.size:
        return False
    size = float(np.abs(right).max())
    with np.errstate(invalid="ignore", over="ignore"):
        return size > 0 and bool(np.all(np.abs(a - right) <= loss * size))


def percent(part: Array) -> str:
    """Say how many entries of a mask are set."""
    return f"{int(part.sum())} of {part.size} entries"


__all__ = ["Cause", "Evidence", "differences", "numbers", "percent", "similar"]
