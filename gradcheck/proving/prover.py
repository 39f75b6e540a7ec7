"""The claims of one subject, run exactly at one point after the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck import exact
from gradcheck.asking.claims import Answer
from gradcheck.asking.cotangents import Cotangents
from gradcheck.comparing.compare import RESOLVED, Comparison
from gradcheck.comparing.judge import BESIDE, STEEP
from gradcheck.errors import told
from gradcheck.evaluated import Evaluated
from gradcheck.forms import loses
from gradcheck.in_dtype import InDtype
from gradcheck.problem import Array, Method
from gradcheck.proving import trust
from gradcheck.proving.scan import acts_by_entry, scan
from gradcheck.proving.shown import Shown, is_ordinary
from gradcheck.results import AtPoint, Basis, Digits, Note, Proof
from gradcheck.sampling.arrange import as_it_is
from gradcheck.verdicts import Verdict

if TYPE_CHECKING:
    from gradcheck.exact import ExactPoint, Formula

# Operations on balls that one exact run may take.
OPERATIONS = 200_000

# Digits that a claim may lose of another that is shown right, and still be the same in floats.
LOST = 3

# Of a point that is not measured, a claim may lose that many digits: what the tolerance of a measured one allows.
SURE = {"float64": 3, "float32": 1}

# What a measured error may be of the usual derivatives, and count nothing where the formula is shown: half the digits.
BENEATH = float(np.sqrt(np.finfo(float).eps))

# A claim that is off by this share of the derivative is measured to be wrong, however well that is measured.
GROSS = 2.0**-6

GOOD = ("identical", "constants rounded", "convention")


class Prover:
    """Compares claims exactly, and keeps what is shown of each."""

    def __init__(self, wanted: bool, scans: bool, seed: int) -> None:
        self.wanted = wanted and exact.available()
        self.scans = scans
        self.seed = seed
        self.notes: list[Note] = []
        self._claims: dict[str, Shown] = {}
        self._here: Evaluated | None = None
        self._point: ExactPoint | None = None
        self._asked: dict[str, Mapping[str, Formula]] = {}
        self._rows: dict[tuple[str, int, bytes], tuple[InDtype, Mapping[str, Answer]]] = {}
        self._scanned: set[str] = set()

    def weigh(self, here: Evaluated, known: InDtype, method: Method, name: str, found: Comparison) -> Comparison:
        """Return the comparison of a claim with its measurement, changed where what is exact decides more."""
        if not self.wanted or not _is_run(here, known, name) or found.at.message in (STEEP, BESIDE):
            return found
        shown = self._claims.setdefault(f"{method.name}[{name}]", Shown())
        try:
            return self._weigh(shown, here, known, method, name, found)
        except Exception as error:  # a mistake of the engine's own must neither stop the check nor change a verdict
            shown.miss(here.point, f"the exact run failed: {told(error)}")
            return found

    def settled(
        self, here: Evaluated, known: InDtype, method: Method, wrong: Collection[str]
    ) -> dict[str, tuple[Answer, Comparison]]:
        """What a method says and how it compares, by variable, where exact runs say so much that nothing is measured.

        Each was measured at other points, and all agreed: that it is right, or that it is not (of those in `wrong`).
        """
        usual = known.dtype in SURE and known.precision == known.dtype and not known.other
        if not self.wanted or not usual or not trust.holds(here.point, known.dtype):
            return {}
        found: dict[str, tuple[Answer, Comparison]] = {}
        for name in method.wrt:
            if here.problem.variable(name).constant or not _is_about_numbers(here, name):
                continue
            settled = self._refuted if name in wrong else self._settled
            try:
                one = settled(here, known, method, name)
            except Exception:  # a mistake of the engine's own: then it is measured
                continue
            if one is not None:
                found[name] = one
        return found

    def _refuted(self, here: Evaluated, known: InDtype, method: Method, name: str) -> tuple[Answer, Comparison] | None:
        """What a claim says that is far from the derivative exactly, as it was where it was measured."""
        shown, formula = self._claims.get(f"{method.name}[{name}]"), self._ask(here, method).get(name)
        if shown is None or not (shown.wrong and shown.measured) or formula is None or formula.at_kink:
            return None
        if trust.why_not(here, formula) or trust.rounds(formula) or not trust.is_far(here, formula):
            return None
        answer = self._answered(here, known, method, formula)
        if answer.rows is None or formula.forward is None:
            return None
        right = float(
            np.concatenate([exact.midpoints(part).ravel() for part in formula.forward.right]) @ formula.cotangent
        )
        off = abs(float(answer.rows[0] @ formula.direction.ravel()) - right)
        if not off > GROSS * formula.scale:
            return None
        found = _disagreement(here, known, answer.rows[0], off, formula.scale)
        if shown.last is not here and _is_run(here, known, name):
            shown.last = here
            shown.differ(here.point, off / formula.scale, found)
        return answer, found

    def _settled(self, here: Evaluated, known: InDtype, method: Method, name: str) -> tuple[Answer, Comparison] | None:
        """One of them, and what is shown of it."""
        shown = self._claims.get(f"{method.name}[{name}]")
        if shown is None or not shown.is_sure:
            return None
        formula = self._right(here, method, name)
        if formula is None or trust.rounds(formula):
            return None
        answer = self._answered(here, known, method, formula)
        if answer.rows is None or loses(answer.dtype, known.dtype):
            return None
        assert formula.claim is not None
        right = formula.claim.rows[name][0]
        nothing = np.zeros(formula.cotangent.size)
        kept, entry = exact.digits_kept(answer.rows[0], right, here.column(name), nothing, known.dtype)
        of = int(np.finfo(known.dtype).precision)
        found = _agreement(here, known, answer.rows[0], exact.midpoints(right), kept)
        # Where the type cannot hold the derivative, no digits are counted, and anything may have been said: NaN, say.
        if kept < of - SURE[known.dtype] or not found.at.error <= found.at.tolerance:
            return None
        if _is_run(here, known, name):
            if shown.last is not here:
                shown.last = here
                shown.good.append(here.point.label)
            shown.keep(here.point, method, formula, _as_digits(here, known, name, kept, entry))
        return answer, found

    def _plainest(self, here: Evaluated, method: Method, name: str) -> Method:
        """The first method that is asked for a product, if there is one: one run for all, and a small one."""
        return next((m for m in here.problem.methods if name in m.wrt and m.kind == "vjp"), method)

    def _right(self, here: Evaluated, method: Method, name: str) -> Formula | None:
        """What the plainest method says exactly, where that is right and answers what `method` is asked."""
        formula = self._ask(here, self._plainest(here, method, name)).get(name)
        if formula is None or formula.at_kink or trust.why_not(here, formula):
            return None
        assert formula.comparison is not None
        same_question = method.kind != "sum" or bool((formula.cotangent == 1).all())
        return formula if formula.comparison.relation in GOOD and same_question else None

    def basis(self, claim: str, verdict: Verdict) -> tuple[Basis, Proof | None]:
        """What a claim's verdict rests on, and what was shown (None where nothing was run)."""
        shown = self._claims.get(claim)
        return ("measured", None) if shown is None else (shown.basis(verdict), self._proof(claim, shown))

    def _proof(self, claim: str, shown: Shown) -> Proof:
        """What was shown; of the first claim by a variable that acts entry by entry, over a whole interval too."""
        proof, here = shown.proof(), shown.first
        method = next((m for m in here.problem.methods if claim.startswith(f"{m.name}[")), None) if here else None
        if not self.scans or here is None or method is None:
            return proof
        name = claim[len(method.name) + 1 : -1]
        try:
            if name in self._scanned or not acts_by_entry(here, method, name):
                return proof
            self._scanned.add(name)
            kept, boxes = scan(here, method, name)
        except Exception:  # what a claim says far from the points, or the engine's own mistakes: no picture then
            return proof
        return replace(proof, kept=kept, boxes=boxes)

    def _weigh(
        self, shown: Shown, here: Evaluated, known: InDtype, method: Method, name: str, found: Comparison
    ) -> Comparison:
        if found.at.verdict == "correct" and self._is_as_another(shown, here, known, method, name):
            return found
        formula = self._ask(here, method).get(name)
        if formula is None:
            return found
        if shown.last is not here:  # the widest type that is asked comes first
            shown.last = here
            found = self._compare(shown, here, method, formula, found)
        if here.point.label not in shown.good:
            return found
        rows = self._said(here, known, method, formula)
        if formula.at_kink or rows is None or not trust.holds(here.point, known.dtype):
            return found
        shown.keep(here.point, method, formula, _digits(here, known, formula, rows))
        return _decided(found, here, known, formula, rows)

    def _is_as_another(self, shown: Shown, here: Evaluated, known: InDtype, method: Method, name: str) -> bool:
        """Whether a claim says in floats what another one says exactly, which is shown right here.

        No more has to be shown of a claim that was right exactly elsewhere, nor at a point that may only prove it
        wrong. The other is one that is asked for a product.
        """
        if (is_ordinary(here.point) and not shown.good) or self._plainest(here, method, name) is method:
            return False
        formula = self._right(here, method, name)
        if formula is None:
            return False
        if not trust.holds(here.point, known.dtype):
            return shown.last is not here  # in a wider type it was as the other
        rows = self._said(here, known, method, formula)
        if rows is None:
            return False
        digits = _digits(here, known, formula, rows)
        if digits.least < digits.of - LOST:
            return False
        shown.keep(here.point, method, formula, digits)
        return True

    def _ask(self, here: Evaluated, method: Method) -> Mapping[str, Formula]:
        """The formulas of a method by variable, which runs exactly once at a point."""
        if self._here is not here:
            rng = np.random.default_rng([self.seed, 11])
            self._here, self._asked, self._rows = here, {}, {}
            self._point = exact.ExactPoint(here.problem, here.point.values, rng, budget=OPERATIONS)
        if method.name not in self._asked:
            assert self._point is not None
            self._asked[method.name] = self._point.compare(method)
        return self._asked[method.name]

    def _compare(
        self, shown: Shown, here: Evaluated, method: Method, formula: Formula, found: Comparison
    ) -> Comparison:
        """Keep what is shown of the formula at a point; say that it is wrong where it is."""
        point = here.point
        why = trust.why_not(here, formula)
        if not why:
            rows = self._said(here, here.in_dtype(here.problem.dtype), method, formula)
            why = trust.other_claim(here, formula, rows)
        if not why and not trust.rounds(formula) and (why := trust.gap(here, formula)) and not shown.disagrees:
            shown.disagrees = True
            self.notes.append(Note(f"{method.name}[{formula.wrt}]", f"{why}: the verdict is the measured one"))
        if why:
            shown.miss(point, why)
            return found
        assert formula.comparison is not None
        relation, apart = formula.comparison.relation, formula.comparison.apart
        # Where three tie, f has pieces that no line through the point meets: only the measurement looks beside it.
        is_apart = relation == "disjoint" and not formula.at_kink
        is_far = is_apart and trust.is_far(here, formula)
        if relation in GOOD or (is_apart and not is_far and is_ordinary(point)):
            shown.agree(here, formula, found)
        elif is_far:
            shown.differ(point, apart, found)
            if found.at.verdict in ("correct", "unresolved", "skipped"):
                message = f"the formula is another than the derivative's: off by {apart:.2g} of it, shown exactly"
                return replace(found, at=replace(found.at, verdict="wrong", message=message), proved=True)
        else:
            shown.miss(point, f"forward and claim are {relation} at “{point.label}”")
        return found

    def _said(self, here: Evaluated, known: InDtype, method: Method, formula: Formula) -> Array | None:
        """What the claim says in floats for the cotangent of the exact run."""
        answer = self._answered(here, known, method, formula)
        return None if answer.rows is None else answer.rows[0]

    def _answered(self, here: Evaluated, known: InDtype, method: Method, formula: Formula) -> Answer:
        question = method.name, id(known), formula.cotangent.tobytes()
        if question not in self._rows:
            every = dict.fromkeys(method.wrt, Cotangents(formula.cotangent[None, :], 1))
            self._rows[question] = known, here.ask(method, known, every)
        return self._rows[question][1][formula.wrt]


