"""How far a mistake reaches: read off the points at which a claim is wrong, and those at which it is right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gradcheck.branches.coverage import Shapes, Visit, where
from gradcheck.results import AtPoint
from gradcheck.verdicts import Reach

WIDEST = "float64"


# Edges that are met by size alone: where a decision in the code tells more, it is said instead.
LOUD = ("at ±", "for huge inputs", "near 0 (1e-8)")


def reach_of(points: Sequence[AtPoint], visits: Mapping[str, Visit]) -> tuple[Reach, str]:
    """Return how far a claim reaches that is wrong at some of `points`, and where that is, in words.

    A short type counts only if the widest that was asked is right, and an edge only if all else is. `visits`: what each
    point showed, by its label.
    """
    wrong = [point for point in points if point.verdict == "wrong"]
    if all(is_whole(point) for point in wrong):
        return "whole numbers", f"for whole numbers ({wrong[0].dtype})"
    widest = WIDEST if any(point.dtype == WIDEST for point in points) else wrong[0].dtype
    ordinary = [point for point in wrong if not point.edge and not point.setting and not point.data]
    wide = [point for point in ordinary if point.dtype == widest]
    right = [point for point in points if _is_usual(point) and point.dtype == widest and point.verdict == "correct"]
    usual = [point for point in right if _shows_less(point, wrong)]
    if wide:
        plain = [point for point in usual if not point.size]  # a batch of one hides what is wrong with a batch
        if plain and all(point.size for point in wide):
            return "some shapes", joined(point.size for point in wide)
        found = _where(_at(wide, visits), _at(plain, visits))
        if found is None and plain and all(point.point.startswith("where ") for point in wide):
            return "a branch", joined(point.point for point in wide)  # aimed at, and right at all other points
        return found or ("everywhere", "everywhere")
    if any(point.setting for point in wrong):
        return "a setting", joined(point.setting for point in wrong if point.setting)
    if any(point.data for point in wrong):
        return "some data", joined(point.data for point in wrong if point.data)
    at_edges = [point for point in wrong if point.edge and point.dtype == widest]
    if ordinary and not at_edges:
        return "a dtype", f"in {joined(point.dtype for point in ordinary)}"
    edges = joined(point.edge for point in at_edges or wrong)
    if all(point.edge.startswith(LOUD) for point in at_edges or wrong):
        return _where(_at(at_edges, visits), _at(usual, visits)) or ("an edge", edges)
    return "an edge", edges


def _is_usual(point: AtPoint) -> bool:
    return not (point.edge or point.setting or point.data)


def _shows_less(point: AtPoint, wrong: Sequence[AtPoint]) -> bool:
    """Whether a right claim is closer to the derivative than any wrong one: in short types a mistake can be allowed."""
    return not 2 * point.error >= min(at.error for at in wrong)


def _at(points: Sequence[AtPoint], visits: Mapping[str, Visit]) -> list[Visit]:
    return [visits[point.point] for point in points if point.point in visits]


def _where(wrong: Sequence[Visit], right: Sequence[Visit]) -> tuple[Reach, str] | None:
    """What tells the points at which a claim is wrong from those at which it is right: their shapes, or a branch."""
    if not wrong or not right:
        return None
    bad, good = {visit.shapes for visit in wrong}, {visit.shapes for visit in right}
    if not bad & good:
        return "some shapes", f"for inputs of shape {_listed(bad)}, not {_listed(good)}"
    here = [visit.taken for visit in right if visit.shapes in bad]
    branch = where([visit.taken for visit in wrong], here)
    return ("a branch", branch) if branch else None


def _listed(shapes: Iterable[Shapes]) -> str:
    """The first input's shapes."""
    return " or ".join(sorted(str(one[0]) for one in shapes))


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
