"""Operations along an axis where each entry meets others: products, running sums. `g` is the upstream gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from beras.arrays import Array
from beras.ops.operation import Operation
from beras.ops.reductions import Reduction


class Prod(Reduction):
    """`Π x`; its derivative is the product of the others, also where entries are 0."""

    def forward(self, x: Array) -> Array:
        return np.asarray(np.multiply.reduce(x, axis=self.axis, keepdims=self.keepdims))

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return self.spread(g, x) * self._others(x)

    def _others(self, x: Array) -> Array:
        """Return, at each entry, the product of the others that are reduced with it."""
        axes = range(x.ndim) if self.axis is None else sorted(int(axis) % x.ndim for axis in np.atleast_1d(self.axis))
        order = [axis for axis in range(x.ndim) if axis not in axes] + list(axes)
        moved = x.transpose(order)
        kept = moved.shape[: x.ndim - len(axes)]
        rows = moved.reshape(*kept, -1)
        if type(x) is np.ndarray:
            others = np.ones_like(rows)
            np.multiply.accumulate(rows[..., :-1], axis=-1, out=others[..., 1:])
            others[..., :-1] *= np.multiply.accumulate(rows[..., :0:-1], axis=-1)[..., ::-1]
        else:  # the same in operations that a tape knows, at the cost of a square of numbers
            others = np.prod(np.where(np.eye(rows.shape[-1], dtype=bool), 1.0, rows[..., None, :]), axis=-1)
        return others.reshape(moved.shape).transpose(np.argsort(order))

    @classmethod
    def gradcheck_example(cls) -> tuple[Prod, list[Array]]:
        """One axis of three."""
        return cls(axis=1), [np.random.default_rng(0).normal(size=(2, 3, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Prod, list[Array]]]:
        """All axes; two of three, kept; zeros, one and two in a row."""
        random = np.random.default_rng(1)
        zeros = np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [1.0, 2.0, 3.0]])
        return [
            (cls(), [random.normal(size=(2, 2))]),
            (cls(axis=(-1, 0), keepdims=True), [random.normal(size=(2, 3, 2))]),
            (cls(axis=-1), [zeros]),
        ]


class CumSum(Operation):
    """Running sums along an axis."""

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    def forward(self, x: Array) -> Array:
        return np.cumsum(x, axis=self.axis)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        # An entry is in all later sums.
        backwards = (*[slice(None)] * (self.axis % x.ndim), slice(None, None, -1))
        summed: Any = np.cumsum(g[backwards], axis=self.axis)
        reversed_: Array = summed[backwards]
        return reversed_

    @classmethod
    def gradcheck_example(cls) -> tuple[CumSum, list[Array]]:
        """The axis in the middle."""
        return cls(1), [np.random.default_rng(0).normal(size=(2, 3, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[CumSum, list[Array]]]:
        """The last axis, counted from the end; the first one."""
        x = np.random.default_rng(1).normal(size=(2, 2, 3))
        return [(cls(-1), [x]), (cls(), [x[0]])]


class Norm(Reduction):
    """`√Σ x²`; the derivative where that is 0 is 0."""

    def forward(self, x: Array) -> Array:
        return np.asarray(np.linalg.norm(x, axis=self.axis, keepdims=self.keepdims))

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return self.spread(g / np.where(np.equal(z, 0), 1, z), x) * x

    @classmethod
    def gradcheck_example(cls) -> tuple[Norm, list[Array]]:
        """The last axis."""
        return cls(axis=-1), [np.random.default_rng(0).normal(size=(3, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Norm, list[Array]]]:
        """Two axes of three, kept; a row of zeros."""
        x = np.random.default_rng(1).normal(size=(2, 2, 2))
        return [(cls(axis=(0, 2), keepdims=True), [x]), (cls(axis=-1), [np.stack([x[0, 0], 0 * x[0, 0]])])]


class Pad(Operation):
    """`x` with a border of `value`: `(before, after)` for each axis."""

    def __init__(self, widths: Sequence[tuple[int, int]] = ((1, 1),), value: Any = 0) -> None:
        self.widths, self.value = [(int(before), int(after)) for before, after in widths], value

    def forward(self, x: Array) -> Array:
        return np.pad(x, self.widths, constant_values=self.value)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        inside: Array = g[tuple(slice(before, before + n) for (before, _), n in zip(self.widths, x.shape, strict=True))]
        return inside

    @classmethod
    def gradcheck_example(cls) -> tuple[Pad, list[Array]]:
        """Another border on every side."""
        return cls([(1, 0), (2, 3)], 0.5), [np.random.default_rng(0).normal(size=(3, 2))]
