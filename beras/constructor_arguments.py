"""With which arguments an object was made, read from its attributes."""

from __future__ import annotations

import inspect
from typing import Any


class CannotBeSaved(TypeError):
    """Something that a file of text and arrays cannot hold."""


def arguments_of(thing: Any) -> dict[str, Any]:
    """Return the constructor's arguments of an object that keeps each in an attribute of its name.

    Raises `TypeError` where one without a default is kept nowhere.
    """
    found: dict[str, Any] = {}
    for cls in type(thing).__mro__:
        if "__init__" not in vars(cls):
            continue
        parameters = list(inspect.signature(vars(cls)["__init__"]).parameters.values())[1:]
        for p in parameters:
            if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) or p.name in found:
                continue
            value = getattr(thing, p.name, p.default)
            if value is p.empty:
                raise CannotBeSaved(
                    f"{type(thing).__name__} keeps its argument {p.name} in no attribute of that name: do so, or write "
                    "get_config(), which returns the arguments as a dict; save_weights needs neither"
                )
            found[p.name] = value
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found
