"""The scale of each output's row: what a tolerance has to be small against, to mean anything."""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.estimate import Estimate
from gradcheck.problem import Array

# An output that moves by no more than this many times its last bits over a step of the size of x is at rest.
ROUNDINGS = 8.0


def scale_of_rows(estimate: Estimate, outputs: Array, values: Array) -> Array:
    """Return the scale `(outputs,)`: the largest derivative that is known, or how much f varies nearby.

    The estimate's `variation` counts where all derivatives of a row are small (saturation) or drowned (a large constant
    beside them). An output at rest has |f| / max(|x|, 1), with flat `outputs` and `values` of the variable; if it is
    next to nothing as well (a ReLU that rests), the largest scale of all.
    """
    scale = np.where(at_rest(estimate), 0.0, np.maximum(_known(estimate), estimate.variation))
    finite = np.where(np.isfinite(outputs), np.abs(outputs), 0.0)
    finite[finite <= np.finfo(float).eps * finite.max(initial=0.0)] = 0.0
    scale = np.where(scale > 0, scale, finite / max(float(np.abs(values).max(initial=0.0)), 1.0))
    rows: Array = np.where(scale > 0, scale, scale.max(initial=0.0))
    return rows


def at_rest(estimate: Estimate) -> Array:
    """Which outputs `(outputs,)` do not move but by rounding, as far as is known.

    The last bits are those of the largest output: a small one may be a difference of numbers as large as others.
    """
    last_bits = ROUNDINGS * float(np.max(estimate.zero_bound, where=np.isfinite(estimate.zero_bound), initial=0.0))
    return np.asarray((_known(estimate) == 0) & (estimate.variation <= last_bits))


def _known(estimate: Estimate) -> Array:
    """The largest derivative of each output that is above its bound; NaN and infinite bounds are not known."""
    if not estimate.value.size:
        return np.zeros(estimate.value.shape[1])
    size = np.abs(estimate.value)
    known: Array = np.max(size, axis=0, where=(estimate.column >= 0) & (size > estimate.bound), initial=0.0)
    return known
