"""Errors that gradcheck raises on purpose. Anything else that escapes is a mistake of gradcheck's."""

from __future__ import annotations


class UsageError(ValueError):
    """The call or the command line cannot be carried out; the message says what to do instead."""


class CannotBuild(Exception):
    """A subject cannot be built or called; it is listed as skipped with this reason."""


class GradcheckFailure(AssertionError):
    """Raised by `assert_correct` and the pytest fixture: a verdict other than "correct"."""


def told(error: BaseException | None) -> str:
    """Return "Type: message", and the type alone where somebody else's message fails."""
    try:
        message = str(error)
    except Exception:  # __str__ is other people's code, too
        return type(error).__name__
    return f"{type(error).__name__}: {message}"
