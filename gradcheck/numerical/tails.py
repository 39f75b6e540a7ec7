"""Entries that do not move f at short steps because f is saturated there: a slope may hide below its rounding.

An entry of which f does not depend does not move it at any step, a ReLU's moves it at once behind the kink. The tail of
a tanh or an exponential rises out of the rounding: the first step that moves f moves it by next to nothing.
"""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.found import Found
from gradcheck.numerical.ladder import Ladder, last_true
from gradcheck.numerical.rounded import rounded_off
from gradcheck.numerical.steps import both_sides, relative_steps
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

LONG = np.arange(-2, 7)  # exponents of steps


def colours(evaluator: Evaluator, structure: Structure, ladder: Ladder, found: Found) -> Array:
    """Return the colours with an entry of derivative 0 that is moved by long steps, the first time by next to nothing.

    What "next to nothing" is depends on how large f gets.
    """
    still = (found.value == 0) & np.isfinite(found.bound)
    some = np.flatnonzero(still.any(axis=1))
    if not some.size:
        return some
    part, steps = structure.part(some), relative_steps(LONG)
    x = evaluator.x[part.index]
    new, _ = both_sides(x, steps[:, None, None] * ladder.scale[part.index], ladder.domain)
    points = np.broadcast_to(part.index, new.shape).reshape(-1, x.shape[1])
    f = evaluator(points, new.reshape(points.shape), "tails").reshape(2, len(steps), len(some), -1)
    with np.errstate(all="ignore"):
        moved = np.abs(f - evaluator.f0)
        moved[np.isnan(moved)] = 0
        largest = np.max(np.abs(f), axis=(0, 1), where=np.isfinite(f), initial=0.0)
        first = last_true((moved > 0).reshape(2, len(steps), -1)).reshape(2, 1, len(some), -1)
        height = np.take_along_axis(moved, np.maximum(first, 0), axis=1)[:, 0]
        hidden = still[some] & rounded_off(height, largest, ladder.eps).any(axis=0)
    tailed: Array = some[hidden.any(axis=1)]
    return tailed
