"""Objects that have to be made ready before their first call: `build(input_shape)`, `initialize(optimizer)`.

Some are told the shape of one sample before that: `set_input_shape(shape)`, of a row, an image or a sequence.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from typing import Any

from gradcheck.adapters.construct import duplicate
from gradcheck.adapters.ways import methods
from gradcheck.adapters.words import plain
from gradcheck.problem import Array, Sizes

BUILDERS = (
    *("build", "initialize", "initialise", "init", "setup", "initparams", "initparameters", "initializeparameters"),
    *("initializeweights", "initialiseweights", "initweights", "initializeparams", "resetparameters", "compile"),
)


class Descent:
    """An optimizer of gradcheck's own, for layers that want one: the whole gradient is taken away."""

    learning_rate = lr = 1.0

    def update(self, w: Array, grad: Array, *_: Any) -> Array:
        """w − dL/dw"""
        return w - grad


def prepared(obj: Any, sizes: Sizes) -> Iterator[Any]:
    """Yield copies of `obj` on which a method that makes it ready was called, each one that takes what is known."""
    known = methods(obj)
    shapes: tuple[Any, ...] = (None,)
    if "setinputshape" in known:
        shapes = ((sizes.inputs,), (sizes.inputs, 6, 4), (6, sizes.inputs))
    for name, shape in itertools.product([known[name] for name in BUILDERS if name in known], shapes):
        twin = duplicate(obj)
        try:
            if shape is not None:
                getattr(twin, known["setinputshape"])(shape)
            parameters = list(inspect.signature(getattr(twin, name)).parameters.values())
            given = {
                p.name: _value(p, sizes) for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD
            }
            getattr(twin, name)(**given)
        except Exception:  # somebody else's method, which wants something else
            continue
        yield twin


def _value(parameter: inspect.Parameter, sizes: Sizes) -> Any:
    name = plain(parameter.name)
    if "optim" in name:
        return Descent()
    if "shape" in name:
        return (sizes.inputs,) if "input" in name else (sizes.inputs, sizes.outputs)
    return sizes.outputs if "out" in name or "units" in name else sizes.inputs
