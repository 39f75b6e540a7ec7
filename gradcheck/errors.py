"""Errors that gradcheck raises on purpose. Anything else that escapes is a mistake of gradcheck's."""

from __future__ import annotations


class UsageError(ValueError):
    """The call or the command line cannot be carried out; the message says what to do instead."""


class CannotBuild(Exception):
    """A subject cannot be built or called; it is listed as skipped with this reason."""


class GradcheckFailure(AssertionError):
    """Raised by `assert_correct` and the pytest fixture: a verdict other than "correct"."""


def message(error: BaseException | None) -> str:
    """Return what an exception says, and nothing where somebody else's message fails.

    >>> message(KeyError("w"))
    "'w'"
    """
    try:
        return str(error)
    except Exception:  # __str__ is other people's code, too
        return ""


def told(error: BaseException | None) -> str:
    """Return "Type: message".

    >>> told(ValueError("no data"))
    'ValueError: no data'
    """
    said = message(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
