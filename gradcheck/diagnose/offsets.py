"""The claim is the derivative plus a number: the same one everywhere, or one for each row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.diagnose.evidence import SLACK, Cause, Evidence
from gradcheck.diagnose.scale import say
from gradcheck.problem import Array

# A derivative that hardly varies is as good as a number itself: then whatever is added is a factor as well.
VARIES = 1e-3


def same_number_everywhere(e: Evidence) -> list[Cause]:
    """claim − derivative is one number at every entry on which the output depends, and the derivative is not."""
    there = _depends(e)
    varies = there.sum() > 2 and np.ptp(e.estimate[there]) > VARIES * e.scale
    return list(same_number_possible(e)) if varies else []


def same_number_possible(e: Evidence) -> Iterator[Cause]:
    """The same, whatever the derivative is."""
    error, lost = _error(e)
    there = _depends(e)
    if not e.wrong[there].all() or np.any(e.wrong & ~there) or not there.any():
        return
    number = float(error[there].mean())
    if not np.all(np.abs(error - number)[there] <= lost[there]):
        return
    size = say(abs(number))
    name, why = (
        ("number missing", f"is a `+ {size}` missing?") if number < 0 else ("number added", f"is `+ {size}` too much?")
    )
    sentence = f"Right but for one number: claim − derivative is {say(number)} at every entry: {why}"
    runs = f"from {e.estimate[there].min():.4g} to {e.estimate[there].max():.4g}"
    yield Cause(name, sentence, f"the derivative runs {runs}, the difference stays what it is")


def _depends(e: Evidence) -> Array:
    """Entries at which there is a derivative to be added to: of a loss, all of them."""
    return e.judged if len(e.estimate) == 1 else e.judged & ~_is_zero(e)


def one_number_for_each_row(e: Evidence) -> list[Cause]:
    """claim − derivative does not change along an axis of the variable, as where a mean was not subtracted."""
    error, lost = _error(e)
    if not e.wrong.any() or e.elementwise:
        return []
    rows, shape = len(error), np.shape(e.x)
    for axis, length in enumerate(shape):
        if length < 3:
            continue
        by_entry, near, right, claim = (one.reshape(rows, *shape) for one in (error, lost, e.estimate, e.claim))
        level = by_entry.mean(axis=1 + axis, keepdims=True)
        same = np.abs(by_entry - level) <= near
        if not (same | ~e.judged.reshape(same.shape)).all() or np.ptp(right, axis=1 + axis).max() < VARIES * e.scale:
            continue
        about = f"along axis {axis} of {e.variable.name}"
        sentence = f"Right up to one number for each row {about}"
        if _sums_to_zero(right, axis):
            why = "the derivatives of a row add up to 0, the claims do not: is their mean to be subtracted?"
        elif _sums_to_zero(claim, axis):
            why = "the claims of a row add up to 0, the derivatives do not: is a mean subtracted that belongs there?"
        else:
            why = "only moves that keep the sum of a row are claimed rightly."
        evidence = f"claim − derivative does not change {about}; at most it is {say(float(np.abs(error).max()))}"
        return [Cause("right up to a constant", f"{sentence}: {why}", evidence)]
    return []


def _error(e: Evidence) -> tuple[Array, Array]:
    """claim − derivative, and how far it may be off; infinite where the claim is no number."""
    error = np.where(e.judged, e.claim - e.estimate, 0.0)
    error = np.where(np.isfinite(error), error, np.inf)
    finite = np.abs(error[np.isfinite(error)])
    return error, SLACK * e.tolerance + 1e-9 * float(finite.max(initial=0.0))


def _is_zero(e: Evidence) -> Array:
    zero: Array = np.abs(e.estimate) <= np.maximum(e.tolerance, 1e-12 * e.scale)
    return zero


def _sums_to_zero(array: Array, axis: int) -> bool:
    total, size = np.abs(array.sum(axis=1 + axis)), np.abs(array).sum(axis=1 + axis)
    return bool(np.all(total <= 1e-7 * size.max(initial=0.0)))
