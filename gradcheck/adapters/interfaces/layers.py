"""Layers and losses that are run forward and asked back, whatever the two methods are called.

forward(x) → y                       backward(dy) → dx, or (dx, dw, …), or (dx, [dw, …]); or left: self.dw, self.dx
forward_propagation(x)               backward_propagation(dy, learning_rate), which updates the weights
updateOutput(x)                      updateGradInput(x, dy), accGradParameters(x, dy)
forward(y_pred, y_true) → loss       backward(), backward(y_pred, y_true), backward(dvalues, y_true)
activation(x), loss(y_pred, y_true)  derivative(x), gradient(y_pred, y_true)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters import weights
from gradcheck.adapters.answering import first_answering
from gradcheck.adapters.averages import is_convention
from gradcheck.adapters.construct import Made
from gradcheck.adapters.convention import AVERAGED
from gradcheck.adapters.evaluation import evaluated
from gradcheck.adapters.layer import Layer
from gradcheck.adapters.plans import plans
from gradcheck.adapters.protocol import Interface, Settled
from gradcheck.adapters.usage import OF_THE_OUTPUT
from gradcheck.adapters.ways import ways
from gradcheck.errors import CannotBuild
from gradcheck.problem import Problem, Sizes


def recognises(thing: Any) -> bool:
    """A method that goes forward and one that goes back, whose arguments are known."""
    return bool(ways(thing))


def settle(made: Made, rng: np.random.Generator) -> Settled:
    """Take the first way in which `made` answers, and read it so in all sizes."""
    usual = _usual(made, rng)
    grown = usual.grows()
    if grown in ("averaged", "whole") and is_convention(type(made.obj), _grows):
        usual.averages = grown
    modes, notes = evaluated(usual)

    def build_in(other: Made, sizes: Sizes, draws: np.random.Generator) -> Problem:
        problem = _posed(Layer(other, usual.way, sizes, draws, usual))
        return replace(problem, notes=(*problem.notes, *notes))

    return Settled(build_in, usual.fits(), modes)


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that `made` poses. Raises CannotBuild where it cannot be called."""
    return _posed(_usual(made, rng, sizes))


def _posed(layer: Layer) -> Problem:
    """What is told the output follows a convention, and so does what a whole package averages."""
    return layer.problem(AVERAGED if layer.averages else OF_THE_OUTPUT if layer.way.kinds == ("output",) else "")


def _grows(made: Made) -> str | None:
    """How the gradients of another layer of the package grow with the batch."""
    return _usual(made, np.random.default_rng(0)).grows() if recognises(made.obj) else None


def _usual(made: Made, rng: np.random.Generator, sizes: Sizes | None = None) -> Layer:
    layer = first_answering(ways(made.obj), lambda way: Layer(made, way, sizes or Sizes(), rng))
    if _is_of_weights(layer):
        raise CannotBuild("its one gradient is that of weights: it has their shape, and the data are called X")
    return layer


def _is_of_weights(layer: Layer) -> bool:
    """`loss(X, y)` with `grad(X, y)` of an object with weights: one row X has the shape of `w`, and is none of it."""
    first, said = layer.tried.roles[0].name, layer.study.said
    if layer.certain or layer.way.takes_upstream or first != "X" or len(layer.tried.roles) < 2:
        return False
    shapes = [slot.array.shape for slot in weights.every(layer.obj)]
    return isinstance(said, np.ndarray) and said.ndim > 0 and said.shape in shapes and any(plans(layer.obj))


INTERFACE = Interface(
    "forward(x) and backward(upstream), or methods of other names that do the same", recognises, build, settle=settle
)
