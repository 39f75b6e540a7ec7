"""Arithmetic: each rule beside its operation. `g` is the upstream gradient, `z` the result."""

from __future__ import annotations

from typing import Any

import numpy as np

from beras.arrays import Array
from beras.checks import gradient_dtype
from beras.ops.operation import Operation


class Add(Operation):
    """`x + y`, broadcast."""

    def forward(self, x: Array, y: Array) -> Array:
        return np.add(x, y)

    def by_x(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return g

    def by_y(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return g


class Subtract(Operation):
    """`x − y`, broadcast."""

    def forward(self, x: Array, y: Array) -> Array:
        return np.subtract(x, y)

    def by_x(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return g

    def by_y(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return -g


class Multiply(Operation):
    """`x · y`, entry by entry, broadcast."""

    def forward(self, x: Array, y: Array) -> Array:
        return np.multiply(x, y)

    def by_x(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return g * y

    def by_y(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return g * x


class Divide(Operation):
    """`x / y`, broadcast."""

    def forward(self, x: Array, y: Array) -> Array:
        return np.divide(x, y)

    def by_x(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return g / y

    def by_y(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return -g * (z / y)


class Power(Operation):
    """`x ** y`, broadcast. By `y` it has a derivative where `x > 0` (0 where x = 0 < y); elsewhere that is NaN."""

    input_domains = {"x": (0.0, np.inf)}  # noqa: RUF012 -- read by name, never written

    def forward(self, x: Array, y: Array) -> Array:
        return np.power(x, y)

    def by_x(self, g: Array, z: Array, x: Any, y: Any) -> Array:
        # y · x^(y − 1); where x = y = 0 another x will do, for the product is 0. Integers have no negative powers.
        slope: Array = y * np.power(np.where(np.equal(x, 0) & np.equal(y, 0), 1.0, x), y - 1)
        return g * slope

    def by_y(self, g: Array, z: Array, x: Any, y: Any) -> Array:
        # z · log x
        with np.errstate(invalid="ignore"):
            log = np.log(np.where(np.equal(x, 0), 1, x))
        return g * np.where(np.equal(x, 0) & np.less_equal(y, 0), np.nan, z * log)


class Negative(Operation):
    """`−x`."""

    def forward(self, x: Array) -> Array:
        return np.negative(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return -g


class Positive(Operation):
    """`+x`: a copy."""

    def forward(self, x: Array) -> Array:
        return np.positive(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g


class Conjugate(Operation):
    """The complex conjugate: of real numbers, the same values."""

    def forward(self, x: Array) -> Array:
        return np.conjugate(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g


class Reciprocal(Operation):
    """`1 / x`; of integers too a floating number, where NumPy's own would round it to an integer."""

    def forward(self, x: Array) -> Array:
        return np.reciprocal(x, dtype=gradient_dtype(np.asarray(x)))

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return -g * z * z


class Square(Operation):
    """`x²`."""

    def forward(self, x: Array) -> Array:
        return np.square(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return 2 * g * x


class Matmul(Operation):
    """`x @ y`: matrices, stacks of them (broadcast), or vectors, as NumPy has it."""

    def forward(self, x: Array, y: Array) -> Array:
        return np.asarray(np.matmul(x, y))

    def by_x(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        matrices, columns = _as_matrices(g, x, y)
        return _shaped_as(matrices @ columns.swapaxes(-1, -2), x, axis=-2)

    def by_y(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        matrices, _ = _as_matrices(g, x, y)
        rows = x[None, :] if x.ndim == 1 else x
        return _shaped_as(rows.swapaxes(-1, -2) @ matrices, y, axis=-1)

    @classmethod
    def gradcheck_example(cls) -> tuple[Matmul, list[Array]]:
        """A stack of matrices times a broadcast matrix."""
        random = np.random.default_rng(0)
        return cls(), [random.normal(size=(2, 3, 4)), random.normal(size=(4, 5))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Matmul, list[Array]]]:
        """Two stacks, and vectors, of one entry too, on either side of vectors, matrices and stacks."""
        random = np.random.default_rng(1)
        shapes = [
            *[((2, 3, 4), (2, 4, 5)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2))],
            *[((2, 3, 4), (4,)), ((3,), (2, 3, 4)), ((1,), (1, 2)), ((2, 1), (1,))],
        ]
        return [(cls(), [random.normal(size=x), random.normal(size=y)]) for x, y in shapes]


def _as_matrices(g: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Return `g` and `y` with the axes that matmul adds to vectors."""
    if x.ndim == 1:
        g = np.expand_dims(g, -1 if y.ndim == 1 else -2)
    if y.ndim == 1:
        g, y = np.expand_dims(g, -1), y[:, None]
    return g, y


def _shaped_as(product: Array, v: Array, axis: int) -> Array:
    """Take the added axis off again where `v` is a vector."""
    return product.squeeze(axis) if v.ndim == 1 else product
