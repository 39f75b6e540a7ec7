"""From the quotients of an entry to what is known of its derivative: a value with a bound, a kink, a jump."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gradcheck.numerical import features, kinks
from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.extrapolate import Best
from gradcheck.numerical.found import Found
from gradcheck.numerical.hear import RUN, persistent
from gradcheck.numerical.ladder import Ladder, Quotients
from gradcheck.numerical.plateaus import Plateaus
from gradcheck.numerical.rounded import ROUNDING, WAVE, hidden, power_law
from gradcheck.numerical.selection import select
from gradcheck.numerical.steps import last_true
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

POOR, CAUTION = 1e-4, 8
FEATURES = 3  # so many, one nearer than the other, are looked below


def climb(
    evaluator: Evaluator,
    structure: Structure,
    ladder: Ladder,
    noise: Array,
    placed: Callable[[Quotients, Structure], Quotients] = lambda q, _: q,
) -> Found:
    """Return what whole ladders find, with a noise of at least `noise (outputs,)`.

    `placed` says of quotients and their colours where they belong, if not at the evaluator's point.
    """
    found = Found.nothing(*structure.column.shape)
    for part in structure.blocks():
        colours = structure.part(part)
        q = ladder.climb(evaluator, colours).noisier(np.tile(noise, len(colours.index)))
        found.put(part, thorough(placed(q, colours)).reshape(*colours.column.shape))
    return found


def thorough(q: Quotients) -> Found:
    """Judge the quotients of a whole ladder; a value that steps over a feature of f is looked for below it.

    Where the feature may as well be rounding, the bound reaches what is found below it.
    """
    riser, stairs = features.riser(q)
    q = replace(q.noisier(riser), point=replace(q.point, grid=np.where(stairs, riser / q.scale, 0)))
    found, start = _judge(q)
    for least, sure in ((q.point.eps**WAVE, True), (q.point.eps**ROUNDING, False)):
        todo = np.arange(start.size)
        for _ in range(FEATURES):
            part = q.take(todo)
            feature = features.nearest(part, found.value[todo], start[todo], least)
            below = (feature >= 0) & ~found.kink[todo] & ~found.jump[todo]
            if not below.any():
                break
            todo = todo[below]
            again, start[todo] = _judge(_below(part.take(below), feature[below]))
            if not sure:
                gap = np.abs(again.value - found.value[todo])
                found.truncation[todo] += np.where(np.isfinite(again.bound), gap, np.inf)
                break
            found.put(todo, again)
    return found


def _below(q: Quotients, feature: Array) -> Quotients:
    """Return the quotients without the steps down to the one that sees the feature."""
    coarse = np.arange(len(q.steps))[:, None] <= feature
    return replace(
        q,
        ahead=np.where(coarse, np.nan, q.ahead),
        behind=np.where(coarse, np.nan, q.behind),
        central=np.where(coarse, np.nan, q.central),
    )


def _judge(q: Quotients) -> tuple[Found, Array]:
    """Return what the quotients say, and the coarsest step that each value rests on."""
    best = select(q.central, q.steps, q.noise, 2, q.point, np.abs(q.ahead - q.behind))
    value, truncation, rounding = best.value, best.truncation, best.rounding
    step, start = q.steps[best.level] * q.scale, best.start
    kink = np.zeros(value.size, dtype=bool)
    jump = np.zeros(value.size, dtype=bool)
    left, right = value.copy(), value.copy()
    with np.errstate(all="ignore"):
        doubtful = kinks.bent(q) | ~(best.bound <= 1e-9 * np.abs(value))
    some = np.flatnonzero(doubtful)
    if some.size:
        part = q.take(some)
        two = kinks.one_sided(part)
        # A riser of a grid that f is rounded to does not shrink either.
        least = np.maximum(part.quiet, part.point.eps**ROUNDING * part.point.highest * part.scale)
        jump[some] = kinks.jumps(part.up - part.base, least) | kinks.jumps(part.down - part.base, least)
        left[some], right[some] = two.left.value, two.right.value
        plateaus = Plateaus.of(part.central, part.steps, part.noise)
        for side in (two.left, two.right):
            # One side may be smoother than both together, but it must not overlook what both show at fine steps.
            overlooked = plateaus.challenge(np.arange(some.size), side, part.point)[1].any(axis=0)
            finer = np.arange(len(q.steps))[:, None] > side.level
            with np.errstate(invalid="ignore"):
                distance = np.where(finer, part.central - side.value, 0)
                missed = side.truncation + 2 * persistent(np.nan_to_num(distance), part.noise)
                missed = np.fmax(missed, _unconfirmed(part, side))
            agree = ~two.apart & ~overlooked & (missed + side.rounding < truncation[some] + rounding[some])
            at = some[agree]
            value[at], truncation[at], rounding[at] = side.value[agree], missed[agree], side.rounding[agree]
            step[at], start[at] = q.steps[side.level[agree]] * q.scale[at], side.start[agree]
        _reach(value, truncation, rounding, some, two)
        split = two.apart & ~jump[some]
        at = some[split]
        kink[at] = True
        value[at] = (left[at] + right[at]) / 2
        truncation[at] = np.maximum(two.left.truncation, two.right.truncation)[split]
        rounding[at] = np.maximum(two.left.rounding, two.right.rounding)[split]
    truncation += np.where(kink | (np.abs(value) > truncation + rounding), 0, _hidden(q))
    # A value of which no three digits are sure was found in a place where nothing converges: its bound is a guess too.
    poor = ~kink & (value != 0) & (truncation + rounding > POOR * np.abs(value))
    truncation[poor], rounding[poor] = CAUTION * truncation[poor], CAUTION * rounding[poor]
    truncation[jump | ~np.isfinite(q.base)] = np.inf
    whole = np.ones(value.size, dtype=bool)
    return Found(value, truncation, rounding, step, kink, jump, left, right, whole), start


def _unconfirmed(q: Quotients, side: Best) -> Array:
    """Return what central quotients leave open of a one-sided derivative where the other side differs.

    What makes the other side differ may have a tail on this one, and only both together, at steps that are short
    enough, can tell how small it is.
    """
    with np.errstate(invalid="ignore"):
        left = np.abs(q.central - side.value) + q.noise
    left[(np.arange(len(q.steps))[:, None] < side.start) | np.isnan(left)] = np.inf
    # One quotient may be near by luck, on its way to another value.
    least = np.lib.stride_tricks.sliding_window_view(left, RUN, axis=0).max(axis=-1).min(axis=0)
    apart = np.isfinite(least) & ~features.clear(q, side.value, side.start)
    return np.where(apart, least - side.rounding, 0)


def _reach(value: Array, truncation: Array, rounding: Array, some: Array, two: kinks.Sides) -> None:
    """Where two clear sides disagree, but no kink is shown and no good value found, let the bound reach both."""
    gap = np.abs(two.left.value - two.right.value)
    with np.errstate(invalid="ignore"):
        clear = ~two.apart & (4 * (two.left.bound + two.right.bound) < gap)
        far = np.maximum(np.abs(value[some] - two.left.value), np.abs(value[some] - two.right.value))
        vague = clear & (truncation[some] + rounding[some] > 1e-3 * gap)
    at = some[vague]
    truncation[at] = np.maximum(truncation[at], far[vague])


def _hidden(q: Quotients) -> Array:
    """Return the slope that may hide behind a zero where fine steps do not move f by a bit.

    A side that is straight from its first move on is a kink nearby.
    """
    flat = (q.up == q.base) & (q.down == q.base)
    some = np.flatnonzero(flat[-3:].all(axis=0) & ~flat.all(axis=0))
    slope = np.zeros(q.base.size)
    if not some.size:
        return slope
    part, last = q.take(some), last_true(~flat[:, some])
    here, beyond = np.arange(some.size), np.maximum(last - np.arange(4, 9)[:, None], 0)
    for side in (part.ahead, part.behind):
        with np.errstate(all="ignore"):
            straight = power_law(side[beyond, here], q.steps[beyond])
            more = np.where(straight, 0, hidden(side, q.steps, last, part.point))
        slope[some] = np.fmax(slope[some], more)
    return slope
