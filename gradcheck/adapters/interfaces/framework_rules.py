"""Derivatives written for a framework that the checked code has imported, as they stand in a file.

class Cube(torch.autograd.Function):       @jax.custom_vjp                                      @tf.custom_gradient
    forward(ctx, x), backward(ctx, g)      def cube(x): …    cube.defvjp(forward, backward)     def cube(x): …
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters import arguments, construct, examples
from gradcheck.adapters.construct import Made
from gradcheck.adapters.frameworks import FRAMEWORKS, Brought, brought
from gradcheck.adapters.frameworks.protocol import Rule
from gradcheck.adapters.frameworks.rules import OnArrays
from gradcheck.adapters.handed import Claims
from gradcheck.adapters.handed.posing import posed
from gradcheck.adapters.protocol import Interface
from gradcheck.adapters.source import owner_of
from gradcheck.errors import CannotBuild, UsageError
from gradcheck.problem import Problem, Sizes


def recognises(thing: Any) -> bool:
    """Whether it brings a derivative of a framework's. A module has its weights already, and is made by its class."""
    return _known(thing) is not None


def partners(thing: Any) -> list[Any]:
    """The functions that a decorated one keeps: its forward and backward rules."""
    return [] if inspect.isclass(thing) else [one for one in vars(thing).values() if inspect.isfunction(one)]


def _known(thing: Any) -> tuple[Any, Rule] | None:
    for name, make in FRAMEWORKS.items():
        if name in sys.modules and callable(thing):
            framework = make()
            try:
                rule = framework.rule(thing, ())
            except UsageError:  # a class of modules
                continue
            if rule is not None and not rule.weights and rule.still is None:
                return framework, rule
    return None


def make(thing: Any, sizes: Sizes, rng: np.random.Generator, init: Mapping[str, Any] | None, variant: int) -> Made:
    """The function itself; of a method that of an object of its class."""
    owner = None if inspect.isclass(thing) else owner_of(thing)
    if owner is None:
        return Made(thing)
    return Made(getattr(construct.make(owner, sizes, rng, init, variant).obj, thing.__name__))


def parts(thing: Any) -> Iterator[str]:
    """The methods of a class that bring a derivative each."""
    if inspect.isclass(thing) and not recognises(thing):
        written = {name: one.__func__ if isinstance(one, staticmethod) else one for name, one in vars(thing).items()}
        yield from (name for name, one in written.items() if not inspect.isclass(one) and recognises(one))


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Arrays that it takes are found; what it claims there is asked as the framework asks."""
    known = _known(made.obj)
    assert known is not None
    framework, rule = known
    names = list(inspect.signature(rule.forward).parameters)[rule.skip :]
    function = OnArrays(framework, rule.call, rule.forward, flat=True)
    _, given = examples.find(arguments.roles_of(names), sizes, (), rng, lambda arrays: function(*arrays))
    found = brought(made.obj, given, ())
    assert isinstance(found, Brought)
    try:
        call, claims = found.posed((), None, None, None, Claims(), False)
    except UsageError as error:
        raise CannotBuild(str(error)) from error
    problem = posed(call, claims)
    written = {kind: one for kind, one in (("vjp", rule.vjp), ("jvp", rule.jvp)) if one is not rule.forward}
    named = (replace(m, name=getattr(written.get(m.name), "__name__", m.name)) for m in problem.methods)
    return replace(problem, methods=tuple(named))


INTERFACE = Interface(
    "a derivative written for PyTorch, JAX, TensorFlow or autograd, where the code imports it",
    recognises,
    build,
    make,
    partners=partners,
    parts=parts,
)
