"""Whether a package averages weight gradients over the batch, and leaves the mean out of the gradients of its losses.

Told by how gradients grow with the batch, never by their numbers: of twice the same rows, a sum is twice as large, an
average the same; the gradient of a mean by each row is half as large.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.construct import make
from gradcheck.adapters.doubts import Arrays, Trial
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array, Sizes

Grows = Callable[[Any], "Growth | None"]
Growth = str  # "summed" or "averaged" weights; "whole" or "shared" by each row of a loss


def doubled(arrays: Sequence[Array], axis: int) -> list[Array]:
    """The same rows (or columns) twice."""
    return [np.concatenate([array, array], axis=axis) for array in arrays]


def batch_axis(arrays: Sequence[Array], outputs: Sequence[Array]) -> int | None:
    """The axis along which samples are counted: the first, or of columns the last; None where neither fits."""
    if len(outputs) == 1 and outputs[0].size == 1 and all(a.ndim for a in arrays):
        return 0 if len({len(a) for a in arrays}) == 1 else None
    for axis in (0, -1):
        if all(a.ndim > 1 for a in (*arrays, *outputs)) and len({a.shape[axis] for a in (*arrays, *outputs)}) == 1:
            return axis
    return None


def growth(before: Sequence[Array | None], after: Sequence[Array | None]) -> Growth | None:
    """How gradients of weights grow where the batch is doubled; None where some do otherwise, or all are zero."""
    pairs = [(a, b) for a, b in zip(before, after, strict=True) if a is not None and b is not None]
    if not pairs or not all(a.any() and a.shape == b.shape for a, b in pairs):
        return None
    for factor, name in ((1.0, "averaged"), (2.0, "summed")):
        if all(np.allclose(b, factor * a, rtol=1e-9, atol=1e-12) for a, b in pairs):
            return name
    return None


def grows(trial: Trial, behind: Callable[[Arrays, Arrays], list[Any]]) -> Growth | None:
    """How `behind(arrays, upstream)`, the gradients of a layer's weights, grow with the batch; of a loss, by a row.

    None where nobody can tell.
    """
    try:
        with np.errstate(all="ignore"):
            return _grows(trial, behind)
    except Exception:  # other people's code, which may be made for one batch
        return None


def _grows(trial: Trial, behind: Callable[[Arrays, Arrays], list[Any]]) -> Growth | None:
    outputs = trial.outputs(trial.given)
    axis = batch_axis(trial.given, outputs)
    if axis is None:
        return None
    twice = doubled(trial.given, axis)
    if trial.way.takes_upstream:
        upstream = [np.round(trial.rng.normal(size=y.shape), 2) for y in outputs]
        return growth(behind(trial.given, upstream), behind(twice, doubled(upstream, axis)))
    if outputs[0].size != 1 or not np.allclose(trial.outputs(twice)[0], outputs[0]):
        return None  # no mean
    one, two = trial.gradient(trial.given, ()), trial.gradient(twice, ())
    if one is None or two is None or not one.any() or len(two) != 2 * len(one):
        return None
    return "shared" if np.allclose(two[: len(one)] * 2, one) else "whole" if np.allclose(two[: len(one)], one) else None


def is_convention(cls: type, grows: Grows) -> bool:
    """Whether every layer beside `cls` averages the gradients of its weights, and no loss divides by the batch."""
    found = _beside(cls.__module__, grows)
    return "averaged" in found and not {"summed", "shared"} & set(found)


@functools.lru_cache(maxsize=32)
def _beside(module: str, grows: Grows) -> tuple[Growth, ...]:
    """How the gradients of all layers and losses of a module grow."""
    found = []
    for thing in list(vars(sys.modules[module]).values()) if module in sys.modules else []:
        if inspect.isclass(thing) and thing.__module__ == module:
            try:
                one = grows(make(thing, Sizes(), np.random.default_rng(0)))
            except (CannotBuild, NotImplementedError):
                continue
            found += [one] if one is not None else []
    return tuple(found)
