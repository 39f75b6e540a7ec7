"""Costs that are told their weights: methods of a class, read as the functions of a module are.

cost(self, X, y, theta) → J          gradient(self, X, y, theta) → dtheta
loss(self, X, y, w, b) → L           loss_gradient(self, X, y, w, b) → (dw, db)
cost_and_gradient(self, W, X, y)     → (J, dW)
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.adapters import construct
from gradcheck.adapters.calls import building, pairs, words
from gradcheck.adapters.calls.program import Program
from gradcheck.adapters.construct import Made
from gradcheck.adapters.interfaces import framework_rules
from gradcheck.adapters.protocol import Interface, Settled
from gradcheck.adapters.source import owner_of
from gradcheck.adapters.ways import called_on, methods, parameters, ways
from gradcheck.errors import CannotBuild
from gradcheck.problem import Problem, Sizes


def is_told_weights(thing: Any, method: str) -> bool:
    """Whether a method takes weights beside data."""
    names = [p.name for p in parameters(thing, method) if p.default is p.empty]
    weights = [name for name in names if words.WEIGHTS.fullmatch(name)]
    return bool(weights) and len(names) > len(weights)


def pair_of(thing: Any) -> tuple[str, str] | None:
    """The methods of a class that are a cost of weights that it is told, and its gradient at the same place."""
    first = next(iter(ways(thing)), None)
    if first is None or not first.kinds or not all(isinstance(kind, int) for kind in first.kinds):
        return None
    return (first.forward, first.backward[0]) if is_told_weights(thing, first.forward) else None


def values_and_gradients(cls: type) -> Iterator[str]:
    """The methods of a class that are told weights, and return a cost and its gradient."""
    whole = pair_of(cls) or ()
    for name in methods(cls).values():
        function = getattr(cls, name)
        told = inspect.isroutine(function) and name not in whole and is_told_weights(cls, name)
        if told and pairs.value_and_gradient(name, function, words.is_named_after_a_derivative(name)) is not None:
            yield name


def recognises(thing: Any) -> bool:
    """A class with such a pair, or a method that returns both."""
    if inspect.isroutine(thing):
        owner = owner_of(thing)
        return owner is not None and thing.__name__ in values_and_gradients(owner)
    return pair_of(thing) is not None


def parts(thing: Any) -> Iterator[str]:
    """The methods that return a cost and its gradient."""
    if inspect.isclass(thing) and not framework_rules.recognises(thing):
        yield from values_and_gradients(thing)


def make(thing: Any, sizes: Sizes, rng: np.random.Generator, init: Any = None, variant: int = 0) -> Made:
    """Build the class whose method `thing` is, or which it is."""
    if not inspect.isroutine(thing):
        return construct.make(thing, sizes, rng, init, variant)
    return Made((instance(thing, sizes, rng, init, variant), thing.__name__))


def instance(method: Any, sizes: Sizes, rng: np.random.Generator, init: Any, variant: int) -> Any:
    """What a method is called on; a class that cannot be built is asked without its attributes."""
    owner = owner_of(method)
    assert owner is not None
    static = isinstance(inspect.getattr_static(owner, method.__name__), (staticmethod, classmethod))
    if static or called_on(object.__new__(owner), [method.__name__]) is owner:
        return owner
    try:
        return construct.make(owner, sizes, rng, init, variant).obj
    except CannotBuild:
        return object.__new__(owner)


def program_of(obj: Any, name: str, other: str) -> Program:
    """The program of two methods, or (`other` is "") of one that returns both. Raises CannotBuild where it is none."""
    function = getattr(obj, name)
    if other:
        found = pairs.pair(name, function, other, getattr(obj, other))
    else:
        found = pairs.value_and_gradient(name, function, words.is_named_after_a_derivative(name))
    if found is None:
        raise CannotBuild(f"nothing is known about the arguments of {other or name}")
    return found


def _program(made: Made) -> Program:
    if isinstance(made.obj, tuple):
        obj, name = made.obj
        return program_of(obj, name, "")
    pair = pair_of(made.obj)
    if pair is None:
        raise CannotBuild("nothing beside it says what its derivative is")
    return program_of(made.obj, *pair)


def settle(made: Made, rng: np.random.Generator) -> Settled:
    """Find values once."""
    return settled(_program(made))


def settled(program: Program) -> Settled:
    """How a program of methods is read in all sizes."""
    found = building.settled(program)
    return Settled(lambda other, sizes, rng: building.posed_in(program, sizes, rng), found.trial.is_right)


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that the methods pose. Raises CannotBuild where no values are found."""
    return building.posed_in(_program(made), sizes, rng)


INTERFACE = Interface(
    "cost(X, y, theta) beside gradient(X, y, theta) in a class, or a method of weights that returns (cost, gradient)",
    recognises,
    build,
    make,
    settle,
    parts=parts,
)
