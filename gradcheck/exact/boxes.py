"""Is a claim the derivative for every x of an interval? Bounds on boxes, which are halved where they do not tell.

On a box of radius r around m, both are expanded in power series (Taylor models of order n: Moore, *Interval Analysis*,
1966; Makino & Berz 2003), f(m + h) = Σ aₖ hᵏ and claim(m + h) = Σ bₖ hᵏ, once at m itself and once with m replaced by
the whole box, whose last coefficient encloses the remainder. Then, for every |h| ≤ r,

    |claim − f′| ≤ Σₖ₌₀ⁿ |bₖ − (k + 1) aₖ₊₁|(m) rᵏ + |bₙ₊₁ − (n + 2) aₙ₊₂|(box) rⁿ⁺¹.

Where the two are one formula the first sum is 0 to all its bits, and only the remainder is left.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flint import arb, arb_series

from gradcheck.exact import session
from gradcheck.exact.arrays.array import Array, as_array, full, plain
from gradcheck.exact.claims import At
from gradcheck.exact.errors import NotExact
from gradcheck.exact.evaluate import Forward, Values, along, exact_input
from gradcheck.exact.jets.jet import Jet
from gradcheck.exact.run import exactly
from gradcheck.exact.session import BITS

ORDER = 10
# The whole interval is cut into this many boxes at first; none is halved below this share of it.
FIRST = 64
FINEST = 2.0**-24


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    @property
    def radius(self) -> float:
        return max(self.high - self.middle, self.middle - self.low)

    def halves(self) -> list[Interval]:
        return [Interval(self.low, self.middle), Interval(self.middle, self.high)]


@dataclass
class Boxes:
    """Where a claim is the derivative within a bound, where it certainly is not, and where that was not decided.

    Neighbouring intervals are joined. `bound`: what the largest difference on `equal` is certainly below, as a share of
    max(1, |f′|) there.
    """

    equal: list[Interval] = field(default_factory=list)
    different: list[Interval] = field(default_factory=list)
    undecided: list[Interval] = field(default_factory=list)
    bound: float = 0.0

    @property
    def everywhere(self) -> bool:
        """Whether the claim is the derivative on the whole interval."""
        return bool(self.equal) and not self.different and not self.undecided


def box(
    forward: Forward,
    at: At,
    values: Values,
    wrt: str,
    low: float,
    high: float,
    *,
    within: float = 1e-9,
    most: int = 4000,
    finest: float = FINEST,
    order: int = ORDER,
    around: Iterable[Any] = (),
    bits: int = BITS,
) -> Boxes:
    """Compare a claim with the derivative of a function that acts entry by entry, for all x from `low` to `high`.

    `forward(values)` returns an output of the shape of `values[wrt]`; the other values stay as they are. The claim is
    asked with a cotangent of ones (`at(values)([ones])`; a local derivative ignores it). `within`: the bound, as a
    share of max(1, |f′|). At most `most` boxes are tried, and none is halved below `finest` of the interval. Raises
    NotExact where the code leaves exact arithmetic.
    """
    along(forward, values, {}, around=around, bits=bits)  # what cannot be run at all is said here
    asker = _Asker(forward, at, values, wrt, order, list(around), bits)
    found = Boxes()
    edges = np.linspace(low, high, FIRST + 1)
    waiting = [Interval(float(a), float(b)) for a, b in itertools.pairwise(edges)]
    tried = 0
    while waiting:
        some, waiting = waiting[: asker.size], waiting[asker.size :]
        tried += len(some)
        doubtful: list[tuple[Interval, bool]] = []  # and whether it is halved, if it is not off
        for one, (difference, remainder, scale) in zip(some, asker.differences(some), strict=True):
            halved = tried < most and one.high - one.low > finest * (high - low)
            if difference + remainder <= within * scale:
                found.equal.append(one)
                found.bound = max(found.bound, (difference + remainder) / scale)
            elif halved and not math.isfinite(difference):
                waiting += one.halves()
            else:
                doubtful.append((one, halved))
        for (one, halved), off in zip(doubtful, asker.off([one for one, _ in doubtful], within), strict=True):
            if off:
                found.different.append(one)
            elif halved:
                waiting += one.halves()
            else:
                found.undecided.append(one)
    for intervals in (found.equal, found.different, found.undecided):
        intervals[:] = _joined(intervals)
    return found


class _Asker:
    """Expands forward and claim on as many boxes at once as the variable has entries."""

    def __init__(
        self, forward: Forward, at: At, values: Values, wrt: str, order: int, around: list[Any], bits: int
    ) -> None:
        self.forward = forward
        self.at = at
        self.values = dict(values)
        self.wrt = wrt
        self.order = order
        self.around = around
        self.bits = bits
        self.shape = np.shape(values[wrt])
        self.size = max(int(np.prod(self.shape)), 1)

    def differences(self, boxes: Sequence[Interval]) -> list[tuple[float, float, float]]:
        """For each box the sum at its middle, the remainder, and the scale; infinite where nothing can be said.

        A decision that falls differently inside of one box stops the run of all: then each half of them runs by itself.
        """
        try:
            wide = self._expanded([arb(b.middle, b.radius) for b in boxes])
            narrow = self._expanded([arb(b.middle) for b in boxes])
        except NotExact:
            if len(boxes) == 1:
                return [(math.inf, math.inf, 1.0)]
            half = len(boxes) // 2
            return [*self.differences(boxes[:half]), *self.differences(boxes[half:])]
        return [self._bounds(*entry) for entry in zip(boxes, narrow, wide, strict=True)]

    def _bounds(self, box: Interval, narrow: Any, wide: Any) -> tuple[float, float, float]:
        with session.precisely(self.bits):
            radius = arb(box.radius)
            apart = sum((abs(d).upper() * radius**k for k, d in enumerate(narrow[0][: self.order + 1])), arb(0))
            rest = abs(wide[0][self.order + 1]).upper() * radius ** (self.order + 1)
            scale = max(1.0, float(abs(wide[1]).upper()))
            bounds = float(apart.upper()), float(rest.upper())
        return (*bounds, scale) if all(map(math.isfinite, (*bounds, scale))) else (math.inf, math.inf, 1.0)

    def off(self, boxes: Sequence[Interval], within: float) -> list[bool]:
        """Whether the two certainly differ in the middle of each box; of a box that cannot be run, no."""
        if not boxes:
            return []
        try:
            expanded = self._expanded([arb(box.middle) for box in boxes])
        except NotExact:
            return [self.off([box], within)[0] for box in boxes] if len(boxes) > 1 else [False]
        with session.precisely(self.bits):
            return [
                bool(d[0].is_finite() and abs(d[0]).lower() > within * max(1.0, float(abs(slope))))
                for d, slope in expanded
            ]

    def _expanded(self, places: Sequence[Any]) -> list[tuple[list[Any], Any]]:
        """Coefficients of claim − f′ around each place, and f′."""
        count = self.order + 3
        filled = [places[k % len(places)] for k in range(self.size)]

        def inputs() -> dict[str, Any]:
            made = np.empty(self.size, dtype=object)
            made[:] = [Jet(arb_series([place, 1], prec=count)) for place in filled]
            jets = as_array(made.reshape(self.shape))
            return {**{n: exact_input(v) for n, v in self.values.items()}, self.wrt: jets}

        def compute() -> tuple[Array, Array]:
            [output] = self.forward(inputs())
            return as_array(output), as_array(self.at(inputs())([full(np.shape(output), 1.0)])[0])

        around = [self.forward, self.at, *self.around]
        (f, claim), _ = exactly(compute, around, bits=self.bits, most=self.bits)
        pairs = zip(plain(f).reshape(-1), plain(claim).reshape(-1), strict=True)
        with session.precisely(self.bits):
            return [self._difference(*pair, count) for pair in itertools.islice(pairs, len(places))]

    def _difference(self, f: Any, claim: Any, count: int) -> tuple[list[Any], Any]:
        a, b = _coefficients(f, count), _coefficients(claim, count - 1)
        return [b[k] - (k + 1) * a[k + 1] for k in range(count - 1)], a[1]


def _coefficients(x: Any, count: int) -> list[Any]:
    """The first coefficients of a series; of a constant, itself and zeros."""
    given = list(x.ball.coeffs())[:count] if type(x.ball) is arb_series else [x.ball]
    known = x.ball.prec if type(x.ball) is arb_series else count
    return [*given, *[arb(0) if k < known else arb.nan() for k in range(len(given), count)]]


def _joined(intervals: list[Interval]) -> list[Interval]:
    made: list[Interval] = []
    for one in sorted(intervals, key=lambda i: i.low):
        if made and made[-1].high == one.low:
            made[-1] = Interval(made[-1].low, one.high)
        else:
            made.append(one)
    return made
