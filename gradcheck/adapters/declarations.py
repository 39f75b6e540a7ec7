"""What checked code says about itself (`docs/howto/hooks.md`): read through here, so that it is listed, or ignored."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from gradcheck.errors import CannotBuild

_used: ContextVar[set[str] | None] = ContextVar("used", default=None)
_ignored: ContextVar[Collection[str]] = ContextVar("ignored", default=())

EXCUSES = ("register", "constant_inputs")
"""Names under which code can say that something else is to be asked, or less."""
ALL = (
    *EXCUSES,
    "gradcheck_example",
    "gradcheck_cases",
    "gradcheck_waivers",
    "gradcheck_skip",
    "input_data",
    "input_domains",
)

_NOTHING = object()


@contextmanager
def reading(ignored: Collection[str] = ()) -> Iterator[set[str]]:
    """Give a set that fills with the names of what is read meanwhile; what is said under those `ignored` is not."""
    used: set[str] = set()
    tokens = _used.set(used), _ignored.set(ignored)
    try:
        yield used
    finally:
        _used.reset(tokens[0])
        _ignored.reset(tokens[1])


def counts(name: str) -> bool:
    """Note that something is said under this name, and return whether that counts."""
    if name in _ignored.get():
        return False
    used = _used.get()
    if used is not None:
        used.add(name)
    return True


def declared(thing: Any, name: str, otherwise: Any = None) -> Any:
    """Return the attribute `name`, where there is one and it counts; one that is empty says nothing."""
    found = getattr(thing, name, otherwise)
    return found if found is otherwise or not _says(found) or counts(name) else otherwise


def waivers(thing: Any) -> dict[str, str]:
    """Return the claims that a class or a function waives, each with its reason."""
    found = declared(thing, "gradcheck_waivers", {})
    if not isinstance(found, Mapping):
        raise CannotBuild(
            f"gradcheck_waivers must be a dict of claim and reason, but it is of type {type(found).__name__}"
        )
    return {str(claim): str(reason) for claim, reason in found.items()}


def declares(thing: Any, name: str) -> bool:
    """Whether there is an attribute `name` that counts."""
    return declared(thing, name, _NOTHING) is not _NOTHING


def written(thing: Any, name: str) -> Any:
    """Return the attribute `name` as it is written, a static or class method as such; None where none counts."""
    found = inspect.getattr_static(thing, name, None)
    return found if found is not None and counts(name) else None


def _says(value: Any) -> bool:
    return not isinstance(value, (tuple, list, set, frozenset, dict)) or bool(value)
