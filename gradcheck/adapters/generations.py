"""The names that the derivative methods have, by generation of Beras packages."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Generation:
    """Method names of one generation."""

    input_gradients: str
    weight_gradients: str
    compose_input: str
    compose_weight: str

    @property
    def names(self) -> tuple[str, str, str, str]:
        return self.input_gradients, self.weight_gradients, self.compose_input, self.compose_weight


MODERN = Generation(
    "get_input_gradients", "get_weight_gradients", "compose_input_gradients", "compose_weight_gradients"
)
OLDER = Generation("input_gradients", "weight_gradients", "compose_to_input", "compose_to_weight")
FORWARDS = ("forward", "call")


def has(thing: Any, name: str) -> bool:
    """Whether `thing` (a class or an instance) has a method of this name; no property is run."""
    return is_method(inspect.getattr_static(thing, name, None))


def is_method(member: Any) -> bool:
    """Whether what stands in a class, or in an object, can be called as its method."""
    return callable(member) or isinstance(member, (staticmethod, classmethod))


def is_stub(function: Any) -> bool:
    """Whether a function is abstract, or only a docstring, `pass`, `...` or `raise NotImplementedError`.

    `raise NotImplemented`, which raises another exception, is meant as that.
    """
    if getattr(function, "__isabstractmethod__", False):
        return True
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    empty = not code.co_names and set(code.co_consts) <= {None, function.__doc__, ...}
    return code.co_names[:1] in (("NotImplementedError",), ("NotImplemented",)) or empty


def forward_name(thing: Any) -> str | None:
    """Return the name of the method that computes the output, or None."""
    names = [name for name in FORWARDS if has(thing, name)]
    for name in names:
        if not getattr(inspect.getattr_static(thing, name), "__isabstractmethod__", False):
            return name
    return names[0] if names else None


def recognise(thing: Any) -> Generation | None:
    """Return the generation whose methods `thing` has: forward, and any one of the four derivatives."""
    return names_of(thing) if forward_name(thing) is not None else None


def names_of(thing: Any) -> Generation | None:
    """Return the generation whose derivative methods `thing` has, any one of the four (a base class has no forward)."""
    for generation in (MODERN, OLDER):
        if any(has(thing, name) for name in generation.names):
            return generation
    return None
