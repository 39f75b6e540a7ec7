"""Functions that numba has compiled (`@njit`, `@vectorize`): called as they are, read as they are written.

gradcheck imports no numba: what it makes of a function is known by where its class stands.
"""

from __future__ import annotations

import inspect
import traceback
from typing import Any


def is_compiled(thing: Any) -> bool:
    """Whether it is what numba has made of a function."""
    return _is_numba(type(thing).__module__) and inspect.isfunction(getattr(thing, "__wrapped__", None))


def is_function(thing: Any) -> bool:
    """Whether it is a function that is written in Python, compiled or not."""
    return inspect.isfunction(thing) or is_compiled(thing)


def uncompiled(function: Any) -> Any:
    """The function as it is written: what a compiled one was made of, any other as it is."""
    return function.__wrapped__ if is_compiled(function) else function


def has_other_types(error: BaseException) -> bool:
    """Whether a compiled function was called with types that it is not made for, and so did not run."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    raised_there = bool(frames) and _is_numba(frames[-1].f_globals.get("__name__", ""))
    return raised_there and (isinstance(error, TypeError) or _is_numba(type(error).__module__))


def _is_numba(module: str) -> bool:
    return module.partition(".")[0] == "numba"
