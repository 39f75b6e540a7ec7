"""Whether what judges is still what it was before the checked code was imported.

Compared are the functions, classes and constants of gradcheck, and the functions that it uses of Python's modules and
of NumPy's. Whoever runs in the same process can deceive even this; but not by putting another function in the
place of one of these.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from types import BuiltinFunctionType, CodeType, FunctionType, MethodDescriptorType, ModuleType
from typing import Any

import numpy as np

FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodDescriptorType, np.ufunc, type(np.dot))
PARENTS_OWN = ("command", "report", "strategies", "pytest_plugin", "__main__")
"""Modules of gradcheck that take no part in a verdict."""
OFTEN_REPLACED = frozenset({"print", "input", "open", "__import__"})
"""Builtins that notebooks, teachers and tests replace, and that decide nothing."""

Place = tuple[Mapping[str, Any], str, Any, str]
"""A namespace, a name in it, what stood there, and what that is called."""


def import_judges() -> None:
    """Import all that takes part in a verdict, before the checked code can bring its own."""
    import gradcheck

    left_out = PARENTS_OWN if find_spec("flint") else (*PARENTS_OWN, "exact")
    for found in pkgutil.iter_modules(gradcheck.__path__, "gradcheck."):
        if found.name.split(".")[1] not in left_out:
            _import_with_parts(found.name)


def _import_with_parts(name: str) -> None:
    module = importlib.import_module(name)
    for found in pkgutil.iter_modules(getattr(module, "__path__", []), f"{name}."):
        _import_with_parts(found.name)


def watch() -> Callable[[], str]:
    """Return a function that says what has been replaced since now, and "" where nothing has."""
    judges = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "gradcheck"}
    places: list[Place] = [(sys.modules, name, module, name) for name, module in judges.items()]
    for name, module in judges.items():
        places += _inside(vars(module), name)
    used = {name for _, _, value, _ in places for name in _names_in(value)}
    for module in _helpers(judges, used):
        places += [
            (vars(module), name, value, f"{module.__name__}.{name}")
            for name, value in vars(module).items()
            if name in used and isinstance(value, FUNCTIONS) and name not in OFTEN_REPLACED
        ]
    codes = [(value, value.__code__, label) for _, _, value, label in places if isinstance(value, FunctionType)]

    # Nothing in here is looked up by a name that somebody could have given to something else.
    def replaced() -> str:
        for namespace, name, value, label in places:
            if name not in namespace or namespace[name] is not value:
                return label
        for function, code, label in codes:
            if function.__code__ is not code:
                return label
        return ""

    return replaced


def _inside(namespace: Mapping[str, Any], label: str) -> Iterator[Place]:
    """The functions, classes with what is in them, modules and constants of a module or a class."""
    for name, value in namespace.items():
        full = f"{label}.{name}"
        if isinstance(value, type):
            yield namespace, name, value, full
            if value.__module__.startswith("gradcheck") and value.__name__ == name:
                yield from _inside(vars(value), full)
        elif isinstance(value, (*FUNCTIONS, ModuleType, property, classmethod, staticmethod)) or name.isupper():
            yield namespace, name, value, full


def _names_in(value: Any) -> Iterator[str]:
    """The names that a function, or what is defined in it, looks up."""
    if isinstance(value, (classmethod, staticmethod)):
        value = value.__func__
    elif isinstance(value, property):
        value = value.fget
    codes = [value.__code__] if isinstance(value, FunctionType) else []
    while codes:
        code = codes.pop()
        yield from code.co_names
        codes += [one for one in code.co_consts if isinstance(one, CodeType)]


def _helpers(judges: Mapping[str, ModuleType], used: set[str]) -> list[ModuleType]:
    """The modules whose functions gradcheck calls, and the parts of NumPy."""
    import builtins

    helpers = {builtins.__name__: builtins}
    for module in judges.values():
        for value in vars(module).values():
            if isinstance(value, ModuleType) and value.__name__.split(".")[0] != "gradcheck":
                helpers[value.__name__] = value
    helpers |= {f"numpy.{name}": vars(np)[name] for name in ("linalg", "fft") if name in used}
    return list(helpers.values())
