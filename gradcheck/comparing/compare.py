"""Entry by entry: |claim − expected| against the tolerance, and the verdict of one claim at one point."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gradcheck.asking.cotangents import Cotangents
from gradcheck.comparing.expected import USUAL, Expected, Loss, expected, largest
from gradcheck.numerical.estimate import Estimate, size_of_derivative
from gradcheck.problem import Array
from gradcheck.results import AtPoint, Entry, Kink, Verdict

# "Correct" needs a tolerance of at most this share of the scale; else the verdict is "unresolved".
RESOLVED = {"float64": 1e-6, "float32": 1e-3, "float16": 1e-2}

# A heat map shows so many rows and columns, and a point so many kinks.
SHOWN, KINKS = 24, 4


@dataclass(frozen=True)
class Comparison:
    """A claim at one point: the numbers, the worst entry, its kinks, and error ÷ tolerance of the first entries.

    `wrong` counts the entries beyond their tolerance.
    """

    at: AtPoint
    worst: Entry | None
    kinks: tuple[Kink, ...]
    ratios: Array
    wrong: int


@dataclass
class _Tally:
    """What is known after some of the entries."""

    ratios: Array
    wrong: int = 0
    known: bool = True
    error: float = 0.0
    tolerance: float = 0.0
    rounding: float = 0.0
    ratio: float = 0.0
    rank: float = -1.0
    worst: Entry | None = None
    kinks: list[Kink] = field(default_factory=list)


def compare(
    claim: Array,
    asked: Cotangents,
    estimate: Estimate,
    outputs: Array,
    values: Array,
    point: str,
    dtype: str,
    special: bool = False,
    loss: Loss = USUAL,
) -> Comparison:
    """Hold the claimed rows, the answers to the cotangents `asked`, against the estimate.

    `outputs` and the variable's `values` are flat. A `special` point (huge, tiny, saturated), and a short type, can
    prove a claim wrong; where nothing can be resolved, because of the scale, they are skipped with that reason, and
    leave the claim to the other points. A claim that is too small to be resolved by what it may lose is held to the
    strict tolerance.
    """
    size_of = largest(estimate)
    scale = size_of_derivative(estimate.value, estimate.bound, outputs, values)
    limit = RESOLVED.get(dtype, RESOLVED["float64"])

    def hold(strict: bool) -> tuple[_Tally, Verdict]:
        tally = _Tally(np.zeros((min(len(claim), SHOWN), min(values.size, SHOWN))))
        for right in expected(estimate, asked, size_of, outputs, values, dtype, strict, loss):
            _hold(tally, claim[right.row, right.position], right, estimate, point)
        # Without a scale (f and its derivative underflow) only a claim of 0 can be told from anything else.
        lost = bool(claim.any()) if scale == 0 else tally.tolerance / scale > limit
        coarse = lost or not np.isfinite(scale)
        return tally, "wrong" if tally.wrong else "unresolved" if coarse or not tally.known else "correct"

    tally, verdict = hold(False)
    if verdict == "unresolved" and tally.known:
        strictly, sure = hold(True)
        if sure == "correct":
            tally, verdict = strictly, sure
    message = ""
    if verdict == "unresolved":
        jumps = estimate.jump is not None and bool(estimate.jump.any())  # where f has no derivative, nobody can say it
        verdict = "skipped" if special or jumps else verdict
        message = estimate.reason or (
            f"the smallest error that could be seen is {tally.tolerance:.2g}, which is more than {limit:g} "
            f"of the derivative's scale {scale:.2g}"
        )
    at = AtPoint(
        point=point,
        dtype=dtype,
        verdict=verdict,
        entries=int(claim.size),
        error=tally.error,
        tolerance=tally.tolerance,
        truncation=float(np.max(estimate.truncation, initial=0.0)),
        rounding=float(np.max(estimate.rounding, initial=0.0)),
        claim_rounding=tally.rounding,
        ratio=tally.ratio,
        resolution=2 * tally.tolerance,
        scale=scale,
        message=message,
    )
    return Comparison(at, tally.worst, tuple(tally.kinks[:KINKS]), tally.ratios, tally.wrong)


def _hold(tally: _Tally, claim: Array, right: Expected, estimate: Estimate, point: str) -> None:
    """Add some entries to the tally."""
    if not claim.size:
        return
    error = np.abs(claim - right.value)
    kinked = bool(right.kink.any())
    if kinked:
        outside = np.maximum(right.low - claim, claim - right.high)
        at_kink = np.where(right.output >= 0, np.minimum(outside, np.abs(claim)), outside)
        error = np.where(right.kink, np.maximum(at_kink, 0.0), error)
    error[~np.isfinite(claim) | np.isnan(error)] = np.inf
    known = np.isfinite(right.tolerance)
    ratio = np.divide(error, right.tolerance, out=np.zeros(error.shape), where=known)
    tally.wrong += int(np.count_nonzero(ratio > 1))
    tally.known &= bool(known.all())
    tally.error = max(tally.error, float(np.max(error, where=known, initial=0.0)))
    # A mixture of outputs is a second look: what it cannot resolve, rows of one output can.
    resolving = ~right.kink & ((right.output >= 0) | (tally.tolerance == 0))
    tally.tolerance = max(tally.tolerance, float(np.max(right.tolerance, where=resolving, initial=0.0)))
    own = np.subtract(right.tolerance, right.bound, out=np.zeros(error.shape), where=known)
    tally.rounding = max(tally.rounding, float(own.max()))
    tally.ratio = max(tally.ratio, float(ratio.max()))
    shown = (right.row < len(tally.ratios)) & (right.position < tally.ratios.shape[1])
    tally.ratios[right.row[shown], right.position[shown]] = ratio[shown]
    if kinked and len(tally.kinks) < KINKS:
        tally.kinks += _kinks(claim, right, estimate, point)
    # A row of one output says where the error is; a mixture counts only where no such row shows it.
    rank = np.where(right.output >= 0, ratio, np.minimum(np.where(ratio > 1, ratio, 0.0), 1.0))
    worst = int(np.argmax(rank))
    if rank.flat[worst] > tally.rank:
        tally.rank = float(rank.flat[worst])
        tally.worst = _entry(claim, right, estimate, worst)


def _entry(claim: Array, right: Expected, estimate: Estimate, at: int) -> Entry:
    """One entry, given by its flat index, in the words of a result."""
    output, position = int(right.output.flat[at]), int(right.position.flat[at])
    colour = np.flatnonzero(estimate.column[:, output] == position) if output >= 0 else np.array([], dtype=int)
    c = int(colour[0]) if colour.size else -1

    def side(array: Array | None) -> float:
        return float(array[c, output]) if array is not None and c >= 0 and bool(right.kink.flat[at]) else np.nan

    return Entry(
        output=_place(output, estimate.output_shapes),
        index=tuple(int(i) for i in np.unravel_index(position, estimate.variable_shape)),
        claim=float(claim.flat[at]),
        estimate=float(right.value.flat[at]),
        bound=float(right.bound.flat[at]),
        tolerance=float(right.tolerance.flat[at]),
        step=float(estimate.step[c, output]) if c >= 0 else float("nan"),
        left=side(estimate.left),
        right=side(estimate.right),
    )


def _place(output: int, shapes: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """Turn a flat output index into an index of its output (with the output's number first, if several)."""
    if output < 0:
        return ()
    for number, shape in enumerate(shapes):
        size = int(np.prod(shape))
        if output < size:
            place = tuple(int(i) for i in np.unravel_index(output, shape)) if shape else ()
            return (number, *place) if len(shapes) > 1 else place
        output -= size
    return ()


def _kinks(claim: Array, right: Expected, estimate: Estimate, point: str) -> list[Kink]:
    """Name the convention that the claim follows at each of the first few kinks."""
    found: list[Kink] = []
    for at in np.flatnonzero(right.kink & (right.output >= 0)):
        entry, said = _entry(claim, right, estimate, int(at)), float(claim.flat[at])
        left, other, tolerance = entry.left, entry.right, entry.tolerance
        if abs(said - left) <= tolerance:
            convention = "the left derivative"
        elif abs(said - other) <= tolerance:
            convention = "the right derivative"
        elif abs(said) <= tolerance:
            convention = "0"
        elif min(left, other) <= said <= max(left, other):
            convention = "between the two sides"
        else:
            convention = "none"
        found.append(Kink(point, entry.index, left, other, said, convention))
        if len(found) == KINKS:
            break
    return found
