"""Entry by entry: |claim − expected| against the tolerance, and the verdict of one claim at one point."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from gradcheck.asking.cotangents import Cotangents
from gradcheck.comparing.expected import USUAL, Expected, Loss, expected, largest
from gradcheck.numerical.estimate import Estimate
from gradcheck.problem import Array
from gradcheck.results import AtPoint, Entry, Kink
from gradcheck.verdicts import Verdict

# "Correct" needs a tolerance of at most this share of the row's scale; else the verdict is "unresolved".
RESOLVED = {"float64": 1e-6, "float32": 1e-3, "float16": 1e-2}

# What an error δ of f (relative) leaves of a derivative is √δ where f and its derivatives are alike, and a few of it
# where they are not.
FEW = 10

# The most rows and columns of a heat map, kinks of a point, and wrong entries that are kept.
SHOWN, KINKS, LISTED = 24, 4, 12

FINITE = "a finite number where the derivative is infinite"


@dataclass(frozen=True)
class Place:
    """The point that a claim is about: its label, what is special about it, and what it is compared with.

    `outputs` and the variable's `values` are flat; `scale` is that of each output's row. Where the point may only prove
    a claim wrong (`special`), what cannot be resolved is skipped, and left to the other points. `accuracy`: the
    relative error at which forward stops; "correct" then takes a tolerance of its root.
    """

    label: str
    name: str
    precision: str
    outputs: Array
    values: Array
    scale: Array
    special: bool = False
    edge: str = ""
    size: str = ""
    accuracy: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """A claim at one point: the numbers, the worst entry, the first wrong ones, and its kinks.

    `ratios`: error ÷ tolerance of the first entries. `wrong`: how many entries of the Jacobian are beyond their
    tolerance (a mixture of outputs is none). `plain`: of those that are right, how many have a derivative that is not
    zero, away from kinks; `leaning`: how many claim 0 at a kink whose sides are both on one side of 0, which is right
    only if the claim is right elsewhere. `proved`: it is wrong by what was shown exactly, and no measurement sees it.
    """

    at: AtPoint
    worst: Entry | None
    entries: tuple[Entry, ...]
    kinks: tuple[Kink, ...]
    ratios: Array
    wrong: int
    plain: int = 0
    leaning: int = 0
    proved: bool = False


@dataclass
class _Tally:
    """What is known after some of the entries."""

    ratios: Array
    wrong: bool = False
    count: int = 0
    known: bool = True
    error: float = 0.0
    tolerance: float = 0.0
    scale: float = 0.0
    coarseness: float = 0.0
    rounding: float = 0.0
    ratio: float = 0.0
    rank: float = -1.0
    worst: Entry | None = None
    entries: list[Entry] = field(default_factory=list)
    kinks: list[Kink] = field(default_factory=list)
    plain: int = 0
    leaning: int = 0
    finite: int = 0
    nothing: int = 0


def compare(claim: Array, asked: Cotangents, estimate: Estimate, place: Place, loss: Loss = USUAL) -> Comparison:
    """Hold the claimed rows, the answers to the cotangents `asked`, against the estimate.

    A claim that is too small to be resolved by what it may lose is held to the strict tolerance.
    """
    limit = max(RESOLVED.get(place.precision, RESOLVED["float64"]), min(FEW * math.sqrt(place.accuracy), 0.1))
    size_of, alone = largest(estimate), _alone(estimate)

    def hold(strict: bool) -> tuple[_Tally, Verdict]:
        tally = _Tally(np.zeros((min(len(claim), SHOWN), min(place.values.size, SHOWN))))
        for right in expected(estimate, asked, size_of, place.outputs, place.values, place.precision, strict, loss):
            _hold(tally, claim[right.row, right.position], right, estimate, place, asked, alone)
        # Without a scale (f and its derivative underflow) only a claim of 0 can be told from anything else.
        coarse = bool(claim.any()) if not place.scale.any() else tally.coarseness > limit
        if tally.wrong:
            return tally, "wrong"
        if coarse or not tally.known:
            return tally, "unresolved"
        return tally, "convention" if tally.finite else "correct"

    tally, verdict = hold(False)
    if verdict == "unresolved" and tally.known:
        strictly, sure = hold(True)
        if sure in ("correct", "convention"):
            tally, verdict = strictly, sure
    message = FINITE if verdict == "convention" else ""
    if verdict == "unresolved":
        jumps = estimate.jump is not None and bool(estimate.jump.any())  # where f has no derivative, nobody can say it
        verdict = "skipped" if place.special or jumps else verdict
        message = estimate.reason or (
            f"the smallest error that could be seen is {2 * tally.tolerance:.2g}, which is more than {limit:g} "
            f"of the derivative's scale {tally.scale:.2g}"
        )
    at = AtPoint(
        point=place.label,
        dtype=place.name,
        verdict=verdict,
        entries=int(claim.size),
        error=tally.error,
        tolerance=tally.tolerance,
        truncation=float(np.max(estimate.truncation, initial=0.0)),
        rounding=float(np.max(estimate.rounding, initial=0.0)),
        claim_rounding=tally.rounding,
        ratio=tally.ratio,
        resolution=2 * tally.tolerance,
        scale=tally.scale or float(place.scale.max(initial=0.0)),
        message=message,
        edge=place.edge,
        size=place.size,
    )
    kinks = tuple(tally.kinks[:KINKS])
    return Comparison(
        at, tally.worst, tuple(tally.entries), kinks, tally.ratios, tally.count, tally.plain, tally.leaning
    )


def _alone(estimate: Estimate) -> Array | None:
    """Which outputs `(outputs,)` depend on one entry of the variable only; None where there are no kinks."""
    if estimate.kink is None:
        return None
    moves = (np.abs(estimate.value) > estimate.bound) | estimate.kink
    one: Array = ((estimate.column >= 0) & moves).sum(axis=0) == 1
    return one


def _unbounded_columns(estimate: Estimate) -> Array:
    """Which entries of the variable have an infinite derivative."""
    found = np.zeros(int(np.prod(estimate.variable_shape)), dtype=bool)
    assert estimate.infinite is not None
    found[estimate.column[(estimate.infinite != 0).any(axis=0) & (estimate.column >= 0)]] = True
    return found


def _hold(
    tally: _Tally,
    claim: Array,
    right: Expected,
    estimate: Estimate,
    place: Place,
    asked: Cotangents,
    alone: Array | None,
) -> None:
    """Add some entries to the tally."""
    if not claim.size:
        return
    single = right.output >= 0
    error = np.abs(claim - right.value)
    kinked = bool(right.kink.any())
    if kinked:
        outside = np.maximum(np.maximum(right.low - claim, claim - right.high), 0.0)
        # Claiming 0 is a convention, too, where no other entry has a say in this output.
        zero = single if alone is None else single & alone[right.output]
        lean = right.kink & zero & (outside > right.tolerance) & (np.abs(claim) <= right.tolerance)
        tally.leaning += int(np.count_nonzero(lean))
        error = np.where(right.kink, np.where(lean, 0.0, outside), error)
    unbounded = (right.infinite != 0).any(axis=0)
    error[~np.isfinite(claim) | np.isnan(error)] = np.inf
    known = np.isfinite(right.tolerance)
    opposite = np.zeros(error.shape, dtype=bool)
    if estimate.infinite is not None:
        # Infinity of the right sign is right; a finite number is a convention; NaN (0 · ∞) says nothing.
        opposite = unbounded & np.isinf(claim) & (np.sign(claim) != np.sign(right.infinite)).all(axis=0)
        tally.finite += int(np.count_nonzero(unbounded & np.isfinite(claim)))
        nothing = np.isnan(claim) & _unbounded_columns(estimate)[right.position]
        tally.nothing += int(np.count_nonzero(nothing))
        error[nothing] = 0.0
    ratio = np.divide(error, right.tolerance, out=np.zeros(error.shape), where=known)
    ratio[opposite] = np.inf
    wrong = ratio > 1
    tally.wrong |= bool(wrong.any())
    tally.count += int(np.count_nonzero(wrong & single))
    tally.known &= bool((known | unbounded).all())
    tally.error = max(tally.error, float(np.max(error, where=known, initial=0.0)))
    # What a claim leaves out, as f does, needs no scale: each entry's bound is that of the smallest x.
    _weigh(tally, right, known & ~right.kink & ~((claim == 0) & right.free), place, asked)
    own = np.subtract(right.tolerance, right.bound, out=np.zeros(error.shape), where=known)
    tally.rounding = max(tally.rounding, float(own.max()))
    tally.ratio = max(tally.ratio, float(ratio.max()))
    tally.plain += int(np.count_nonzero(single & ~right.kink & ~wrong & known & (np.abs(right.value) > right.bound)))
    shown = (right.row < len(tally.ratios)) & (right.position < tally.ratios.shape[1])
    tally.ratios[right.row[shown], right.position[shown]] = ratio[shown]
    if kinked and len(tally.kinks) < KINKS:
        tally.kinks += _kinks(claim, right, estimate, asked, place.label)
    for at in np.flatnonzero(wrong & single)[: LISTED - len(tally.entries)]:
        tally.entries.append(entry(claim, right, estimate, asked, int(at)))
    # A row of one output says where the error is; a mixture counts only where no such row shows it.
    rank = np.where(single, ratio, np.minimum(np.where(wrong, ratio, 0.0), 1.0))
    worst = int(np.argmax(rank))
    if rank.flat[worst] > tally.rank:
        tally.rank = float(rank.flat[worst])
        tally.worst = entry(claim, right, estimate, asked, worst)


def _weigh(tally: _Tally, right: Expected, resolving: Array, place: Place, asked: Cotangents) -> None:
    """Note the tolerance that is largest against the scale of its row."""
    # A mixture of outputs is a second look: what it cannot resolve, rows of one output can.
    if len(asked.rows) > asked.mixed:
        resolving = resolving & (right.output >= 0)
    if not resolving.any():
        return
    single = right.output >= 0
    scale = place.scale[right.output] * np.abs(asked.rows[right.row, right.output])
    if not single.all():
        scale = np.where(single, scale, (np.abs(asked.rows) @ place.scale)[right.row])
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(resolving, right.tolerance / scale, 0.0)
    share[np.isnan(share)] = 0.0
    at = int(np.argmax(share))
    if share.flat[at] > tally.coarseness or not tally.scale:
        tally.coarseness = max(tally.coarseness, float(share.flat[at]))
        tally.tolerance, tally.scale = float(right.tolerance.flat[at]), float(scale.flat[at])


def entry(claim: Array, right: Expected, estimate: Estimate, asked: Cotangents, at: int) -> Entry:
    """One entry, given by its flat index, in the words of a result: of the Jacobian, if it belongs to one output."""
    output, position = int(right.output.flat[at]), int(right.position.flat[at])
    colour = np.flatnonzero(estimate.column[:, output] == position) if output >= 0 else np.array([], dtype=int)
    c = int(colour[0]) if colour.size else -1
    times = float(asked.rows[right.row.flat[at], output]) if output >= 0 else 1.0

    def side(array: Array | None) -> float:
        return float(array[c, output]) if array is not None and c >= 0 and bool(right.kink.flat[at]) else np.nan

    return Entry(
        output=place_of(output, estimate.output_shapes),
        index=tuple(int(i) for i in np.unravel_index(position, estimate.variable_shape)),
        claim=float(claim.flat[at]) / times,
        estimate=float(right.value.flat[at]) / times,
        bound=float(right.bound.flat[at]) / abs(times),
        tolerance=float(right.tolerance.flat[at]) / abs(times),
        step=float(estimate.step[c, output]) if c >= 0 else float("nan"),
        left=side(estimate.left),
        right=side(estimate.right),
    )


def place_of(output: int, shapes: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
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


def _kinks(claim: Array, right: Expected, estimate: Estimate, asked: Cotangents, point: str) -> list[Kink]:
    """Name the convention that the claim follows at each of the first few kinks."""
    found: list[Kink] = []
    for at in np.flatnonzero(right.kink & (right.output >= 0)):
        shown = entry(claim, right, estimate, asked, int(at))
        said, left, other, tolerance = shown.claim, shown.left, shown.right, shown.tolerance
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
        found.append(Kink(point, shown.index, left, other, said, convention))
        if len(found) == KINKS:
            break
    return found
