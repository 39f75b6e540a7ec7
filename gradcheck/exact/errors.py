"""Why something could not be run exactly, and how that travels through somebody else's code."""

from __future__ import annotations

from gradcheck.errors import Interruption


class NotExact(Exception):
    """Something left exact arithmetic: `why` in a sentence, and `place`, the "file.py:12" of the user's code.

    `place` is "" where no line of the user's can be named. `undecided`: nothing left, but numbers that are compared
    cannot be told apart.
    """

    def __init__(self, why: str, place: str = "", undecided: bool = False) -> None:
        super().__init__(f"{place}: {why}" if place else why)
        self.why = why
        self.place = place
        self.undecided = undecided


class Left(Interruption):
    """The code has left exact arithmetic; becomes a NotExact."""

    def __init__(self, why: str, place: str) -> None:
        super().__init__(why, place)
        self.why = why
        self.place = place


class Undecided(Interruption):
    """Two balls overlap where the code must know which is larger: more bits may tell."""

    def __init__(self, place: str, question: str) -> None:
        super().__init__(place, question)
        self.place = place
        self.question = question


class Apart(Interruption):
    """Several directions at once disagree about a decision: each has to be run by itself."""
