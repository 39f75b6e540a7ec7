"""A second look in long double, where forward computes in it: it sees what float64 rounds inside of f.

A computation may round where no value of f in float64 shows it: a saturated tanh whose tail is amplified, the stairs of
a naive log(1 + eᵛ), a wave as low as the noise. What f differs by in long double is what float64 loses. And as long
double loses so much less, short steps alone tell the derivative: where they contradict what was found, its bound
reaches both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck.numerical import short
from gradcheck.numerical.evaluate import Evaluator, Forward, flatten
from gradcheck.numerical.found import Found
from gradcheck.numerical.ladder import GUESS, SHARES, ULPS, Ladder
from gradcheck.numerical.steps import scales
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array, Values

WIDE = np.longdouble
# Rounding errors at a few points next to x are a sample: the largest may be larger.
NEAR, SAFETY = 2.0 ** -np.arange(20, 40, 5), 4
# Steps are shorter by this than those that float64 needs.
SHORTER = 2.0**-8
PLANS = (SHORTER, short.FINER), (SHORTER, short.LONGER), (1.0, short.LONGER)


@dataclass
class Displaced:
    """The function d ↦ f(x + d) − f(x), computed in long double and given in float64, which then loses nothing."""

    forward: Forward
    wrt: str
    x: Array
    f0: list[Array]

    def __call__(self, values: Values) -> list[Array]:
        """Return the differences at one displacement or several, stacked along the batch."""
        d = values[self.wrt]
        moved = (self.x + d.reshape(-1, *self.x.shape)).reshape(d.shape)
        outputs = [np.asarray(output) for output in self.forward({**values, self.wrt: moved})]
        return [
            (output.reshape(-1, *f.shape) - f).astype(np.float64).reshape(output.shape)
            for output, f in zip(outputs, self.f0, strict=True)
        ]


class Extended:
    """Ladders in long double for the variable of an evaluator; none where forward does not compute in it."""

    def __init__(self, evaluator: Evaluator, domain: tuple[float, float] | None) -> None:
        self.ladders: list[Ladder] = []
        self.lost = np.zeros(evaluator.f0.size)
        worker, x = evaluator.worker, evaluator.x
        forward = _displaced(evaluator)
        if forward is None:
            return
        self.lost = _lost(evaluator, domain, forward)
        values = {**evaluator.values, worker.wrt: np.zeros(forward.x.shape)}
        self.evaluator = Evaluator(forward, values, worker.wrt, evaluator.executor)
        self.evaluator.worker.stacked = worker.stacked
        self.evaluator.calls, self.evaluator.row_count = evaluator.calls, evaluator.row_count
        eps, wide = float(np.finfo(np.float64).eps), float(np.finfo(WIDE).eps)
        least = np.maximum(ULPS * wide * np.abs(evaluator.f0), self.lost * (wide / eps))
        rng = np.random.default_rng(0)
        for floor in (np.finfo(np.float64).smallest_normal, 1.0):
            scale = scales(x, floor)
            scale[x == 0] = 1
            if self.ladders and (scale == self.ladders[0].scale).all():
                break
            if domain is not None and not ((x - scale > domain[0]) & (x + scale < domain[1])).all():
                continue
            ladder = Ladder(scale, 44, None, eps, np.zeros((1, least.size)))
            ladder.listen(self.evaluator, rng, GUESS + 8)
            ladder.noise = np.maximum(ladder.noise, least)
            self.ladders.append(ladder)

    def confirm(self, structure: Structure, found: Found) -> Found:
        """Return the same with bounds that reach what long double finds."""
        if not self.ladders:
            return found
        best = Found.nothing(*found.value.shape)
        for ladder in self.ladders:
            for share, plan in PLANS:
                shorter = replace(ladder, scale=share * ladder.scale)
                other = short.climb(self.evaluator, structure, shorter, plan).own()
                with np.errstate(invalid="ignore"):
                    agree = ~(np.abs(other.value - best.value) > other.bound + best.bound)
                closer = agree & (other.bound < best.bound)
                for name in ("value", "truncation", "rounding"):
                    np.copyto(getattr(best, name), getattr(other, name), where=closer)
        gap, bound = np.abs(found.value - best.value), best.bound
        sure = np.isfinite(bound) & (gap > bound) & ~found.kink & ~found.jump
        missing = (gap + bound)[sure] - found.bound[sure]
        found.truncation[sure] += np.maximum(missing, 0)
        return found


def _displaced(evaluator: Evaluator) -> Displaced | None:
    worker = evaluator.worker
    x = worker.values[worker.wrt]
    wide = np.finfo(WIDE).eps < np.finfo(np.float64).eps
    if not wide or x.dtype != np.float64 or any(dtype != np.float64 for dtype in evaluator.dtypes):
        return None
    x = x.astype(WIDE)
    try:
        with np.errstate(all="ignore"):
            f0 = [np.asarray(output) for output in worker.forward({**worker.values, worker.wrt: x})]
    except Exception:  # whatever a user's function raises at numbers it does not know
        return None
    if any(f.dtype != WIDE for f in f0) or tuple(f.shape for f in f0) != evaluator.shapes:
        return None
    return Displaced(worker.forward, worker.wrt, x, f0)


def _lost(evaluator: Evaluator, domain: tuple[float, float] | None, forward: Displaced) -> Array:
    """Return how far f in float64 is from f in long double, at x and next to it."""
    worker, x = evaluator.worker, evaluator.x
    direction = SHARES[np.arange(x.size) * 37 % SHARES.size] * np.abs(x)
    new = x + np.concatenate([[0.0], NEAR])[:, None] * direction
    narrow = evaluator(None, new, "noise")
    lost = np.zeros(evaluator.f0.size)
    for point, f in zip(new, narrow, strict=True):
        values = {**worker.values, worker.wrt: point.astype(WIDE).reshape(forward.x.shape)}
        try:
            outputs = [np.asarray(o) for o in forward.forward(values)]
        except Exception:
            continue
        with np.errstate(all="ignore"):
            gap = np.concatenate([(o.ravel() - p).astype(float) for o, p in zip(outputs, np.split(f, np.cumsum([o.size for o in outputs])[:-1]))])
        gap[~np.isfinite(gap)] = 0
        lost = np.maximum(lost, np.abs(gap))
    return SAFETY * lost
