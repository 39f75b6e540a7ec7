"""Errors that gradcheck raises on purpose, and what is said of those that the checked code raises.

Anything else that escapes is a mistake of gradcheck's.
"""

from __future__ import annotations

import os
import sysconfig
import traceback
from pathlib import Path
from traceback import FrameSummary

# A message of somebody else's is cut here: an exception may carry a whole array.
LONGEST = 400
FRAMES = 8


class UsageError(ValueError):
    """The call or the command line cannot be carried out; the message says what to do instead."""


class CannotBuild(Exception):
    """A subject cannot be built or called: it could not be asked, for this reason."""


class NotASubject(CannotBuild):
    """The thing makes no claim about a derivative that could be checked."""


class NotWritten(CannotBuild):
    """A part without which nothing can be asked is a stub: not implemented."""


class GradcheckFailure(AssertionError):
    """Raised by `assert_correct` and the pytest fixture: a verdict that does not pass."""


class Interruption(BaseException):
    """Ends the checked code from inside. No Exception, so that no `except Exception` of its own swallows it."""


class TimeLimit(Interruption):
    """The time that a check may take is over."""


class Ended(Exception):
    """The checked code raised something that is no Exception (SystemExit, say), which is kept as the cause."""


def message(error: BaseException | None) -> str:
    """Return what an exception says, cut, and nothing where somebody else's message fails.

    >>> message(KeyError("w"))
    "'w'"
    """
    try:
        return cut(str(error))
    except Exception:  # __str__ is other people's code, too
        return ""


def install(extra: str) -> str:
    """Return how an extra is installed: gradcheck may be a distribution of its own, or come with Beras."""
    import importlib.metadata  # takes longer than all of this module, and is seldom needed

    try:
        name = importlib.metadata.distribution("gradcheck").name
    except importlib.metadata.PackageNotFoundError:
        name = "beras-gradcheck"
    return f"pip install '{name}[{extra}]'"


def cut(text: str, longest: int = LONGEST) -> str:
    """Return a text with its middle left out where it is too long.

    >>> cut("0123456789" * 3, 11)
    '01234 … 6789'
    """
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} … {text[-(longest - half - 2) :]}"


def told(error: BaseException | None) -> str:
    """Return "Type: message (file, line n)", the place being the checked code's innermost line.

    >>> told(ValueError("no data"))
    'ValueError: no data'
    """
    error = error.__cause__ if isinstance(error, Ended) else error
    said, at = message(error), place(error)
    kind = type(error).__name__
    return f"{kind}{f': {said}' if said else ''}{f' ({at})' if at else ''}"


def place(error: BaseException | None) -> str:
    """Return "file, line n" of the line of the checked code that raised; "" where none is known."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shown(error.filename)}, line {error.lineno}"
    found = frames(error)
    return f"{shown(found[-1].filename)}, line {found[-1].lineno}" if found else ""


def frames(error: BaseException | None) -> list[FrameSummary]:
    """Return the checked code's own frames, the innermost last: neither gradcheck's nor those of libraries.

    Where the checked code is itself a library, the libraries' frames but NumPy's.
    """
    if error is None or error.__traceback__ is None:
        return []
    every = [one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith(("<", _OURS))]
    own = [one for one in every if not one.filename.startswith((*_LIBRARIES, *_STANDARD))]
    libraries = [one for one in every if one.filename.startswith(_LIBRARIES) and _NUMPY not in one.filename]
    return own or libraries


def is_checked(file: str) -> bool:
    """Whether a file is one of the checked code's: neither gradcheck's nor a library's."""
    return not file.startswith(("<", _OURS, *_LIBRARIES, *_STANDARD))


def trace(error: BaseException | None) -> str:
    """Return a traceback of the checked code's own frames, the last few of them."""
    error = error.__cause__ if isinstance(error, Ended) else error
    found = frames(error)[-FRAMES:]
    lines = [f"{shown(one.filename)}, line {one.lineno}, in {one.name}\n    {one.line or ''}" for one in found]
    return "\n".join([*lines, f"{type(error).__name__}: {message(error)}"]) if lines else ""


def never_ran(error: BaseException) -> bool:
    """Whether a call did not even reach the code that it was meant for: its arguments do not fit.

    >>> def one(x): return x
    >>> try: one(1, 2)
    ... except TypeError as error: never_ran(error)
    True
    """
    if not isinstance(error, TypeError) or error.__traceback__ is None:
        return False
    *_, last = traceback.walk_tb(error.__traceback__)
    file = last[0].f_code.co_filename
    return file.startswith((_OURS, "<doctest"))


def shown(file: str) -> str:
    """Return `file` relative to the current folder where it lies inside it, otherwise as it is.

    >>> shown(os.path.join(os.getcwd(), "layers.py"))
    'layers.py'
    """
    path, here = Path(os.path.abspath(file)), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


_OURS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")
_LIBRARIES = tuple({os.path.join(sysconfig.get_path(name), "") for name in ("purelib", "platlib")})
_STANDARD = tuple({os.path.join(sysconfig.get_path(name), "") for name in ("stdlib", "platstdlib")})
_NUMPY = f"{os.sep}numpy{os.sep}"
