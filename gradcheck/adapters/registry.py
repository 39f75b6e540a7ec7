"""What users register: how to build a thing that cannot be built from its signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from gradcheck.adapters.declarations import counts

Predicate = Callable[[Any], bool]
Factory = Callable[[Any], Any]

_registered: list[tuple[type | Predicate, Factory]] = []


def register(match: type | Predicate, factory: Factory) -> None:
    """Say how to build a thing: the last registration that matches wins.

    `match` is a class (it and its subclasses) or a predicate on the thing; `factory(thing)` returns an instance,
    `(instance, inputs)`, or a whole `Subject`.
    """
    if not callable(match) or not callable(factory):
        raise TypeError(f"expected a class or a predicate and a factory, but got {match!r} and {factory!r}")
    _registered.append((match, factory))


def factory_for(thing: Any) -> Factory | None:
    """Return the factory that was registered for `thing`, or None."""
    for match, factory in reversed(_registered):
        if inspect.isclass(match):
            if thing is match or (inspect.isclass(thing) and issubclass(thing, match)):
                return factory if counts("register") else None
        elif match(thing):
            return factory if counts("register") else None
    return None
