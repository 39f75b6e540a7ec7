"""A forward method as a function of arrays: its switches set for training, its result wherever it leaves it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.adapters import returned
from gradcheck.adapters.places import numbers_of
from gradcheck.adapters.ways import parameters
from gradcheck.adapters.words import plain

# Where a forward that returns nothing leaves its result.
OUTPUTS = ("output", "outputs", "out", "result", "y", "Y", "a", "A", "z", "Z")
# Switches of a forward, by their plain names, and what they are in training; a default may say otherwise.
TRAINING: Mapping[str, Any] = {
    **dict.fromkeys(
        ("training", "train", "istraining", "istrain", "trainflg", "trainflag", "trainmode", "trainable"), True
    ),
    **dict.fromkeys(("eval", "evaluation", "iseval", "test", "istest", "testing", "inference", "predict"), False),
    **dict.fromkeys(("mode", "phase"), "train"),
}


def switches(thing: Any, forward: str) -> dict[str, Any]:
    """The switches that a forward takes, with what they are in training."""
    return {
        p.name: TRAINING[plain(p.name)]
        for p in parameters(thing, forward)
        if plain(p.name) in TRAINING and (p.default is p.empty or isinstance(p.default, (bool, str, type(None))))
    }


@dataclass(frozen=True)
class Run:
    """Calls a forward (an object, so that it can be sent to other processes).

    `fixed`: keywords that are always given. `before`: makes what is given first (a context). `cached`: what comes back
    is (output, cache). `mean`: the loss is the mean over samples of what comes back. `held`: reads the array in a node.
    """

    obj: Any
    forward: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    before: Callable[[], Any] | None = None
    cached: bool = False
    mean: bool = False
    held: Callable[[Any], Any] | None = None

    def __call__(self, *arrays: Any) -> list[Any]:
        return self.outputs(self.call(*arrays)[0])

    def call(self, *arrays: Any) -> tuple[Any, Any]:
        """Return what came back, and what was given first."""
        first = () if self.before is None else (self.before(),)
        said = getattr(self.obj, self.forward)(*first, *arrays, **self.fixed)
        if said is None:
            said = left(self.obj, arrays)
        return said, (first[0] if first else None)

    def outputs(self, said: Any) -> list[Any]:
        """The outputs in what came back, as arrays."""
        if self.cached and isinstance(said, tuple):
            said = said[0]
        if self.held is not None:
            said = [self.held(one) for one in said] if isinstance(said, (list, tuple)) else self.held(said)
        found = returned.outputs(said)
        return [np.asarray(np.mean(one)) for one in found] if self.mean else found

    def cache(self, said: Any) -> Any:
        """What came back beside the output."""
        rest = said[1:] if self.cached and isinstance(said, tuple) else ()
        return rest[0] if len(rest) == 1 else rest


def left(obj: Any, given: Sequence[Any]) -> Any:
    """What a forward that returned nothing has left: an attribute with a usual name, else the last that is an array."""
    own = {place.key: value for value, place in numbers_of(obj) if isinstance(value, np.ndarray)}
    for name in OUTPUTS:
        if name in own and not any(own[name] is one for one in given):
            return own[name]
    found = [value for value in own.values() if not any(value is one for one in given)]
    return found[-1] if found else None


def required(function: Callable[..., Any]) -> int:
    """How many arguments a function needs."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    found = inspect.signature(function).parameters.values()
    return sum(p.default is p.empty and p.kind not in kinds for p in found)
