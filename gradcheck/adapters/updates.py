"""Code that learns while it goes back, w ← w − rate · dL/dw: the gradient is what the weight lost, over the rate.

The rate is an argument, an attribute, or the one constant in the code that can be one.
"""

from __future__ import annotations

import inspect
from typing import Any

from gradcheck.adapters.places import is_number, walk
from gradcheck.adapters.ways import methods, parameters
from gradcheck.adapters.words import RATES, plain

# What takes a step with the gradients that backward left.
STEPS = (
    *("step", "update", "sgdstep", "updateparams", "updateparameters", "updateweights", "updateparam"),
    *("applygradients", "applygradient", "gradientdescent", "optimize", "learn", "updateparameter", "update_weight"),
)


def step_of(obj: Any) -> str | None:
    """The method that takes a step, with nothing but a learning rate; None where there is none."""
    known = methods(obj)
    for name in [known[name] for name in STEPS if name in known]:
        needed = [p for p in parameters(obj, name) if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        if not needed or (len(needed) == 1 and plain(needed[0].name) in RATES | {"alpha", "epsilon", "h"}):
            return name
    return None


def set_rates(obj: Any) -> None:
    """Make every learning rate that is an attribute 1."""
    for own, _, _ in walk(obj):
        for name in [
            name for name in own if plain(name) in RATES - {"rate"} and (is_number(own[name]) or own[name] == 1)
        ]:
            own[name] = 1.0


def has_rate(obj: Any) -> bool:
    """Whether a learning rate is an attribute."""
    return any(plain(name) in RATES - {"rate"} and is_number(own[name]) for own, _, _ in walk(obj) for name in own)


def constant_rate(function: Any) -> float:
    """The learning rate that is a constant of a function's code: its only number between 0 and 1; else 1."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    found = {one for one in (code.co_consts if code is not None else ()) if isinstance(one, float) and 0 < one < 1}
    return found.pop() if len(found) == 1 else 1.0
