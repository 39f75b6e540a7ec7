"""One claim at one point in one dtype: which estimate it is held against, and what it may lose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.asking.cotangents import Cotangents
from gradcheck.comparing.compare import Comparison, Place, compare
from gradcheck.comparing.drowned import is_drowned
from gradcheck.comparing.expected import Loss, expected, largest
from gradcheck.comparing.projected import compare_projected
from gradcheck.comparing.scales import scale_of_rows
from gradcheck.comparing.short import is_more_than_rounding
from gradcheck.evaluated import Evaluated
from gradcheck.in_dtype import InDtype
from gradcheck.numerical.directional import is_steep
from gradcheck.numerical.estimate import Estimate
from gradcheck.problem import Array, Method
from gradcheck.verdicts import Verdict

# A claim may lose this many times what forward loses.
LOST = 8.0

# A forward that loses no more than this many eps of its largest output is an ordinary one.
USUALLY = 16.0

# A right formula may lose this many times its tolerance to rounding; what is further off is wrong all the same.
DIGITS = 1024.0
LOSES = "right in a wider type: the formula is right, and loses digits here"
STEEP = "f has no derivative here: along the entries whose claims are NaN together it is infinitely steep, or jumps"
DROWNED = "no value of f moves with the variable here, so that nothing tells whether what is claimed is its derivative"
BESIDE = "one of the derivatives that f has next to a tie"
# f may bend by this share next to a tie.
SHARE = 1e-4
WIDER = {"float16": "float32", "float32": "float64", "float64": "longdouble"}

# What is this share of the derivative at ordinary points is nothing.
NOTHING = 1e-20


def judge(here: Evaluated, method: Method, name: str, claim: Array, asked: Cotangents, known: InDtype) -> Comparison:
    """Hold a claim about the variable `name`, the answer to the cotangents `asked`, against the estimate.

    In float64 first: what is right there is right. Else in the claim's own dtype, if forward has other branches in it.
    What is still wrong is asked in the next wider type: if that is right, the formula is, and loses digits here.
    """
    found = _hold(here, name, claim, asked, known, here.estimate(name), here.point.label)
    own = None if found.at.verdict == "correct" else here.estimate_in(name, known)
    if own is not None:
        found = _hold(here, name, claim, asked, known, own, f"{here.point.label}, dtype-dependent")
    nothing = NOTHING * here.ledger.sizes.get(name, 0.0)
    if found.at.verdict == "correct" and is_drowned(here, method, name, claim, asked, known, nothing):
        verdict: Verdict = "skipped" if here.point.special else "unresolved"
        return replace(found, at=replace(found.at, verdict=verdict, message=DROWNED))
    if found.at.verdict == "wrong" and here.point.special and _is_steep(here, name, claim, asked, known):
        return replace(found, at=replace(found.at, verdict="skipped", message=STEEP), wrong=0, entries=())
    if found.at.verdict == "wrong" and _is_beside(here, name, claim, asked, known):
        return replace(found, at=replace(found.at, verdict="skipped", message=BESIDE), wrong=0, entries=())
    if (
        found.at.verdict != "wrong"
        or not 1 < found.at.ratio <= DIGITS
        or not _is_right_when_wider(here, method, name, asked, known)
        or is_more_than_rounding(here, method, name, claim, right_answer(here, name, asked, known)[0], asked, known)
    ):
        return found
    return replace(found, at=replace(found.at, verdict="skipped", message=LOSES), wrong=0, entries=())


def _is_steep(here: Evaluated, name: str, claim: Array, asked: Cotangents, known: InDtype) -> bool:
    """Whether all that is wrong is NaN, and f has no derivative where these entries move together.

    The root of x₀ x₁ at (0, 0) has both partial derivatives, and is infinitely steep in between.
    """
    nan = np.isnan(claim)
    together = nan.any(axis=0)
    if np.count_nonzero(together) < 2:
        return False
    mended = np.where(nan, right_answer(here, name, asked, known)[0], claim)
    if _hold(here, name, mended, asked, known, here.estimate(name), here.point.label).at.verdict == "wrong":
        return False
    x = np.asarray(here.point.values[name], dtype=float)
    tangent = np.where(together.reshape(x.shape), float(np.abs(x).max(initial=0.0)) or 1.0, 0.0)
    domains = {} if here.point.boundary else {name: here.problem.variable(name).domain}
    return is_steep(here.problem.forward, here.point.values, {name: tangent}, domains=domains, seed=here.seed)


def _is_beside(here: Evaluated, name: str, claim: Array, asked: Cotangents, known: InDtype) -> bool:
    """Whether all that is wrong at a point with ties is what f's derivative is next to it.

    The second largest of three equal numbers does not move with any of them alone; but next to the tie it is one of
    them. `shared` holds what such entries claim together.
    """
    kink = here.estimate(name).kink
    if kink is None or kink.sum(axis=0).max() < 2 or not np.isfinite(claim).all():
        return False
    if _is_wrong_off_ties(here, name, claim, asked, known):
        return False  # before neighbours are asked, which costs a Jacobian each
    value, tolerance = right_answer(here, name, asked, known)
    low, high, inside = value.copy(), value.copy(), np.zeros(claim.shape, dtype=bool)
    for jacobian in here.beside(name):
        near = asked.rows @ jacobian
        low, high = np.fmin(low, near), np.fmax(high, near)
        slack = tolerance + SHARE * np.maximum(np.abs(low), np.abs(high))
        inside = (claim >= low - slack) & (claim <= high + slack)
        if inside.all():
            break
    mended = np.where(inside, value, claim)
    return _hold(here, name, mended, asked, known, here.estimate(name), here.point.label).at.verdict != "wrong"


def _is_wrong_off_ties(here: Evaluated, name: str, claim: Array, asked: Cotangents, known: InDtype) -> bool:
    """Whether the claim is wrong about an output that moves, and has no kink: next to the point it is the same.

    (The middle one of three equal numbers has no kink, and does not move.)
    """
    estimate, values = here.estimate(name), here.variable(name)
    assert estimate.kink is not None
    moves: Array = (estimate.column >= 0) & (np.abs(estimate.value) > estimate.bound)
    smooth: Array = np.asarray(moves.any(axis=0) & ~estimate.kink.any(axis=0))
    for some in expected(estimate, asked, largest(estimate), here.flat, values, known.precision):
        off = np.abs(claim[some.row, some.position] - some.value) > some.tolerance
        if (off & (some.output >= 0) & smooth[some.output]).any():
            return True
    return False


def _is_right_when_wider(here: Evaluated, method: Method, name: str, asked: Cotangents, known: InDtype) -> bool:
    """Whether the same question, put in the next wider type, has a right answer in that type, or in one wider still."""
    if known.precision not in WIDER:
        return False
    if known.whole and not _is_wrong_in_floats(here, method, name, asked, known):
        return False  # whole numbers alone are answered so
    wide = (here.in_floats if known.whole else here.in_dtype)(WIDER[known.precision])
    if wide.refusal:
        return False
    # What comes back may be rounded, from an array of zeros in float64: it is what happens on the way that loses.
    answer = here.ask(method, wide, dict.fromkeys(method.wrt, asked))[name]
    if answer.rows is None:
        return False
    known_there = replace(wide, precision="float64") if wide.dtype == "longdouble" else wide
    found = _hold(here, name, answer.rows, asked, known_there, here.estimate(name), "").at
    if found.verdict != "wrong":
        return True
    is_wider = wide.precision != known.precision  # code that rounds to float32 itself answers the same for ever
    return is_wider and found.ratio <= DIGITS and _is_right_when_wider(here, method, name, asked, wide)


def _is_wrong_in_floats(here: Evaluated, method: Method, name: str, asked: Cotangents, known: InDtype) -> bool:
    """Whether the same values as floats, in the precision that they are answered in, are answered no better."""
    floats = here.in_floats(known.precision)
    if floats.refusal:
        return False
    answer = here.ask(method, floats, dict.fromkeys(method.wrt, asked))[name]
    if answer.rows is None:
        return False
    return _hold(here, name, answer.rows, asked, floats, here.estimate(name), "").at.verdict == "wrong"


def _hold(
    here: Evaluated, name: str, claim: Array, asked: Cotangents, known: InDtype, estimate: Estimate, label: str
) -> Comparison:
    """Compare; what is wrong is given what it may lose where forward loses more than usual."""
    place = place_at(here, name, known, estimate, label)
    found = compare(claim, asked, estimate, place, Loss(nothing=_nothing(here, name, known)))
    if found.at.verdict != "wrong":
        return found
    loss = what_may_be_lost(here, name, known)
    return compare(claim, asked, estimate, place, loss) if loss.times or loss.size else found


def place_at(here: Evaluated, name: str, known: InDtype, estimate: Estimate, label: str) -> Place:
    """What is said of the point, and the scales of its rows."""
    point, values = here.point, here.variable(name)
    return Place(
        label=label,
        name=known.name,
        precision=known.precision,
        outputs=here.flat,
        values=values,
        scale=scale_of_rows(estimate, here.flat, values),
        special=point.special or known.short,
        edge=point.edge,
        size=point.size,
        accuracy=here.problem.accuracy,
    )


def what_may_be_lost(here: Evaluated, name: str, known: InDtype) -> Loss:
    """What a claim may lose: more than usual in a short type, and where forward itself does (long double tells)."""
    usual = here.ledger.sizes.get(name, 0.0)
    lost = known.lost if known.short else here.lost
    times = LOST * lost / float(np.finfo(known.precision).eps)
    if not known.short and times <= LOST * USUALLY:
        return Loss(nothing=_nothing(here, name, known))
    farther = max(1.0, here.reach / here.ledger.reach) if here.ledger.reach else 1.0
    return Loss(usual * farther, times, _nothing(here, name, known))


def _nothing(here: Evaluated, name: str, known: InDtype) -> float:
    """What is nothing in a claim: beside the derivative elsewhere, or beside a weight that it was taken away from."""
    blurred = here.problem.variable(name).blurred
    rounding = blurred * float(np.finfo(known.precision).eps * np.max(np.abs(here.variable(name)), initial=0.0))
    return max(NOTHING * here.ledger.sizes.get(name, 0.0), rounding)


def right_answer(here: Evaluated, name: str, asked: Cotangents, known: InDtype) -> tuple[Array, Array]:
    """What a right claim about `name` is for the cotangents `asked`, and its tolerance: `(rows, variable size)`."""
    estimate, values = here.estimate_in(name, known) or here.estimate(name), here.variable(name)
    value, tolerance = np.empty((2, len(asked.rows), values.size))
    loss = what_may_be_lost(here, name, known)
    for some in expected(estimate, asked, largest(estimate), here.flat, values, known.precision, loss=loss):
        value[some.row, some.position], tolerance[some.row, some.position] = some.value, some.tolerance
    return value, tolerance


def judge_projected(here: Evaluated, method: Method, name: str, known: InDtype) -> Comparison:
    """Hold a claim past the budget against derivatives along random directions."""

    def vjp(cotangents: list[Array]) -> Array:
        row = np.concatenate([g.ravel() for g in cotangents])[None, :]
        answer = here.ask(method, known, dict.fromkeys(method.wrt, Cotangents(row, 1)))[name]
        shape = np.shape(here.point.values[name])
        return np.full(shape, np.nan) if answer.rows is None else answer.rows.reshape(shape)

    return compare_projected(here.problem, here.point, name, vjp, known, here.seed)


def is_wrong(here: Evaluated, method: Method, name: str, known: InDtype) -> bool:
    """Whether `method` is wrong about `name` here, entry by entry."""
    answer, asked = here.ask_entries(method, name, known)
    if answer.rows is None:
        return answer.status in ("raised", "unreadable")
    return judge(here, method, name, answer.rows, asked, known).at.verdict == "wrong"
