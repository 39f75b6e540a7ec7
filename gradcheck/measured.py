"""What `numerical_jacobian` returns: a pair that also says where there is no derivative."""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.estimate import Estimate
from gradcheck.problem import Array


class MeasuredJacobian(tuple[Array, Array]):
    """`(jacobian, bound)`; with the same shape, where `kink` and `jump` are true, f has no derivative.

    At a kink the derivatives from the `left` and from the `right` differ by more than the bound, which is that of
    either, and the Jacobian lies half-way between; elsewhere both are the Jacobian's. At a jump the bound is infinite.
    """

    kink: Array
    jump: Array
    left: Array
    right: Array

    def __new__(cls, estimate: Estimate) -> MeasuredJacobian:
        """Lay out an estimate as the outputs' shape by the variable's."""
        shape = estimate.output_shapes[0] + estimate.variable_shape
        value = estimate.dense().reshape(shape)
        made = super().__new__(cls, (value, estimate.dense("bound").reshape(shape)))
        made.kink, made.jump = (_places(estimate, name, shape) for name in ("kink", "jump"))
        made.left, made.right = (
            value if side is None else np.where(made.kink, estimate.dense(name).reshape(shape), value)
            for name, side in (("left", estimate.left), ("right", estimate.right))
        )
        return made

    def __reduce__(self) -> tuple[type[tuple[Array, Array]], tuple[tuple[Array, Array]]]:
        """Another process, and a copy, gets the plain pair."""
        return tuple, ((self[0], self[1]),)


def _places(estimate: Estimate, name: str, shape: tuple[int, ...]) -> Array:
    return np.zeros(shape, dtype=bool) if getattr(estimate, name) is None else estimate.dense(name).reshape(shape)
