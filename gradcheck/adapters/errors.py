"""What an adapter says when a thing is not something that it can check."""

from __future__ import annotations

from gradcheck.errors import CannotBuild


class NotASubject(CannotBuild):
    """The thing makes no claim about a derivative."""
