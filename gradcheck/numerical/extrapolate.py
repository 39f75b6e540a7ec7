"""From difference quotients at a ladder of steps to candidates for a derivative, and the one with the smallest bound.

Central quotients have an error in h², h⁴, …, one-sided ones in h, h², …; Neville's scheme eliminates them
one after the other (L. F. Richardson 1911; C. J. F. Ridders, Adv. Eng. Softw. 4, 1982). Ridders takes the smallest
disagreement as the error, which a coincidence can make zero. Here a candidate's truncation is what the *worst* of its
neighbours disagrees about, and its rounding is the measured noise through the weights of the scheme.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gradcheck.problem import Array

ORDERS = 6  # eliminations: beyond, the noise grows and smooth functions have long converged


@dataclass
class Best:
    """The chosen candidate of every entry. `start` and `level`: the coarsest and the finest step that it uses."""

    value: Array
    truncation: Array
    rounding: Array
    start: Array
    level: Array

    @property
    def bound(self) -> Array:
        """Truncation + rounding."""
        return np.add(self.truncation, self.rounding)

    def put(self, where: Array, other: Best) -> None:
        """Replace entries by another choice."""
        for field in fields(self):
            getattr(self, field.name)[where] = getattr(other, field.name)

    def take(self, where: Array) -> Best:
        """Return some entries."""
        return Best(*(getattr(self, field.name)[where] for field in fields(self)))


def smallest(quotients: Array, steps: Array, noise: Array, power: int, allowed: Array | None = None) -> Best:
    """Return the candidate with the smallest bound, among those whose coarsest step is at least number `allowed`."""
    levels, entries = quotients.shape
    best = Best(
        np.zeros(entries),
        np.full(entries, np.inf),
        np.zeros(entries),
        np.zeros(entries, dtype=np.intp),
        np.full(entries, levels - 1, dtype=np.intp),
    )
    here = np.arange(entries)
    value, rounding = quotients, noise
    with np.errstate(all="ignore"):
        for order in range(1, min(ORDERS, levels - 1) + 1):
            ratio = ((steps[:-order] / steps[order:]) ** power)[:, None]
            previous, value = value, value[1:] + (value[1:] - value[:-1]) / (ratio - 1)
            # The weights alternate in sign, so that their absolute values follow the same scheme with a sum.
            rounding = (ratio * rounding[1:] + rounding[:-1]) / (ratio - 1)
            if order < 2:
                continue
            truncation = np.maximum(np.abs(value - previous[:-1]), np.abs(value - previous[1:]))
            moved = np.abs(np.diff(value, axis=0))
            truncation[1:] = np.fmax(truncation[1:], moved)
            # The finer neighbour is noisier; what noise does not explain is truncation, which luck may hide above.
            truncation[:-1] = np.fmax(truncation[:-1], moved - rounding[1:])
            bound = truncation + rounding
            bound[np.isnan(bound)] = np.inf
            if allowed is not None:
                bound[np.arange(len(bound))[:, None] < allowed] = np.inf
            k = np.argmin(bound, axis=0)
            better = bound[k, here] < best.bound
            k, e = k[better], here[better]
            best.value[e], best.truncation[e], best.rounding[e] = value[k, e], truncation[k, e], rounding[k, e]
            best.start[e], best.level[e] = k, k + order
    return best