def _is_run(here: Evaluated, known: InDtype, name: str) -> bool:
    """Whether a point is one to run exactly: not one that is about the memory or the type of what is handed over."""
    point = here.point
    return point.arrange is as_it_is and not point.types and not known.whole and _is_about_numbers(here, name)


def _is_about_numbers(here: Evaluated, name: str) -> bool:
    """Whether an exact run tells the derivative: not where forward stops at a tolerance, and is what it solves."""
    return here.problem.exact and not here.problem.accuracy and not here.is_large(name)


def _is_beneath(found: Comparison, here: Evaluated, known: InDtype, formula: Formula) -> bool:
    """Whether a claim that is the derivative exactly is measured off by less than half the digits of a usual one.

    In float64, which exact numbers stand for: what a claim does in another type alone, only the measurement sees.
    """
    assert formula.comparison is not None
    is_same = formula.comparison.relation in ("identical", "constants rounded") and not trust.rounds(formula)
    if not is_same or known.dtype != "float64" or known.precision != "float64":
        return False
    return found.at.error <= BENEATH * here.ledger.sizes.get(formula.wrt, 0.0)


def _digits(here: Evaluated, known: InDtype, formula: Formula, rows: Array) -> Digits:
    """How many digits a right claim, which said `rows` in this type, keeps at this point."""
    assert formula.claim is not None
    estimate = here.estimate(formula.wrt)
    kept, entry = exact.digits_kept(
        rows, formula.claim.rows[formula.wrt][0], estimate.column, _sizes(here, formula), known.dtype
    )
    return _as_digits(here, known, formula.wrt, kept, entry)


