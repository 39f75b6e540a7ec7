"""The exact run that is going on: its precision, its budget, its trace, and where in the user's code it stands.

python-flint keeps one precision for the whole process, so that exact runs take turns; a run inside a run is one of the
same thread, and puts the outer one back.
"""

from __future__ import annotations

import functools
import operator
import os
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, Literal, NoReturn

import flint
import numpy as np

from gradcheck.errors import Interruption
from gradcheck.exact.errors import Left
from gradcheck.exact.trace import Site, Trace

BITS = 128
BUDGET = 2_000_000
# The longest power series.
TERMS = 64


@dataclass(frozen=True)
class Note:
    """Something that is not mathematics and was passed over: "rounds to float32", and where."""

    text: str
    site: Site

    def __str__(self) -> str:
        return f"{self.site}: {self.text}"


@dataclass
class Run:
    """One exact run.

    `ended`: what ended it, also where the code that ran has swallowed that. `uses_terms`: its inputs are terms, all of
    which stand in the table `terms`.
    """

    bits: int
    budget: int
    trace: Trace = field(default_factory=Trace)
    notes: dict[Note, None] = field(default_factory=dict)
    ended: Interruption | None = None
    terms: dict[Any, Any] = field(default_factory=dict)
    uses_terms: bool = False
    thread: int = field(default_factory=threading.get_ident)


_lock = threading.RLock()
_outside = Run(53, sys.maxsize)
_run = _outside
_ticks = iter(range(sys.maxsize))

tick: Callable[[], int] = _ticks.__next__
"""Counts one operation of the run; StopIteration where the budget is spent (see `too_large`)."""


def current() -> Run:
    """Return the run that is going on (outside of any, one without a limit)."""
    return _run


def is_active() -> bool:
    """Whether this thread is inside an exact run."""
    return _run is not _outside and _run.thread == threading.get_ident()


@contextmanager
def running(bits: int = BITS, budget: int = BUDGET, uses_terms: bool = False) -> Iterator[Run]:
    """Open a run with `bits` of precision; whatever was before comes back when it ends."""
    global _run
    with _lock:
        before, precision, terms, left = _run, flint.ctx.prec, flint.ctx.cap, unspent()
        _run = Run(bits, budget, uses_terms=uses_terms)
        flint.ctx.prec, flint.ctx.cap = bits, TERMS
        _allow(budget)
        try:
            yield _run
        finally:
            _run = before
            flint.ctx.prec, flint.ctx.cap = precision, terms
            _allow(left)


@contextmanager
def precisely(bits: int = 256) -> Iterator[None]:
    """Compute with balls outside of a run at a precision that loses nothing of its results."""
    if flint.ctx.prec >= bits and _run.budget == sys.maxsize and _run.thread == threading.get_ident():
        yield  # it does so already
        return
    with running(max(bits, flint.ctx.prec), sys.maxsize):
        yield


def unspent() -> int:
    """How many operations the budget still allows."""
    return operator.length_hint(_ticks)


def spend(operations: int) -> None:
    """Count operations that are done at once, inside flint."""
    afford(operations)
    _allow(unspent() - operations)


def afford(operations: int) -> None:
    """End the run at once where an array operation is past the budget."""
    if operations > unspent():
        too_large(operations)


def _allow(operations: int) -> None:
    global _ticks, tick
    _ticks = iter(range(operations))
    tick = _ticks.__next__


def too_large(more: int = 1) -> NoReturn:
    """End the run: the budget does not allow `more` operations."""
    needed = _run.budget - unspent() + more
    leave(f"it is too large to be run exactly: at least {needed:,} operations, where {_run.budget:,} are allowed")


def leave(why: str) -> NoReturn:
    """End the run: the code leaves exact arithmetic at the user's line that is running now."""
    end(Left(why, str(caller())))


def end(interruption: Interruption) -> NoReturn:
    """End the run, and remember why, should the code that runs swallow everything that is raised."""
    _run.ended = _run.ended or interruption
    raise interruption


def note(text: str) -> None:
    """Remember something that an exact run passes over, such as rounding to a short type."""
    _run.notes.setdefault(Note(text, caller()))


def caller() -> Site:
    """Return the line of the user's code that is running: the innermost that belongs to no library."""
    frame: FrameType | None = sys._getframe(1)
    nearest = frame
    while frame is not None:
        whose = _owner(frame.f_code)
        if whose == "user":
            return _site(frame.f_code, frame.f_lasti)
        if whose == "other" and nearest is not None and _owner(nearest.f_code) == "engine":
            nearest = frame  # all else failing: code of gradcheck's own that is run exactly
        frame = frame.f_back
    assert nearest is not None
    return _site(nearest.f_code, nearest.f_lasti)


def is_users(code: CodeType) -> bool:
    """Whether code is no library's."""
    return _owner(code) == "user"


def _folder(file: str) -> str:
    return os.path.join(os.path.dirname(os.path.abspath(file)), "")


_ENGINE = (_folder(__file__), _folder(str(np.__file__)), _folder(flint.__file__))
_GRADCHECK = _folder(os.path.dirname(__file__))
_PYTHON = tuple(os.path.join(sysconfig.get_path(name), "") for name in ("stdlib", "platstdlib"))
_INSTALLED = tuple(os.path.join(sysconfig.get_path(name), "") for name in ("purelib", "platlib"))


@functools.lru_cache(maxsize=10_000)
def _owner(code: CodeType) -> Literal["engine", "other", "user"]:
    file = code.co_filename
    if file.startswith(_ENGINE) or file.startswith("<__array_function__") or file.endswith(".pyx"):
        return "engine"
    installed = file.startswith(_INSTALLED)
    if file.startswith((_GRADCHECK, "<frozen")) or (file.startswith(_PYTHON) and not installed):
        return "other"
    return (
        "other" if installed and file.startswith(tuple(os.path.join(path, "scipy") for path in _INSTALLED)) else "user"
    )


@functools.lru_cache(maxsize=10_000)
def _site(code: CodeType, instruction: int) -> Site:
    """The place of one instruction: Python knows from which column to which it stands."""
    first = code.co_firstlineno
    positions = list(code.co_positions())
    line, _, column, end_column = positions[instruction // 2] if instruction >= 0 else (first, None, 0, 0)
    return Site(code.co_filename, line or first, column or 0, end_column or 0, code.co_qualname)
