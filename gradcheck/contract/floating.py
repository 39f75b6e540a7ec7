"""Quiet where the result is right: a warning that cries wolf hides the one that does not."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from gradcheck.contract.setting import Setting
from gradcheck.errors import shown
from gradcheck.problem import Array, Method
from gradcheck.sampling.draw import probabilities

# Where exponentials overflow and squares do not.
EXTREME = 1000.0


def no_warnings(s: Setting) -> Iterator[str]:
    """No overflow, division by zero or invalid operation is reported where the result is finite.

    A warning belongs to who raised it: forward, or a derivative after its forward.
    """
    for values in (s.copies(), *_far_out(s), *_at_the_ends(s)):
        top = max(float(np.abs(values[v.name]).max(initial=0.0)) for v in s.problem.variables if v.role == "input")
        forward, result = _heard(partial(s.problem.forward, dict(values)))
        if not _finite(result):
            continue
        if forward:
            yield f"forward warns for inputs up to ±{top:g}, although its result is right: {forward}"
        for method in s.methods:
            said, result = _heard(*_asking(s, method, values))
            if said and _finite(result):
                yield f"{method.name} warns for inputs up to ±{top:g}, although its result is right: {said}"


def _asking(s: Setting, method: Method, values: dict[str, Array]) -> tuple[Callable[..., Any], Any]:
    """Run forward, and return the question alone."""
    derivative = method.at({name: np.array(value) for name, value in values.items()})
    return derivative, s.arguments(method)


def _heard(step: Callable[..., Any], *args: Any) -> tuple[str, Any]:
    """Run something; return the floating-point warnings that it raised, each with its line, and its result."""
    with np.errstate(divide="warn", over="warn", invalid="warn"), warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        result = step(*args)
    said = [f"{w.message} ({shown(w.filename)}, line {w.lineno})" for w in heard if _is_floating(w)]
    return ", ".join(dict.fromkeys(said)), result


def _is_floating(warning: warnings.WarningMessage) -> bool:
    return issubclass(warning.category, RuntimeWarning)


def _finite(result: Any) -> bool:
    return all(one is None or bool(np.isfinite(np.asarray(one, dtype=float)).all()) for one in result)


def _far_out(s: Setting) -> Iterator[dict[str, Array]]:
    """Yield real inputs as large as ±1000 where no domain and no example forbids it."""
    if s.subject.fixed:
        return  # somebody asks about these points: what it does far from there is not the question
    free = [v for v in s.problem.variables if v.role == "input" and v.data == "real" and v.domain is None]
    names = [v.name for v in free if not v.constant and s.values[v.name].dtype.kind == "f" and s.values[v.name].size]
    if names:
        values = s.copies()
        for name in names:
            values[name] = values[name] * (EXTREME / (float(np.abs(values[name]).max()) or 1.0))
        yield values


def _at_the_ends(s: Setting) -> Iterator[dict[str, Array]]:
    """Yield probabilities of 0 and 1, where there are any: a sampled point is about what is claimed there."""
    names = [v.name for v in s.problem.variables if v.data == "probabilities"]
    if names and not s.subject.fixed:
        yield {**s.copies(), **{name: probabilities(s.rng, s.values[name].shape, edge="at") for name in names}}