def _as_digits(here: Evaluated, known: InDtype, name: str, kept: float, entry: int) -> Digits:
    of = int(np.finfo(known.dtype).precision)
    whole = min(int(kept), of)
    index = tuple(int(i) for i in np.unravel_index(entry, np.shape(here.point.values[name])))
    return Digits(known.dtype, of, whole, whole, here.point.label, index, float(here.variable(name)[entry]))


def _agreement(here: Evaluated, known: InDtype, rows: Array, right: Array, kept: float) -> Comparison:
    """A right claim at a point that was not measured: its error is rounding, and what is further off would be seen."""
    scale = float(np.abs(right).max(initial=0.0))
    allowed = 10.0 ** (SURE[known.dtype] - int(np.finfo(known.dtype).precision))
    at = AtPoint(
        here.point.label,
        known.name,
        "correct",
        entries=rows.size,
        error=float(np.abs(rows - right).max(initial=0.0)),
        tolerance=allowed * scale,
        truncation=0.0,
        rounding=0.0,
        claim_rounding=allowed * scale,
        ratio=10.0**-kept / allowed,
        resolution=2 * allowed * scale,
        scale=scale,
        message="shown exactly",
        edge=here.point.edge,
        size=here.point.size,
    )
    return Comparison(at, None, (), (), np.zeros((0, 0)), 0, plain=int(np.count_nonzero(right)))


