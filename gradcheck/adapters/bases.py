"""Classes that are there to be derived from: their forward or backward, or what these call, is for others to write."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from gradcheck.adapters.generations import MODERN, OLDER, is_stub
from gradcheck.adapters.ways import BACKWARDS, DERIVATIVES, FORWARDS, methods, plain

STARTS = (*FORWARDS, *BACKWARDS, *DERIVATIVES)


def is_base(cls: type) -> bool:
    """Whether others derive from `cls`, and something that it needs is a stub in it."""
    return bool(cls.__subclasses__()) and any(is_stub(function) for function in needed(cls))


def needed(cls: type, back: bool = False) -> Iterator[Any]:
    """The methods that go forward and back (or `back` alone), and those that they call."""
    known = methods(cls)
    own = {plain(name) for one in (MODERN, OLDER) for name in one.names}
    starts = [name for name in (*STARTS, *own) if not back or name not in FORWARDS]
    todo = [known[name] for name in starts if name in known]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        function = inspect.getattr_static(cls, name, None)
        function = getattr(function, "__func__", function)
        if name in seen or not inspect.isfunction(function):
            continue
        seen.add(name)
        yield function
        todo += [called for called in function.__code__.co_names if called in known.values()]
