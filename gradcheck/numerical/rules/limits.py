"""The derivative that the quotients of one kind tend to: the candidate with the smallest bound that nothing contradicts.

Coarse steps may agree on one value and fine steps on another. Either there is a wave, a kink or a tail that coarse steps
step over, and the fine steps are right. Or f is rounded to a staircase of which fine steps never leave a stair, and the
coarse steps are right. f itself tells: see `staircases`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from gradcheck.numerical.evaluation.quotients import Quotients
from gradcheck.numerical.evaluation.steps import last_true
from gradcheck.numerical.rules import staircases
from gradcheck.numerical.rules.extrapolation import Candidates, candidates
from gradcheck.problem import Array

ROUNDS = 6  # of contradictions that are settled; what is left widens the bound
RUN, ALIKE = 4, 0.5  # this many quotients, which differ by at most this share of how far they are from the value
FAINT = 16  # times that distance may be their noise
STEEPER = 2  # than f is seen to be from its first move on, it may be at the point
HEARD = 2  # a few samples of noise: the largest may be larger
STILL = 5  # this many of the finest steps that do not move f are no coincidence
SURER = 2  # finer candidates refute only where they are surer than this of what they contradict: noise is a guess
CLEAR = 4  # coarse candidates are asked about only where they are surer than this of what they contradict


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


def central(q: Quotients) -> Limit:
    """Return what central quotients tend to."""
    return _limit(q, q.central, q.amplitude[1], 1, 2)


def right(q: Quotients) -> Limit:
    """Return what the quotients ahead of the point tend to."""
    return _limit(q, q.ahead, q.amplitude[2], 2, 1, (1,))


def left(q: Quotients) -> Limit:
    """Return what the quotients behind the point tend to."""
    return _limit(q, q.behind, q.amplitude[0], 2, 1, (-1,))


def smallest(found: Candidates, allowed: Array | None = None) -> tuple[Limit, Array]:
    """Return the candidate with the smallest bound whose coarsest step is at least number `allowed`, and its window."""
    bound = found.bound
    if allowed is not None:
        bound[found.start < allowed] = np.inf
    window = np.argmin(bound, axis=0)
    here = np.arange(bound.shape[1])
    none = np.isinf(bound[window, here])
    value, truncation, rounding = (
        np.where(none, other, array[window, here])
        for array, other in ((found.value, 0.0), (found.truncation, np.inf), (found.rounding, 0.0))
    )
    start, level = found.start[window, 0], found.level[window, 0]
    return Limit(value, truncation, rounding, start, level, np.zeros(window.size)), window


def _limit(
    q: Quotients, quotients: Array, amplitude: Array, times: int, power: int, sides: tuple[int, ...] = (1, -1)
) -> Limit:
    """Settle doubts, entry by entry. `times`: how much of f's noise a quotient has."""
    count = quotients.shape[1]
    todo, allowed = np.arange(count), np.zeros(count, dtype=np.intp)
    shown, reach = np.zeros((2, count))
    best = Limit(*np.zeros((3, count)), *np.zeros((2, count), dtype=np.intp), np.zeros(count))
    for attempt in range(ROUNDS + 1):
        part, own = q.take(todo), quotients[:, todo]
        noise = np.maximum(amplitude[:, todo], shown[todo])
        with np.errstate(all="ignore"):
            found = candidates(own, q.steps, times * noise / part.h, power)
            chosen, window = smallest(found, allowed[todo])
            doubt = _doubt(found, chosen, window, allowed[todo], part, own, noise * times / part.h, sides)
        best.put(todo, chosen)
        some = np.flatnonzero(doubt.fine > 0)
        todo, part, doubt, noise = todo[some], part.take(some), doubt.take(some), noise[:, some]
        if not todo.size:
            break
        if attempt == ROUNDS:
            reach[todo] = np.maximum(reach[todo], doubt.gap)
            break
        last = np.minimum(doubt.fine, len(noise) - 1)
        height = staircases.riser(part, last, doubt.coarse, doubt.line, doubt.bound, noise, sides)
        # A stair that is no higher than the noise says nothing.
        height[staircases.RISERS * height <= noise[last, np.arange(todo.size)]] = 0
        louder = np.where((height > 0) | (doubt.fine > last), HEARD * doubt.noise / times, 0)
        # A larger one may as well be meant: what f goes on to is then no more right than the line.
        rounded = staircases.is_rounding(part, height)
        either = (height > 0) & ~rounded & staircases.is_staircase(part, height, doubt.line)
        louder = np.maximum(louder, np.where(rounded | either, staircases.RISERS * height, 0))
        shown[todo] = np.maximum(shown[todo], louder)
        below = (height == 0) & doubt.refuted & (louder == 0)
        allowed[todo] = np.where(below, doubt.fine, allowed[todo])
        reach[todo] = np.maximum(reach[todo], np.where(either, doubt.gap, 0))
        todo = todo[(louder > 0) | below]
    with np.errstate(all="ignore"):
        best.truncation += reach + unison(quotients, q.h, best, times * np.maximum(amplitude, shown) / q.h, power)
    best.noise[:] = shown
    return best


