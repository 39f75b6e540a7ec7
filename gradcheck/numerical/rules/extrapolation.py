"""From difference quotients at a ladder of steps to candidates for a derivative, each with a bound.

Central quotients have an error in h², h⁴, …, one-sided ones in h, h², …; Neville's scheme eliminates them
one after the other (L. F. Richardson 1911; C. J. F. Ridders, Adv. Eng. Softw. 4, 1982). Ridders takes the smallest
disagreement as the error, which a coincidence can make zero. Here a candidate's truncation is what the *worst* of its
neighbours disagrees about, and its rounding is the measured noise through the weights of the scheme.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.problem import Array

ORDERS = 6  # eliminations: beyond, the noise grows and smooth functions have long converged


@dataclass(frozen=True)
class Candidates:
    """What every window of neighbouring steps makes of an entry's quotients, `(windows, entries)` each.

    `start` and `level (windows, 1)`: the coarsest and the finest step (their numbers) of a window.
    """

    value: Array
    truncation: Array
    rounding: Array
    start: Array
    level: Array

    @property
    def bound(self) -> Array:
        """Truncation + rounding; infinite where a quotient is not known."""
        bound = self.truncation + self.rounding
        return np.where(np.isnan(bound), np.inf, bound)


def candidates(quotients: Array, steps: Array, noise: Array, power: int) -> Candidates:
    """Extrapolate `quotients (steps, entries)`, whose error is a series in steps^power, with a `noise` amplitude."""
    found: list[tuple[Array, Array, Array]] = []
    spans: list[tuple[int, int]] = []
    value, rounding = quotients, noise
    with np.errstate(all="ignore"):
        for order in range(1, min(ORDERS, len(steps) - 1) + 1):
            ratio = ((steps[:-order] / steps[order:]) ** power)[:, None]
            previous, value = value, value[1:] + (value[1:] - value[:-1]) / (ratio - 1)
            # The weights alternate in sign, so that their absolute values follow the same scheme with a sum.
            rounding = (ratio * rounding[1:] + rounding[:-1]) / (ratio - 1)
            if order < 2:
                continue
            truncation = np.maximum(np.abs(value - previous[:-1]), np.abs(value - previous[1:]))
            moved = np.abs(np.diff(value, axis=0))
            # Noise may explain how far the finer neighbour, which is noisier, is away; truncation may as well.
            truncation[1:] = np.fmax(truncation[1:], moved)
            truncation[:-1] = np.fmax(truncation[:-1], moved)
            found.append((value, truncation, rounding))
            spans += [(start, start + order) for start in range(len(value))]
    values, truncations, roundings = (np.concatenate(part) for part in zip(*found, strict=True))
    start, level = np.array(spans).T[..., None]
    return Candidates(values, truncations, roundings, start, level)
