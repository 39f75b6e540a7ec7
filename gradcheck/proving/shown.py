"""What is known exactly of one claim, over all points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck import exact
from gradcheck.comparing.compare import Comparison
from gradcheck.errors import TimeLimit
from gradcheck.evaluated import Evaluated
from gradcheck.problem import Method
from gradcheck.results import Basis, Digits, Piece, Proof
from gradcheck.sampling import Point
from gradcheck.verdicts import Verdict

if TYPE_CHECKING:
    from gradcheck.exact import Formula, Trace

# Pieces of a claim, decisions of a piece, and outcomes of a decision that are listed.
PIECES, DECISIONS, OUTCOMES = 16, 16, 3

Key = tuple[tuple[tuple[int, ...], ...], tuple[str, ...]]


@dataclass
class Shown:
    """One claim: the labels of the points at which it is `good` or `wrong`, and what was `measured` there.

    `last`: the point that was compared last; `first`: the first that is good; `missed`: at some ordinary point nothing
    could be shown, because of `left`; `worst`: where the fewest digits of a type are kept.
    """

    last: Evaluated | None = None
    first: Evaluated | None = None
    good: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    measured: bool = False
    missed: bool = False
    disagrees: bool = False
    off: float = 0.0
    apart: float = 0.0
    left: str = ""
    pieces: dict[Key, list[str]] = field(default_factory=dict)
    digits: dict[str, Digits] = field(default_factory=dict)
    worst: dict[str, tuple[Point, Method, Formula]] = field(default_factory=dict)

    def miss(self, point: Point, why: str) -> None:
        """Nothing could be shown at a point; at one that may only prove a claim wrong, nothing has to be."""
        if is_ordinary(point):
            self.missed = True
            self.left = self.left or why

    def agree(self, here: Evaluated, formula: Formula, found: Comparison) -> None:
        """The claim is the derivative at a point; `found` was measured."""
        assert formula.comparison is not None
        self.good.append(here.point.label)
        self.measured |= not self.wrong and found.at.verdict in ("correct", "convention")
        self.first = self.first or here
        self.apart = max(self.apart, min(formula.comparison.most_apart, 1.0))
        self.pieces.setdefault(_piece(here, formula), []).append(here.point.label)

    @property
    def is_sure(self) -> bool:
        """Whether nothing speaks against it so far, and a measurement agrees."""
        return bool(self.good) and self.measured and not self.wrong and not self.disagrees

    def differ(self, point: Point, off: float, found: Comparison) -> None:
        """The claim is not the derivative at a point; `found` was measured."""
        self.measured = (self.measured and bool(self.wrong)) or found.at.verdict == "wrong"
        self.wrong.append(point.label)
        self.off = max(self.off, off)

    def keep(self, point: Point, method: Method, formula: Formula, digits: Digits) -> None:
        """A right claim keeps so many digits at a point."""
        usual = digits.kept if is_ordinary(point) else digits.of
        before = self.digits.get(digits.dtype)
        fewest = digits if before is None or digits.least < before.least else before
        if fewest is digits:
            self.worst[digits.dtype] = point, method, formula
        self.digits[digits.dtype] = replace(fewest, kept=usual if before is None else min(before.kept, usual))

    def basis(self, verdict: Verdict) -> Basis:
        """What the verdict rests on: what is shown at all ordinary points, or that the claim is wrong at one."""
        if not self.wrong and (self.missed or not self.good or verdict == "wrong"):
            return "measured"
        return "both" if self.measured else "proved"

    def proof(self) -> Proof:
        """The same as it goes into a result; where most digits of a type are lost, the line is looked for."""
        digits = [replace(one, place=self._line(dtype)) for dtype, one in self.digits.items()]
        pieces = [Piece(shapes, decisions, tuple(points)) for (shapes, decisions), points in self.pieces.items()]
        return Proof(
            points=len(self.good),
            pieces=tuple(pieces[:PIECES]),
            apart=self.apart,
            off=self.off,
            left=self.left,
            digits=tuple(digits),
        )

    def _line(self, dtype: str) -> str:
        """The line at which most digits of float64 are lost, where they are."""
        digits, (point, method, formula) = self.digits[dtype], self.worst[dtype]
        if dtype != "float64" or 2 * digits.least >= digits.of or formula.forward is None:
            return ""
        shapes = [part.shape for part in formula.forward.value]
        try:
            return exact.line_of_loss(point.problem, method, point.values, shapes, formula.cotangent)
        except (Exception, TimeLimit):  # a mistake of the engine's own, or no time left: then no line is said
            return ""


def is_ordinary(point: Point) -> bool:
    """Whether a claim has to be right at a point in all its digits."""
    return not point.special and not point.boundary


def _piece(here: Evaluated, formula: Formula) -> Key:
    """The shapes of the inputs, and what forward and the claim decided, in words."""
    shapes = tuple(np.shape(here.point.values[v.name]) for v in here.problem.variables if v.role == "input")
    assert formula.forward is not None
    assert formula.claim is not None
    decided = dict.fromkeys([*_decisions(formula.forward.trace), *_decisions(formula.claim.trace)])
    return shapes, tuple(decided)[:DECISIONS]


def _decisions(trace: Trace) -> Iterator[str]:
    for (site, kind), decision in trace.decisions.items():
        if not site.is_ours:
            outcomes = sorted(map(str, decision.outcomes))
            yield f"{site}: {kind.replace('_', ' ')} {' and '.join(outcomes[:OUTCOMES])}"
