"""How a package's composing methods are asked: lists or bare arrays, summed or averaged, with or without upstream.

All of it is found out by calling, on a twin of the object, never from names of classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters import returned
from gradcheck.adapters.generations import FORWARDS, MODERN, Generation, is_stub
from gradcheck.problem import Array

Shape = tuple[int, ...]

AVERAGED = "averaged over the batch, as in all of its package, whose losses leave the 1/batch out"
Compose = Callable[[Any], Any]


@dataclass(frozen=True)
class Convention:
    """How one composing method is asked.

    `bare`: the upstream gradient itself, not a list. `nothing`: a loss that is asked without upstream gradient, which
    is then multiplied by it. `averaged`: the package averages weight gradients over the batch, which are multiplied by
    it, and its losses leave the mean out: their gradients are divided by it. `silent`: the method is not meant for such
    outputs.
    """

    bare: bool = False
    nothing: bool = False
    averaged: bool = False
    silent: bool = False

    def ask(self, compose: Compose, cotangents: Sequence[Array]) -> Any:
        """Call the method with these upstream gradients."""
        if self.nothing:
            return compose(None)
        return compose(cotangents[0] if self.bare else list(cotangents))

    def read(self, items: list[Array | None], cotangents: Sequence[Array]) -> list[Array | None]:
        """Undo what the convention does to the numbers."""
        if self.nothing:
            return [None if item is None else _times(item, cotangents[0].reshape(())) for item in items]
        if self.averaged and cotangents[0].ndim:
            return [None if item is None else _times(item, len(cotangents[0])) for item in items]
        return items


def _times(item: Array, factor: Any) -> Array:
    return np.asarray(item * np.asarray(factor, dtype=item.dtype if item.dtype.kind == "f" else float))


def find(
    obj: Any,
    name: str,
    generation: Generation,
    outputs: Sequence[Array],
    names: Sequence[str],
    shapes: Sequence[Shape],
    constants: Sequence[str],
) -> Convention:
    """Find out how the method `name` of `obj`, which was just called, is to be asked."""
    compose = getattr(obj, name)
    cotangents = [np.ones_like(output, dtype=float) for output in outputs]
    averaged = name == generation.compose_weight and generation is not MODERN and averages(type(obj), generation)
    inherited = is_generic(type(obj), name) and not _is_override(type(obj), name)
    choices = [Convention(averaged=averaged)]
    if generation is not MODERN and len(outputs) == 1:
        choices.append(Convention(bare=True, averaged=averaged))
    if inherited and len(outputs) == 1 and outputs[0].size == 1:
        choices.append(Convention(nothing=True))
    for choice in choices:
        try:
            with np.errstate(all="ignore"):
                said = choice.ask(compose, [g.copy() for g in cotangents])
            items = returned.listed(said, names, shapes, name, constants, generation is not MODERN)
        except Exception:  # this way of asking is not understood; the next one may be
            continue
        if all(item is None or item.shape == tuple(shape) for item, shape in zip(items, shapes, strict=True)):
            return choice
    # A loss, or a loss of one number per sample: a base class that multiplies matrices is not made for that.
    if inherited and len(outputs) == 1 and (outputs[0].size == 1 or outputs[0].ndim == 1):
        return Convention(silent=True)
    return choices[-1] if generation is not MODERN and not choices[-1].nothing else choices[0]


def is_generic(cls: type, name: str) -> bool:
    """Whether `cls` inherits the method from a base class that has no forward of its own."""
    owner = next((base for base in cls.__mro__ if name in vars(base)), cls)
    for forward in FORWARDS:
        written = getattr(owner, forward, None)
        if written is not None and not is_stub(written):
            return False
    return owner is not cls


def _is_override(cls: type, name: str) -> bool:
    """Whether the method was written anew below the class that has it first: it is then meant for what stands there."""
    return sum(name in vars(base) for base in cls.__mro__) > 1


def averages(cls: type, generation: Generation) -> bool:
    """Whether the package's generic `compose_to_weight` averages over the batch instead of summing.

    Asked with a weight gradient of ones and an upstream gradient of ones: the answer is 1 or the batch.
    """
    said = _generic(cls, generation, np.ones((1, 2)), np.ones((4, 2)))
    return said is not None and bool(np.all(said == 1.0))


def truncates(cls: type, generation: Generation) -> bool:
    """Whether the package's generic composing rounds to integers where a local gradient is made of integer inputs.

    That is a flaw of the base class, which the layers cannot help: they are checked with integers as floats.
    """
    said = _generic(cls, generation, np.ones((1, 2), dtype=int), np.full((4, 2), 0.75))
    return said is not None and bool(np.all(said == 0.0))


def _generic(cls: type, generation: Generation, local: Array, upstream: Array) -> Array | None:
    """What the package's generic composing makes of a local weight gradient and an upstream gradient."""
    name = generation.compose_weight
    base = next((b for b in reversed(cls.__mro__) if name in vars(b)), None)
    if base is None:
        return None
    stub: dict[str, Any] = {method: lambda self, *_: None for method in getattr(base, "__abstractmethods__", ())}
    stub |= {generation.weight_gradients: lambda self: [local], "__init__": lambda self: None}
    stub |= {"weights": [np.zeros((1, 2))], "parameters": [np.zeros((1, 2))]}
    for J in ([upstream], upstream):
        try:
            return np.asarray(getattr(type("Probe", (base,), stub)(), name)(J)[0])
        except Exception:  # a base class that cannot be asked this way; the other way, or the usual convention
            continue
    return None
