"""Finite where the derivative is, and quiet where the result is right."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from gradcheck.contract.setting import Setting, labels, needed
from gradcheck.problem import Array, Problem
from gradcheck.sampling import probabilities

# Where exponentials overflow and squares do not.
EXTREME = 1000.0


def gradients_are_finite(s: Setting) -> Iterator[str]:
    """No NaN and no infinity where outputs and their differences are finite, far out as well."""
    for values in _far_out(s):
        for method in needed(s.methods):
            answer = s.ask(method, values={name: np.array(value) for name, value in values.items()})
            for name, gradient in zip(labels(method, answer), answer, strict=True):
                if gradient is None or np.isfinite(np.asarray(gradient, dtype=float)).all():
                    continue
                if name in values and _smooth(s.problem, values, name):
                    top = float(np.abs(values[name]).max(initial=0.0))
                    yield f"{method.name}[{name}] is not finite for {name} up to ±{top:g}, where the derivative is"


def no_warnings(s: Setting) -> Iterator[str]:
    """No overflow, division by zero or invalid operation is reported where the result is finite."""
    for values in (*_far_out(s), *_at_the_ends(s)):
        steps: list[tuple[str, Callable[[], Any]]] = [("forward", partial(s.problem.forward, dict(values)))]
        steps += [(method.name, partial(s.ask, method, dict(values))) for method in s.methods]
        for name, step in steps:
            with np.errstate(divide="warn", over="warn", invalid="warn"), warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always")
                result = step()
            said = sorted({str(w.message) for w in heard if issubclass(w.category, RuntimeWarning)})
            finite = all(one is None or np.isfinite(np.asarray(one, dtype=float)).all() for one in result)
            if said and finite:
                top = max(
                    float(np.abs(values[v.name]).max(initial=0.0)) for v in s.problem.variables if v.role == "input"
                )
                yield f"{name} warns for inputs up to ±{top:g}, although its result is right: {', '.join(said)}"


def _far_out(s: Setting) -> Iterator[dict[str, Array]]:
    """Yield the values themselves, and real inputs as large as ±1000 where no domain and no given point forbids it."""
    yield s.copies()
    if s.subject.fixed and not s.subject.examples:
        return  # somebody asks about a function at one point: what it does far from there is not the question
    free = [v for v in s.problem.variables if v.role == "input" and v.data == "real" and v.domain is None]
    names = [v.name for v in free if not v.constant and s.values[v.name].dtype.kind == "f" and s.values[v.name].size]
    if not names:
        return
    values = s.copies()
    for name in names:
        top = float(np.abs(values[name]).max()) or 1.0
        values[name] = values[name] * (EXTREME / top)
    outputs = s.problem.forward(values)
    if all(np.isfinite(np.asarray(output, dtype=float)).all() for output in outputs):
        yield values


def _at_the_ends(s: Setting) -> Iterator[dict[str, Array]]:
    """Yield probabilities of 0 and 1, where there are any: a sampled point is about what is claimed there."""
    names = [v.name for v in s.problem.variables if v.data == "probabilities"]
    if names and not (s.subject.fixed and not s.subject.examples):
        yield {**s.copies(), **{name: probabilities(s.rng, s.values[name].shape, edge="at") for name in names}}


def _smooth(problem: Problem, values: dict[str, Array], name: str) -> bool:
    """Whether the outputs are finite on both sides of every entry, and their difference quotients are moderate."""
    x = values[name]
    for index in range(x.size):
        sides = []
        for sign in (-1, 1):
            moved = np.array(x, dtype=float)
            moved.flat[index] += sign * 2.0**-10 * max(1.0, abs(float(x.flat[index])))
            sides.append(problem.forward({**values, name: moved}))
        for low, high in zip(*sides, strict=True):
            if not np.isfinite(np.asarray(high, dtype=float) - np.asarray(low, dtype=float)).all():
                return False
    return True
