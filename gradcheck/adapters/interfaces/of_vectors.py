"""Functions of one vector as methods of a class, where they are none of rows: read as the functions of a module are.

__call__(self, x): 100 * (x[1] − x[0]²)² + (1 − x[0])²          grad(self, x) → array([…, …])
evaluate(self, p): x, y = p                                      gradient(self, p) → array([…, …])
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from gradcheck.adapters import construct
from gradcheck.adapters.calls import building
from gradcheck.adapters.calls.program import Program
from gradcheck.adapters.construct import Made
from gradcheck.adapters.interfaces import costs
from gradcheck.adapters.interfaces.method_pairs import pairs_of
from gradcheck.adapters.protocol import Interface, Settled
from gradcheck.adapters.source import owner_of
from gradcheck.adapters.ways import pair_ways, ways
from gradcheck.problem import Problem, Sizes


def pair_of(thing: Any) -> tuple[str, str] | None:
    """A method of one argument, and its derivative at the same place."""
    if inspect.isfunction(thing):
        owner = owner_of(thing)
        other = pairs_of(owner).get(thing.__name__) if owner is not None else None
        known = pair_ways(owner, thing.__name__, other) if other is not None else []
    else:
        known = ways(thing)
    return (known[0].forward, known[0].backward[0]) if known and known[0].kinds == (0,) else None


def recognises(thing: Any) -> bool:
    """Two such methods, of a class or (a method of it) in one."""
    return pair_of(thing) is not None


def make(thing: Any, sizes: Sizes, rng: np.random.Generator, init: Any = None, variant: int = 0) -> Made:
    """Build the class whose method `thing` is, or which it is."""
    if not inspect.isfunction(thing):
        return construct.make(thing, sizes, rng, init, variant)
    return Made((costs.instance(thing, sizes, rng, init, variant), pair_of(thing)))


def _program(made: Made) -> Program:
    obj, pair = made.obj if isinstance(made.obj, tuple) else (made.obj, pair_of(made.obj))
    assert pair is not None
    return costs.program_of(obj, *pair)


def settle(made: Made, rng: np.random.Generator) -> Settled:
    """Find values once."""
    return costs.settled(_program(made))


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that the methods pose. Raises CannotBuild where no values are found."""
    return building.posed_in(_program(made), sizes, rng)


INTERFACE = Interface("f(x) of one vector beside its gradient grad(x) in a class", recognises, build, make, settle)
