"""Marks: what each expected component weighs, times what its verdict is worth, added up.

    [tool.gradcheck.marks.weights]        what a submission must have, by its full name; what is missing scores 0
    "beras.layers.Dense" = 3
    "beras.activations.Tanh" = 1

    [tool.gradcheck.marks.worth]          of verdicts, and of how far a mistake reaches; what is not said stays as it is
    convention = 1
    "an edge" = 0.75

Without a word, "correct" and "convention" are worth 1, and everything else, waivers included, is worth 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradcheck.errors import UsageError
from gradcheck.report.rows import headline
from gradcheck.report.spreadsheet import csv_bytes
from gradcheck.report.words import one_line
from gradcheck.results import ComponentResult, said
from gradcheck.verdicts import ORDER, REACHES

WORTH: dict[str, float] = {**dict.fromkeys([*ORDER, *REACHES], 0.0), "correct": 1.0, "convention": 1.0}
VISIBILITIES = ("visible", "hidden", "after_due_date", "after_published")
MISSING = "missing"


@dataclass(frozen=True)
class Marking:
    """How marks are given.

    `weights`: of every expected component, by name. `worth`: of a verdict or a reach, from 0 to 1. `visibility`: when
    Gradescope shows the claims of a component.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    worth: Mapping[str, float] = field(default_factory=lambda: WORTH)
    visibility: str = "visible"

    @property
    def most(self) -> float:
        """The most points that there are."""
        return sum(self.weights.values())


@dataclass(frozen=True)
class Mark:
    """The points of one expected component; `result` is `None` where the submission lacks it."""

    name: str
    points: float
    weight: float
    said: str
    why: str
    result: ComponentResult | None


def marking(table: Mapping[str, Any], expect: Sequence[str] = ()) -> Marking:
    """Read how marks are given; what is expected by name alone weighs 1 (UsageError for what is not understood)."""
    for key in _table({"marks": table}, "marks"):
        if key not in ("weights", "worth", "visibility"):
            raise UsageError(f"marks has no key {key!r}: expected weights, worth, visibility")
    given, said = _table(table, "marks.weights"), _table(table, "marks.worth")
    weights = {name: _number(value, f"marks.weights.{name!r}") for name, value in given.items()}
    worth = {name: _number(value, f"marks.worth.{name!r}", most=1) for name, value in said.items()}
    unknown = next((name for name in worth if name not in WORTH or name == "wrong"), None)
    if unknown is not None:
        words = ", ".join(name for name in WORTH if name != "wrong")
        raise UsageError(f"marks.worth has no key {unknown!r}: expected some of {words}")
    visibility = table.get("visibility", "visible")
    if visibility not in VISIBILITIES:
        raise UsageError(f"expected marks.visibility to be one of {', '.join(VISIBILITIES)}, but got {visibility!r}")
    return Marking({**dict.fromkeys(expect, 1.0), **weights}, {**WORTH, **worth}, visibility)


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key.removeprefix("marks."), {})
    if not isinstance(value, dict):
        raise UsageError(f"expected {key} to be a table, but got {value!r}")
    return value


def _number(value: Any, what: str, most: float = 1e6) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        raise UsageError(f"expected {what} to be a number from 0 to {most:g}, but got {value!r}")
    return float(value)


def marks(results: Sequence[ComponentResult], how: Marking) -> list[Mark]:
    """Return the mark of every expected component, in the order in which they are expected."""
    by_name = {result.name: result for result in results}
    return [_mark(name, weight, by_name, how) for name, weight in how.weights.items()]


def _mark(name: str, weight: float, by_name: Mapping[str, ComponentResult], how: Marking) -> Mark:
    result = by_name.get(name)
    if result is None:
        # The module that should hold it says why it is missing, where that could not be looked into.
        around = [one for one in by_name.values() if one.reason and name.startswith(f"{one.name}.")]
        return Mark(name, 0.0, weight, MISSING, one_line(around[-1].reason) if around else "", None)
    word = result.reach if result.verdict == "wrong" and result.reach is not None else result.verdict
    verdict = said(result.verdict, result.reach, result.where)
    return Mark(name, weight * how.worth[word], weight, verdict, one_line(headline(result)), result)


def marks_csv(folders: Iterable[tuple[str, Sequence[ComponentResult]]], how: Marking) -> bytes:
    """Return a row for every folder, points and then verdicts, below a row with the most points that there are."""
    names = list(how.weights)
    most = points(how.most)
    rows = [
        ["who", "mark", "of", *names, *(f"{name}: verdict" for name in names)],
        ["(most)", most, most, *map(points, how.weights.values())],
    ]
    for who, results in folders:
        given = marks(results, how)
        total = points(sum(mark.points for mark in given))
        rows.append([who, total, most, *(points(mark.points) for mark in given), *map(_in_words, given)])
    return csv_bytes(rows)


def _in_words(mark: Mark) -> str:
    return f"{mark.said}: {mark.why}" if mark.why and mark.result is None else mark.said


def points(value: float) -> str:
    """Return points with at most four decimals.

    >>> points(3.0), points(0.75), points(2 / 3)
    ('3', '0.75', '0.6667')
    """
    return f"{value:.4f}".rstrip("0").rstrip(".")
