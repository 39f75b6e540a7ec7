"""A second look in long double, where forward computes in it: it sees what float64 rounds inside of f.

A computation may round where no value of f in float64 shows it: a saturated tanh whose tail is amplified, the stairs of
a naive log(1 + eᵛ), a wave as low as the noise. What f differs by in long double is what float64 loses. And as long
double loses so much less, short steps alone tell the derivative: where they contradict what was found, its bound
reaches both. (Where long double is no wider than float64, there is no second look.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gradcheck.numerical import short
from gradcheck.numerical.estimate import largest_known
from gradcheck.numerical.evaluate import Evaluator, Forward
from gradcheck.numerical.found import Found
from gradcheck.numerical.ladder import GUESS, SHARES, ULPS, Ladder
from gradcheck.numerical.steps import scales, within
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array, Values

WIDE, DOUBLE = np.finfo(np.longdouble), np.finfo(np.float64)
# The shares of |x| by which x is moved to see what float64 loses. A few errors are a sample: the largest may be larger.
NEAR, SAFETY = np.array([0, *2.0 ** -np.arange(20, 40, 5)]), 8
# Steps shorter than those that float64 needs, by 2^-8. What shorter ones say is not overruled by longer ones.
SHORTER, FINEST = 8, 52
PLANS = (SHORTER, short.FINER), (SHORTER, short.LONGER), (SHORTER // 2, short.LONGER), (0, short.LONGER)
# What is not better known than this share of the largest derivative is no witness: next to a kink, say.
SURE = 2.0**-20
# What a claim computed in float64 loses is far below what quotients lose, but not below what long double does.
SHRUNK = 1 / 8


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
    """What long double tells of `forward` around the point of an evaluator; nothing where forward does not take it."""

    def __init__(self, evaluator: Evaluator, domain: tuple[float, float] | None) -> None:
        self.evaluator, self.domain = evaluator, domain

    @cached_property
    def _seen(self) -> tuple[Array, Array] | None:
        """The outputs `(points, outputs)` at x (first) and next to it, in float64 and in long double."""
        evaluator, worker, x = self.evaluator, self.evaluator.worker, self.evaluator.x
        if not (WIDE.eps < DOUBLE.eps and all(dtype == np.float64 for dtype in (x.dtype, *evaluator.dtypes))):
            return None
        direction = SHARES[np.arange(x.size) % SHARES.size] * np.abs(x)
        near = within(x, x + NEAR[:, None] * direction, self.domain)
        shape = worker.values[worker.wrt].shape
        found = []
        for point in near.astype(np.longdouble):
            try:
                values = {**worker.values, worker.wrt: point.reshape(shape)}
                found.append(in_long_double(worker.forward, values, (1, evaluator.f0.size)))
            except Exception:  # whatever a user's function raises at numbers that it does not know
                return None
        return evaluator(None, near, "noise"), np.concatenate(found)

    @cached_property
    def lost(self) -> Array:
        """How far f in float64 is from f in long double, `(outputs,)`; 0 where nothing is known."""
        if self._seen is None:
            return np.zeros(self.evaluator.f0.size)
        with np.errstate(invalid="ignore"):
            gap = np.abs(self._seen[0] - self._seen[1]).astype(np.float64)
        most: Array = SAFETY * np.max(gap, axis=0, where=np.isfinite(gap), initial=0.0)
        return most

    @cached_property
    def displaced(self) -> Evaluator | None:
        """The evaluator of `Displaced`."""
        if self._seen is None:
            return None
        worker = self.evaluator.worker
        x = worker.values[worker.wrt]
        forward = Displaced(worker.forward, worker.wrt, x.astype(np.longdouble), self._seen[1][0], self.domain)
        values = {**worker.values, worker.wrt: np.zeros(x.shape)}
        made = Evaluator(forward, values, worker.wrt, self.evaluator.executor)
        made.calls, made.row_count = self.evaluator.calls, self.evaluator.row_count
        return made

    @cached_property
    def ladders(self) -> list[Ladder]:
        """Ladders of steps of the size of x, and of at least 1."""
        assert self.displaced is not None
        x, eps = self.evaluator.x, float(DOUBLE.eps)
        finer = float(WIDE.eps) / eps
        least = finer * np.maximum(ULPS * eps * np.abs(self.evaluator.f0), self.lost)
        made: list[Ladder] = []
        for floor in (float(DOUBLE.smallest_normal), 1.0):
            scale = np.where(x == 0, 1.0, scales(x, floor))
            if not made or (scale != made[0].scale).any():
                ladder = Ladder(scale, FINEST, None, eps, least[None])
                ladder.listen(self.displaced, np.random.default_rng(0), GUESS + SHORTER)
                ladder.hear(least)
                made.append(ladder)
        return made

    def confirm(self, structure: Structure, found: Found) -> Found:
        """Return the same for colours that climbed whole ladders, with what long double finds of smooth entries.

        Its value, where it lies within the bound, which then shrinks; else a bound that reaches what it finds.
        """
        some = np.flatnonzero(found.whole.any(axis=1)) if any(found.whole.strides) else np.zeros(0, dtype=np.intp)
        if not some.size or self.displaced is None:
            return found
        best = self._best(self.displaced, structure.part(some))
        found = found.own()
        value, bound = found.value[some], found.bound[some]
        gap = np.abs(value - best.value)
        sure = best.bound <= SURE * largest_known(found.value, found.bound)
        sure &= ~(found.kink[some] | found.jump[some]) & np.isfinite(bound)
        apart = sure & (gap > np.maximum(bound, best.bound))
        closer = sure & (gap <= bound) & (best.bound < SHRUNK * bound)
        found.value[some] = np.where(closer, best.value, value)
        found.truncation[some] += np.where(apart, gap + best.bound, 0)
        for part in (found.truncation, found.rounding):
            part[some] *= np.where(closer, SHRUNK, 1)
        return found

    def _best(self, displaced: Evaluator, structure: Structure) -> Found:
        displaced.worker.stacked = self.evaluator.worker.stacked
        best = Found.nothing(*structure.column.shape)
        for ladder in self.ladders:
            for shorter, plan in PLANS:
                steps = replace(ladder, scale=np.ldexp(ladder.scale, -shorter))
                other = short.climb(displaced, structure, steps, plan)
                with np.errstate(invalid="ignore"):
                    apart = np.abs(other.value - best.value) > other.bound + best.bound
                best = best.where(~apart & (other.bound < best.bound), other)
        return best
