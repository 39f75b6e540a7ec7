"""What is shown exactly about claims, beside what is measured, where python-flint is installed (`gradcheck.exact`).

At a point where forward and a claim run exactly, the claim's formula is compared with the derivative's. What comes out
counts only where the exact run is about the same code as the run in floats: forward and claim are in floats what they
are exactly, and the exact derivative lies within the measured one's bound. Then

- a claim that agrees is right for every input that takes the same branches, and what its measurement left unresolved is
  resolved, if the claim in floats keeps enough digits of it;
- a claim that is apart by more than rounded constants explain is wrong, also where no measurement can see it;
- a claim that is right loses so many digits in floats.

What cannot be run exactly is only measured, for the reason that is said; nothing that goes wrong in an exact run
changes a verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck import exact
from gradcheck.asking.cotangents import Cotangents
from gradcheck.comparing.compare import RESOLVED, Comparison
from gradcheck.comparing.judge import NOTHING
from gradcheck.errors import told
from gradcheck.evaluated import Evaluated
from gradcheck.in_dtype import InDtype
from gradcheck.numerical.estimate import Estimate
from gradcheck.problem import Array, Method
from gradcheck.results import Basis, Digits, Note, Piece, Proof
from gradcheck.sampling.arrange import as_it_is
from gradcheck.sampling import Point

if TYPE_CHECKING:
    from gradcheck.exact import ExactPoint, Formula, Trace

# Operations on balls that one exact run may take.
OPERATIONS = 200_000

GOOD = ("identical", "constants rounded", "convention")

# Pieces of a claim, and decisions of a piece, that are listed.
PIECES, DECISIONS = 16, 16


@dataclass
class _Shown:
    """What is known of one claim over all points: `good` and `wrong` are the labels of points."""

    last: Evaluated | None = None
    good: list[str] = field(default_factory=list)
    measured: bool = False
    missed: bool = False
    wrong: list[str] = field(default_factory=list)
    measured_wrong: bool = False
    disagrees: bool = False
    off: float = 0.0
    apart: float = 0.0
    left: str = ""
    pieces: dict[tuple[Any, ...], list[str]] = field(default_factory=dict)
    digits: dict[str, Digits] = field(default_factory=dict)


@dataclass(frozen=True)
class _Here:
    """What is run exactly at one point: the formulas of a method by its variables, asked with the cotangent `u`."""

    formulas: Mapping[str, Formula]
    u: Array


class Prover:
    """Runs the claims of one subject exactly, at one point after the other, and keeps what is shown."""

    def __init__(self, wanted: bool, seed: int) -> None:
        self.wanted = wanted and exact.available()
        self.seed = seed
        self.notes: list[Note] = []
        self._claims: dict[str, _Shown] = {}
        self._evaluated: Evaluated | None = None
        self._point: ExactPoint | None = None
        self._found: dict[str, _Here] = {}

    def weigh(self, here: Evaluated, known: InDtype, method: Method, name: str, found: Comparison) -> Comparison:
        """Return the comparison of a claim with its measurement, changed where what is exact decides more."""
        if not self.wanted or not _is_run(here, known, name):
            return found
        shown = self._claims.setdefault(f"{method.name}[{name}]", _Shown())
        try:
            return self._weighed(shown, here, known, method, name, found)
        except Exception as error:  # a mistake of the engine's own must neither stop the check nor change a verdict
            shown.missed = True
            shown.left = shown.left or f"the exact run failed: {told(error)}"
            return found

    def _weighed(
        self, shown: _Shown, here: Evaluated, known: InDtype, method: Method, name: str, found: Comparison
    ) -> Comparison:
        formula = self._at(here, method).formulas.get(name)
        if formula is None:
            return found
        if shown.last is not here:  # the widest type that is asked comes first
            shown.last = here
            found = self._formula(shown, here, method, formula, found)
        digits = self._digits(shown, here, known, method, formula)
        return _resolved(found, known, digits) if here.point.label in shown.good else found

    def basis(self, claim: str) -> tuple[Basis, Proof | None]:
        """What a claim's verdict rests on, and what was shown (None where nothing could be run)."""
        shown = self._claims.get(claim)
        if shown is None:
            return "measured", None
        pieces = [Piece(*key, points=tuple(labels)) for key, labels in shown.pieces.items()]
        proof = Proof(
            points=len(shown.good),
            pieces=tuple(pieces[:PIECES]),
            apart=shown.apart,
            off=shown.off,
            left=shown.left,
            digits=tuple(shown.digits.values()),
        )
        if shown.wrong:
            return ("both" if shown.measured_wrong else "proved"), proof
        if shown.missed or not shown.good:
            return "measured", proof
        return ("both" if shown.measured else "proved"), proof

    def _at(self, here: Evaluated, method: Method) -> _Here:
        if self._evaluated is not here:
            rng = np.random.default_rng([self.seed, 11])
            self._evaluated, self._found = here, {}
            self._point = exact.ExactPoint(here.problem, here.point.values, rng, budget=OPERATIONS)
        if method.name not in self._found:
            assert self._point is not None
            formulas = self._point.compare(method)
            self._found[method.name] = _Here(formulas, self._point.cotangents(method, here.flat.size))
        return self._found[method.name]

    def _formula(
        self, shown: _Shown, here: Evaluated, method: Method, formula: Formula, found: Comparison
    ) -> Comparison:
        """Note what is shown of the formula at a point; say that it is wrong where it is."""
        point, name = here.point, formula.wrt
        counts = not point.special and not point.boundary
        why = _why_not(here, formula) or self._other_claim(here, method, formula)
        if not why and (gap := _gap(here, formula)):
            assert formula.forward is not None
            rounds = next(iter(formula.forward.notes), None)
            why = f"{gap} at “{point.label}”" if rounds is None else str(rounds)
            if rounds is None and not shown.disagrees:
                shown.disagrees = True
                self.notes.append(Note(f"{method.name}[{name}]", f"{why}: the verdict is the measured one"))
        if why:
            shown.missed |= counts
            shown.left = shown.left or (why if counts else "")
            return found
        assert formula.comparison is not None
        if formula.comparison.relation in GOOD:
            shown.good.append(point.label)
            shown.measured |= found.at.verdict in ("correct", "convention")
            shown.apart = max(shown.apart, min(formula.comparison.most_apart, 1.0))
            shown.pieces.setdefault(_piece(here, formula), []).append(point.label)
            return found
        if formula.comparison.relation == "disjoint" and _is_far(here, formula):
            shown.wrong.append(point.label)
            shown.off = max(shown.off, formula.comparison.apart)
            shown.measured_wrong |= found.at.verdict == "wrong"
            message = f"the formula is not the derivative's: off by {formula.comparison.apart:.2g} of it, shown exactly"
            if found.at.verdict in ("correct", "unresolved", "skipped"):
                return replace(found, at=replace(found.at, verdict="wrong", message=message), proved=True)
            return found
        if counts:
            shown.missed = True
            shown.left = shown.left or f"what is known of both is {formula.comparison.relation} at “{point.label}”"
        return found

    def _other_claim(self, here: Evaluated, method: Method, formula: Formula) -> str:
        """Why the claim in floats is not the one that ran exactly; "" where it is."""
        known = here.in_dtype(here.problem.dtype)
        rows = self._asked(here, known, method, formula)
        assert formula.claim is not None
        if rows is None:
            return "the claim says nothing in floats"
        off = exact.agreement(rows, formula.claim.rows[formula.wrt][0])
        return "" if off <= RESOLVED[known.precision] else f"in floats the claim is off by {off:.2g} from what it is exactly"

    def _asked(self, here: Evaluated, known: InDtype, method: Method, formula: Formula) -> Array | None:
        """What the claim says in floats for the cotangent of the exact run."""
        asked = dict.fromkeys(method.wrt, Cotangents(self._found[method.name].u, 1))
        answer = here.ask(method, known, asked)[formula.wrt]
        return None if answer.rows is None else answer.rows[0]

    def _digits(
        self, shown: _Shown, here: Evaluated, known: InDtype, method: Method, formula: Formula
    ) -> Digits | None:
        """How many digits a right claim keeps at this point in this type; the fewest are kept in mind."""
        point, name = here.point, formula.wrt
        if formula.at_kink or formula.claim is None or point.label not in shown.good or not _holds(point, known.dtype):
            return None
        rows = self._asked(here, known, method, formula)
        if rows is None:
            return None
        exactly = formula.claim.rows[name][0]
        estimate = here.estimate(name)
        known_sizes = np.where(np.abs(estimate.value) > estimate.bound, np.abs(estimate.value), 0.0)
        least = known_sizes.max(axis=0, initial=0.0) * np.abs(formula.cotangent)
        kept, entry = exact.digits_kept(rows, exactly, estimate.column, least, known.dtype)
        index = tuple(int(i) for i in np.unravel_index(entry, np.shape(point.values[name])))
        of = int(np.finfo(known.dtype).precision)
        whole = min(int(kept), of)
        x = float(here.variable(name)[entry])
        made = Digits(known.dtype, of, whole, whole, point.label, index, x)
        before = shown.digits.get(known.dtype)
        usual = of if point.special or point.boundary else whole
        if before is None:
            shown.digits[known.dtype] = replace(made, kept=usual)
        else:
            least = made if whole < before.least else before
            shown.digits[known.dtype] = replace(least, kept=min(before.kept, usual))
        return made


