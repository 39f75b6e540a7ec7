"""Steps from |x| down to where they are rounded, for entries that nothing shorter settles."""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.entries import Entries
from gradcheck.numerical.evaluation.quotients import Quotients
from gradcheck.numerical.evaluation.structure import Structure
from gradcheck.numerical.evaluation.surroundings import Surroundings
from gradcheck.numerical.rules import kinks, limits, power_laws
from gradcheck.numerical.rules.limits import Limit
from gradcheck.problem import Array

BLOCK_ENTRIES = 1 << 11  # at a time: some 20 KB each
SURE = 1e-9  # a value that is as sure as this is not held against the two sides
MUCH = 16  # times surer than both sides together one side has to be, to be taken alone


def climb(around: Surroundings, structure: Structure, least: Array) -> Entries:
    """Return what whole ladders find. `least (outputs,)`: the noise that f has, heard or not."""
    found, variation = Entries.nothing(*structure.shape), around.variation(structure)
    for part in structure.blocks(BLOCK_ENTRIES):
        colours = structure.part(part)
        q = Quotients.at(around.best, colours, around.scale, around.domain, least)
        found.put(part, judge(q, variation[q.output]).reshape(*colours.shape))
    return found


def judge(q: Quotients, variation: Array) -> Entries:
    """Return what the quotients say: of both sides together, and of each where that leaves doubts.

    `variation (entries,)`: how far f moves over long steps, beside which a bound may be small enough.
    """
    both = limits.central(q)
    found = Entries.nothing(q.colour.size)
    _take(found, slice(None), both, q)
    with np.errstate(all="ignore"):
        some = np.flatnonzero(kinks.bent(q) | ~(both.bound <= SURE * np.maximum(np.abs(both.value), variation)))
        if some.size:
            _hold_sides_apart(found, some, q.take(some), both.noise[some])
    found.truncation[found.jump | ~np.isfinite(q.size[-1])] = np.inf
    return found


def _take(found: Entries, where: Array | slice, limit: Limit, q: Quotients) -> None:
    """Replace entries by a limit of their quotients."""
    step = q.h[limit.level, np.arange(limit.level.size)]
    found.put(where, Entries.smooth(limit.value, limit.truncation, limit.rounding, step))


def _hold_sides_apart(found: Entries, some: Array, q: Quotients, heard: Array) -> None:
    """Look at each side of `some` entries, whose quotients these are: at a kink, a jump, an edge, or next to one.

    `heard`: what both sides together show of the noise.
    """
    q = q.noisier(heard)
    left, right = limits.left(q), limits.right(q)
    gap = np.abs(right.value - left.value)
    apart = np.isfinite(gap) & (gap > right.bound + left.bound)
    found.left[some], found.right[some] = left.value, right.value
    jump = kinks.jumps(q.up, q.size) | kinks.jumps(q.down, q.size)
    for side, other, quotients, sign in ((left, q.ahead, q.behind, -1), (right, q.behind, q.ahead, 1)):
        alone = np.asarray(np.isnan(other).all(axis=0) & ~np.isnan(quotients).all(axis=0))
        found.one_sided[some[alone]] = sign
        _take_if_surer(found, some, side, alone, q, -sign, apart)
        # What a limit took for noise may be the power itself: no noise is as steady.
        infinite, limit, slow = power_laws.follow(quotients, q.steps, 2 * np.maximum(q.last_bits, heard) / q.h)
        far = np.abs(found.value[some] - limit) + slow
        found.truncation[some] = np.maximum(found.truncation[some], np.where(slow > 0, far, 0))
        apart &= slow == 0
        at = some[infinite != 0]
        (found.right if sign > 0 else found.left)[at] = np.inf * infinite[infinite != 0]
        found.truncation[at] = np.inf
        apart &= infinite == 0
    found.jump[some] = jump
    split = apart & ~jump
    at = some[split]
    found.kink[at] = True
    found.value[at] = (found.left[at] + found.right[at]) / 2
    found.truncation[at] = np.maximum(left.truncation, right.truncation)[split]
    found.rounding[at] = np.maximum(left.rounding, right.rounding)[split]


def _take_if_surer(
    found: Entries, some: Array, side: Limit, alone: Array, q: Quotients, other: int, apart: Array
) -> None:
    """Take one side's derivative where it is much surer than that of both: next to a kink, or where it is alone."""
    bound = found.truncation[some] + found.rounding[some]
    tail = kinks.tail_of_the_other_side(q, side.value, bound, other)
    truncation = np.maximum(side.truncation, np.where(alone, 0, tail))
    agrees = alone | (np.abs(side.value - found.value[some]) <= side.bound + bound)
    better = ~apart & agrees & (MUCH * (truncation + side.rounding) < bound)
    at = some[better]
    found.value[at], found.truncation[at], found.rounding[at] = (
        a[better] for a in (side.value, truncation, side.rounding)
    )
    found.step[at] = q.h[side.level[better], np.flatnonzero(better)]
