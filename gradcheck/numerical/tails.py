"""Entries that do not move f at short steps because f is saturated there: a slope may hide below its rounding.

An entry on which f does not depend does not move it at any step, a ReLU's moves it at once behind the kink. The tail of
a tanh or an exponential rises out of the rounding: the first step that moves f moves it by next to nothing. As a tail
only gets steeper towards that step, its slope at the point is at most this move over the longest step without one.
"""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.found import Found
from gradcheck.numerical.ladder import Ladder
from gradcheck.numerical.rounded import rounded_off
from gradcheck.numerical.steps import both_sides, last_true
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

COARSE, FINE = np.ldexp(1.0, np.arange(2, -8, -1)), 2.0 ** np.arange(2, -7, -1 / 8)  # steps
SAFETY = 2


def widen(evaluator: Evaluator, structure: Structure, ladder: Ladder, found: Found) -> Found:
    """Return the same with bounds that reach what may hide behind a derivative of exactly 0."""
    if found.value.all():
        return found
    still = (found.value == 0) & np.isfinite(found.bound)
    some = np.flatnonzero(still.any(axis=1))
    for steps in (COARSE, FINE):
        if not some.size:
            return found
        slope = np.where(still[some], _hidden(evaluator, structure.part(some), ladder, steps), 0)
        tailed = slope.any(axis=1)
        some, slope = some[tailed], slope[tailed]
    found = found.own()
    found.truncation[some] += SAFETY * slope
    return found


def _hidden(evaluator: Evaluator, structure: Structure, ladder: Ladder, steps: Array) -> Array:
    """Return the slopes `(colours, outputs)` of tails that may hide at the point; 0 where there is no tail."""
    x, scale = evaluator.x[structure.index], ladder.scale[structure.index]
    new, _ = both_sides(x, steps[:, None, None] * scale, ladder.domain)
    points = np.broadcast_to(structure.index, new.shape).reshape(-1, x.shape[1])
    f = evaluator(points, new.reshape(points.shape), "tails").reshape(2, len(steps), *structure.column.shape)
    with np.errstate(all="ignore"):
        largest = np.max(np.abs(f), axis=(0, 1), where=np.isfinite(f), initial=0.0)
        _, height, slope = first_moves(np.abs(f - evaluator.f0).reshape(2, len(steps), -1), steps)
        tail = rounded_off(height, largest.ravel(), ladder.eps)
        steepest: Array = np.where(tail, slope, 0).max(axis=0).reshape(structure.column.shape)
        return steepest / structure.spread(scale)


def first_moves(moved: Array, steps: Array) -> tuple[Array, Array, Array]:
    """Return the shortest step that moves f (its number), how far, and that over the longest step that does not.

    `(2, entries)` each, from `moved (2, steps, entries)`, with the longest step first. The slope is 0 where there is no
    such step.
    """
    moved = np.where(np.isnan(moved), 0, moved)
    first = last_true(moved > 0)
    height = np.take_along_axis(moved, np.maximum(first, 0)[:, None], axis=1)[:, 0]
    rises = (first >= 0) & (first < len(steps) - 1)
    return first, height, np.where(rises, height / steps[np.minimum(first + 1, len(steps) - 1)], 0)
