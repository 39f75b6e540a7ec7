"""How forward computes in long double: it sees what float64 rounds inside of f.

A computation may round where no value of f in float64 shows it: a saturated tanh whose tail is amplified, the stairs of
a naive log(1 + eᵛ), a constant that is a difference of large numbers, a wave as low as the noise. What f differs by in
long double is what float64 loses. (Where long double is no wider than float64, or forward does not take it, nothing is
known.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradcheck.numerical.evaluate import Evaluator, Forward
from gradcheck.numerical.found import Found
from gradcheck.numerical.ladder import SHARES, ULPS
from gradcheck.numerical.steps import scales, within
from gradcheck.problem import Array, Values

WIDE, DOUBLE = float(np.finfo(np.longdouble).eps), float(np.finfo(np.float64).eps)
# The shares of |x| by which x is moved to see what float64 loses. A few errors are a sample: the largest may be larger.
NEAR, SAFETY = np.array([0, *2.0 ** -np.arange(20, 40, 5)]), 8
# An output that differs by more than this share of the largest is another function's: clipped at its dtype's eps, say.
OTHER = 2.0**-10
# Here, what is rounded and what is truncated of a smooth function's slope are about the same.
STEP = 2.0**-21


@dataclass
class Displaced:
    """The function d ↦ f(x + d) − f(x), computed in long double and given in float64, which then loses nothing."""

    forward: Forward
    wrt: str
    x: Array
    f0: Array
    domain: tuple[float, float] | None

    def __call__(self, values: Values) -> list[Array]:
        """Return the differences at one displacement or at several, stacked along the batch."""
        d = values[self.wrt]
        moved = self.x + d.reshape(-1, *self.x.shape)
        # The point itself may be at the edge of the open domain.
        if self.domain and not ((moved > self.domain[0]) & (moved < self.domain[1]) | (moved == self.x)).all():
            raise ValueError("x + d is outside the domain")
        f = in_long_double(self.forward, {**values, self.wrt: moved.reshape(d.shape)}, (len(moved), self.f0.size))
        return [(f - self.f0).astype(np.float64)]


def in_long_double(forward: Forward, values: Values, shape: tuple[int, int]) -> Array:
    """Return the outputs `(points, outputs)` as forward computes them from long doubles.

    Raises TypeError if they are of another type, ValueError if there are not as many.
    """
    with np.errstate(all="ignore"):
        outputs = [np.asarray(output) for output in forward(values)]
    if any(output.dtype != np.longdouble for output in outputs):
        raise TypeError("forward does not compute in long double")
    return np.concatenate([output.reshape(shape[0], -1) for output in outputs], axis=1).reshape(shape)


class Extended:
    """What long double tells of `forward` around the point of an evaluator."""

    def __init__(self, evaluator: Evaluator, domain: tuple[float, float] | None) -> None:
        self.evaluator, self.domain = evaluator, domain
        # Narrower claims are not judged so finely.
        all_double = all(dtype == np.float64 for dtype in (evaluator.x.dtype, *evaluator.dtypes))
        self.vouched: Found | None = None  # what long double is known to agree with
        self.silent = WIDE >= DOUBLE or not all_double

    def at(self, points: Array) -> Array | None:
        """Return the outputs `(points, outputs)` in long double; None where forward does not compute in it."""
        if self.silent:
            return None
        worker = self.evaluator.worker
        shape = worker.values[worker.wrt].shape
        found = np.empty((len(points), self.evaluator.f0.size), dtype=np.longdouble)
        for point, f in zip(points.astype(np.longdouble), found, strict=True):
            try:
                values = {**worker.values, worker.wrt: point.reshape(shape)}
                f[:] = in_long_double(worker.forward, values, (1, f.size))[0]
            except Exception:  # whatever a user's function raises at numbers that it does not know
                self.silent = True
                return None
        self.evaluator.book("long double", len(points), len(points))
        return found

    @cached_property
    def _near(self) -> Array:
        """The point (first), and points next to it."""
        x = self.evaluator.x
        return within(x, x + NEAR[:, None] * np.resize(SHARES, x.size) * np.abs(x), self.domain)

    @cached_property
    def _seen(self) -> Array | None:
        return self.at(self._near)

    @cached_property
    def lost(self) -> Array:
        """How far f in float64 is from f in long double, `(outputs,)`; 0 where nothing is known."""
        if self._seen is None:
            return np.zeros(self.evaluator.f0.size)
        with np.errstate(all="ignore"):
            gap = np.abs(self.evaluator(None, self._near, "noise") - self._seen).astype(np.float64)
        most: Array = SAFETY * np.max(gap, axis=0, where=np.isfinite(gap) & ~self.other, initial=0.0)
        return most

    @cached_property
    def other(self) -> Array:
        """Which outputs `(outputs,)` long double computes otherwise: nothing that it says of them counts."""
        f0, seen = self.evaluator.f0, self._seen
        if seen is None:
            return np.zeros(f0.size, dtype=bool)
        with np.errstate(all="ignore"):
            largest = np.max(np.abs(f0), where=np.isfinite(f0), initial=0.0)
            other: Array = ~(np.abs(f0 - seen[0]) <= OTHER * largest)
            return other

    @cached_property
    def direction(self) -> Array:
        """A direction `(entries,)` in which every entry with room for `STEP` moves by about its size; 0 does not.

        Numbers that need all of a float's bits: round ones may be rounded alike.
        """
        x = self.evaluator.x
        direction = np.resize(SHARES, x.size) * np.where(x == 0, 0, scales(x, 0.0))
        if self.domain is not None:
            most = 2 * STEP * direction
            room = (within(x, x + most, self.domain) != x) & (within(x, x - most, self.domain) != x)
            direction[~room] = 0
        return direction

    @cached_property
    def slope(self) -> tuple[Array, Array] | None:
        """The slopes `(outputs,)` over `STEP` along the direction, and their noise."""
        found = self.slopes(np.array([STEP]))
        return found and (found[0][0], found[1])

    def slopes(self, steps: Array) -> tuple[Array, Array] | None:
        """Return central quotients `(steps, outputs)` along the direction, and the noise from the last bits of f.

        None where forward does not compute in long double.
        """
        x = self.evaluator.x.astype(np.longdouble)
        with np.errstate(all="ignore"):
            points = x + np.concatenate([steps, -steps])[:, None] * self.direction
        f = self.at(points)
        if f is None:
            return None
        with np.errstate(all="ignore"):
            slopes = (f[: len(steps)] - f[len(steps) :]) / (2 * steps[:, None])
            largest = np.maximum(np.abs(f[0]), np.abs(f[len(steps)]))
            return slopes.astype(np.float64), (ULPS * WIDE / steps.min() * largest).astype(np.float64)

    @property
    def noise(self) -> Array:
        """How noisy f is in long double, `(outputs,)`."""
        noise: Array = WIDE / DOUBLE * np.maximum(ULPS * DOUBLE * np.abs(self.evaluator.f0), self.lost)
        return noise

    @cached_property
    def displaced(self) -> Evaluator | None:
        """The evaluator of `Displaced`."""
        if self._seen is None:
            return None
        worker = self.evaluator.worker
        x = worker.values[worker.wrt]
        forward = Displaced(worker.forward, worker.wrt, x.astype(np.longdouble), self._seen[0], self.domain)
        values = {**worker.values, worker.wrt: np.zeros(x.shape)}
        made = Evaluator(forward, values, worker.wrt, self.evaluator.executor)
        self.evaluator.book("long double", 1, 1)
        made.worker.stacked = worker.stacked
        made.calls, made.row_count = self.evaluator.calls, self.evaluator.row_count
        return made
