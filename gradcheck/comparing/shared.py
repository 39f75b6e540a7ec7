"""Kinks that several entries share: each entry may follow a convention of its own, but not all of them together.

Where max(x₀, x₁) ties, both entries have the sides 0 and 1, so that each claim of 0, 1 or between is a convention. But
along (1, 1) the maximum is smooth, and the claims have to add up to 1. So a claim times a direction must lie between
the derivatives along it: the two sides at the point itself, and what they are next to it. (In the middle of ties,
as in a median or a sort, f has pieces that a line through the point does not meet. Clarke's generalised gradient,
"Optimization and Nonsmooth Analysis", 1983, is the hull of them all.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.asking.claims import Answer
from gradcheck.asking.cotangents import Cotangents
from gradcheck.evaluated import Evaluated
from gradcheck.in_dtype import InDtype
from gradcheck.numerical.directional import Domains, sides
from gradcheck.numerical.estimate import Estimate
from gradcheck.problem import Array, Method
from gradcheck.verdicts import Verdict

RANDOM = 3  # directions of random signs, beside the one in which all entries move alike
ROUNDINGS = 64.0
# So many points next to the kink are looked at, this far away (of the largest entry); a derivative may differ there by
# this share.
NEAR, AWAY, SHARE = 32, 2.0**-20, 1e-4
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Finding:
    """What a direction shows of the claims about `names`."""

    names: tuple[str, ...]
    verdict: Verdict
    message: str


def shared_kinks(
    here: Evaluated, method: Method, answers: Mapping[str, Answer], asked: Mapping[str, Cotangents]
) -> Iterator[Finding]:
    """Yield what is wrong with the claims of one method along directions in which several kinked entries move."""
    claims: dict[str, Array] = {}
    kinked: dict[str, Array] = {}
    for name, answer in answers.items():
        if here.problem.variable(name).constant or answer.rows is None or here.is_projected(name):
            continue
        estimate = here.estimate(name)
        kinked[name] = np.zeros(here.flat.size) if estimate.kink is None else estimate.kink.sum(axis=0)
        claims[name] = _entries(answer.rows, asked[name], estimate)
    groups: list[tuple[str, ...]] = [(name,) for name in claims if kinked[name].max(initial=0) > 1]
    together = tuple(name for name in claims if kinked[name].any())
    if len(together) > 1 and np.sum([kinked[name] for name in together], axis=0).max() > 1:
        groups.append(together)
    for names in groups:
        for number in range(1 + RANDOM):
            finding = _along(here, method, names, claims, number)
            if finding is not None:
                yield finding
                break


def not_together(here: Evaluated, method: Method, name: str, known: InDtype) -> bool:
    """Whether the claims by `name` are wrong along a direction in which several kinked entries move."""
    asked = here.cotangents(method)
    findings = shared_kinks(here, method, here.ask(method, known, asked), asked)
    return any(finding.verdict == "wrong" and name in finding.names for finding in findings)


def _entries(rows: Array, asked: Cotangents, estimate: Estimate) -> Array:
    """The claimed derivatives `(colours, outputs)`, from the answers to cotangents that keep outputs apart.

    A gradient of the sum of all outputs is laid out as if it were that of each.
    """
    apart = asked.rows[: len(asked.rows) - asked.mixed]
    if not len(apart):
        return np.asarray(rows[0][estimate.column])
    row = np.argmax(apart != 0, axis=0)
    weight = apart[row, np.arange(row.size)]
    return np.where(estimate.column >= 0, rows[row, estimate.column] / weight, 0.0)


def _along(
    here: Evaluated, method: Method, names: tuple[str, ...], claims: Mapping[str, Array], number: int
) -> Finding | None:
    """Hold the claims against the one-sided derivatives along one direction."""
    tangents, (low, high, bound) = here.ends(names, number)
    claimed, size, unsure = np.zeros((3, here.flat.size))
    for name in names:
        estimate = here.estimate(name)
        move = np.where(estimate.column >= 0, tangents[name].ravel()[estimate.column], 0.0)
        claimed += (claims[name] * move).sum(axis=0)
        size += np.abs(claims[name] * move).sum(axis=0)
        unsure += (estimate.bound * np.abs(move)).sum(axis=0)
    if method.kind == "sum":
        low, high, bound, unsure = (np.array([one.sum()]) for one in (low, high, bound, unsure))
        claimed, size = claimed[:1], size[:1]
    tolerance = bound + unsure + ROUNDINGS * EPS * (size + np.abs(low) + np.abs(high))
    off = (claimed < low - tolerance) | (claimed > high + tolerance)
    if (off & np.isfinite(tolerance)).any():
        least, most = _next_to_it(here, tangents, here.domains(names), method.kind == "sum", low, high)
        slack = tolerance + SHARE * (size + np.abs(least) + np.abs(most))
        off = (claimed < least - slack) | (claimed > most + slack)
    if not (off & np.isfinite(tolerance)).any():
        return None
    at = int(np.argmax(np.where(off & np.isfinite(tolerance), np.maximum(low - claimed, claimed - high), -np.inf)))
    unit = float(max(np.abs(one).max() for one in tangents.values()))
    way = "all inputs alike" if number == 0 else "inputs by random signs"
    ends = " to ".join(dict.fromkeys(f"{one[at] / unit:.4g}" for one in (low, high)))
    message = f"moving {way}, the claims add up to {claimed[at] / unit:.4g}, where the derivative is {ends}"
    if number == 0 and method.kind != "sum" and _each_winner_takes_all(here, names, claims, low, high, tolerance, off):
        times = claimed[at] / low[at] if low[at] else np.inf
        return Finding(
            names, "convention", f"every tied winner gets the whole gradient: {times:.3g} × too large along all of them"
        )
    return Finding(names, "wrong", message)


def _next_to_it(
    here: Evaluated, tangents: Mapping[str, Array], domains: Domains, summed: bool, low: Array, high: Array
) -> tuple[Array, Array]:
    """Widen the ends of the derivatives along a direction by what they are at points next to the kink."""
    rng = np.random.default_rng([here.seed, 12])
    for _ in range(NEAR):
        beside = {name: AWAY * rng.uniform(-1, 1, one.shape) * np.abs(one) for name, one in tangents.items()}
        values = {**here.point.values, **{name: here.point.values[name] + move for name, move in beside.items()}}
        ends = sides(here.problem.forward, values, tangents, domains=domains, seed=here.seed)[:2]
        first, last = (np.array([one.sum()]) if summed else one for one in ends)
        low, high = np.fmin(low, first), np.fmax(high, last)
    return low, high


def _each_winner_takes_all(
    here: Evaluated,
    names: tuple[str, ...],
    claims: Mapping[str, Array],
    low: Array,
    high: Array,
    tolerance: Array,
    off: Array,
) -> bool:
    """Whether at every output that is off, each kinked entry claims the whole derivative of all moving alike."""
    if (high - low > tolerance)[off].any():
        return False
    for name in names:
        estimate = here.estimate(name)
        if estimate.kink is None:
            return False
        unit = float(np.abs(np.asarray(here.point.values[name], dtype=float)).max(initial=0.0)) or 1.0
        whole = np.abs(claims[name] * unit - low) <= tolerance
        if not whole[estimate.kink & off].all():
            return False
    return True
