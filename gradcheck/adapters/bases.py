"""Classes that are there to be derived from: their forward, or what it calls, is for others to write."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from gradcheck.adapters.generations import MODERN, OLDER, is_stub
from gradcheck.adapters.ways import methods, ways
from gradcheck.adapters.words import BACKWARDS, DERIVATIVES, FORWARDS, plain
from gradcheck.errors import is_checked

BACK = (*BACKWARDS, *DERIVATIVES, *(plain(name) for one in (MODERN, OLDER) for name in one.names))


def is_base(cls: type) -> bool:
    """Whether others derive from `cls`, and its forward, or what that calls, is a stub, or is theirs alone."""
    heirs: list[type] = cls.__subclasses__()
    if not heirs:
        return False
    theirs = [name for name in _called(cls) if name in FORWARDS and not hasattr(cls, name)]
    if any(hasattr(one, name) for name in theirs for one in heirs):
        return True
    known = methods(cls)
    first = [inspect.getattr_static(cls, known[name]) for name in FORWARDS if name in known]
    asked = (plain(way.forward) for way in ways(cls))
    return any(is_stub(one) for one in needed(cls, (*FORWARDS, *asked))) or any(
        inspect.isfunction(one) and ignores_what_it_is_given(one) for one in first
    )


def _called(cls: type) -> Iterator[str]:
    """What its methods that go forward call, or look up."""
    for function in needed(cls, FORWARDS):
        yield from function.__code__.co_names


def ignores_what_it_is_given(function: Any) -> bool:
    """Whether a method does nothing with its arguments: `return self.output`, for subclasses to write."""
    code = function.__code__
    given = code.co_varnames[1 : code.co_argcount]
    used = {step.argval for step in dis.get_instructions(code) if "FAST" in step.opname or "DEREF" in step.opname}
    flat = {name for one in used for name in (one if isinstance(one, tuple) else (one,))}
    return bool(given) and not code.co_consts[1:] and not flat & set(given)


def needed(cls: type, names: Sequence[str]) -> Iterator[Any]:
    """The methods of these names that a class has, and those that they call: its package's own, no framework's."""
    known, home = methods(cls), cls.__module__.partition(".")[0]
    todo = [known[name] for name in names if name in known]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        function = inspect.getattr_static(cls, name, None)
        function = getattr(function, "__func__", function)
        if name in seen or not inspect.isfunction(function):
            continue
        if function.__module__.partition(".")[0] != home and not is_checked(function.__code__.co_filename):
            continue
        seen.add(name)
        yield function
        todo += [called for called in function.__code__.co_names if called in known.values()]