def _disagreement(here: Evaluated, known: InDtype, rows: Array, off: float, scale: float) -> Comparison:
    """A wrong claim at a point that was not measured: how far it is `off` along a random direction."""
    allowed = 10.0 ** (SURE[known.dtype] - int(np.finfo(known.dtype).precision)) * scale
    at = AtPoint(
        here.point.label,
        known.name,
        "wrong",
        entries=rows.size,
        error=off,
        tolerance=allowed,
        truncation=0.0,
        rounding=0.0,
        claim_rounding=allowed,
        ratio=off / allowed,
        resolution=2 * allowed,
        scale=scale,
        edge=here.point.edge,
        size=here.point.size,
    )
    return Comparison(at, None, (), (), np.zeros((0, 0)), 0)


def _sizes(here: Evaluated, formula: Formula) -> Array:
    """The largest derivative of each output that the measurement knows, times its cotangent."""
    estimate = here.estimate(formula.wrt)
    size = np.where(np.abs(estimate.value) > estimate.bound, np.abs(estimate.value), 0.0)
    return np.asarray(size.max(axis=0, initial=0.0) * np.abs(formula.cotangent))


def _decided(found: Comparison, here: Evaluated, known: InDtype, formula: Formula, rows: Array) -> Comparison:
    """An exact agreement decides what the measurement could not, if the claim's digits are enough in this type.

    What is measured of a forward that rounds to a shorter float are its stairs, and no evidence against a formula. Nor
    is an error in the lower digits of the usual derivatives: a bound, or what the claim may lose, is too small there.
    What is small beside f itself need not have digits of its own: y(1 − y) is 0 for 8.5e-17 at x = 37.
    """
    rounds = trust.stairs(formula)
    doubted = found.at.verdict == "wrong" and (rounds or _is_beneath(found, here, known, formula))
    if not (found.at.verdict in ("unresolved", "skipped") or doubted):
        return found
    assert formula.claim is not None
    right, column = formula.claim.rows[formula.wrt][0], here.estimate(formula.wrt).column
    own = np.abs(here.flat * formula.cotangent) / max(here.reach, 1.0)
    kept, _ = exact.digits_kept(rows, right, column, np.maximum(_sizes(here, formula), own), known.dtype)
    share = 10.0**-kept / RESOLVED["float32" if rounds else known.precision]
    if share > 1:
        return found
    # What is further off than the digits that are kept would have been found, whatever the measurement can see.
    resolution = max(10.0**-kept, exact.ROUNDED) * found.at.scale
    message = f"shown exactly; measured: {rounds or found.at.message}"
    # A measured error beyond its tolerance is no longer what decides: the digits that are kept do.
    ratio = found.at.ratio if found.at.ratio <= 1 else share
    at = replace(found.at, verdict="correct", message=message, resolution=resolution, ratio=ratio)
    return replace(found, at=at, wrong=0, entries=())
