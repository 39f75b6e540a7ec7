"""Two enclosures of what should be one number: the same to 60 bits, apart by rounded constants, or disjoint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from flint import arb

from gradcheck.exact import session
from gradcheck.exact.arrays.array import Array

Relation = Literal["identical", "constants rounded", "convention", "undefined", "too wide", "not finite", "disjoint"]
"""From what is best to what is worst for a claim ("convention": between the two sides of a kink)."""

IDENTICAL = 2.0**-60
"""Enclosures that are that close, as a share of the scale, are of one and the same number."""

ROUNDED = 2.0**-48
"""Up to that share, constants that are floats explain a difference: `x / 6` and `x * (1 / 6)` are two numbers."""

MOST_DIGITS = 17.0
"""More than a float64 has."""

_WORST: tuple[Relation, ...] = get_args(Relation)


@dataclass(frozen=True)
class Comparison:
    """How the entries of two arrays of enclosures compare: the worst relation, where, and by which share of the scale.

    `apart`: the largest share of the scale by which an entry certainly is off, at most `most_apart`. `place`: the first
    entry of the worst relation, in the flattened array.
    """

    relation: Relation
    place: int
    apart: float
    most_apart: float
    relations: tuple[Relation, ...]


def compare(left: Array, right: Array, scale: Any) -> Comparison:
    """Compare arrays of `flint.arb`, entry by entry, by a scale (a number, or one for each entry).

    "identical": certainly within 2⁻⁶⁰ of the scale. "constants rounded": within 2⁻⁴⁸. "disjoint": certainly more than
    that apart. "not finite": `left` (the claim) is not, `right` (the derivative) is. "undefined": `right` is not
    finite, and nothing is compared. "too wide": the enclosures do not tell.
    """
    scales = np.broadcast_to(np.asarray(scale, dtype=object), left.shape).ravel()
    with session.precisely():
        return worst([relation(*entry) for entry in zip(left.flat, right.flat, scales, strict=True)])


def at_kink(claims: Array, low: Array, high: Array, scale: Any) -> Comparison:
    """Compare claims with derivatives that differ on both sides: either is right, and what lies between is a
    convention.

    `low` and `high`: the two one-sided derivatives of each entry, the smaller and the larger.
    """
    with session.precisely():
        return worst([_at_kink(*entry, scale) for entry in zip(claims.flat, low.flat, high.flat, strict=True)])


def _at_kink(claim: Any, low: Any, high: Any, scale: Any) -> tuple[Relation, float, float]:
    sides = [relation(claim, low, scale), relation(claim, high, scale)]
    nearer = min(sides, key=lambda found: (_WORST.index(found[0]), found[2]))
    between = (claim - low).lower() >= -scale * ROUNDED and (high - claim).lower() >= -scale * ROUNDED
    return ("convention", nearer[1], nearer[2]) if nearer[0] in ("disjoint", "too wide") and between else nearer


def worst(found: Sequence[tuple[Relation, float, float]]) -> Comparison:
    """Put the relations of all entries together."""
    if not found:
        return Comparison("identical", 0, 0.0, 0.0, ())
    relations = tuple(entry[0] for entry in found)
    place = max(range(len(found)), key=lambda n: (_WORST.index(relations[n]), found[n][2]))
    return Comparison(relations[place], place, found[place][1], found[place][2], relations)


def relation(left: Any, right: Any, scale: Any) -> tuple[Relation, float, float]:
    """Compare two enclosures; also how far apart they are, at least and at most, as shares of the scale."""
    if not right.is_finite():
        return "undefined", 0.0, math.inf
    if not left.is_finite():
        return "not finite", math.inf, math.inf
    difference = left - right
    if difference == 0:
        return "identical", 0.0, 0.0
    least, most = _share(difference.abs_lower(), scale), _share(difference.abs_upper(), scale)
    if most <= IDENTICAL:
        return "identical", least, most
    if most <= ROUNDED:
        return "constants rounded", least, most
    return ("disjoint" if least > ROUNDED else "too wide"), least, most


def _share(size: Any, scale: Any) -> float:
    return float(size / scale) if scale > 0 else math.inf


def row_scale(row: Array, output: Any, values: Any) -> Any:
    """The scale of one output's derivatives: the largest that is not 0; |f| / max(|x|, 1) where all may be 0."""
    sizes = [abs(ball).upper() for ball in row if ball.is_finite() and not ball.contains(0)]
    if sizes:
        return max(sizes, key=float)
    return abs(output).upper() / max(float(np.abs(values).max(initial=1.0)), 1.0)


def midpoint(ball: Any) -> float:
    """The float nearest to the middle of a ball."""
    return float(ball)


def midpoints(balls: Array) -> Array:
    """The floats nearest to the middles of an array of balls."""
    return np.array([float(ball) for ball in balls.flat]).reshape(balls.shape)


def digits(claim: float, exact: Any, scale: Any) -> float:
    """How many decimal digits of the scale a float keeps of an exact number: −log₁₀(|claim − exact| / scale).

    At most `MOST_DIGITS`, at least 0; a claim that is not finite keeps none.
    """
    if not math.isfinite(claim):
        return 0.0
    with session.precisely():
        share = _share(abs(arb(claim) - exact).upper(), scale)
    return min(MOST_DIGITS, max(0.0, -math.log10(share))) if share > 0 else MOST_DIGITS


def agreement(floats: Array, exact: Array) -> float:
    """How far floats are from the numbers that they stand for: the largest difference as a share of the largest number.

    Infinity where only one of the two is finite.
    """
    largest, worst = 0.0, 0.0
    with session.precisely():
        for x, ball in zip(np.ravel(floats).tolist(), exact.flat, strict=True):
            if math.isfinite(x) != ball.is_finite():
                return math.inf
            if ball.is_finite():
                largest = max(largest, float(abs(ball).upper()))
                worst = max(worst, float(abs(arb(x) - ball).upper()))
    return worst / largest if largest else worst
