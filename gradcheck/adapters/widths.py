"""Widths that a class says by name: a loss with `num_classes=10` means rows of ten, whatever else it would run on."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Mapping
from typing import Any

from gradcheck.adapters.construct import LARGE, arguments
from gradcheck.errors import CannotBuild
from gradcheck.problem import Sizes

WORDS = frozenset({"classes", "class", "features", "feature", "channels", "channel"})


def declared(thing: Any) -> list[int]:
    """How many classes, features or channels an object keeps, or one of the class would have."""
    if inspect.isclass(thing):
        return _named(_arguments(thing))
    kept = getattr(thing, "__dict__", {})
    numbers = [value for value in kept.values() if type(value) is int]
    given = {name: value for name, value in _arguments(type(thing)).items() if value in numbers}
    return _named({**given, **kept})


def _arguments(cls: type) -> dict[str, int]:
    """The whole numbers that a constructor is given where nobody says more."""
    found: dict[str, Any] = {}
    with contextlib.suppress(CannotBuild, ValueError):
        found.update((p.name, p.default) for p in inspect.signature(cls).parameters.values())
        found.update(arguments(cls, Sizes(), {}))
    return {name: value for name, value in found.items() if type(value) is int}


def _named(values: Mapping[str, Any]) -> list[int]:
    named = [value for name, value in values.items() if set(name.lower().split("_")) & WORDS]
    return [n for n in dict.fromkeys(named) if type(n) is int and 1 < n < LARGE]
