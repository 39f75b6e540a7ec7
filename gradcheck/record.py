"""What is known about one claim, written down point by point, and the verdict that it adds up to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gradcheck.asking.claims import Answer
from gradcheck.branches.coverage import Visit
from gradcheck.comparing.compare import Comparison
from gradcheck.evaluated import Evaluated
from gradcheck.in_dtype import InDtype
from gradcheck.problem import Method, Values
from gradcheck.reach import is_whole, joined, reach_of
from gradcheck.results import AtPoint, Curve, Entry, Heat, Kink, Note, Taylor
from gradcheck.sampling import Point
from gradcheck.verdicts import Reach, Verdict, overall

# Messages that differ in their numbers only are one message.
DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Wrong:
    """Where a claim was first wrong, for whoever explains it.

    `message`: what it raised instead, or why its shape cannot be read; `together`: what is wrong with several kinked
    entries together. `refused`: there was no answer to compare. `proved`: no measurement sees it, and `message` says
    what was shown exactly.
    """

    here: Evaluated
    dtype: str
    method: Method
    previous: Values | None
    message: str = ""
    together: str = ""
    refused: bool = False
    proved: bool = False

    @property
    def tells(self) -> int:
        """How much it tells: numbers that are measurably wrong most, a refusal (which may be passed over) least."""
        return 0 if self.refused else 1 if self.proved else 2

    @property
    def is_measured(self) -> bool:
        """Whether a measurement shows it."""
        return not (self.refused or self.proved or self.together)

    @property
    def point(self) -> Point:
        """The point, of which `here` holds what is known."""
        return self.here.point


@dataclass
class Record:
    """One claim: what came out at each point so far.

    `refused`: what it raised or returned where nothing could be compared, by the place of that point in `points`.
    `plain`: whether it was right about a derivative that is not zero, away from kinks; `leaning`: places of points at
    which it needs that.
    """

    method: str
    wrt: str
    certain: bool
    points: list[AtPoint] = field(default_factory=list)
    kinks: list[Kink] = field(default_factory=list)
    refused: dict[int, Answer] = field(default_factory=dict)
    worst: Entry | None = None
    worst_ratio: float = -1.0
    worst_point: str = ""
    wrong: tuple[Entry, ...] = ()
    wrong_count: int = 0
    first_wrong: Wrong | None = None
    curve: Curve | None = None
    heat: Heat | None = None
    taylor: Taylor | None = None
    convention: str = ""
    constant: bool = False
    silent: str = ""
    plain: bool = False
    leaning: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The claim's name: `"backward[x]"`."""
        return f"{self.method}[{self.wrt}]"

    def compared(self, here: Evaluated, known: InDtype, found: Comparison) -> None:
        """Write down a comparison."""
        if found.leaning:
            self.leaning.append(len(self.points))
        self.points.append(replace(found.at, setting=here.point.setting, data=here.point.data))
        self.plain |= found.plain > 0 and found.at.verdict != "wrong"
        if known.dtype == "float64":
            self.kinks.extend(found.kinks)
        if found.worst is not None and found.at.ratio > self.worst_ratio:
            self.worst, self.worst_ratio = found.worst, found.at.ratio
            self.worst_point = f"{here.point.label}, {known.name}"
        if found.at.verdict == "wrong" and not self.wrong_count:
            self.wrong, self.wrong_count = found.entries, found.wrong

    def passed_over(self, point: Point, dtype: str, verdict: Verdict, message: str) -> None:
        """Write down a point at which there was nothing to compare."""
        at = AtPoint(point.label, dtype, verdict, message=message, edge=point.edge, size=point.size)
        at = replace(at, setting=point.setting, data=point.data)
        self.points.append(at)

    def refuse(self, point: Point, dtype: str, answer: Answer) -> None:
        """Write down an exception, or an answer that cannot be the gradient; what it means is known at the end."""
        self.refused[len(self.points)] = answer
        self.passed_over(point, dtype, "could not be asked", answer.message)

    def settle(self, answered: bool) -> None:
        """Decide what depends on all points together: exceptions, and claims of 0 at kinks.

        `answered`: the same call is right about another variable. So this is how it is asked, and a gradient of a size
        that no point's variable has is wrong.
        """
        for at in self._unsettled():
            self.points[at] = replace(self.points[at], verdict="wrong")
        self._leave_to_others()
        judged = {(one.size, is_whole(one)) for one in self.points if one.verdict in ("correct", "wrong", "convention")}
        passed: dict[str, list[AtPoint]] = {}
        for at, answer in self.refused.items():
            one = self.points[at]
            unlike = answer.status == "other types"
            certain = self.certain or (answered and answer.status == "unreadable")
            if not judged and (unlike or not certain):
                continue
            elsewhere = unlike or one.edge or ((one.size or is_whole(one)) and (one.size, is_whole(one)) not in judged)
            if judged and elsewhere:
                # It does answer: this is a size or a type that the code may never have meant, or a loud edge.
                self.points[at] = replace(one, verdict="skipped")
                passed.setdefault(DIGITS.sub("", answer.message), []).append(self.points[at])
            else:
                self.points[at] = replace(one, verdict="wrong")
        self.notes.extend(_cannot_be_asked(points) for points in passed.values())

    def _unsettled(self) -> Iterator[int]:
        """Places of points at which 0 was claimed at a kink whose sides are both on one side of 0, without merit."""
        return iter(() if self.plain else self.leaning)

    def _leave_to_others(self) -> None:
        """Pass over points at which f happens to be too flat to tell, if most ordinary ones do tell."""
        ordinary = [one for one in self.points if not one.edge]
        for dtype in {one.dtype for one in ordinary}:
            told, untold = (
                [one for one in ordinary if one.dtype == dtype and one.verdict == verdict and one.scale > 0]
                for verdict in ("correct", "unresolved")
            )
            if len(told) > len(untold):
                for one in untold:
                    self.points[self.points.index(one)] = replace(one, verdict="skipped")

    @property
    def was_wrong(self) -> bool:
        """Whether it was wrong at any point so far; what is unresolved there, other points may tell."""
        return any(one.verdict == "wrong" for one in self.points)

    @property
    def has_failed(self) -> bool:
        """Whether it was wrong or unresolved at any point so far."""
        return any(one.verdict in ("wrong", "unresolved") for one in self.points)

    @property
    def is_right(self) -> bool:
        """Whether it was right at a point that nothing is special about."""
        return any(one.verdict == "correct" and not one.edge for one in self.points)

    @property
    def is_wrong(self) -> bool:
        """Whether it was wrong, or follows a convention, at a point that nothing is special about."""
        return any(one.verdict in ("wrong", "convention") and not one.edge for one in self.points)

    def is_wrong_at(self, label: str) -> bool:
        """Whether it was wrong at the point of this label."""
        return any(one.verdict == "wrong" and one.point == label for one in self.points)

    def verdict(self) -> tuple[Verdict, str]:
        """Return the verdict over all points, and the reason where it needs one."""
        found = overall(one.verdict for one in self.points)
        if found == "skipped" and self.silent:
            return "not implemented", self.silent
        if not self.points and self.constant:
            return "correct", f"{self.wrt} is data and held constant"
        message = next((one.message for one in self.points if one.verdict == found and one.message), "")
        if found == "skipped":
            return "unresolved", message  # a claim that no point could judge does not pass quietly
        if found == "correct" and self.convention:
            return "convention", self.convention
        return found, message if found in ("unresolved", "could not be asked", "convention") else ""

    def reach(self, visits: Mapping[str, Visit]) -> tuple[Reach, str]:
        """Return how far a wrong claim reaches, and where that is; `visits`: what each point showed, by its label."""
        return reach_of(self.points, visits)

    def as_notes(self) -> list[Note]:
        """What is true of it and nobody's mark."""
        return [Note(self.name, text) for text in dict.fromkeys(self.notes)]


def _cannot_be_asked(points: Sequence[AtPoint]) -> str:
    """Say where a claim could not be asked, though it can elsewhere, and what came back first."""
    places = (p.edge or p.size or (f"for whole numbers ({p.dtype})" if is_whole(p) else p.point) for p in points)
    return f"cannot be asked {joined(places)}: {points[0].message}"
