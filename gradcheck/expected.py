"""What a right claim must be, for given cotangents, and how far it may be from that.

    tolerance = bound + C · eps(claim's dtype) · (max |estimate| over the output's row + |f| / max(|x|, 1))

(without the |f| of outputs that do not depend on x). `bound` is the estimate's own; the second part is what the claim
itself may lose to rounding. C covers a few roundings in a row: `y(1 − y)` at x = 36 loses 1/2 eps of |f| = 1, which is
18 of |f|/|x|. To that comes C · the dtype's smallest normal number, for underflow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.cotangents import BLOCK, Cotangents
from gradcheck.numerical.estimate import Estimate
from gradcheck.problem import Array

# How many roundings a correct derivative may accumulate.
C = 32.0


@dataclass(frozen=True)
class Expected:
    """`G · J` for cotangents `G`, entry by entry; all arrays have shape `(rows, variable size)`.

    `output` is the flat index of the one output that an entry belongs to, −1 where there are several or none. `low`
    and `high` are the ends of what may be claimed: the estimate itself, or at a kink both one-sided derivatives.
    """

    value: Array
    bound: Array
    tolerance: Array
    low: Array
    high: Array
    kink: Array
    output: Array


@dataclass(frozen=True)
class _Entries:
    """The estimate for some outputs and everything that goes with an entry of it, of shape `(colours, outputs)`."""

    value: Array
    bound: Array
    low: Array
    high: Array
    kink: Array | None
    column: Array
    pattern: Array
    row_max: Array
    lost: Array
    zero_bound: Array

    @classmethod
    def of(cls, estimate: Estimate, used: Array, size_of: Array, outputs: Array, per_x: Array) -> _Entries:
        """Take the outputs `used`; `size_of` is `largest(estimate)`, `per_x` is 1/max(|x|, 1) of every entry of x."""
        column = estimate.column[:, used]
        pattern = column >= 0
        value, bound = estimate.value[:, used], estimate.bound[:, used]
        low, high, kink = value, value, None
        if estimate.kink is not None and estimate.left is not None and estimate.right is not None:
            kink = estimate.kink[:, used]
            left, right = estimate.left[:, used], estimate.right[:, used]
            # At a kink the claim is held against either side.
            low = np.where(kink, np.minimum(left, right), value)
            high = np.where(kink, np.maximum(left, right), value)
        row_max = size_of[used]
        lost = row_max + np.abs(outputs[used]) * per_x[column] if per_x.size else np.zeros(pattern.shape)
        return cls(value, bound, low, high, kink, column, pattern, row_max, lost, estimate.zero_bound[used])


def largest(estimate: Estimate) -> Array:
    """The largest |estimate| of each output."""
    value = np.abs(estimate.value)
    found: Array = np.max(value, axis=0, where=(estimate.column >= 0) & np.isfinite(value), initial=0.0)
    return found


def expected(
    estimate: Estimate, cotangents: Cotangents, size_of: Array, outputs: Array, values: Array, dtype: str
) -> Expected:
    """Multiply the estimate with the cotangents.

    `size_of` is `largest(estimate)`; `outputs` and the variable's `values` are flat.
    """
    info = np.finfo(dtype)
    rounding = C * float(info.eps)
    per_x = 1.0 / np.maximum(np.abs(values), 1.0)
    apart = len(cotangents.rows) - cotangents.mixed
    parts = []
    if apart:
        rows = cotangents.rows[:apart]
        used = np.flatnonzero(rows.any(axis=0))
        entries = _Entries.of(estimate, used, size_of, outputs, per_x)
        parts.append(_apart(entries, rows[:, used], used, values.size, rounding))
    parts += [_mixed(estimate, row, size_of, outputs, per_x, rounding) for row in cotangents.rows[apart:]]
    value, bound, tolerance, low, high, kink, output = (
        parts[0] if len(parts) == 1 else tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    )
    # A claim may underflow to 0 below the smallest normal number, and cannot be said at all above the largest.
    tolerance = np.where(np.abs(value) > info.max, np.inf, tolerance + C * float(info.smallest_normal))
    bound[np.isnan(bound)] = np.inf
    tolerance[np.isnan(tolerance)] = np.inf
    return Expected(value, bound, tolerance, low, high, kink, output)


def _apart(entries: _Entries, rows: Array, used: Array, size: int, rounding: float) -> tuple[Array, ...]:
    """Rows in which an entry belongs to one output: every entry of the estimate has one place."""
    group = np.argmax(rows != 0, axis=0)
    weight = rows[group, np.arange(used.size)]
    share = np.abs(weight)
    everything = bool(entries.pattern.all())
    place = group * size + entries.column
    place = place.ravel() if everything else place[entries.pattern]

    def scatter(array: Array, into: Array) -> Array:
        full = np.broadcast_to(array, entries.pattern.shape)
        into.ravel()[place] = full.ravel() if everything else full[entries.pattern]
        return into

    shape = (len(rows), size)
    # What stands outside the pattern is zero, within the zero_bound of the row's outputs.
    outside = np.abs(rows) @ entries.zero_bound
    empty = (rounding * (np.abs(rows) @ entries.row_max) + outside)[:, None]
    inside = share * (entries.bound - entries.zero_bound) + outside[group]
    value = scatter(weight * entries.value, np.zeros(shape))
    bound = scatter(inside, np.repeat(outside[:, None], size, axis=1))
    tolerance = scatter(inside + rounding * share * entries.lost, np.repeat(empty, size, axis=1))
    alone = np.where(np.count_nonzero(rows, axis=1) == 1, used[np.argmax(rows != 0, axis=1)], -1)
    output = scatter(used, np.repeat(alone[:, None], size, axis=1))
    if entries.kink is None:
        return value, bound, tolerance, value, value, np.zeros(shape, dtype=bool), output
    ends = weight * entries.low, weight * entries.high
    low = scatter(np.minimum(*ends), np.zeros(shape))
    high = scatter(np.maximum(*ends), np.zeros(shape))
    return value, bound, tolerance, low, high, scatter(entries.kink, np.zeros(shape, dtype=bool)), output


def _mixed(
    estimate: Estimate, row: Array, size_of: Array, outputs: Array, per_x: Array, rounding: float
) -> tuple[Array, ...]:
    """A row in which the outputs' entries add up, and with them their bounds."""
    size = per_x.size
    value, bound, lost, low, high, touched, kinks = np.zeros((7, 1, size))
    outside = everything = 0.0
    for used in _chunks(np.flatnonzero(row), len(estimate.column)):
        entries = _Entries.of(estimate, used, size_of, outputs, per_x)
        weight, pattern = row[used], entries.pattern
        share = np.abs(weight)
        column = entries.column[pattern]

        def add(into: Array, array: Array, column: Array = column, pattern: Array = pattern) -> None:
            into += np.bincount(column, weights=np.broadcast_to(array, pattern.shape)[pattern], minlength=size)

        add(value, weight * entries.value)
        add(bound, share * (entries.bound - entries.zero_bound))
        add(lost, share * entries.lost)
        add(touched, np.ones(pattern.shape))
        outside += float(share @ entries.zero_bound)
        everything += float(share @ entries.row_max)
        if entries.kink is not None:
            # Several conventions meet in one number, and each of them may be 0.
            ends = np.stack([weight * entries.low, weight * entries.high])
            zero = np.where(entries.kink, 0.0, ends[0])
            add(low, np.minimum(ends.min(axis=0), zero))
            add(high, np.maximum(ends.max(axis=0), zero))
            add(kinks, entries.kink)
    bound += outside
    tolerance = bound + rounding * np.where(touched > 0, lost, everything)
    output = np.full((1, size), int(np.argmax(row != 0)) if np.count_nonzero(row) == 1 else -1)
    if estimate.kink is None:
        low = high = value
    return value, bound, tolerance, low, high, kinks > 0, output


def _chunks(outputs: Array, colours: int) -> Iterator[Array]:
    """Cut the outputs so that the arrays of one chunk stay in the processor's cache."""
    step = max(1, BLOCK // max(1, colours))
    for start in range(0, outputs.size, step):
        yield outputs[start : start + step]
