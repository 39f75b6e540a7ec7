"""Gradients as arrays: what flows into a layer from above, and what a layer returns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import gradient_dtype
from beras.tensor import Tensor

Upstream = Iterable[npt.ArrayLike | None] | None
"""One upstream gradient per output; `None` (or only `None`s) where there is nothing upstream."""


def per_row(matrices: Array, g: Array) -> Array:
    """Return matrix times row: `(..., in, out)` and `(..., out)` to `(..., in)`."""
    product: Array = np.einsum("...io,...o->...i", matrices, g)
    return product


def as_gradient(value: npt.ArrayLike, x: Array) -> Tensor:
    """Return `value` as a gradient by `x`: a Tensor of x's type (float64 if `x` holds integers)."""
    if type(value) is Tensor and value.dtype is x.dtype and value.dtype.kind in "fc":
        return value  # the usual case of what a derivative has already wrapped
    if isinstance(value, Tensor):
        return cast(Tensor, value.astype(gradient_dtype(x)))  # where a tape records, it sees this
    gradient = np.asarray(value)
    if gradient.dtype is not x.dtype or x.dtype.kind not in "fc":
        gradient = gradient.astype(gradient_dtype(x), copy=False)
    return gradient.view(Tensor)
