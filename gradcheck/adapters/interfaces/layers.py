"""Layers and losses that are run forward and asked back, whatever the two methods are called.

    forward(x) → y                       backward(dy) → dx, or (dx, dw, …), or (dx, [dw, …]); or left: self.dw, self.dx
    forward_propagation(x)               backward_propagation(dy, learning_rate), which updates the weights
    updateOutput(x)                      updateGradInput(x, dy), accGradParameters(x, dy)
    forward(y_pred, y_true) → loss       backward(), backward(y_pred, y_true), backward(dvalues, y_true)
    activation(x), loss(y_pred, y_true)  derivative(x), gradient(y_pred, y_true)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.adapters.construct import Made
from gradcheck.adapters.layer import Layer
from gradcheck.adapters.protocol import Interface
from gradcheck.adapters.ways import ways
from gradcheck.errors import CannotBuild
from gradcheck.problem import Problem, Sizes


def recognises(thing: Any) -> bool:
    """A method that goes forward and one that goes back, whose arguments are known."""
    return bool(ways(thing))


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that `made` poses, in the first way in which it answers."""
    error: CannotBuild | None = None
    first: Layer | None = None
    for way in ways(made.obj):
        try:
            found = Layer(made, way, sizes, rng)
        except CannotBuild as problem:
            error = error or problem
            continue
        if found.answers():
            return found.problem()
        first = first or found
    if first is not None:
        return first.problem()
    assert error is not None
    raise error


INTERFACE = Interface("forward(x) and backward(upstream), or methods of other names that do the same", recognises, build)
