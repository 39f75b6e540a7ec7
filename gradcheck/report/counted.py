"""How many results have each verdict, and how far those reach that are wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

from gradcheck.results import ComponentResult
from gradcheck.verdicts import ORDER, REACHES, Reach, Verdict

WORDS: dict[Reach, str] = {
    "everywhere": "everywhere",
    "a branch": "on a branch",
    "a setting": "in a setting",
    "some shapes": "for some shapes",
    "some data": "for some data",
    "a dtype": "in a dtype",
    "whole numbers": "for whole numbers",
    "an edge": "at an edge",
    "ε": "by an ε",
}


class Judged(Protocol):
    """Whatever has a verdict: a component, a claim, a row."""

    @property
    def verdict(self) -> Verdict: ...
    @property
    def reach(self) -> Reach | None: ...


def tally(verdicts: Iterable[Verdict]) -> list[tuple[Verdict, int]]:
    """Return how often each verdict occurs, worst first."""
    amounts = Counter(verdicts)
    return [(verdict, amounts[verdict]) for verdict in ORDER if amounts[verdict]]


def counts(results: Iterable[ComponentResult]) -> dict[Verdict, int]:
    """Return how many components have each verdict, worst first, without the verdicts that none has."""
    return dict(tally(result.verdict for result in results))


def reached(things: Iterable[Judged]) -> dict[Reach, int]:
    """Return how many of the wrong ones reach how far, farthest first."""
    amounts = Counter(thing.reach for thing in things if thing.verdict == "wrong")
    return {reach: amounts[reach] for reach in REACHES if amounts[reach]}


def tallied(verdict: Verdict, amount: int | None, reaches: Mapping[Reach, int] = MappingProxyType({})) -> str:
    """Return a number of components (`None`: said already) with their verdict, and how far they reach if wrong.

    >>> tallied("wrong", 2, {"everywhere": 2}), tallied("wrong", 3, {"everywhere": 1, "an edge": 2})
    ('2 wrong everywhere', '3 wrong (1 everywhere, 2 at an edge)')
    >>> tallied("not understood", 4)
    '4 seen but not understood'
    """
    word: str = "seen but not understood" if verdict == "not understood" else verdict
    if verdict == "wrong" and len(reaches) == 1:
        word += f" {WORDS[next(iter(reaches))]}"
    elif verdict == "wrong" and reaches:
        word += f" ({', '.join(f'{n:,} {WORDS[reach]}' for reach, n in reaches.items())})"
    return word if amount is None else f"{amount:,} {word}"
