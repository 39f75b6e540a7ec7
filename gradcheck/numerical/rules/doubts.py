"""Where steps contradict a candidate: the ways in which finer steps, or coarser ones, say something else."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from gradcheck.numerical.evaluation.quotients import Quotients
from gradcheck.numerical.evaluation.steps import last_true
from gradcheck.numerical.rules.extrapolation import Candidates
from gradcheck.problem import Array

# A candidate refutes one of coarser steps only where it is this many times surer than they are apart, as noise is a
# guess; and is asked about by one of finer steps where it is this sure.
FINER, COARSER = 2, 4
STILL = 5  # this many of the finest steps that stay on a line are no coincidence
STEEPER = 2  # than f is seen to be from its first move on, it may be at the point
RUN, ALIKE = 4, 0.5  # this many quotients, which differ by at most this share of how far they are from the value
FAINT = 8  # times that distance the noise of the finest of them may be


class Chosen(Protocol):
    """A candidate of every entry: see `limits.Limit`."""

    value: Array
    start: Array
    level: Array

    @property
    def bound(self) -> Array:
        """Truncation + rounding."""


@dataclass(frozen=True)
class Seen:
    """One kind of quotients, and their noise, `(steps, entries)`; `sides` of the point, on which f is read."""

    q: Quotients
    quotients: Array
    noise: Array
    sides: tuple[int, ...]

    @property
    def number(self) -> Array:
        """The number of a step."""
        return np.arange(len(self.q.steps))[:, None]

    def off(self, best: Chosen) -> Array:
        """How far the quotients are from a value."""
        off: Array = np.abs(self.quotients - best.value)
        return off

    def truncated(self, best: Chosen) -> Array:
        """How far finer quotients than the candidate's may be from its value, as their error shrinks with the step."""
        level, here = best.level, np.arange(best.level.size)
        share = (self.q.h / self.q.h[level, here]) ** len(self.sides)
        return np.asarray(2 * self.off(best)[level, here] * share)


@dataclass(frozen=True)
class Doubt:
    """Steps of an entry that contradict each other, one number per entry each; `fine` is 0 where none do.

    `fine`: the coarsest step (its number) of those that agree on the slope `line ± bound`; `coarse`: the finest of
    those that do not; `gap`: between both values. `refuted`: whether fine steps say so, and not the chosen value;
    `noise`: of a quotient, times its step, if it is noise that they show.
    """

    fine: Array
    coarse: Array
    line: Array
    bound: Array
    gap: Array
    refuted: Array
    noise: Array

    @classmethod
    def of(
        cls,
        where: Array,
        fine: Array,
        coarse: Array,
        line: Array,
        bound: Array,
        gap: Array | float = 0.0,
        refuted: bool = False,
        noise: Array | float = 0.0,
    ) -> Doubt:
        """Return doubts about some entries."""
        none = np.zeros(where.size)
        return cls(np.where(where, fine, 0), coarse, line, bound, none + gap, where & refuted, none + noise)

    def take(self, which: Array) -> Doubt:
        """Return some entries."""
        return Doubt(*(getattr(self, field.name)[which] for field in fields(self)))

    def or_else(self, other: Doubt) -> Doubt:
        """Return the other doubt where there is none."""
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return Doubt(*(np.where(self.fine > 0, own, its) for own, its in pairs))


def strongest(seen: Seen, found: Candidates, best: Chosen, allowed: Array) -> Doubt:
    """Return what casts most doubt on the chosen candidates, of those whose coarsest step is at least `allowed`."""
    doubt = finer_candidate(found, best).or_else(finer_steps(seen, best))
    return doubt.or_else(coarser_candidate(found, best, allowed)).or_else(coarser_steps(seen, best))


def finer_candidate(found: Candidates, best: Chosen) -> Doubt:
    """Of finer steps, some agree on another value: on a wave, between kinks, or on the stair of a staircase."""
    bound, here = found.bound, np.arange(best.value.size)
    gap = np.abs(found.value - best.value)
    apart = (gap > bound + best.bound) & (FINER * bound < gap) & (found.start > best.start)
    other = np.argmin(np.where(apart, bound, np.inf), axis=0)
    line, sure = found.value[other, here], bound[other, here]
    return Doubt.of(apart.any(axis=0), found.start[other, 0], best.level, line, sure, gap[other, here], refuted=True)


def finer_steps(seen: Seen, best: Chosen) -> Doubt:
    """Finer steps are further from the value than their noise and agree on nothing: f is noisier, or has features."""
    h, here = seen.q.h, np.arange(best.value.size)
    off = np.where(seen.number > best.level, (seen.off(best) - seen.truncated(best)) * h, 0)
    off[~np.isfinite(off)] = 0
    loud = off > (seen.noise * h)[best.level, here]
    last = last_true(loud)
    return Doubt.of(last >= 0, last + 1, last, best.value, best.bound, refuted=True, noise=off.max(axis=0))


def coarser_candidate(found: Candidates, best: Chosen, allowed: Array) -> Doubt:
    """Of coarser steps, some agree on another value, and clearly: the finer ones may be on the stair of a staircase."""
    bound, here = found.bound, np.arange(best.value.size)
    gap = np.abs(found.value - best.value)
    apart = (gap > bound + best.bound) & (COARSER * bound < gap)
    apart &= (found.start < best.start) & (found.start >= allowed)
    other = np.argmin(np.where(apart, bound, np.inf), axis=0)
    level = found.level[other, 0]
    return Doubt.of(apart.any(axis=0), best.start, level, best.value, best.bound, gap[other, here])


def coarser_steps(seen: Seen, best: Chosen) -> Doubt:
    """Coarser steps leave a line on which all finer ones stay, on all sides: at a kink, or at the first stair."""
    q = seen.q
    off = np.max([np.abs((q.ahead if sign > 0 else q.behind) - best.value) for sign in seen.sides], axis=0)
    first = last_true(off > 2 * seen.noise + best.bound) + 1
    begins = (first > 0) & (first <= best.level) & (first < len(off) - STILL)
    # As long as f is seen to go on from its first move, what it goes on to may as well be the slope.
    slope = STEEPER * np.where((seen.number < first) & np.isfinite(off), off, 0).max(axis=0)
    return Doubt.of(begins, first, first - 1, best.value, best.bound, slope)


def unison(seen: Seen, best: Chosen) -> Array:
    """Return how far a value is from what several finer quotients in a row agree on, be it below their noise; else 0.

    Noise is overrated where quotients agree although it grows from each to the next. Twice, as the value between is
    anybody's guess.
    """
    finer = np.where(seen.number > best.level, seen.quotients - best.value, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(finer, RUN, axis=0)
    middle = np.abs(windows[..., RUN // 2])
    agree = (np.ptp(windows, axis=-1) <= ALIKE * middle) & (seen.noise[RUN - 1 :] <= FAINT * middle)
    agree &= middle > 2 * seen.truncated(best)[RUN // 2 :][: len(middle)]
    nearest = np.where(agree, middle, np.inf).min(axis=0)
    return np.where(np.isfinite(nearest), 2 * nearest, 0)
