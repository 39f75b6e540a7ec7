"""Objects that have to be made ready before their first call: `build(input_shape)`, `initialize(optimizer)`.

A shape is that of one sample, unless the code itself hands on the shape of all data: `self.build(x.shape)`.
Some are told the shape of one sample before that: `set_input_shape(shape)`, of a row, an image or a sequence.
"""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Iterator
from typing import Any

from gradcheck.adapters.construct import duplicate
from gradcheck.adapters.ways import methods
from gradcheck.adapters.words import plain
from gradcheck.problem import Array, Sizes
from gradcheck.syntax import nodes

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
            wanted = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
            batch = (sizes.batch,) if _is_told_all(obj, name) else ()
            given = {p.name: _value(p, sizes, batch) for p in wanted}
            getattr(twin, name)(**given)
        except Exception:  # somebody else's method, which wants something else
            continue
        yield twin


def _is_told_all(obj: Any, name: str) -> bool:
    """Whether the class hands the shape of an array to this method of its own."""
    every = (one for owner in type(obj).__mro__ for one in vars(owner).values() if inspect.isfunction(one))
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        and any(isinstance(one, ast.Attribute) and one.attr == "shape" for one in node.args)
        for method in every
        for node in nodes(method)
    )


def _value(parameter: inspect.Parameter, sizes: Sizes, batch: tuple[int, ...]) -> Any:
    name = plain(parameter.name)
    if "optim" in name:
        return Descent()
    if "shape" in name:
        return (*batch, sizes.inputs) if batch or "input" in name else (sizes.inputs, sizes.outputs)
    return sizes.outputs if "out" in name or "units" in name else sizes.inputs
