"""Where a thing is written down: file and line, and the first line of its docstring."""

from __future__ import annotations

import inspect
import linecache
import os
import re
import sys
import sysconfig
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck.compiled import uncompiled
from gradcheck.problem import Method

_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")})


def location(thing: Any) -> str:
    """Return `"path/of/file.py:line"`, relative to the current folder where it lies inside it, or ""."""
    wrapped = inspect.getattr_static(thing, "__wrapped__", None)
    if wrapped is not None and not inspect.isclass(thing) and not inspect.isfunction(thing):
        return location(wrapped)  # of the function that a decorator has made an object of
    code = thing if inspect.isclass(thing) or inspect.isroutine(thing) else type(thing)
    try:
        path = inspect.getsourcefile(code) or inspect.getfile(code)
        line = _line(code, path)
    except (OSError, TypeError):
        path, line = getattr(inspect.getmodule(code), "__file__", None) or "", 0
    if not path:
        return ""
    inside = os.path.relpath(path) if os.path.splitdrive(path)[0] == os.path.splitdrive(os.getcwd())[0] else path
    shown = path if inside.startswith(os.pardir) else inside
    return f"{shown}:{line}" if line else shown


def location_of_method(method: Method, code: Sequence[Any]) -> str:
    """Return where a derivative method is written down, "" where it is no function of the checked `code`."""
    named = [one for one in code if getattr(one, "__name__", "") == method.name]
    found = [method.source, *named, *(getattr(one, method.name, None) for one in code)]
    return next((location(one) for one in found if inspect.isroutine(one)), "")


def _line(code: Any, path: str) -> int:
    """The line where a function or class begins; inspect would parse the whole file for a class."""
    if inspect.isfunction(code):
        return code.__code__.co_firstlineno
    pattern = re.compile(rf"\s*class {re.escape(getattr(code, '__name__', ''))}\b")
    found = [number for number, text in enumerate(linecache.getlines(path), 1) if pattern.match(text)]
    return found[0] if len(found) == 1 else inspect.getsourcelines(code)[1]


def owner_of(thing: Any) -> type | None:
    """The class that a function is a method of, or was put into."""
    outside, _, _ = getattr(thing, "__qualname__", "").rpartition(".")
    found: Any = sys.modules.get(getattr(thing, "__module__", ""))
    if outside.endswith("<locals>"):
        known = (one for one in list(vars(found or object).values()) if inspect.isclass(one))
        return next((one for one in known if any(member is thing for member in vars(one).values())), None)
    for part in outside.split(".") if outside else ():
        found = getattr(found, part, None)
    return found if inspect.isclass(found) else None


def name_in(owner: type, method: Any) -> str:
    """What a method is called in its class; a function that was put into it has another name of its own."""
    return next((name for name, member in vars(owner).items() if member is method), str(method.__name__))


def gets_methods_from(cls: type, module: str) -> bool:
    """Whether a function of a module puts methods into a class that is defined elsewhere: `Tensor.exp = tracked`."""
    put = (one for one in vars(cls).values() if inspect.isfunction(one) and "<locals>" in one.__qualname__)
    return any(one.__module__ == module for one in put)


def title(thing: Any) -> str:
    """Return the dotted name of a class or function, or of an instance's class."""
    if isinstance(thing, np.ufunc):  # which know neither module nor file
        own = thing.__name__
        return f"numpy.{own}" if getattr(np, own, None) is thing else own
    thing = uncompiled(thing)
    code = thing if inspect.isclass(thing) or inspect.isroutine(thing) else type(thing)
    module = getattr(code, "__module__", "") or ""
    name = getattr(code, "__qualname__", getattr(code, "__name__", repr(code))).replace("<locals>.", "")
    return name if module in ("", "__main__", "builtins") else f"{module}.{name}"


def documentation(thing: Any) -> str:
    """Return the docstring of a class or function, or of an instance's class."""
    thing = uncompiled(thing)
    code = thing if inspect.isclass(thing) or inspect.isroutine(thing) else type(thing)
    own = code.__dict__.get("__doc__") if inspect.isclass(code) else code.__doc__
    return inspect.cleandoc(own) if isinstance(own, str) else ""


def is_foreign(function: Any, module: str) -> bool:
    """Whether a function comes from an installed library that `module` is no part of."""
    home = getattr(function, "__module__", None) or ""
    same = home.partition(".")[0] == module.partition(".")[0]
    return not same and uncompiled(function).__code__.co_filename.startswith(_LIBRARIES)
