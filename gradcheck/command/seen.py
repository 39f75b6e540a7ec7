"""What looks like a derivative and is not judged is listed, with its reason.

A file of which a third was understood must not end green without a word.
"""

from __future__ import annotations

import dis
import functools
import inspect
from collections.abc import Collection, Iterator
from types import CodeType, ModuleType
from typing import Any

from gradcheck.command.names import hint_of_a_derivative, looks_like_a_derivative

# What Python makes of `pass`, `...` and a docstring.
EMPTY = {"RESUME", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "NOP"}


def forms() -> str:
    """Return what gradcheck understands, in one line."""
    from gradcheck.adapters.interfaces import INTERFACES

    return "; ".join(interface.takes for interface in INTERFACES)


def not_understood(module: ModuleType, judged: Collection[Any]) -> Iterator[tuple[str, str]]:
    """Yield (name, reason) of functions and classes of a module that look like derivatives, but for those `judged`.

    A private function that judged code calls is judged with it.
    """
    known = {id(thing) for thing in judged}
    helpers = {name for thing in judged for name in _mentioned(thing) if name.startswith("_")}
    names = list(vars(module))
    for name, thing in list(vars(module).items()):
        if id(thing) in known or name in helpers or not callable(thing):
            continue
        known.add(id(thing))
        try:
            made_here = _is_made_in(module, thing)
            reason = _seen_in_class(thing) if inspect.isclass(thing) else _seen(name, thing, names)
        except Exception:  # somebody else's object may raise whatever it is asked: it is no function, and no class
            continue
        if made_here and reason:
            yield name, reason


def _is_made_in(module: ModuleType, thing: Any) -> bool:
    """Whether something is written here, and not imported; what is wrapped around it counts with it."""
    inner = next((getattr(thing, name) for name in ("pyfunc", "func", "__wrapped__") if hasattr(thing, name)), thing)
    return module.__name__ in (getattr(thing, "__module__", None), getattr(inner, "__module__", None))


def _seen(name: str, thing: Any, beside: Collection[str]) -> str:
    """Return by what a function looks like a derivative ("" where it does not)."""
    function = inspect.unwrap(getattr(thing, "__func__", thing))
    if getattr(function, "__annotations__", {}).get("return", "") in (None, "None"):
        return ""
    if looks_like_a_derivative(name, beside):
        return "it is named like a derivative, and no function was found whose derivative it is"
    hint = hint_of_a_derivative(name, function)
    return f"{hint}, and gradcheck knows no way to ask it for a derivative" if hint else ""


def _seen_in_class(cls: type) -> str:
    """Return by what a class looks as if it had derivatives; "" where it does not, or is there to be derived from."""
    if inspect.isabstract(cls) or type.__subclasses__(cls):
        return ""
    methods = _methods(cls)
    if named := [name for name in methods if looks_like_a_derivative(name, methods)]:
        return f"it has {', '.join(named)}, and no forward that goes with it was found"
    reasons = ((name, _seen(name, thing, methods)) for name, thing in methods.items())
    return next((f"{name}: {reason}" for name, reason in reasons if reason), "")


def methods_left(thing: Any, judged: Collection[str]) -> list[str]:
    """Return the methods of a judged class that look like derivatives, but for those `judged` and what others call.

    Beras' own are all asked for: where one of them makes no claim, there are no weights to claim anything about.
    """
    from gradcheck.adapters.generations import MODERN, OLDER

    if not inspect.isclass(thing):
        return []
    methods = _methods(thing)
    called = {name for method in methods.values() for name in _mentioned(method)}
    # What calls a judged one, and is named after it, hands on what that says.
    handing_on = {n for n, one in methods.items() if any(name in n for name in {*_mentioned(one)} & {*judged})}
    known = {*judged, *called, *handing_on, *MODERN.names, *OLDER.names}
    return [name for name in methods if looks_like_a_derivative(name, methods) and name not in known]


def _methods(cls: type) -> dict[str, Any]:
    """The methods that a class or a base in its package has written, static ones and class methods included."""
    home = cls.__module__.partition(".")[0]
    own = [base for base in cls.__mro__ if base.__module__.partition(".")[0] == home]
    named = {name: thing for base in reversed(own) for name, thing in vars(base).items() if not name.startswith("__")}
    return {name: thing for name, thing in named.items() if _is_written(getattr(thing, "__func__", thing))}


def _is_written(thing: Any) -> bool:
    """Whether something is a function that does more than nothing, or than to raise."""
    if not callable(thing) or inspect.isclass(thing) or getattr(thing, "__isabstractmethod__", False):
        return False
    code = getattr(inspect.unwrap(thing), "__code__", None)
    if code is None:
        return True
    steps = _steps(code)
    returns = any(step.startswith("RETURN") for step in steps)
    return returns and (bool(steps - EMPTY) or not set(code.co_consts) <= {None, ..., inspect.unwrap(thing).__doc__})


@functools.cache
def _steps(code: CodeType) -> frozenset[str]:
    """The names of a code's instructions: the classes of a package have most methods from one base."""
    return frozenset(step.opname for step in dis.get_instructions(code))


def _mentioned(thing: Any) -> Iterator[str]:
    """Yield the global names that the code of a class or a function uses."""
    members = type.__getattribute__(thing, "__dict__").values() if inspect.isclass(thing) else [thing]
    codes = [code for one in members if (code := getattr(getattr(one, "__func__", one), "__code__", None)) is not None]
    while codes:
        code = codes.pop()
        yield from code.co_names
        codes += [inner for inner in code.co_consts if isinstance(inner, CodeType)]