def _is_run(here: Evaluated, known: InDtype, name: str) -> bool:
    """Whether a point is one to run exactly: not one that is about the memory or the type of what is handed over."""
    point = here.point
    return point.arrange is as_it_is and not point.types and not known.whole and not here.is_large(name)


def _why_not(here: Evaluated, formula: Formula) -> str:
    """Why nothing can be concluded from an exact run; "" where something can."""
    if formula.comparison is None:
        return str(formula.why) if formula.why is not None else f"forward has a {formula.left} here"
    assert formula.forward is not None
    off = exact.agreement(here.flat, np.concatenate([part.ravel() for part in formula.forward.value]))
    return "" if off <= RESOLVED[here.problem.dtype] else f"in floats forward is off by {off:.2g} from what it is exactly"


def _gap(here: Evaluated, formula: Formula) -> str:
    """By how much u · J v is another exactly than the measured J has it, where both are known; "" where it is not."""
    estimate = here.estimate(formula.wrt)
    assert formula.forward is not None
    if estimate.kink is not None or formula.at_kink or not estimate.column.size:
        return ""
    v, u = np.abs(formula.direction.ravel()), np.abs(formula.cotangent)
    named = estimate.column >= 0
    weight = np.where(named, v[estimate.column], 0.0) * u
    bound = float((weight * estimate.bound).sum() + (u * estimate.zero_bound).sum() * v.sum())
    size = float((weight * np.abs(estimate.value)).sum())
    if not np.isfinite(bound):
        return ""
    signed = np.where(named, formula.direction.ravel()[estimate.column], 0.0) * formula.cotangent
    measured = float((signed * estimate.value).sum())
    slopes = np.concatenate([exact.midpoints(part).ravel() for part in formula.forward.right])
    right = float(slopes @ formula.cotangent)
    apart = abs(right - measured)
    if not np.isfinite(apart) or apart <= bound + 64 * np.finfo(float).eps * size:
        return ""
    return f"the derivative along a random direction is {right:.10g} exactly and {measured:.10g} ± {bound:.2g} as measured"


