"""From difference quotients at a ladder of steps to a derivative with a bound.

Central quotients have an error in h², h⁴, …, one-sided ones in h, h², …; Neville's scheme eliminates them
one after the other (L. F. Richardson 1911; C. J. F. Ridders, Adv. Eng. Softw. 4, 1982). Ridders takes the smallest
disagreement as the error, which a coincidence can make zero. Here a candidate needs neighbours that agree, its
truncation is what the *worst* neighbour disagrees about, its rounding is the measured noise through the
weights of the scheme, and every finer quotient has to agree with it within its own noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.problem import Array

ORDERS = 6  # eliminations: beyond, the noise grows and smooth functions have long converged
RETRIES = 6


@dataclass
class Best:
    """The chosen candidate of every entry. `level`: the finest step that it uses; `start`: the coarsest."""

    value: Array
    truncation: Array
    rounding: Array
    start: Array
    level: Array

    @property
    def bound(self) -> Array:
        """Truncation + rounding."""
        return self.truncation + self.rounding


def select(quotients: Array, steps: Array, noise: Array, power: int) -> Best:
    """Return the candidate with the smallest bound that no finer quotient contradicts.

    `quotients`, `noise (steps, entries)`: difference quotients and the amplitude of their noise;
    `steps`: relative step sizes, decreasing; `power`: 2 for central, 1 for one-sided quotients.
    NaN marks what could not be evaluated.
    """
    levels, entries = quotients.shape
    allowed = np.zeros(entries, dtype=np.intp)
    best = _smallest(quotients, steps, noise, power, allowed)
    todo = np.arange(entries)
    for attempt in range(RETRIES):
        part = Best(*(getattr(best, name)[todo] for name in ("value", "truncation", "rounding", "start", "level")))
        excess = _contradiction(quotients[:, todo], steps, noise[:, todo], power, part)
        bad = (excess > 0).any(axis=0)
        todo, excess = todo[bad], excess[:, bad]
        if not todo.size:
            break
        if attempt == RETRIES - 1:
            best.truncation[todo] += excess.max(axis=0)
            break
        # Start again at the coarsest quotient that contradicts; what is coarser has not seen it.
        allowed[todo] = np.maximum(np.argmax(excess > 0, axis=0) - 1, best.start[todo] + 1)
        again = _smallest(quotients[:, todo], steps, noise[:, todo], power, allowed[todo])
        for name in ("value", "truncation", "rounding", "start", "level"):
            getattr(best, name)[todo] = getattr(again, name)
    return best


def _smallest(quotients: Array, steps: Array, noise: Array, power: int, allowed: Array) -> Best:
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
    coarser: Array | None = None
    with np.errstate(all="ignore"):
        for order in range(1, min(ORDERS, levels - 1) + 1):
            ratio = ((steps[:-order] / steps[order:]) ** power)[:, None]
            previous, value = value, value[1:] + (value[1:] - value[:-1]) / (ratio - 1)
            rounding = (ratio * rounding[1:] + rounding[:-1]) / (ratio - 1)
            if order < 2:
                continue
            truncation = np.maximum(np.abs(value - previous[:-1]), np.abs(value - previous[1:]))
            coarser = np.abs(np.diff(value, axis=0))
            truncation[1:] = np.maximum(truncation[1:], coarser)
            bound = truncation + rounding
            bound[np.isnan(bound)] = np.inf
            bound[np.arange(len(bound))[:, None] < allowed] = np.inf
            k = np.argmin(bound, axis=0)
            better = bound[k, here] < best.bound
            k, e = k[better], here[better]
            best.value[e], best.truncation[e], best.rounding[e] = value[k, e], truncation[k, e], rounding[k, e]
            best.start[e], best.level[e] = k, k + order
    return best


def _contradiction(quotients: Array, steps: Array, noise: Array, power: int, best: Best) -> Array:
    """Return by how much each finer quotient is further from the value than its noise and truncation explain."""
    here = np.arange(quotients.shape[1])
    with np.errstate(all="ignore"):
        distance = np.abs(quotients - best.value)
        at = quotients[best.level, here]
        # What the finest quotient of the candidate has left of truncation shrinks with the power of the step.
        left = 4 * np.abs(at - best.value) * (steps[:, None] / steps[best.level]) ** power
        allowance = 2 * np.maximum(noise, noise[best.level, here] * steps[best.level] / steps[:, None])
        excess = distance - left - allowance - best.truncation
    finer = np.arange(len(steps))[:, None] > best.level
    return np.where(finer & np.isfinite(excess) & np.isfinite(best.truncation), np.maximum(excess, 0), 0)
