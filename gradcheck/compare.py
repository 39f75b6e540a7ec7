"""Entry by entry: |claim − expected| against the tolerance, and the verdict of one claim at one point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.expected import Expected
from gradcheck.numerical.estimate import Estimate
from gradcheck.problem import Array
from gradcheck.results import AtPoint, Entry, Kink, Verdict

# "Correct" needs a tolerance of at most this share of the scale; else the verdict is "unresolved".
RESOLVED = {"float64": 1e-6, "float32": 1e-3, "float16": 1e-2}


@dataclass(frozen=True)
class Comparison:
    """A claim at one point, entry by entry."""

    error: Array
    ratio: Array
    wrong: Array
    at: AtPoint
    worst: Entry | None
    worst_row: int
    kinks: tuple[Kink, ...]


def compare(
    claim: Array, right: Expected, estimate: Estimate, values: Array, point: str, dtype: str, special: bool = False
) -> Comparison:
    """Hold the claimed rows against the expected ones.

    A `special` point (huge, tiny, saturated) can prove a claim wrong; where nothing can be resolved in it, because of
    its scale, it is skipped with that reason, and leaves the claim to the other points.
    """
    outside = np.maximum(right.low - claim, claim - right.high)
    single = right.output >= 0
    at_kink = np.maximum(np.where(single, np.minimum(outside, np.abs(claim)), outside), 0.0)
    error = np.where(right.kink, at_kink, np.abs(claim - right.value))
    known = np.isfinite(right.tolerance)
    error = np.where(np.isnan(error) | np.isinf(claim), np.inf, error)
    with np.errstate(invalid="ignore"):
        ratio = np.where(known, error / np.where(right.tolerance > 0, right.tolerance, 1.0), 0.0)
    wrong = known & (error > right.tolerance)
    limit = RESOLVED.get(dtype, RESOLVED["float64"])
    smooth = ~right.kink
    worst_tolerance = float(right.tolerance[smooth].max(initial=0.0))
    unresolved = not known.all() or worst_tolerance > limit * right.scale > 0 or not np.isfinite(right.scale)
    verdict: Verdict = "wrong" if wrong.any() else "unresolved" if unresolved else "correct"
    message = _why_unresolved(estimate, worst_tolerance, right, dtype) if verdict == "unresolved" else ""
    if special and verdict == "unresolved":
        verdict = "skipped"
    worst, worst_row = _worst(claim, right, estimate, ratio, values)
    at = AtPoint(
        point=point,
        dtype=dtype,
        verdict=verdict,
        entries=int(claim.size),
        error=float(error[known].max(initial=0.0)),
        tolerance=worst_tolerance,
        truncation=float(np.max(estimate.truncation, initial=0.0)),
        rounding=float(np.max(estimate.rounding, initial=0.0)),
        claim_rounding=float((right.tolerance[known] - right.bound[known]).max(initial=0.0)),
        ratio=float(ratio.max(initial=0.0)),
        resolution=float(2 * worst_tolerance),
        scale=right.scale,
        message=message,
    )
    return Comparison(error, ratio, wrong, at, worst, worst_row, _kinks(claim, right, estimate, point))


def _why_unresolved(estimate: Estimate, tolerance: float, right: Expected, dtype: str) -> str:
    if estimate.reason:
        return estimate.reason
    limit = RESOLVED.get(dtype, RESOLVED["float64"])
    return (
        f"the smallest error that could be seen is {tolerance:.2g}, which is more than {limit:g} "
        f"of the derivative's scale {right.scale:.2g}"
    )


def _worst(claim: Array, right: Expected, estimate: Estimate, ratio: Array, values: Array) -> tuple[Entry | None, int]:
    """The entry furthest over its tolerance; a row of its own output is preferred to a mixture."""
    if not ratio.size:
        return None, -1
    ranked = np.where(right.output >= 0, ratio, np.minimum(ratio, 1e-300))
    if ratio.max() > 1 >= ranked.max():
        ranked = ratio
    row, position = (int(i) for i in np.unravel_index(int(np.argmax(ranked)), ratio.shape))
    output = int(right.output[row, position])
    colour = np.flatnonzero(estimate.column[:, output] == position) if output >= 0 else np.array([], dtype=int)
    c = int(colour[0]) if colour.size else -1

    def side(array: Array | None) -> float:
        return float(array[c, output]) if array is not None and c >= 0 and bool(right.kink[row, position]) else np.nan

    return Entry(
        output=_place(output, estimate.output_shapes),
        index=tuple(int(i) for i in np.unravel_index(position, estimate.variable_shape)) if values.size else (),
        claim=float(claim[row, position]),
        estimate=float(right.value[row, position]),
        bound=float(right.bound[row, position]),
        tolerance=float(right.tolerance[row, position]),
        step=float(estimate.step[c, output]) if c >= 0 else float("nan"),
        left=side(estimate.left),
        right=side(estimate.right),
    ), row


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


def _kinks(claim: Array, right: Expected, estimate: Estimate, point: str, most: int = 4) -> tuple[Kink, ...]:
    """Name the convention that the claim follows at each of the first few kinks."""
    found: list[Kink] = []
    for row, position in zip(*np.nonzero(right.kink & (right.output >= 0)), strict=True):
        low, high, said = right.low[row, position], right.high[row, position], claim[row, position]
        tolerance = right.tolerance[row, position]
        output = int(right.output[row, position])
        colour = int(np.flatnonzero(estimate.column[:, output] == position)[0])
        left = float(estimate.left[colour, output]) if estimate.left is not None else float(low)
        other = float(estimate.right[colour, output]) if estimate.right is not None else float(high)
        if abs(said - left) <= tolerance:
            convention = "the left derivative"
        elif abs(said - other) <= tolerance:
            convention = "the right derivative"
        elif abs(said) <= tolerance:
            convention = "0"
        elif low <= said <= high:
            convention = "between the two sides"
        else:
            convention = "none"
        index = tuple(int(i) for i in np.unravel_index(int(position), estimate.variable_shape))
        found.append(Kink(point, index, left, other, float(said), convention))
        if len(found) == most:
            break
    return tuple(found)
