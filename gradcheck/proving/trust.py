"""Whether an exact run is about the same code as the run in floats, and whether a difference is one at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcheck import exact
from gradcheck.comparing.compare import RESOLVED
from gradcheck.comparing.judge import NOTHING
from gradcheck.evaluated import Evaluated
from gradcheck.problem import Array
from gradcheck.proving.shown import is_ordinary
from gradcheck.sampling import Point

if TYPE_CHECKING:
    from gradcheck.exact import Formula

# Roundings of floats that a sum of all entries of a measured Jacobian may have lost.
ROUNDINGS = 64 * float(np.finfo(float).eps)


def why_not(here: Evaluated, formula: Formula) -> str:
    """Why nothing can be concluded from what ran exactly; "" where something can."""
    if formula.comparison is None:
        return str(formula.why) if formula.why is not None else f"forward has a {formula.left} at “{here.point.label}”"
    assert formula.forward is not None
    off = exact.agreement(here.flat, np.concatenate([part.ravel() for part in formula.forward.value]))
    return "" if off <= _same(here, formula) else f"in floats forward is off by {off:.2g} from what it is exactly"


def other_claim(here: Evaluated, formula: Formula, rows: Array | None) -> str:
    """Why the claim in floats, which said `rows`, is not the one that ran exactly; "" where it is."""
    if rows is None:
        return "the claim says nothing in floats"
    assert formula.claim is not None
    right = formula.claim.rows[formula.wrt][0]
    off = exact.agreement(rows, right)
    if off <= _same(here, formula) or _is_rounding(here, formula, rows - exact.midpoints(right)):
        return ""
    return f"in floats the claim is off by {off:.2g} from what it is exactly"


def _is_rounding(here: Evaluated, formula: Formula, apart: Array) -> bool:
    """Whether a claim is off by what rounding leaves of numbers of f's size, or of its own usual one, where it is 0."""
    size = float(np.abs(here.flat * formula.cotangent).max(initial=0.0)) / max(here.reach, 1.0)
    usual = here.ledger.sizes.get(formula.wrt, 0.0)
    return bool((np.abs(apart) <= ROUNDINGS * max(size, usual)).all())


def _same(here: Evaluated, formula: Formula) -> float:
    """Floats stand for exact numbers where they are off by no more than this share of the largest."""
    return RESOLVED["float32" if rounds(formula) else here.problem.dtype]


def rounds(formula: Formula) -> str:
    """Where forward or the claim rounds to a shorter type, which exact runs pass over; "" where neither does."""
    noted = [note for run in (formula.forward, formula.claim) if run is not None for note in run.notes]
    return str(noted[0]) if noted else ""


def stairs(formula: Formula) -> str:
    """Where forward itself rounds to a shorter type, so that what is measured of it are stairs; "" where it does not.

    A claim that rounds alone loses digits that forward has.
    """
    return str(next(iter(formula.forward.notes), "")) if formula.forward is not None else ""


def gap(here: Evaluated, formula: Formula) -> str:
    """By how much u · J v is another exactly than the measured J has it, where both are known; "" where it is not."""
    estimate = here.estimate(formula.wrt)
    assert formula.forward is not None
    if estimate.kink is not None or formula.at_kink or not estimate.column.size:
        return ""
    u, v = formula.cotangent, formula.direction.ravel()
    weight = np.where(estimate.column >= 0, v[estimate.column], 0.0) * u
    measured, size = (weight * estimate.value).sum(), (np.abs(weight) * np.abs(estimate.value)).sum()
    bound = (np.abs(weight) * estimate.bound).sum() + (np.abs(u) * estimate.zero_bound).sum() * np.abs(v).sum()
    right = np.concatenate([exact.midpoints(part).ravel() for part in formula.forward.right]) @ u
    if not np.isfinite(bound) or not np.isfinite(right) or abs(right - measured) <= bound + ROUNDINGS * size:
        return ""
    return (
        f"the derivative along a random direction is {right:.10g} exactly, and {measured:.10g} ± {bound:.2g} as "
        f"measured (“{here.point.label}”)"
    )


def is_far(here: Evaluated, formula: Formula) -> bool:
    """Whether a difference is more than nothing.

    Beside the usual derivatives (1 − (0.9 + 0.1) is 0 in floats, and not exactly), and beside f, where the point is
    special (a function is saturated there); in the digits of a short type, where code rounds to one.
    """
    assert formula.comparison is not None
    apart = formula.comparison.apart
    if rounds(formula) and apart <= RESOLVED["float32"]:
        return False
    usual = here.ledger.sizes.get(formula.wrt, 0.0)
    if is_ordinary(here.point):
        return apart * formula.scale > exact.ROUNDED * usual
    size = float(np.abs(here.flat).max(initial=0.0)) / max(here.reach, 1.0)
    return apart * formula.scale > max(exact.ROUNDED * size, NOTHING * usual)


def holds(point: Point, dtype: str) -> bool:
    """Whether the values are the same numbers in a type: a claim at rounded values is about another point."""
    floats = [value for value in point.values.values() if value.dtype.kind == "f"]
    return all(np.array_equal(value.astype(dtype).astype(float), value) for value in floats)
