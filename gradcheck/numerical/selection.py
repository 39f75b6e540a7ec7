"""A derivative is a limit at small steps: a value on which coarse steps agree is given up where finer ones contradict.

They agree on another value where there is a wave below the coarse steps, or a kink next to the point.
"""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.extrapolate import Best, smallest
from gradcheck.numerical.hear import Series, eliminated, hear
from gradcheck.numerical.plateaus import PLATEAU, Plateaus
from gradcheck.numerical.rounded import Point, hidden
from gradcheck.numerical.steps import last_true
from gradcheck.problem import Array

RETRIES = 6


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
        series = [eliminated(quotients, steps, noise, power)]
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
            hear(heard._replace(quotients=np.where(silent & (heard.quotients == 0), np.nan, heard.quotients)), best)
    return best


def _constant(quotients: Array, steps: Array, noise: Array, power: int, point: Point) -> Best:
    """Return the choice where fine steps do not move f.

    The bound reaches what may hide behind the zero. What cannot hide is a jump or a kink further off.
    """
    best = smallest(quotients, steps, noise, power)
    if not quotients.shape[1]:
        return best
    best.truncation += hidden(quotients, steps, last_true(quotients != 0), point)
    return best


def _start(middle: Array, gap: Array, other: Array) -> Array:
    """Return the coarsest step of the plateau that reaches down to the finest one that contradicts."""
    here, levels = np.arange(middle.shape[1]), np.arange(len(middle))[:, None]
    finest = last_true(other)
    same = np.abs(middle - middle[finest, here]) <= 0.1 * gap[finest, here]
    start: Array = np.where(~same & (levels < finest), levels, -1).max(axis=0) + 1
    return start
