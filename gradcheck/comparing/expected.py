"""What a right claim must be, for given cotangents, and how far it may be from that.

    tolerance = bound + c · eps(claim's dtype) · (max |estimate| over the output's row + |f| / max(|x|, 1))

(without the |f| of outputs that do not depend on x). `bound` is the estimate's own; the second part is what the claim
itself may lose to rounding. An exponential saturates at |x| = ln(1/eps), and `y(1 − y)` loses eps/2 of |f| = 1 there,
which is ln(1/eps)/2 · eps · |f|/|x|: c is that and a third more (24; 4 in float16). To that comes c · the dtype's
smallest normal number, for underflow.

A claim in another type than float64 may lose more (`Loss`): what it is made of may be larger than itself at this point
(1 − tanh² in saturation), and forward may lose more than eps in that type, and the claim with it. And in any type, what
is nothing beside the derivative at ordinary points is nothing: 1e-22 beyond a clip at ±50, of a sigmoid.

A claim that loses less than it may can be held to a `strict` tolerance, without the |f|: where a function is flat (an
arctangent far out), the |f| would hide the whole derivative.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from gradcheck.asking.cotangents import Cotangents
from gradcheck.numerical.estimate import Estimate
from gradcheck.problem import Array

# Entries are taken this many at a time: their arrays then stay in the processor's cache.
BLOCK = 1 << 14


@dataclass(frozen=True)
class Expected:
    """Some entries of `G · J` for cotangents `G`; all arrays have one shape.

    `row` and `position` say where in `G · J` an entry stands. `output` is the flat index of the one output that it
    belongs to, −1 where there are several or none. `low` and `high` are the ends of what may be claimed: the estimate
    itself, or at a kink both one-sided derivatives. `infinite (2, …)`: the signs of derivatives that are infinite on
    the left and on the right, else 0. `free`: these entries are zero by structure: f was certified not to move.
    """

    row: Array
    position: Array
    output: Array
    value: Array
    bound: Array
    tolerance: Array
    low: Array
    high: Array
    kink: Array
    infinite: Array
    free: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Loss:
    """What a claim may lose: eps · the derivative's `size` elsewhere, `times` eps of all, and `nothing` altogether."""

    size: float = 0.0
    times: float = 0.0
    nothing: float = 0.0


USUAL = Loss()


class _Tolerances:
    """What the claim's dtype adds to a bound."""

    def __init__(self, dtype: str, loss: Loss) -> None:
        info = np.finfo(dtype)
        c = max(4.0 if info.bits == 16 else 24.0, loss.times)
        self.rounding = c * float(info.eps)
        self.underflow = max(c * float(info.smallest_normal), loss.nothing)
        self.largest = float(info.max)

    def __call__(self, value: Array, bound: Array, lost: Array) -> Array:
        tolerance: Array = bound + (self.rounding * lost + self.underflow)
        unknown = np.isnan(tolerance) | (np.abs(value) > self.largest)  # what the dtype cannot say, nobody can claim
        if unknown.any():
            tolerance[unknown] = np.inf
        return tolerance


def largest(estimate: Estimate) -> Array:
    """The largest |estimate| of each output."""
    found = np.zeros(estimate.value.shape[1])
    for used in _chunks(estimate):
        value = np.abs(estimate.value[:, used])
        known = (estimate.column[:, used] >= 0) & np.isfinite(value)
        found[used] = np.max(value, axis=0, where=known, initial=0.0)
    return found


def expected(
    estimate: Estimate,
    asked: Cotangents,
    size_of: Array,
    outputs: Array,
    values: Array,
    dtype: str,
    strict: bool = False,
    loss: Loss = USUAL,
) -> Iterator[Expected]:
    """Multiply the estimate with the cotangents; yield every entry of the product once, some at a time.

    `size_of` is `largest(estimate)`; `outputs` and the variable's `values` are flat.
    """
    size_of = size_of if strict else np.maximum(size_of, loss.size)
    tolerances = _Tolerances(dtype, USUAL if strict else loss)
    per_x = np.zeros(values.size) if strict else 1.0 / np.maximum(np.abs(values), 1.0)
    apart = asked.rows[: len(asked.rows) - asked.mixed]
    sums = [_Sum(row, values.size) for row in asked.rows[len(apart) :]]
    group = np.argmax(apart != 0, axis=0) if len(apart) else np.zeros(0, dtype=np.intp)
    weight = apart[group, np.arange(group.size)]
    outside = np.abs(apart) @ estimate.zero_bound
    free = np.ones(apart.shape[0] * values.size, dtype=bool)
    for used in _chunks(estimate):
        entries = _Entries.of(estimate, used, size_of, outputs, per_x)
        if len(apart):
            row = group[used]
            found = _apart(entries, row, weight[used], outside[row], tolerances)
            free[(found.row * values.size + found.position).ravel()] = False
            yield found
        for one in sums:
            one.add(entries, used)
    if free.any():
        yield _outside(estimate, apart, np.flatnonzero(free), values.size, size_of, tolerances)
    for number, one in enumerate(sums):
        yield one.expected(len(apart) + number, tolerances)


