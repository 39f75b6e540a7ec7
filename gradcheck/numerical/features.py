"""What coarse steps step over: a feature of f nearer to the point than they reach, and a grid that f is rounded to.

A slope on which coarse steps agree is that of f without the feature. The feature may have a tail at the point (a
bell's, a pole's), and only steps that end before it can tell. And where fine steps do not move f at all, the first
move is as high as the grid's risers are: no value of f is better known than that.
"""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.ladder import ULPS, Quotients
from gradcheck.numerical.rounded import WAVE, power_law, rounded_off, together
from gradcheck.numerical.steps import last_true
from gradcheck.problem import Array

# A difference quotient's error shrinks with the step. One that is so many times that of coarser steps, and falls to a
# third where steps are finer still, is a feature's.
BEYOND, FALL = 4, 3
REACH = 3  # steps over which the error must have fallen
SUDDEN = 1e6  # times the noise, within one step
RISERS = 4
STAIRS, EXACT = 3, 4e-3  # so many steps on, f is still off its line by halves of the riser: no function is
LINE = 5  # steps
SLACK, SUDDENLY = 0.25, 1e2  # times the noise: what is no move, and a jump (a cubic adds less than 25 in a step)


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
        sees &= error[:n] * q.steps[:n, None] > np.maximum(least * seen, q.point.grid)
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


def riser(q: Quotients) -> tuple[Array, Array]:
    """Return the height of the grid's risers where f follows a line exactly at fine steps, 0 elsewhere; and whether
    several of its stairs are seen, which is proof.

    Rounding moves f off that line at once, on both sides at about the same step, and by little against f. Where f is
    still, one side alone may be: by the tail of a saturating function, and not a clip's edge, beyond which a power of
    the step follows.
    """
    here = np.arange(q.base.size)
    with np.errstate(all="ignore"):
        sides, h = np.stack([q.ahead, q.behind]), q.steps[:, None] * q.scale
        last = last_true(_leaves_a_line(sides, 2 * q.quiet / h))
        if not (last >= 0).any():
            return np.zeros(q.base.size), np.zeros(q.base.size, dtype=bool)
        side = np.argmax(last, axis=0)
        first = last[side, here]
        slope = sides[side, first + 1, here]
        height = np.abs(sides[side, first, here] - slope) * h[first, here]
        both = together(last)
        # Near the point, f may be what is left of the large numbers that it gets to.
        f, near = np.abs(np.stack([q.up, q.down])), q.point.highest * q.scale
        anywhere = np.max(f, where=np.isfinite(f), axis=(0, 1), initial=0.0)
        largest = np.where(slope == 0, anywhere.max(), near)
        # A tail is one of these, unless its step is as long as |x|: then of those at |x|.
        tail = rounded_off(height, np.where(q.steps[first] < q.point.near / 64, largest, near), q.point.eps)
        tiny = np.where(both, height <= q.point.eps**WAVE * largest, (slope == 0) & tail)
        beyond = np.maximum(first - np.arange(4, 9)[:, None], 0)
        edge = (first >= 8) & power_law(sides[side, beyond, here], h[beyond, here])
        # A few units in the last place of what f is a scale away: near the point it is left of such (exp(x) − 1 − x).
        stairs = (first >= STAIRS) & (height <= ULPS * q.point.eps * anywhere)
        on = np.maximum(first - np.arange(1, STAIRS + 1)[:, None], 0)
        off = 2 * (sides[side, on, here] - slope) * h[on, here] / height
        stairs &= (np.abs(off - np.rint(off)) <= EXACT).all(axis=0)
    return np.where((first >= 0) & (stairs | (tiny & (both | ~edge))), RISERS * height, 0), stairs


def _leaves_a_line(sides: Array, noise: Array) -> Array:
    """Return the steps `(2, steps, entries)` that move f off a line on which all of LINE finer ones keep it."""
    n = sides.shape[1] - LINE
    finer = np.lib.stride_tricks.sliding_window_view(sides[:, 1:], LINE, axis=1)
    allowed = np.lib.stride_tricks.sliding_window_view(noise[1:], LINE, axis=0) + noise[1 : n + 1, :, None]
    line = (np.abs(finer - finer[..., :1]) <= SLACK * allowed).all(axis=-1)
    still = (finer == 0).all(axis=-1)
    leaves: Array = line & (np.abs(sides[:, :n] - finer[..., 0]) > np.where(still, 0, SUDDENLY * noise[:n]))
    return leaves
