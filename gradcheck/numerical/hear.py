"""What finer quotients say of a value: they tell its rounding, and a truncation that its own steps do not show."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradcheck.numerical.extrapolate import Best
from gradcheck.numerical.plateaus import PLATEAU
from gradcheck.problem import Array

RUN = 3
AGREE, STAIR = 0.3, 8


class Series(NamedTuple):
    """Quotients `(steps, entries)` whose error starts with a `power` of the step.

    `shift`: how many rows fewer than the ladder they have.
    """

    quotients: Array
    steps: Array
    noise: Array
    power: int
    shift: int


def eliminated(quotients: Array, steps: Array, noise: Array, power: int) -> Series:
    """Return quotients after one elimination: their error starts with h² or, of central ones, with h⁴."""
    ratio = ((steps[:-1] / steps[1:]) ** power)[:, None]
    once = quotients[1:] + (quotients[1:] - quotients[:-1]) / (ratio - 1)
    return Series(once, steps[1:], (ratio * noise[1:] + noise[:-1]) / (ratio - 1), 2 * power, 1)


def hear(series: Series, best: Best) -> None:
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
    run = np.maximum(run, _unison(np.where(coarser, np.nan, distance), noise))
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


def _unison(distance: Array, noise: Array) -> Array:
    """Return the largest distance from a value that PLATEAU quotients in a row agree on, be it below their noise.

    Noise grows with 1/step: where the finest of them agrees with the coarsest, the noise is overrated. But the
    quotients on one stair of a grid, which agree too, are far below the riser that counts as their noise.
    """
    windows = np.lib.stride_tricks.sliding_window_view(distance, PLATEAU, axis=0)
    middle = windows[..., PLATEAU // 2]
    heard = noise[PLATEAU // 2 :][: len(middle)] <= STAIR * np.abs(middle)
    agree = heard & (np.abs(windows - middle[..., None]).max(axis=-1) <= AGREE * np.abs(middle))
    apart: Array = np.where(agree, np.abs(middle), 0).max(axis=0)
    return apart
