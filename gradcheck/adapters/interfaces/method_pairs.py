"""Methods with their derivative beside them in one class, whatever else the class is.

sigmoid(self, z)                 sigmoid_prime(self, z), sigmoid_derivative(a), relu_backward(dA, Z)
linear_forward(A, W, b)          linear_backward(dZ, cache)
relu(self, x, deriv=False)       the same, with deriv=True
grad(self, x)                    grad2(self, x), the derivative of the derivative
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.adapters.answering import first_answering
from gradcheck.adapters.calls import building
from gradcheck.adapters.calls.program import Program
from gradcheck.adapters.construct import Made
from gradcheck.adapters.interfaces import costs, framework_rules
from gradcheck.adapters.layer import Layer
from gradcheck.adapters.plans import plans
from gradcheck.adapters.protocol import Interface, Settled
from gradcheck.adapters.source import owner_of
from gradcheck.adapters.usage import OF_THE_OUTPUT, takes_the_output
from gradcheck.adapters.ways import Way, inputs_of, methods, pair_ways, parameters, ways
from gradcheck.adapters.words import DERIVATIVES, FORWARDS, plain
from gradcheck.problem import Problem, Sizes

AFTER = ("grad", "gradient", "prime", "derivative", "deriv", "derivate", "der", "backward", "d", "backprop")
FRONT = ("d", "grad", "gradient", "deriv", "derivative", "der", "derivativeof", "primeof")
SWITCHES = frozenset({"deriv", "derivative", "derive", "derivate", "prime", "grad", "gradient", "der", "isderiv"})


class Switched:
    """A method with a switch, as two: the function, and its derivative."""

    def __init__(self, obj: Any, method: str, switch: str) -> None:
        self.obj = obj
        self.method = method
        self.switch = switch

    def function(self, *given: Any) -> Any:
        """With the switch off."""
        return getattr(self.obj, self.method)(*given)

    def derivative(self, *given: Any) -> Any:
        """With the switch on."""
        return getattr(self.obj, self.method)(*given, **{self.switch: True})


def pairs_of(cls: type) -> dict[str, str]:
    """Return the methods of a class that have a derivative beside them, with its name; a switch's for itself.

    The pair that the class as a whole is read by is none of them.
    """
    known = methods(cls)
    whole = {name for way in ways(cls) for name in (way.forward, *way.backward)}
    whole |= {name for plan in plans(cls) for name in (plan.forward, plan.loss, plan.backward) if name}
    found: dict[str, str] = {}
    for stem, name in known.items():
        if stem in DERIVATIVES and (second := known.get(f"{stem}2")) is not None:
            found[name] = second
            continue
        if name.startswith("_") or name in whole or stem in FORWARDS:
            continue
        partners = [stem + end for end in AFTER] + [front + stem for front in FRONT]
        partners += [stem.replace("forward", "backward")] if "forward" in stem else []
        partner = next((known[one] for one in partners if one in known and one != stem), None)
        if partner is not None and partner not in whole:
            found[name] = partner
        elif switch := _switch(cls, name):
            found[name] = switch
    return {name: other for name, other in found.items() if name not in found.values()}


def _switch(cls: type, name: str) -> str | None:
    return next((p.name for p in parameters(cls, name) if plain(p.name) in SWITCHES and p.default is False), None)


def recognises(thing: Any) -> bool:
    """A method of a class in which its derivative stands beside it."""
    if not inspect.isfunction(thing):
        return False
    owner = owner_of(thing)
    return owner is not None and thing.__name__ in pairs_of(owner)


def parts(thing: Any) -> Iterator[str]:
    """The methods of a class that have their derivative beside them; a framework's function is judged as a whole."""
    if inspect.isclass(thing) and not framework_rules.recognises(thing):
        yield from pairs_of(thing)


def make(thing: Any, sizes: Sizes, rng: np.random.Generator, init: Any = None, variant: int = 0) -> Made:
    """Build the class; one that cannot be built is asked without its attributes."""
    owner = owner_of(thing)
    assert owner is not None
    return Made((costs.instance(thing, sizes, rng, init, variant), thing, pairs_of(owner)[thing.__name__]))


def settle(made: Made, rng: np.random.Generator) -> Settled:
    """Take the first way in which the derivative answers."""
    program = _cost(made)
    if program is not None:
        return costs.settled(program)
    usual = _usual(made, rng)
    return Settled(lambda other, sizes, draws: _posed(_layer(other, usual.way, sizes, draws, usual)), usual.fits())


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that the pair poses. Raises CannotBuild where it cannot be called."""
    program = _cost(made)
    return _posed(_usual(made, rng)) if program is None else building.posed_in(program, sizes, rng)


def _cost(made: Made) -> Program | None:
    """The program of a pair that is told weights, and asked for its derivative at the same place."""
    obj, thing, other = made.obj
    way = next(iter(_ways(obj, thing, other)), None)
    if way is None or way.forward == "function" or not way.kinds or not all(isinstance(one, int) for one in way.kinds):
        return None
    return costs.program_of(obj, thing.__name__, other) if costs.is_told_weights(obj, thing.__name__) else None


def _usual(made: Made, rng: np.random.Generator) -> Layer:
    return first_answering(_ways(*made.obj), lambda way: _layer(made, way, Sizes(), rng))


def _ways(obj: Any, thing: Any, other: str) -> list[Way]:
    name = thing.__name__
    if _switch(obj if inspect.isclass(obj) else type(obj), name) == other:
        return [Way("function", ("derivative",), tuple(range(len(inputs_of(obj, name)))))]
    if "back" not in other and takes_the_output(thing, name, other) and len(inputs_of(obj, name)) == 1:
        return [Way(name, (other,), ("output",))]
    return pair_ways(obj, name, other)


def _layer(made: Made, way: Way, sizes: Sizes, rng: np.random.Generator, usual: Layer | None = None) -> Layer:
    obj, thing, other = made.obj
    if way.forward == "function":
        from gradcheck.adapters.arguments import roles_of

        roles = roles_of(inputs_of(obj, thing.__name__))
        return Layer(Made(Switched(obj, thing.__name__, other)), way, sizes, rng, usual, roles, "obj")
    return Layer(Made(obj), way, sizes, rng, usual)


def _posed(layer: Layer) -> Problem:
    return layer.problem(OF_THE_OUTPUT if "output" in layer.way.kinds else "")


INTERFACE = Interface(
    "methods of one class with their derivative beside them, or with a switch deriv=True",
    recognises,
    build,
    make,
    settle,
    parts=parts,
)
