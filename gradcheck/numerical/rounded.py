"""What may be due to rounding: moves of f that are small against the numbers that it computes with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.problem import Array

# A structure that only fine steps see is rounding where its height is below eps^ROUNDING of what coarse steps see, a
# wave, a kink or a quantiser above eps^WAVE, and in between nobody can tell (float64: 1.5e-8 and 5e-7).
ROUNDING, WAVE = 0.5, 0.4
EVEN = 0.25
TOGETHER = 10  # steps between the first moves of the two sides of a staircase


@dataclass
class Point:
    """Where the quotients belong, in units of the steps' scale.

    `height`: |f| / scale; `highest`: the largest |f| / scale within 4 |x|; `near`: 16 |x| / scale; `rounded`: both
    sides begin to move at about the same step, as rounding to a grid makes them; `eps`: of f; `grid`: moves of f up to
    this height are seen to be rounding.
    """

    height: Array
    highest: Array
    near: Array
    rounded: Array
    eps: float
    grid: Array

    @classmethod
    def of(
        cls, base: Array, largest: Array, steps: Array, size: Array, scale: Array, rounded: Array, eps: float
    ) -> Point:
        """Return the point of entries where f is `base` and |x| is `size`; `largest (steps, entries)`: |f| nearby."""
        near = 16 * np.where(size == 0, 1, size / scale)
        farthest = np.fmax.reduce(np.where(steps[:, None] <= near / 4, largest, 0))
        return cls(
            np.abs(base) / scale, np.fmax(np.abs(base), farthest) / scale, near, rounded, eps, np.zeros(size.shape)
        )

    def take(self, where: Array) -> Point:
        """Return some entries."""
        return Point(
            self.height[where], self.highest[where], self.near[where], self.rounded[where], self.eps, self.grid[where]
        )


def together(first: Array) -> Array:
    """Return where both sides' first moves, steps `(2, entries)` (−1: none), are at about the same step.

    So rounding to a grid makes them, and a tail does not.
    """
    near: Array = (first >= 0).all(axis=0) & (np.ptp(first, axis=0) <= TOGETHER)
    return near


def hidden(quotients: Array, steps: Array, first: Array, point: Point) -> Array:
    """Return the slope that may hide behind a zero where steps finer than `first` do not move f; 0 where none can.

    If the first step that moves f moves it by no more than rounding does, f goes on from there, and the other side does
    not begin to move at about the same step (rounding to a grid, which counts as noise): the tail of a tanh, say.
    """
    slope = np.abs(quotients[first, np.arange(first.size)])
    tail = rounded_off(slope * steps[first], point.highest, point.eps) & ~point.rounded
    return np.where(tail & rises(quotients, steps, first), 2 * slope, 0)


def rounded_off(height: Array, largest: Array, eps: float) -> Array:
    """Return where a first move of f is next to nothing, and so may be due to rounding: eps^ROUNDING of what f gets to.

    Numbers as large as that are rounded to eps of themselves: where the move is far below it, f grows to them only
    beyond the move (an exponential), and is not what is left of them.
    """
    tiny: Array = (height <= eps**ROUNDING * largest) & (height >= eps / 64 * largest)
    return tiny


def rises(quotients: Array, steps: Array, first: Array) -> Array:
    """Return where f goes on from its first move: three steps on, it has moved more than three times as far.

    So do a tail and the stairs of a grid. The last bit of a sum that comes and goes does not.
    """
    here, on = np.arange(first.size), np.maximum(first - 3, 0)
    moved = np.abs(quotients[first, here]) * steps[first]
    stays: Array = np.abs(quotients[on, here]) * steps[on] <= 3 * moved
    return ~stays | (first < 3)


def power_law(run: Array, steps: Array) -> Array:
    """Return where quotients (first axis) follow one power of the step, as beyond the edge of a clip or of a relu².

    The tail of a saturating function does not, nor do a few stairs of a grid. Where all are 0, nothing follows at all.
    """
    exponent = np.diff(np.log(np.abs(run)), axis=0) / np.diff(np.log(steps), axis=0)
    law: Array = (np.ptp(exponent, axis=0) <= EVEN) | (run == 0).all(axis=0)
    return law
