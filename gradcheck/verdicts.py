"""The words of a verdict, worst first, how far a mistake reaches, and what both mean for an exit status.

wrong               a number or a shape is wrong, at a point that was asked as the code wants to be asked
unresolved          the measurement is not sharp enough to tell
could not be asked  the call does not bind, a shape is refused, the constructor needs what nobody can guess
not implemented     `None`, an empty stub, NotImplementedError
not understood      it looks like a derivative, and no way of asking for it is known
convention          exact, systematic and known: weight gradients averaged throughout, every tied winner gets it all
waived              the class says that, and why, it differs on purpose
correct
skipped             left out by name, with a reason; of a point: there is no derivative that could be claimed
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

Verdict = Literal[
    "wrong",
    "unresolved",
    "could not be asked",
    "not implemented",
    "not understood",
    "convention",
    "waived",
    "correct",
    "skipped",
]

# Worst first: a component's verdict is the first of these that one of its claims has.
ORDER: tuple[Verdict, ...] = get_args(Verdict)

# With these `bool(result)` is true, and `assert_correct` and the pytest fixture pass.
PASSING: tuple[Verdict, ...] = ("correct", "waived", "convention")

# With these the command's exit status is 1.
FAILING: tuple[Verdict, ...] = ("wrong", "unresolved", "could not be asked", "not implemented")

# How far a mistake reaches, farthest first. A setting: an argument that is not its default. Some data: one kind of
# labels or indices. An edge: ties, zeros, probabilities of 0 and 1, ±1000. ε: the claim forgets
# the small constant of its own forward.
Reach = Literal[
    "everywhere", "a branch", "a setting", "some shapes", "some data", "a dtype", "whole numbers", "an edge", "ε"
]
REACHES: tuple[Reach, ...] = get_args(Reach)


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of several verdicts; "skipped" if there are none.

    >>> overall(["correct", "waived"]), overall([])
    ('waived', 'skipped')
    """
    found = set(verdicts)
    return next((verdict for verdict in ORDER if verdict in found), "skipped")


def farthest(reaches: Iterable[Reach | None]) -> Reach | None:
    """Return the one that reaches farthest; `None` if there are none.

    >>> farthest(["an edge", None, "a dtype"])
    'a dtype'
    """
    found = set(reaches)
    return next((reach for reach in REACHES if reach in found), None)


def rank(verdict: Verdict, reach: Reach | None = None) -> int:
    """Return what tables sort by: worst verdict first, and of what is wrong what reaches farthest.

    >>> rank("wrong", "everywhere") < rank("wrong", "an edge") < rank("unresolved")
    True
    """
    return len(REACHES) * ORDER.index(verdict) + (REACHES.index(reach) if reach is not None else 0)
