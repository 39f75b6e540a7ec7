"""What activations are derived from: functions without weights, entry by entry or row by row."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import floating
from beras.core import Diffable, Upstream, as_gradient, per_row
from beras.recorder import operand, recordable, times
from beras.tensor import Tensor


class Activation(Diffable):
    """A function without weights of one array `x`, whose output has the shape and type of `x`.

    A subclass writes `forward` and `get_input_gradients`: the derivative at each entry, of the shape of `x`, or one
    matrix per row, `(..., n, n)`. Integers count as float64; complex numbers are a `TypeError` where the function is
    not analytic; an empty batch is a `ValueError`.
    """

    @abstractmethod
    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return the activation of `x`, of the same shape."""

    def compose_input_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return `[J * local]`, entry by entry, or row times matrix where the local derivative has one more axis."""
        upstream = self.upstream(J)
        if upstream is None:
            return self.get_input_gradients()
        [x], [g] = self.inputs, upstream
        local = np.asarray(self.get_input_gradients()[0])
        if local.ndim == x.ndim + 1:
            return [as_gradient(per_row(local, g), x)]
        return [as_gradient(g * local, x)]


class Elementwise(Activation):
    """`f(x)` at every entry.

    A subclass writes `forward` and, beside it, `slope`: the derivative at each entry, in NumPy's functions on `x` as it
    is given, a plain array or a tensor, so that a tape can record the derivative and differentiate it in turn.
    """

    @abstractmethod
    def slope(self, x: Array) -> Any:
        """Return the derivative at each entry of `x`, which holds floating (or complex) numbers."""

    def get_input_gradients(self) -> list[Tensor]:
        """Return the derivative at each entry."""
        self._require_call()
        x = self.inputs[0]
        return [as_gradient(self.slope(floating(x, type(self).__name__)), x)]

    @recordable
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Any]:
        """Return the upstream gradient times the derivative, entry by entry."""
        x = operand(self.inputs[0])
        return [times(J[0], self.slope(x if x.dtype.kind in "fc" else x.astype(np.float64)))]
