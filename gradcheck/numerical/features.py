"""What coarse steps step over: a feature of f nearer to the point than they reach, and a grid that f is rounded to.

A slope on which coarse steps agree is that of f without the feature. The feature may have a tail at the point (a
bell's, a pole's), and only steps that end before it can tell. And where fine steps do not move f at all, the first
move is as high as the grid's risers are: no value of f is better known than that.
"""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.extrapolate import ROUNDING, WAVE
from gradcheck.numerical.ladder import Quotients, first_moves
from gradcheck.problem import Array

# A difference quotient's error shrinks with the step. One that is so many times that of coarser steps, and falls to a
# third where steps are finer still, is a feature's.
BEYOND, FALL = 4, 3
REACH = 3  # steps over which the error must have fallen
SUDDEN = 1e6  # times the noise, within one step
RISERS = 4
STRAIGHT = 0.1


def nearest(q: Quotients, value: Array, start: Array, least: float) -> Array:
    """Return the finest step, below a candidate's coarsest one `start`, that sees a feature; −1 for none.

    `least`: how high a feature has to be, of what coarse steps see of f.
    """
    level = np.arange(len(q.steps))[:, None]
    with np.errstate(all="ignore"):
        error = np.fmax(np.abs(q.ahead - value), np.abs(q.behind - value))
        error[np.isnan(error)] = 0
        # Two steps together are small by luck less often than one.
        pair = np.where(level[:-1] >= start, np.maximum(error[:-1], error[1:]), np.inf)
        usual = np.full(error.shape, np.inf)
        usual[2:] = np.minimum.accumulate(pair[:-1], axis=0)
        noise = np.maximum(*q.side_noise)
        after = np.lib.stride_tricks.sliding_window_view(error[REACH:], REACH, axis=0).max(axis=-1)
        n = len(after)
        seen = np.maximum(q.point.height, np.abs(value) * q.point.near)
        sees = error[:n] > np.maximum(BEYOND * (usual[:n] + noise[:n]), FALL * after)
        sees &= error[:n] * q.steps[:n, None] > least * seen
    found: Array = np.where(sees & ~clear(q, value, start), level[:n], -1).max(axis=0)
    return found


def clear(q: Quotients, value: Array, start: Array) -> Array:
    """Return where nothing but a value shows, or from some step on something that has no tail at the point: a clip.

    It appears all at once, out of the noise, while a tail rises out of it.
    """
    level = np.arange(len(q.steps))[:, None]
    with np.errstate(all="ignore"):
        off = np.abs(q.central - value)
        shows = (off > 2 * q.noise) & (level >= start)
        first = np.where(shows, level, 0).max(axis=0)
        here = np.arange(value.size)
        sudden = off[first, here] * q.steps[first] * q.scale > SUDDEN * q.quiet[first, here]
    clean: Array = sudden | ~shows.any(axis=0)
    return clean


def riser(q: Quotients) -> Array:
    """Return the height of the grid's risers where fine steps do not move f, 0 elsewhere.

    Rounding moves both sides at about the same step, by little against f. One side alone is moved by a clip next to the
    point, too, beyond whose edge it is straight.
    """
    here = np.arange(q.base.size)
    changes = np.abs(np.stack([q.up - q.base, q.down - q.base]))
    moves = changes > 0
    still = ~moves[:, -3:].any(axis=(0, 1)) & moves.any(axis=(0, 1))
    height = np.zeros(q.base.size)
    if not still.any():
        return height
    with np.errstate(all="ignore"):
        last = first_moves(q.up, q.down, q.base)
        # All over the ladder: near the point f may be what is left of large numbers.
        sides = np.abs(np.stack([q.up, q.down]))
        largest = np.max(sides, where=np.isfinite(sides), initial=0.0)
        side = np.argmax(last, axis=0)
        first = last[side, here]
        height = np.nan_to_num(changes[side, first, here])
        least = np.where(q.point.rounded, q.point.eps**WAVE, q.point.eps**ROUNDING)
        tiny = height <= least * largest
        run = np.stack([q.ahead, q.behind])[side, np.maximum(first - np.arange(4, 9)[:, None], 0), here]
        straight = (first >= 8) & (np.abs(run - run[2]).max(axis=0) <= STRAIGHT * np.abs(run[2]))
    return np.where(still & tiny & (q.point.rounded | ~straight), RISERS * height, 0)
