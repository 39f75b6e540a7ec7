"""How much is said about what is wrong: teachers may want their students to look for themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from gradcheck.results import ClaimResult

Hints = Literal["none", "where", "cause", "repair"]
HINTS: tuple[Hints, ...] = ("none", "where", "cause", "repair")


def allows(hints: Hints, what: Hints) -> bool:
    """Whether as much as `what` may be said.

    >>> allows("cause", "where"), allows("cause", "repair")
    (True, False)
    """
    return HINTS.index(what) <= HINTS.index(hints)


def limited(claim: ClaimResult, hints: Hints) -> ClaimResult:
    """The claim without what goes beyond these hints: "none" leaves the verdict and how far it reaches."""
    if allows(hints, "cause"):
        return claim
    claim = replace(claim, causes=())
    if allows(hints, "where") or claim.verdict != "wrong":
        return claim
    told = tuple(replace(one, message="") for one in claim.points)
    return ClaimResult(claim.name, claim.method, claim.wrt, claim.verdict, claim.reach, points=told)
