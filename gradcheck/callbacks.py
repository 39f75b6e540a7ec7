"""What is raised in a callback of compiled code, which cannot raise it, and so prints it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import TracebackType


@contextlib.contextmanager
def raising() -> Iterator[None]:
    """Raise what a callback raised, in place of its being printed.

    A solver in C that is given numbers which it does not take (SciPy's `fsolve` and long double) leaves that to
    `sys.excepthook`, and may return as though nothing had happened.
    """
    raised: list[BaseException] = []

    def told(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        raised.append(error)

    before, sys.excepthook = sys.excepthook, told
    try:
        yield
    finally:
        sys.excepthook = before
    if raised:
        raise raised[0]
