"""`tanh_prime(x)` in a module that has no `tanh`: the function is NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.calls import pairs, words
from gradcheck.adapters.calls.program import Derivative, Leaf, Output, Program, Step


@dataclass(frozen=True)
class Ufunc:
    """A function of NumPy of one argument, by its name (an object, so that it can be sent to other processes)."""

    name: str

    def __call__(self, x: Any) -> Any:
        return getattr(np, self.name)(x)


def derivative_of_a_ufunc(name: str, derivative: Callable[..., Any]) -> Program | None:
    """Return the program of NumPy's function that a name says to be the derivative of; `None` where there is none."""
    for base in words.derivative_bases(name):
        known = getattr(np, next(iter(base)), None) if len(base) == 1 else None
        if isinstance(known, np.ufunc) and known.nin == known.nout == 1:
            return pair(known, name, derivative)
    return None


def pair(ufunc: np.ufunc, name: str, derivative: Callable[..., Any]) -> Program | None:
    """Return the program of a function of NumPy with its derivative; `None` where that takes more than the input."""
    taken = pairs.required(derivative)
    if len(taken) != 1:
        return None
    f = Step(Ufunc(ufunc.__name__), f"np.{ufunc.__name__}", (("x", Leaf("x")),))
    step = Step(derivative, name, ((taken[0].name, Leaf("x")),))
    return Program((f,), (Output(0),), (Derivative(name, "place", step, pairs.names_of(derivative)),))
