"""The scale of each output's row: what a tolerance has to be small against, to mean anything."""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.estimate import Estimate
from gradcheck.problem import Array


def scale_of_rows(estimate: Estimate, outputs: Array, values: Array) -> Array:
    """Return the scale `(outputs,)`: the largest derivative that is known, or how much f varies nearby.

    The estimate's `variation` counts where all derivatives of a row are small (saturation) or drowned (a large constant
    beside them). An output that does not move at all has |f| / max(|x|, 1), with flat `outputs` and `values` of the
    variable; if it is 0 as well (a ReLU that rests), the largest scale of all.
    """
    known = np.zeros(outputs.size)
    if estimate.value.size:
        size = np.abs(estimate.value)
        # NaN and infinite bounds are not known.
        known = np.max(size, axis=0, where=(estimate.column >= 0) & (size > estimate.bound), initial=0.0)
    scale = np.maximum(known, estimate.variation)
    finite = np.where(np.isfinite(outputs), np.abs(outputs), 0.0)
    scale = np.where(scale > 0, scale, finite / max(float(np.abs(values).max(initial=0.0)), 1.0))
    rows: Array = np.where(scale > 0, scale, scale.max(initial=0.0))
    return rows
