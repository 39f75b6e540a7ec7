"""How far a mistake reaches: read off the points at which a claim is wrong, and those at which it is right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gradcheck.results import AtPoint
from gradcheck.verdicts import Reach

WIDEST = "float64"


def reach_of(points: Sequence[AtPoint]) -> tuple[Reach, str]:
    """Return how far a claim reaches that is wrong at some of `points`, and where that is, in words.

    A short type counts only if the widest that was asked is right, and an edge only if all else is.
    """
    wrong = [point for point in points if point.verdict == "wrong"]
    if all(is_whole(point) for point in wrong):
        return "whole numbers", f"for whole numbers ({wrong[0].dtype})"
    widest = WIDEST if any(point.dtype == WIDEST for point in points) else wrong[0].dtype
    ordinary = [point for point in wrong if not point.edge]
    wide = [point for point in ordinary if point.dtype == widest]
    if wide:
        usual = [point for point in points if not point.edge and not point.size and point.dtype == widest]
        if any(point.verdict == "correct" for point in usual) and all(point.size for point in wide):
            return "some shapes", joined(point.size for point in wide)
        return "everywhere", "everywhere"
    at_edges = [point for point in wrong if point.edge and point.dtype == widest]
    if ordinary and not at_edges:
        return "a dtype", f"in {joined(point.dtype for point in ordinary)}"
    return "an edge", joined(point.edge for point in at_edges or wrong)


def is_whole(point: AtPoint) -> bool:
    """Whether whole numbers were handed over."""
    return point.dtype.startswith(("int", "uint", "bool"))


def joined(words: Iterable[str]) -> str:
    """Return words, each once, as a sentence lists them.

    >>> joined(["at 0", "at ties", "at 0"])
    'at 0 and at ties'
    """
    found = list(dict.fromkeys(words))
    return ", ".join(found[:-1]) + (" and " if len(found) > 1 else "") + found[-1]