def _chunks(estimate: Estimate) -> Iterator[slice]:
    """Cut the outputs into pieces of a number of entries."""
    colours, outputs = estimate.value.shape
    step = max(1, BLOCK // max(1, colours))
    for start in range(0, outputs, step):
        yield slice(start, min(start + step, outputs))


@dataclass(frozen=True)
class _Entries:
    """The estimate for some outputs, and what goes with each entry, of shape `(colours, outputs)`."""

    value: Array
    bound: Array
    low: Array
    high: Array
    kink: Array | None
    infinite: Array | None
    column: Array
    pattern: Array
    output: Array
    row_max: Array
    lost: Array
    zero_bound: Array

    @classmethod
    def of(cls, estimate: Estimate, used: slice, size_of: Array, outputs: Array, per_x: Array) -> _Entries:
        column = estimate.column[:, used]
        value, low, high, kink = estimate.value[:, used], estimate.value[:, used], estimate.value[:, used], None
        infinite = None if estimate.infinite is None else estimate.infinite[:, :, used]
        if estimate.kink is not None and estimate.left is not None and estimate.right is not None:
            kink = estimate.kink[:, used]
            # At a kink the claim is held against either side.
            left, right = estimate.left[:, used], estimate.right[:, used]
            low = np.where(kink, np.minimum(left, right), value)
            high = np.where(kink, np.maximum(left, right), value)
        row_max = size_of[used]
        lost = row_max + np.abs(outputs[used]) * per_x[column] if per_x.size else np.zeros(column.shape)
        output = np.broadcast_to(np.arange(used.start, used.stop), column.shape)
        bound, zero = estimate.bound[:, used], estimate.zero_bound[used]
        return cls(value, bound, low, high, kink, infinite, column, column >= 0, output, row_max, lost, zero)


def _apart(entries: _Entries, row: Array, weight: Array, outside: Array, tolerances: _Tolerances) -> Expected:
    """Rows in which an entry belongs to one output. `outside`: the bound of each row's entries outside the pattern."""
    share = np.abs(weight)
    value = weight * entries.value
    bound = share * (entries.bound - entries.zero_bound) + outside
    tolerance = tolerances(value, bound, share * entries.lost)
    low = high = value
    kink = np.broadcast_to(False, value.shape)
    if entries.kink is not None:
        ends = weight * entries.low, weight * entries.high
        low, high, kink = np.minimum(*ends), np.maximum(*ends), entries.kink
    steep = np.broadcast_to(0, (2, *value.shape)) if entries.infinite is None else np.sign(weight) * entries.infinite
    arrays = (
        np.broadcast_to(row, value.shape),
        entries.column,
        entries.output,
        value,
        bound,
        tolerance,
        low,
        high,
        kink,
        steep,
    )
    if (entries.pattern & (weight != 0)).all():
        return Expected(*arrays)
    chosen = entries.pattern & (weight != 0)
    return Expected(*(array[..., chosen] for array in arrays))


def _outside(
    estimate: Estimate, rows: Array, places: Array, size: int, size_of: Array, tolerances: _Tolerances
) -> Expected:
    """What stands outside the pattern is zero, within the zero_bound of the row's outputs."""
    row, position = places // size, places % size
    share = np.abs(rows)
    alone = np.where(np.count_nonzero(rows, axis=1) == 1, np.argmax(rows != 0, axis=1), -1)
    zero = np.zeros(places.size)
    bound = (share @ estimate.zero_bound)[row]
    tolerance = tolerances(zero, bound, (share @ size_of)[row])
    return Expected(
        row, position, alone[row], zero, bound, tolerance, zero, zero, zero > 0, np.zeros((2, zero.size)), free=True
    )


class _Sum:
    """A row in which the outputs' entries add up, and with them their bounds."""

    def __init__(self, row: Array, size: int) -> None:
        self.row = row
        self.value, self.bound, self.lost, self.low, self.high, self.touched, self.kinks = np.zeros((7, size))
        self.infinite = np.zeros((2, size))
        self.outside = self.everything = 0.0

    def add(self, entries: _Entries, used: slice) -> None:
        """Add the entries of some outputs."""
        weight = self.row[used]
        share = np.abs(weight)
        pattern = slice(None) if entries.pattern.all() else entries.pattern
        column = entries.column[pattern].ravel()
        first = int(column.min(initial=self.value.size))

        def into(total: Array, array: Array) -> None:
            found = np.bincount(column - first, weights=np.broadcast_to(array, entries.pattern.shape)[pattern].ravel())
            total[first : first + found.size] += found

        into(self.value, weight * entries.value)
        into(self.bound, share * (entries.bound - entries.zero_bound))
        into(self.lost, share * entries.lost)
        into(self.touched, np.ones(1))
        self.outside += float(share @ entries.zero_bound)
        self.everything += float(share @ entries.row_max)
        if entries.infinite is not None:
            steep = np.sign(weight) * entries.infinite
            for sign, side in zip((-1, 1), self.infinite, strict=True):
                into(side, sign * (steep == sign).any(axis=0))
        if entries.kink is not None:
            # Several conventions meet in one number, and each of them may be 0.
            ends = np.stack([weight * entries.low, weight * entries.high])
            zero = np.where(entries.kink, 0.0, ends[0])
            into(self.kinks, entries.kink)
            into(self.low, np.minimum(ends.min(axis=0), zero))
            into(self.high, np.maximum(ends.max(axis=0), zero))

    def expected(self, row: int, tolerances: _Tolerances) -> Expected:
        """The whole row."""
        size = self.value.size
        bound = self.bound + self.outside
        # A mixture is computed as a whole: what is rounded on the way is a sum, too, and adds to what its outputs lose.
        tolerance = tolerances(self.value, bound, 2 * np.where(self.touched > 0, self.lost, self.everything))
        output = int(np.argmax(self.row != 0)) if np.count_nonzero(self.row) == 1 else -1
        kink = self.kinks > 0
        low, high = np.where(kink, self.low, self.value), np.where(kink, self.high, self.value)
        place = np.full(size, row), np.arange(size), np.full(size, output)
        return Expected(*place, self.value, bound, tolerance, low, high, kink, self.infinite)
