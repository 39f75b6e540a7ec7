"""From difference quotients at a ladder of steps to a derivative with a bound.

Central quotients have an error in h², h⁴, …, one-sided ones in h, h², …; Neville's scheme eliminates them
one after the other (L. F. Richardson 1911; C. J. F. Ridders, Adv. Eng. Softw. 4, 1982). Ridders takes the smallest
disagreement as the error, which a coincidence can make zero. Here a candidate's truncation is what the *worst* of its
neighbours disagrees about, and its rounding is the measured noise through the weights of the scheme.

A derivative is a limit at small steps: a value on which coarse steps agree is given up where finer steps agree on
another
one (a wave below the coarse steps, a kink next to the point).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from gradcheck.problem import Array

ORDERS = 6  # eliminations: beyond, the noise grows and smooth functions have long converged
PLATEAU = (
    5  # this many neighbouring steps (a factor of 32) that agree are no coincidence, also where noise is underrated
)
RUN = 3
RETRIES = 6
# A structure that only fine steps see is rounding where its height is below eps^ROUNDING of what coarse steps see, a
# wave, a kink or a quantiser above eps^WAVE, and in between nobody can tell (float64: 1.5e-8 and 5e-7).
ROUNDING, WAVE = 0.5, 0.4


@dataclass
class Best:
    """The chosen candidate of every entry. `start` and `level`: the coarsest and the finest step that it uses."""

    value: Array
    truncation: Array
    rounding: Array
    start: Array
    level: Array

    @property
    def bound(self) -> Array:
        """Truncation + rounding."""
        return np.add(self.truncation, self.rounding)

    def put(self, where: Array, other: Best) -> None:
        """Replace entries by another choice."""
        for field in fields(self):
            getattr(self, field.name)[where] = getattr(other, field.name)

    def take(self, where: Array) -> Best:
        """Return some entries."""
        return Best(*(getattr(self, field.name)[where] for field in fields(self)))


class Series(NamedTuple):
    """Quotients `(steps, entries)` whose error starts with a `power` of the step.

    `shift`: how many rows fewer than the ladder they have.
    """

    quotients: Array
    steps: Array
    noise: Array
    power: int
    shift: int


@dataclass
class Point:
    """Where the quotients belong, in units of the steps' scale.

    `height`: |f| / scale; `highest`: the largest |f| / scale within 4 |x|; `near`: 16 |x| / scale; `rounded`: both
    sides begin to move at about the same step, as rounding to a grid makes them; `eps`: of f.
    """

    height: Array
    highest: Array
    near: Array
    rounded: Array
    eps: float

    def take(self, where: Array) -> Point:
        """Return some entries."""
        return Point(self.height[where], self.highest[where], self.near[where], self.rounded[where], self.eps)


def select(quotients: Array, steps: Array, noise: Array, power: int, point: Point, bend: Array | None = None) -> Best:
    """Return the candidate with the smallest bound that no finer plateau contradicts.

    `quotients`, `noise (steps, entries)`: difference quotients and the amplitude of their noise; `steps`: relative
    step
    sizes, decreasing; `power`: 2 for central, 1 for one-sided quotients; `bend`: how far the two sides of a central
    quotient are apart. NaN marks what could not be evaluated.
    """
    flat = quotients == 0
    tail = flat[-3:].all(axis=0) & ~flat.all(axis=0)
    best = smallest(np.where(flat & tail, np.nan, quotients), steps, noise, power)
    if len(steps) <= PLATEAU:
        return best
    with np.errstate(all="ignore"):
        # f does not move at fine steps: it is constant, unless coarser steps see a slope (rounding to a grid).
        zero = np.flatnonzero(tail & ~(best.bound <= 0.3 * np.abs(best.value)))
        best.put(zero, _constant(quotients[:, zero], steps, noise[:, zero], power, point.take(zero)))
        series = [_eliminated(quotients, steps, noise, power)]
        if power == 2:
            series.insert(0, Series(quotients, steps, noise, 2, 0))
        flats = Plateaus.of(*series[0][:3], bend)
        todo = np.arange(quotients.shape[1])
        for attempt in range(RETRIES):
            found = best.take(todo)
            gap, doubt, wave = flats.challenge(todo, found, point)
            best.truncation[todo] += np.where(doubt & ~wave, gap, 0).max(axis=0)
            bad = wave.any(axis=0)
            todo, gap, wave = todo[bad], gap[:, bad], wave[:, bad]
            if not todo.size:
                break
            allowed = np.maximum(_start(flats.middle[:, todo], gap, wave) - 3 + attempt, found.start[bad] + 1)
            best.put(todo, smallest(quotients[:, todo], steps, noise[:, todo], power, allowed))
            if attempt == RETRIES - 1:
                best.truncation[todo] += np.where(wave, gap, 0).max(axis=0)
        # Where a slope is taken for real although fine steps do not move f, these have nothing to say.
        silent = tail & (best.value != 0)
        for heard in series:
            _hear(heard._replace(quotients=np.where(silent & (heard.quotients == 0), np.nan, heard.quotients)), best)
    return best


def _constant(quotients: Array, steps: Array, noise: Array, power: int, point: Point) -> Best:
    """Return the choice where fine steps do not move f.

    If the first step that moves it moves it by no more than rounding does, the slope may hide below the rounding,
    as in
    the tail of tanh, and the bound reaches that step's quotient. Otherwise it is a jump or a kink further off.
    """
    best = smallest(quotients, steps, noise, power)
    if not quotients.shape[1]:
        return best
    last = len(steps) - 1 - np.argmax((quotients[::-1] != 0), axis=0)
    slope = np.abs(quotients[last, np.arange(quotients.shape[1])])
    tail = (slope * steps[last] <= point.eps**ROUNDING * point.highest) & ~point.rounded
    best.truncation += np.where(tail, 2 * slope, 0)
    return best


def _start(middle: Array, gap: Array, other: Array) -> Array:
    """Return the coarsest step of the plateau that reaches down to the finest one that contradicts."""
    here, levels = np.arange(middle.shape[1]), np.arange(len(middle))[:, None]
    finest = len(middle) - 1 - np.argmax(other[::-1], axis=0)
    same = np.abs(middle - middle[finest, here]) <= 0.1 * gap[finest, here]
    start: Array = np.where(~same & (levels < finest), levels, -1).max(axis=0) + 1
    return start


def _eliminated(quotients: Array, steps: Array, noise: Array, power: int) -> Series:
    """Return quotients after one elimination: their error starts with h² or, of central ones, with h⁴."""
    ratio = ((steps[:-1] / steps[1:]) ** power)[:, None]
    once = quotients[1:] + (quotients[1:] - quotients[:-1]) / (ratio - 1)
    return Series(once, steps[1:], (ratio * noise[1:] + noise[:-1]) / (ratio - 1), 2 * power, 1)


def _hear(series: Series, best: Best) -> None:
    """Widen the bound by what the finer quotients show.

    Where their distance from the value grows with 1/step it is noise: the rounding is at least twice the largest
    sample, |quotient − value| · step. Where it stays, with its sign and beyond the noise, over RUN steps, it is
    truncation.
    """
    quotients, steps, noise, power, shift = series
    here = np.arange(quotients.shape[1])
    level = best.level - shift
    step, finest = steps[level], quotients[level, here]
    # What the finest quotient of the candidate has left of truncation shrinks with the power of the step.
    left = 4 * np.abs(finest - best.value) * (steps[:, None] / step) ** power
    distance = quotients - best.value
    coarser = np.arange(len(steps))[:, None] <= level
    off = np.where(coarser | np.isnan(distance), 0, np.maximum(np.abs(distance) - left, 0))
    more = 2 * (off * steps[:, None]).max(axis=0) / (noise[level, here] * step)
    best.rounding *= np.where(more > 1, more, 1)
    run = persistent(np.where(off > 0, distance, 0), noise)
    # Beside a value of nearly zero, a step too long for the tail of a saturating function, every such distance counts.
    tail = np.where((off > 2 * noise) & (np.abs(best.value) < 0.01 * off), off, 0).max(axis=0)
    best.truncation += 2 * np.maximum(run, tail)


def persistent(distance: Array, noise: Array) -> Array:
    """Return the smallest distance from a value that quotients keep, with its sign, over RUN steps beyond their noise.

    A run does not count if three finer quotients in a row could see it and do not. 0 where there is none.
    """
    off = np.abs(distance)
    windows = np.lib.stride_tricks.sliding_window_view(np.where(off > noise, distance, 0), RUN, axis=0)
    low, high = windows.min(axis=-1), windows.max(axis=-1)
    longest, shortest = np.maximum(np.abs(low), np.abs(high)), np.minimum(np.abs(low), np.abs(high))
    kept = (low * high > 0) & (longest <= 2.5 * shortest)
    sees = np.fmax(off, noise)
    sees[np.isnan(sees)] = np.inf
    sees = np.maximum(np.maximum(sees[:-2], sees[1:-1]), sees[2:])
    least = np.minimum.accumulate(sees[::-1], axis=0)[::-1]
    n = len(least) - RUN
    kept[:n] &= least[RUN:] >= longest[:n] / 3
    run = np.where(kept, longest, np.inf).min(axis=0)
    return np.where(np.isfinite(run), run, 0)


def _edge(quotients: Array, steps: Array) -> Array:
    """Return where f is flat at fine steps and straight from the first step on that moves it (but for that one)."""
    last = len(steps) - 1 - np.argmax((quotients != 0)[::-1], axis=0)
    at = last - np.arange(1, PLATEAU + 2)[:, None]
    here = np.arange(quotients.shape[1])
    rise = np.diff(quotients[at, here] * steps[at], axis=0) / np.diff(steps[at], axis=0)
    straight = np.abs(rise - rise[0]).max(axis=0) <= 0.05 * np.abs(rise[0])
    edge: Array = straight & (last > PLATEAU + 1) & (last < len(steps) - 3)
    return edge


@dataclass
class Plateaus:
    """Runs of neighbouring quotients: the middle one, how far the others are from it, and the run's coarsest step.

    `edge`: f is flat up to a clean edge and straight beyond it (a clip next to the point), unlike rounding to a grid.
    """

    middle: Array
    spread: Array
    coarsest: Array
    steps: Array
    edge: Array
    bend: Array | None
    amplitude: Array

    @classmethod
    def of(cls, quotients: Array, steps: Array, noise: Array, bend: Array | None = None) -> Plateaus:
        """Return every run of PLATEAU quotients. `amplitude`: of f's noise at its coarsest step."""
        windows = np.lib.stride_tricks.sliding_window_view(quotients, PLATEAU, axis=0)
        middle = windows[..., PLATEAU // 2]
        spread = np.abs(windows - middle[..., None]).max(axis=-1)
        spread = np.where(np.isnan(spread), np.inf, spread)
        coarsest = steps[: len(middle), None]
        amplitude = coarsest * noise[: len(middle)]
        return cls(middle, spread, coarsest, steps, _edge(quotients, steps), bend, amplitude)

    def challenge(self, which: Array, found: Best, point: Point) -> tuple[Array, Array, Array]:
        """Return how far each finer plateau of entries `which` is from the value, whether it casts doubt, and
        refutes it."""
        gap = np.abs(self.middle[:, which] - found.value)
        finer = np.arange(len(gap))[:, None] >= found.level - 1
        other = finer & (gap > 10 * self.spread[:, which]) & (gap > 2 * found.bound)
        # The height of what the coarse steps do not see, against that of what they see.
        seen = np.maximum(point.height[which], np.abs(found.value) * point.near[which])
        height = gap * self.coarsest
        flat = (self.middle[:, which] == 0) & self.edge[which]
        heard = other & (height > self.amplitude[:, which])
        wave = (other & (height > point.eps**WAVE * seen)) | (heard & flat)
        if self.bend is not None:
            # Half-way between two different sides: no rounding of one slope, but a kink nearby.
            bend = np.minimum(self.bend[found.level, which], self.bend[found.start, which])
            wave |= heard & (bend > 0.3 * np.abs(found.value))
        return gap, other & (height > point.eps**ROUNDING * seen), wave


def smallest(quotients: Array, steps: Array, noise: Array, power: int, allowed: Array | None = None) -> Best:
    """Return the candidate with the smallest bound, among those whose coarsest step is at least number `allowed`."""
    levels, entries = quotients.shape
    best = Best(
        np.zeros(entries),
        np.full(entries, np.inf),
        np.zeros(entries),
        np.zeros(entries, dtype=np.intp),
        np.full(entries, levels - 1, dtype=np.intp),
    )
    here = np.arange(entries)
    value, rounding = quotients, noise
    with np.errstate(all="ignore"):
        for order in range(1, min(ORDERS, levels - 1) + 1):
            ratio = ((steps[:-order] / steps[order:]) ** power)[:, None]
            previous, value = value, value[1:] + (value[1:] - value[:-1]) / (ratio - 1)
            # The weights alternate in sign, so that their absolute values follow the same scheme with a sum.
            rounding = (ratio * rounding[1:] + rounding[:-1]) / (ratio - 1)
            if order < 2:
                continue
            truncation = np.maximum(np.abs(value - previous[:-1]), np.abs(value - previous[1:]))
            moved = np.abs(np.diff(value, axis=0))
            truncation[1:] = np.fmax(truncation[1:], moved)
            # The finer neighbour is noisier; what noise does not explain is truncation, which luck may hide above.
            truncation[:-1] = np.fmax(truncation[:-1], moved - rounding[1:])
            bound = truncation + rounding
            bound[np.isnan(bound)] = np.inf
            if allowed is not None:
                bound[np.arange(len(bound))[:, None] < allowed] = np.inf
            k = np.argmin(bound, axis=0)
            better = bound[k, here] < best.bound
            k, e = k[better], here[better]
            best.value[e], best.truncation[e], best.rounding[e] = value[k, e], truncation[k, e], rounding[k, e]
            best.start[e], best.level[e] = k, k + order
    return best