def _is_far(here: Evaluated, formula: Formula) -> bool:
    """Whether a difference is more than nothing beside f and the usual derivatives: of a saturated function little is left.

    At ordinary points the row's own scale counts alone.
    """
    if not (here.point.special or here.point.boundary):
        return True
    assert formula.comparison is not None
    size = float(np.abs(here.flat).max(initial=0.0)) / max(here.reach, 1.0)
    nothing = max(exact.ROUNDED * size, NOTHING * here.ledger.sizes.get(formula.wrt, 0.0))
    return formula.comparison.apart * formula.scale > nothing


def _piece(here: Evaluated, formula: Formula) -> tuple[Any, ...]:
    """The shapes of the inputs, and what forward and the claim decided, in words."""
    shapes = tuple(np.shape(here.point.values[v.name]) for v in here.problem.variables if v.role == "input")
    assert formula.forward is not None and formula.claim is not None
    decided = dict.fromkeys([*_decisions(formula.forward.trace), *_decisions(formula.claim.trace)])
    return shapes, tuple(decided)[:DECISIONS]


def _decisions(trace: Trace) -> Iterator[str]:
    for (site, kind), decision in trace.decisions.items():
        if not site.is_ours:
            outcomes = sorted(map(str, decision.outcomes))
            yield f"{site}: {kind.replace('_', ' ')} {' and '.join(outcomes[:3])}"


def _holds(point: Point, dtype: str) -> bool:
    """Whether the values are the same numbers in a type: a claim at rounded values is about another point."""
    floats = [value for value in point.values.values() if value.dtype.kind == "f"]
    return all(np.array_equal(value.astype(dtype).astype(float), value) for value in floats)


def _resolved(found: Comparison, known: InDtype, digits: Digits | None) -> Comparison:
    """An exact agreement resolves what the measurement could not, if the claim keeps its digits in this type."""
    if found.at.verdict != "unresolved" or digits is None:
        return found
    if 10.0**-digits.kept > RESOLVED.get(known.precision, RESOLVED["float64"]):
        return found
    message = f"shown exactly, {digits.kept} of {digits.of} digits kept; {found.at.message}"
    return replace(found, at=replace(found.at, verdict="correct", message=message))
