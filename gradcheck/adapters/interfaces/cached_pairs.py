"""Functions with a cache: `affine_forward(x, w, b)` returns `(out, cache)`, `affine_backward(dout, cache)` takes it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.adapters import arguments, examples, returned
from gradcheck.adapters.construct import Made
from gradcheck.adapters.handed import Forward
from gradcheck.adapters.protocol import Interface
from gradcheck.problem import Array, Method, Problem, Sizes, Values, Variable


def partner(thing: Any) -> Callable[..., Any] | None:
    """Return `…_backward` beside the function `…_forward`, or None."""
    if not inspect.isfunction(thing) or not thing.__name__.endswith("_forward"):
        return None
    name = thing.__name__.removesuffix("_forward") + "_backward"
    found = getattr(sys.modules.get(thing.__module__), name, None)
    return found if inspect.isfunction(found) and len(inspect.signature(found).parameters) == 2 else None


def recognises(thing: Any) -> bool:
    """A function `…_forward` with its `…_backward(dout, cache)` beside it."""
    return partner(thing) is not None


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that the pair poses. Raises CannotBuild where forward takes more than arrays."""
    f, backward = made.obj, partner(made.obj)
    assert backward is not None

    def runs(arrays: list[Array]) -> None:
        _split(f(*arrays))

    def both(arrays: list[Array]) -> None:
        out, cache = _split(f(*arrays))
        backward(np.ones_like(out), cache)

    roles = arguments.signature_of(f, f).roles
    if made.inputs is not None:
        meanings, given = examples.brought(roles, made.inputs)
    else:
        meanings, given = examples.find(list(roles), sizes, (), rng, runs, both)
    pairs = list(zip(meanings, given, strict=True))
    variables = tuple(Variable(r.name, "input", a, r.constant, r.domain, r.data) for r, a in pairs)
    names, shapes = [v.name for v in variables], [v.example.shape for v in variables]
    constants = [v.name for v in variables if v.constant]

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        _, cache = _split(f(*(np.asarray(values[name]) for name in names)))
        what = backward.__name__
        return lambda cotangents: list(returned.listed(backward(cotangents[0], cache), names, shapes, what, constants))

    return Problem(variables, Forward(f, tuple(names), _output), (Method(backward.__name__, "vjp", tuple(names), at),))


def _output(said: Any) -> Array:
    return _split(said)[0]


def _split(said: Any) -> tuple[Array, Any]:
    if not isinstance(said, tuple) or len(said) != 2:
        raise TypeError("expected forward to return (out, cache)")
    return np.asarray(said[0]), said[1]


def _partners(thing: Any) -> list[Any]:
    found = partner(thing)
    return [] if found is None else [found]


INTERFACE = Interface(
    "f_forward(x, …) that returns (out, cache) beside f_backward(dout, cache)", recognises, build, partners=_partners
)