def unison(quotients: Array, h: Array, best: Limit, noise: Array, power: int) -> Array:
    """Return how far a value is from what several finer quotients in a row agree on, be it below their noise; else 0.

    Noise is overrated where quotients agree although it grows from each to the next. Twice, as the value between is
    anybody's guess.
    """
    here, number = np.arange(best.value.size), np.arange(len(h))[:, None]
    off = quotients - best.value
    truncated = 4 * np.abs(off[best.level, here]) * (h / h[best.level, here]) ** power
    windows = np.lib.stride_tricks.sliding_window_view(np.where(number > best.level, off, np.nan), RUN, axis=0)
    middle = np.abs(windows[..., RUN // 2])
    agree = np.ptp(windows, axis=-1) <= ALIKE * middle
    agree &= (noise[RUN // 2 :][: len(middle)] <= FAINT * middle) & (middle > truncated[RUN // 2 :][: len(middle)])
    nearest = np.where(agree, middle, np.inf).min(axis=0)
    return np.where(np.isfinite(nearest), 2 * nearest, 0)


@dataclass(frozen=True)
class _Doubt:
    """Steps of an entry that contradict each other, one number per entry each; `fine` is 0 where none do.

    `fine`: the coarsest step (its number) of those that agree on the slope `line ± bound`; `coarse`: the finest of those
    that do not; `gap`: between both values. `refuted`: whether fine steps say so, and not the chosen value; `noise`: of
    a quotient, times its step, if it is noise that they show.
    """

    fine: Array
    coarse: Array
    line: Array
    bound: Array
    gap: Array
    refuted: Array
    noise: Array

    def take(self, which: Array) -> _Doubt:
        return _Doubt(*(getattr(self, field.name)[which] for field in fields(self)))


def _doubt(
    found: Candidates,
    best: Limit,
    window: Array,
    allowed: Array,
    q: Quotients,
    quotients: Array,
    noise: Array,
    sides: tuple[int, ...],
) -> _Doubt:
    """Return what casts most doubt on the chosen candidates.

    A finer candidate that contradicts, or else finer steps that leave the chosen line, or else a coarser candidate that
    contradicts, or else coarser steps that leave a line on which all finer ones stay.
    """
    here, number = np.arange(window.size), np.arange(len(q.steps))[:, None]
    bound, h = found.bound, q.h
    gap = np.abs(found.value - best.value)
    apart = gap > bound + best.bound
    none = np.zeros(window.size)
    fine, coarse = np.zeros((2, window.size), dtype=np.intp)
    line, sure, left = best.value.copy(), best.bound, none.copy()
    refuted = np.zeros(window.size, dtype=bool)

    # A line on which all steps from some number on stay, on all sides.
    off = np.max([np.abs((q.ahead if sign > 0 else q.behind) - best.value) for sign in sides], axis=0)
    leaves = off > 2 * noise + best.bound
    first = last_true(leaves) + 1
    begins = (first > 0) & (first <= best.level) & (first < len(h) - STILL)
    fine, coarse = np.where(begins, first, fine), np.where(begins, first - 1, coarse)
    # As long as f is seen to go on from its first move, what it goes on to may as well be the slope.
    slope = np.where((number < first) & np.isfinite(off), off, 0).max(axis=0)
    distance = np.where(begins, STEEPER * slope, 0)

    coarser = np.where(apart & (CLEAR * bound < gap) & (found.start < best.start) & (found.start >= allowed), bound, np.inf)
    other = np.argmin(coarser, axis=0)
    disputed = np.isfinite(coarser[other, here])
    fine, coarse = np.where(disputed, best.start, fine), np.where(disputed, found.level[other, 0], coarse)
    distance = np.where(disputed, gap[other, here], distance)

    off = np.abs(quotients - best.value)
    truncated = 2 * off[best.level, here] * (h / h[best.level, here]) ** (2 if len(sides) == 2 else 1)
    off = np.where(number > best.level, (off - truncated) * h, 0)
    off = np.where(np.isfinite(off), off, 0)
    loudest = off.max(axis=0)
    restless = loudest > noise[best.level, here] * h[best.level, here]
    last = last_true(off > noise[best.level, here] * h[best.level, here])
    fine, coarse = np.where(restless, last + 1, fine), np.where(restless, last, coarse)
    left, refuted = np.where(restless, loudest, left), refuted | restless

    finer = np.where(apart & (SURER * bound < gap) & (found.start > best.start), bound, np.inf)
    other = np.argmin(finer, axis=0)
    contradicted = np.isfinite(finer[other, here])
    fine, coarse = np.where(contradicted, found.start[other, 0], fine), np.where(contradicted, best.level, coarse)
    line = np.where(contradicted, found.value[other, here], line)
    sure, distance = np.where(contradicted, bound[other, here], sure), np.where(contradicted, gap[other, here], distance)
    left, refuted = np.where(contradicted, 0, left), refuted | contradicted
    return _Doubt(fine, coarse, line, sure, distance, refuted, left)
