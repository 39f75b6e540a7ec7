"""Reductions along axes. `g` is the upstream gradient, `z` the result."""

from __future__ import annotations

from typing import Any

import numpy as np

from beras.arrays import Array
from beras.ops.operation import Operation

Axis = int | tuple[int, ...] | None


class Reduction(Operation):
    """`axis`: one, several or (`None`) all; `keepdims` keeps them with length 1."""

    def __init__(self, axis: Axis = None, keepdims: bool = False) -> None:
        self.axis = axis
        self.keepdims: Any = bool(keepdims)

    def spread(self, reduced: Array, x: Array) -> Array:
        """Repeat `reduced` along the axes that were reduced, to the shape of `x`."""
        if not self.keepdims:
            axes = range(x.ndim) if self.axis is None else np.atleast_1d(self.axis) % x.ndim
            reduced = reduced.reshape([1 if axis in axes else n for axis, n in enumerate(x.shape)])
        return np.broadcast_to(reduced, x.shape).copy()


class Sum(Reduction):
    """`Σ x`."""

    def forward(self, x: Array) -> Array:
        return np.asarray(np.add.reduce(x, axis=self.axis, keepdims=self.keepdims))

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return self.spread(g, x)

    @classmethod
    def gradcheck_example(cls) -> tuple[Sum, list[Array]]:
        """One axis of three."""
        return cls(axis=1), [np.random.default_rng(0).normal(size=(2, 3, 4))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Sum, list[Array]]]:
        """All axes, and two of three, kept."""
        random = np.random.default_rng(1)
        return [
            (cls(), [random.normal(size=(2, 3))]),
            (cls(axis=(-1, 0), keepdims=True), [random.normal(size=(2, 3, 4))]),
        ]


class Mean(Reduction):
    """`Σ x / n`."""

    def forward(self, x: Array) -> Array:
        return np.asarray(np.mean(x, axis=self.axis, keepdims=self.keepdims))

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return self.spread(g, x) * (z.size / x.size)

    @classmethod
    def gradcheck_example(cls) -> tuple[Mean, list[Array]]:
        """Two axes of three, kept."""
        return cls(axis=(0, -1), keepdims=True), [np.random.default_rng(0).normal(size=(2, 3, 4))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Mean, list[Array]]]:
        """All axes, and two of three."""
        random = np.random.default_rng(1)
        return [
            (cls(), [random.normal(size=(2, 3))]),
            (cls(axis=(-1, 0)), [random.normal(size=(2, 3, 4))]),
        ]


class Extremum(Reduction):
    """The largest or smallest entry; entries that tie for it share its gradient equally."""

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        """Return `g` at the extreme entries, divided by their number."""
        extreme = np.equal(x, self.spread(z, x))
        ties = self.spread(np.sum(extreme, axis=self.axis, keepdims=self.keepdims), x)
        share: Array = self.spread(g, x) * extreme / ties.astype(g.dtype)
        return share


class Max(Extremum):
    """`max x`."""

    def forward(self, x: Array) -> Array:
        return np.asarray(np.maximum.reduce(x, axis=self.axis, keepdims=self.keepdims))

    @classmethod
    def gradcheck_example(cls) -> tuple[Max, list[Array]]:
        """The last axis."""
        return cls(axis=-1), [np.random.default_rng(0).normal(size=(3, 4))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Max, list[Array]]]:
        """Ties, of two and of three; one axis of three, kept."""
        random = np.random.default_rng(1)
        return [
            (cls(axis=1), [np.array([[2.0, 1.0, 2.0], [3.0, 3.0, 3.0]])]),
            (cls(axis=1, keepdims=True), [random.normal(size=(2, 3, 4))]),
        ]


class Min(Extremum):
    """`min x`."""

    def forward(self, x: Array) -> Array:
        return np.asarray(np.minimum.reduce(x, axis=self.axis, keepdims=self.keepdims))

    @classmethod
    def gradcheck_example(cls) -> tuple[Min, list[Array]]:
        """All axes."""
        return cls(), [np.random.default_rng(0).normal(size=(3, 4))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Min, list[Array]]]:
        """Ties, of two; two axes of three."""
        random = np.random.default_rng(1)
        return [
            (cls(), [np.array([[2.0, 1.0], [1.0, 3.0]])]),
            (cls(axis=(0, 2)), [random.normal(size=(2, 3, 4))]),
        ]
