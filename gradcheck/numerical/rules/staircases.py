"""Is what coarse steps see and fine steps do not see a staircase of rounding, or a feature of f? Look at its beginning.

Between the longest step on the fine steps' line and the shortest that has left it, halve until the first departure lies
within a short interval. There, a kink, a wave or a tail moves f as much over one such interval as over the next, while
a staircase makes a step and rests.
"""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.evaluation.quotients import Quotients
from gradcheck.problem import Array

HALVINGS = 20
NEIGHBOURS = 2.0**-50  # steps, relative to the scale, that are nearer to each other lead to the same floats
ALIKE = 0.25  # of the change over an interval is what that over the next may differ by, where f is continuous
FARTHER = 1.25  # than at the step before is off the line
SEVERAL = 1.5  # risers between the highest and the lowest value of f: it is no single jump
MANY, WHOLE = 8, 1e-6  # risers make f, and what their number may be off a whole one
RISERS = 4  # the noise of a staircase: its riser, and as much again for each of a few stages that are rounded
# A riser below this share of |f| is rounding, be it to float32; a larger one may as well be meant (`np.round`).
ROUNDING = 2.0**-20


def riser(
    q: Quotients,
    fine: Array,
    coarse: Array,
    line: Array,
    bound: Array,
    amplitude: Array,
    sides: tuple[int, ...],
) -> Array:
    """Return how high the first stair off a line is, 0 where f leaves it without one.

    The `line` through the point with that slope, give or take a `bound`, is what f follows up to step number `fine`,
    and no longer at `coarse`.
    """
    height, first = np.zeros(line.size), np.full(line.size, -1)
    number = np.arange(len(q.steps))[:, None]
    with np.errstate(all="ignore"):
        for sign in sides:
            change = q.up if sign > 0 else q.down
            still = np.where(number >= fine + 1, change == 0, True).all(axis=0)
            line = np.where(still, 0, line)
            least = np.where(still, 0, 2 * amplitude[fine, np.arange(line.size)] + bound * q.h)
            off = np.abs(change - sign * line * q.h)
            last = np.where((off > least) & (number >= coarse) & (number < fine), number, -1).max(axis=0)
            some = np.flatnonzero(last > first)
            first = np.maximum(first, last)
            if some.size:
                height[some] = _first_move(q.take(some), last[some], line[some], least[last[some], some], sign)
    return height


def _first_move(q: Quotients, first: Array, line: Array, least: Array, sign: int) -> Array:
    """Return the height of the stair between step number `first`, which is off the line, and the next; or 0."""
    unit = q.h[0] / q.steps[0]

    def off(t: Array) -> Array:
        return np.asarray(q.probe(sign * t) - sign * line * t * unit)

    near, far = q.steps[first + 1], q.steps[first]
    at_near, at_far = off(near), off(far)
    least = np.maximum(least, FARTHER * np.abs(at_near))
    for _ in range(HALVINGS):
        # Between neighbouring floats there is nothing to halve.
        middle = np.where(far - near > NEIGHBOURS, (near + far) / 2, far)
        at_middle = off(middle)
        left = np.abs(at_middle) > least
        near, at_near = np.where(left, near, middle), np.where(left, at_near, at_middle)
        far, at_far = np.where(left, middle, far), np.where(left, at_middle, at_far)
    at_next, at_last = off(2 * far - near), off(3 * far - 2 * near)
    moves = np.abs(at_far - at_near), at_next - at_far, at_last - at_next
    continuous = np.abs(moves[2] - moves[1]) <= ALIKE * np.abs(moves[1])
    continuous &= moves[0] <= (1 + ALIKE) * np.abs(moves[1])
    return np.where(continuous, 0, moves[0])


def is_rounding(q: Quotients, height: Array) -> Array:
    """Return where a stair is small against the numbers that f gets to."""
    f0 = q.evaluator.f0
    largest = np.max(np.abs(f0), where=np.isfinite(f0), initial=0.0)
    largest = np.maximum(largest, np.max(q.size, axis=0, where=np.isfinite(q.size), initial=0.0))
    rounding: Array = (height > 0) & (height <= ROUNDING * largest)
    return rounding


def is_staircase(q: Quotients, height: Array, line: Array) -> Array:
    """Return where a stair is one of several, or f at the point is a whole number of them: it is no single jump."""
    off = np.stack([change - sign * line * q.h for change, sign in ((q.up, 1), (q.down, -1))])
    known = np.isfinite(off)
    high, low = (f(off, axis=(0, 1), where=known, initial=0.0) for f in (np.max, np.min))
    with np.errstate(all="ignore"):
        stairs = np.abs(q.evaluator.f0[q.output] / height)
        whole = (stairs >= MANY) & (np.abs(stairs - np.rint(stairs)) <= WHOLE)
    on: Array = (high - low >= SEVERAL * height) | whole
    return on
