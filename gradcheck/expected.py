"""What a right claim must be, for given cotangents, and how far it may be from that.

    tolerance = bound + C · eps(claim's dtype) · (max |estimate| over the output's row + |f| / max(|x|, 1))

(without the |f| of outputs that do not depend on x). `bound` is the estimate's own; the second part is what the claim
itself may lose to rounding. C covers a few roundings in a row: `y(1 − y)` at x = 36 loses 1/2 eps of |f| = 1, which is
18 of |f|/|x|. To that comes C · the dtype's smallest normal number, for underflow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.cotangents import Cotangents
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
    scale: float


@dataclass(frozen=True)
class _Entries:
    """The estimate and everything that goes with an entry of it, all of shape `(colours, outputs)`."""

    value: Array
    bound: Array
    low: Array
    high: Array
    kink: Array | None
    column: Array
    pattern: Array
    row_max: Array
    lost: Array

    @classmethod
    def of(cls, estimate: Estimate, outputs: Array, values: Array) -> _Entries:
        pattern = estimate.column >= 0
        value, bound, low = estimate.value, estimate.bound, estimate.value
        high, kink = low, estimate.kink
        if kink is not None and kink.any() and estimate.left is not None and estimate.right is not None:
            # At a kink the claim is held against either side.
            low = np.where(kink, np.minimum(estimate.left, estimate.right), value)
            high = np.where(kink, np.maximum(estimate.left, estimate.right), value)
        else:
            kink = None
        magnitude = np.where(pattern & np.isfinite(value), np.abs(value), 0.0)
        row_max = magnitude.max(axis=0, initial=0.0)
        per_x = 1.0 / np.maximum(np.abs(values), 1.0)
        lost = row_max + np.abs(outputs) * per_x[estimate.column] if values.size else np.zeros(pattern.shape)
        return cls(value, bound, low, high, kink, estimate.column, pattern, row_max, lost)


def expected(estimate: Estimate, cotangents: Cotangents, outputs: Array, values: Array, dtype: str) -> Expected:
    """Multiply the estimate with the cotangents. `outputs` and the variable's `values` are flat."""
    entries = _Entries.of(estimate, outputs, values)
    info = np.finfo(dtype)
    rounding = C * float(info.eps)
    apart = len(cotangents.rows) - cotangents.mixed
    parts = [_apart(entries, estimate.zero_bound, cotangents.rows[:apart], values.size, rounding)] if apart else []
    parts += [_mixed(entries, estimate.zero_bound, row, values.size, rounding) for row in cotangents.rows[apart:]]
    value, bound, tolerance, low, high, kink, output = (
        parts[0] if len(parts) == 1 else tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    )
    # A claim may underflow to 0 below the smallest normal number, and cannot be said at all above the largest.
    tolerance = np.where(np.abs(value) > info.max, np.inf, tolerance + C * float(info.smallest_normal))
    bound, tolerance = (np.where(np.isnan(array), np.inf, array) for array in (bound, tolerance))
    return Expected(value, bound, tolerance, low, high, kink, output, _scale(entries.row_max, outputs, values))


def _apart(entries: _Entries, zero_bound: Array, rows: Array, size: int, rounding: float) -> tuple[Array, ...]:
    """Rows in which an entry belongs to one output: every entry of the estimate has one place."""
    group = np.argmax(rows != 0, axis=0)
    weight = rows[group, np.arange(rows.shape[1])]
    share = np.abs(weight)
    used = entries.pattern & (weight != 0)
    everything = bool(used.all())
    place = group * size + entries.column
    place = place.ravel() if everything else place[used]

    def scatter(array: Array, into: Array) -> Array:
        full = np.broadcast_to(array, used.shape)
        into.ravel()[place] = full.ravel() if everything else full[used]
        return into

    shape = (len(rows), size)
    # What stands outside the pattern is zero, within the zero_bound of the row's outputs.
    outside = np.abs(rows) @ zero_bound
    empty = (rounding * (np.abs(rows) @ entries.row_max) + outside)[:, None]
    inside = share * (entries.bound - zero_bound) + outside[group]
    value = scatter(weight * entries.value, np.zeros(shape))
    bound = scatter(inside, np.repeat(outside[:, None], size, axis=1))
    tolerance = scatter(inside + rounding * share * entries.lost, np.repeat(empty, size, axis=1))
    alone = np.where(np.count_nonzero(rows, axis=1) == 1, np.argmax(rows != 0, axis=1), -1)
    output = scatter(np.arange(rows.shape[1]), np.repeat(alone[:, None], size, axis=1))
    if entries.kink is None:
        return value, bound, tolerance, value, value, np.zeros(shape, dtype=bool), output
    ends = weight * entries.low, weight * entries.high
    low = scatter(np.minimum(*ends), np.zeros(shape))
    high = scatter(np.maximum(*ends), np.zeros(shape))
    return value, bound, tolerance, low, high, scatter(entries.kink, np.zeros(shape, dtype=bool)), output


def _mixed(entries: _Entries, zero_bound: Array, row: Array, size: int, rounding: float) -> tuple[Array, ...]:
    """A row in which the outputs' entries add up, and with them their bounds."""
    used = entries.pattern & (row != 0)
    column = entries.column[used]
    share = np.abs(row)

    def add(array: Array) -> Array:
        return np.bincount(column, weights=np.broadcast_to(array, used.shape)[used], minlength=size)[None, :]

    outside = float(share @ zero_bound)
    bound = add(share * (entries.bound - zero_bound)) + outside
    value = add(row * entries.value)
    touched = add(np.ones(used.shape)) > 0
    lost = np.where(touched, add(share * entries.lost), float(share @ entries.row_max))
    tolerance = bound + rounding * lost
    output = np.full((1, size), int(np.argmax(row != 0)) if np.count_nonzero(row) == 1 else -1)
    if entries.kink is None:
        return value, bound, tolerance, value, value, np.zeros((1, size), dtype=bool), output
    # Several conventions meet in one number, and each of them may be 0.
    ends = np.stack([row * entries.low, row * entries.high, np.where(entries.kink, 0.0, row * entries.value)])
    return value, bound, tolerance, add(ends.min(axis=0)), add(ends.max(axis=0)), add(entries.kink) > 0, output


def _scale(row_max: Array, outputs: Array, values: Array) -> float:
    """The largest |estimate|, or |f|/|x| where all are zero."""
    largest = float(row_max.max(initial=0.0))
    if largest > 0:
        return largest
    finite = np.abs(outputs[np.isfinite(outputs)])
    return float(finite.max(initial=0.0) / max(np.abs(values).max(initial=0.0), 1.0))
