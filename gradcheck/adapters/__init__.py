"""Adapters: an object becomes a `Problem`. Recognised by what it does, never by the class that it comes from.

`protocol.py` says what an interface is, `interfaces/` has one file for each style of code, `subjects.py` chooses.
"""

from gradcheck.adapters.handed import function_subject
from gradcheck.adapters.registry import register
from gradcheck.adapters.source import gets_methods_from
from gradcheck.adapters.subjects import belonging, inside, is_subject, parts, subject_of
from gradcheck.errors import CannotBuild, NotASubject

__all__ = [
    "CannotBuild",
    "NotASubject",
    "belonging",
    "function_subject",
    "gets_methods_from",
    "inside",
    "is_subject",
    "parts",
    "register",
    "subject_of",
]
