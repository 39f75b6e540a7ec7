"""What the quotients of one kind tend to: the candidate with the smallest bound that survives all doubts.

Coarse steps may agree on one value and fine steps on another. Either there is a wave, a kink or a tail that coarse
steps step over, and the fine steps are right. Or f is rounded to a staircase of which fine steps never leave a stair,
and the coarse steps are right. `doubts` finds where steps contradict each other, and `staircases` asks f which it is.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gradcheck.numerical.evaluation.quotients import Quotients
from gradcheck.numerical.rules import doubts, staircases
from gradcheck.numerical.rules.extrapolation import Candidates, candidates
from gradcheck.problem import Array

ROUNDS = 6  # of doubts that are settled; what is left widens the bound
HEARD = 2  # a few samples of noise: the largest may be this many times larger


@dataclass
class Limit:
    """One number per entry each. `start` and `level`: the coarsest and the finest step (their numbers) that are used.

    `noise`: what the quotients themselves show of f's noise, beyond what tables do.
    """

    value: Array
    truncation: Array
    rounding: Array
    start: Array
    level: Array
    noise: Array

    @property
    def bound(self) -> Array:
        """Truncation + rounding."""
        return np.add(self.truncation, self.rounding)

    def put(self, where: Array, other: Limit) -> None:
        """Replace entries."""
        for field in fields(self):
            getattr(self, field.name)[where] = getattr(other, field.name)


@dataclass(frozen=True)
class Series:
    """One kind of quotients `(steps, entries)`: their error is a series in step^power.

    `sides`: of the point, on which f is read; `times` its noise is what a quotient has of it.
    """

    quotients: Array
    sides: tuple[int, ...]

    @property
    def power(self) -> int:
        """Central differences have no odd powers."""
        return len(self.sides)

    @property
    def times(self) -> int:
        """Of a central difference, the step is twice as long."""
        return 2 // len(self.sides)


def central(q: Quotients) -> Limit:
    """Return what central quotients tend to."""
    return _limit(q, Series(q.central, (1, -1)))


def right(q: Quotients) -> Limit:
    """Return what the quotients ahead of the point tend to."""
    return _limit(q, Series(q.ahead, (1,)))


def left(q: Quotients) -> Limit:
    """Return what the quotients behind the point tend to."""
    return _limit(q, Series(q.behind, (-1,)))


def smallest(found: Candidates, allowed: Array | None = None) -> Limit:
    """Return the candidate with the smallest bound whose coarsest step is at least number `allowed`."""
    bound = found.bound
    if allowed is not None:
        bound[found.start < allowed] = np.inf
    window, here = np.argmin(bound, axis=0), np.arange(bound.shape[1])
    none = np.isinf(bound[window, here])
    value, truncation, rounding = (
        np.where(none, other, array[window, here])
        for array, other in ((found.value, 0.0), (found.truncation, np.inf), (found.rounding, 0.0))
    )
    start, level = found.start[window, 0], found.level[window, 0]
    return Limit(value, truncation, rounding, start, level, np.zeros(window.size))


def _limit(q: Quotients, series: Series) -> Limit:
    """Choose a candidate and settle the strongest doubt about it, again and again."""
    count = series.quotients.shape[1]
    todo, allowed = np.arange(count), np.zeros(count, dtype=np.intp)
    shown, reach = np.zeros((2, count))
    (value, truncation, rounding), (start, level) = np.zeros((3, count)), np.zeros((2, count), dtype=np.intp)
    best = Limit(value, truncation, rounding, start, level, np.zeros(count))
    for attempt in range(ROUNDS + 1):
        part, quotients = q.take(todo), series.quotients[:, todo]
        noise = np.maximum(q.amplitude[:, todo], shown[todo])
        with np.errstate(all="ignore"):
            found = candidates(quotients, q.steps, series.times * noise / part.h, series.power)
            chosen = smallest(found, allowed[todo])
            seen = doubts.Seen(part, quotients, series.times * noise / part.h, series.sides)
            doubt = doubts.strongest(seen, found, chosen, allowed[todo])
        best.put(todo, chosen)
        best.noise[todo] = shown[todo]
        some = np.flatnonzero(doubt.fine > 0)
        todo, part, doubt, noise = todo[some], part.take(some), doubt.take(some), noise[:, some]
        if not todo.size:
            break
        if attempt == ROUNDS:
            reach[todo] = np.maximum(reach[todo], doubt.gap)
            break
        last = np.minimum(doubt.fine, len(noise) - 1)
        height = staircases.riser(part, last, doubt.coarse, doubt.line, doubt.bound, noise, series.sides)
        # A stair that is no higher than the noise says nothing.
        height[height <= noise[last, np.arange(todo.size)]] = 0
        # A large one may as well be meant: what f goes on to is then no more right than the line.
        rounded = staircases.is_rounding(part, height)
        either = (height > 0) & ~rounded & staircases.is_staircase(part, height, doubt.line)
        louder = np.where((height > 0) | (doubt.fine > last), HEARD * doubt.noise / series.times, 0)
        louder = np.maximum(louder, np.where(rounded | either, staircases.RISERS * height, 0))
        shown[todo] = np.maximum(shown[todo], louder)
        reach[todo] = np.maximum(reach[todo], np.where(either, doubt.gap, 0))
        below = (height == 0) & doubt.refuted & (louder == 0)
        allowed[todo] = np.where(below, doubt.fine, np.where(louder > 0, 0, allowed[todo]))
        todo = todo[(louder > 0) | below]
    with np.errstate(all="ignore"):
        noise = series.times * np.maximum(q.amplitude, shown) / q.h
        best.truncation += reach + doubts.unison(doubts.Seen(q, series.quotients, noise, series.sides), best)
    return best
