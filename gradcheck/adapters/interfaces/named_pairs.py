"""Functions with their derivative beside them: `relu` and `relu_grad`, `mse` and `mse_prime`, `tanh` and `dtanh`."""

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

SUFFIXES = ("_grad", "_gradient", "_prime", "_derivative", "_deriv", "_backward", "_der", "_d")
PREFIXES = ("d", "d_", "grad_", "deriv_", "derivative_", "der_")


def partner(thing: Any) -> Callable[..., Any] | None:
    """Return the function that is named as the derivative of `thing` in the same module, or None."""
    if not inspect.isfunction(thing) or "." in thing.__qualname__:
        return None
    module = sys.modules.get(thing.__module__)
    name = thing.__name__
    for other in [name + suffix for suffix in SUFFIXES] + [prefix + name for prefix in PREFIXES]:
        found = getattr(module, other, None)
        if inspect.isfunction(found) and found is not thing and not _is_derivative_name(name) and _alike(thing, found):
            return found
    return None


def _alike(f: Callable[..., Any], derivative: Callable[..., Any]) -> bool:
    """Whether both take equally many arguments: a derivative at the same place (`dgettext` is none of `gettext`)."""
    first, second = inspect.signature(f).parameters.values(), inspect.signature(derivative).parameters.values()
    fixed = all(p.kind is not p.VAR_POSITIONAL for p in (*first, *second))
    return fixed and len(first) == len(second) > 0


def _is_derivative_name(name: str) -> bool:
    return any(name.endswith(suffix) for suffix in SUFFIXES[:-1])


def recognises(thing: Any) -> bool:
    """A function that has its derivative beside it."""
    return partner(thing) is not None


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that a function and its derivative pose."""
    f = made.obj
    derivative = partner(f)
    assert derivative is not None
    signature = arguments.signature_of(f, f)

    def runs(arrays: list[Array]) -> None:
        returned.filled(f(*arrays))

    def both(arrays: list[Array]) -> None:
        derivative(*arrays)

    if made.inputs is not None:
        meanings, given = examples.brought(signature.roles, made.inputs)
    else:
        meanings, given = examples.find(list(signature.roles), sizes, (), rng, runs, both)
    variables = tuple(
        Variable(r.name, "input", a, r.constant, r.domain, r.data) for r, a in zip(meanings, given, strict=True)
    )
    order = [v.name for v in variables]
    asked = [v for v in variables if not v.constant]
    names, shapes = [v.name for v in asked], [v.example.shape for v in asked]

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        given = [np.asarray(values[name]) for name in order]
        return lambda _: list(returned.listed(derivative(*given), names, shapes, derivative.__name__))

    return Problem(variables, Forward(f, tuple(order)), (Method(derivative.__name__, "local", tuple(names), at),))


def _partners(thing: Any) -> list[Any]:
    found = partner(thing)
    return [] if found is None else [found]


INTERFACE = Interface(
    "f(x, …) beside f_grad, f_prime, df or the like, of the same arguments", recognises, build, partners=_partners
)
