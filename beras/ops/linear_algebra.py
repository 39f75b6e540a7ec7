"""Linear algebra on matrices and stacks of them: the rule beside the operation. `g` is the upstream gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from beras.arrays import Array
from beras.ops.operation import Operation


def _turned(x: Array) -> Array:
    return x.swapaxes(-1, -2)


def _regular(seed: int, *shape: int) -> Array:
    """Return random matrices far from singular ones."""
    return np.random.default_rng(seed).normal(size=shape) / 4 + np.eye(shape[-1])


class Inv(Operation):
    """`x⁻¹`. Giles 2008, as all rules here."""

    def forward(self, x: Array) -> Array:
        return np.linalg.inv(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        # d(x⁻¹) = −x⁻¹ dx x⁻¹
        return -(_turned(z) @ g @ _turned(z))

    @classmethod
    def gradcheck_example(cls) -> tuple[Inv, list[Array]]:
        """A stack of matrices."""
        return cls(), [_regular(0, 2, 3, 3)]


class Solve(Operation):
    """`x⁻¹ y`: vectors or matrices `y`, as NumPy has it."""

    def forward(self, x: Array, y: Array) -> Array:
        return np.linalg.solve(x, y)

    def by_x(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        by_y = self._by_y(g, x)
        if z.ndim < x.ndim:
            return -(by_y[..., :, None] * z[..., None, :])
        return -(by_y @ _turned(z))

    def by_y(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return self._by_y(g, x)

    def _by_y(self, g: Array, x: Array) -> Array:
        columns = g[..., None] if g.ndim < x.ndim else g
        solved: Array = np.linalg.solve(_turned(x), columns)
        return solved[..., 0] if g.ndim < x.ndim else solved

    @classmethod
    def gradcheck_example(cls) -> tuple[Solve, list[Array]]:
        """Two right-hand sides."""
        return cls(), [_regular(0, 3, 3), np.random.default_rng(1).normal(size=(3, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Solve, list[Array]]]:
        """A vector; stacks, and a matrix of right-hand sides for all of a stack."""
        random = np.random.default_rng(2)
        shapes = [((3, 3), (3,)), ((2, 3, 3), (2, 3, 1)), ((2, 3, 3), (3, 2))]
        return [(cls(), [_regular(3, *x), random.normal(size=y)]) for x, y in shapes]


class Det(Operation):
    """The determinant, of singular matrices too."""

    def forward(self, x: Array) -> Array:
        return np.asarray(np.linalg.det(x))

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        # d det x = Σ cofactors · dx, and the cofactors are det(x) · x⁻ᵀ where x has an inverse.
        cofactors = _cofactors(x) if type(x) is np.ndarray else z[..., None, None] * _turned(np.linalg.inv(x))
        return g[..., None, None] * cofactors

    @classmethod
    def gradcheck_example(cls) -> tuple[Det, list[Array]]:
        """A stack of matrices."""
        return cls(), [_regular(0, 2, 3, 3)]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Det, list[Array]]]:
        """Singular matrices, whose u and v both have the determinant 1, or one of them −1."""
        both, of_v = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]]), [2, 1, 0]
        of_u = np.array([[2.0, 4.0], [1.0, 2.0]])
        return [(cls(), [x]) for x in (both, both[:, of_v], of_u)]


def _cofactors(x: Array) -> Array:
    """Return the matrices of cofactors: with `x = u s v`, `det(u) det(v) · u · (products of the other s) · v`."""
    u, s, v = np.linalg.svd(x.astype(np.promote_types(x.dtype, np.float64)))
    n = s.shape[-1]
    others = np.where(np.eye(n, dtype=bool), 1.0, s[..., None, :]).prod(axis=-1)
    sign = np.linalg.det(u) * np.linalg.det(v)
    return np.asarray(sign[..., None, None] * ((u * others[..., None, :]) @ v))


class LogAbsDet(Operation):
    """`log |det x|`: the second answer of NumPy's `slogdet`, whose first is constant but where x is singular."""

    def forward(self, x: Array) -> Array:
        return np.asarray(np.linalg.slogdet(x)[1])

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g[..., None, None] * _turned(np.linalg.inv(x))

    @classmethod
    def gradcheck_example(cls) -> tuple[LogAbsDet, list[Array]]:
        """A stack of matrices."""
        return cls(), [_regular(0, 2, 3, 3)]


class Cholesky(Operation):
    """The lower triangular z with `z zᵀ = x`, of which NumPy reads the diagonal and what is below it.

    So the gradient above the diagonal is 0, and below it that of both entries, which stand for each other.
    """

    def forward(self, x: Array) -> Array:
        return np.linalg.cholesky(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        # z⁻ᵀ Φ(zᵀ g) z⁻¹ with Φ: the lower triangle, its diagonal halved. Murray 2016, eq. 10.
        lower = np.tri(z.shape[-1], dtype=z.dtype)
        halved = (lower - lower.T + 1) / 2
        inner = (_turned(z) @ g) * halved
        both: Any = np.linalg.solve(_turned(z), _turned(np.linalg.solve(_turned(z), _turned(inner))))
        gradient: Array = (both + _turned(both)) * halved
        return gradient

    @classmethod
    def gradcheck_example(cls) -> tuple[Cholesky, list[Array]]:
        """A stack of positive definite matrices."""
        return cls(), [_definite(0, 2, 3, 3)]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Cholesky, list[Array]]]:
        """Stacks of stacks."""
        return [(cls(), [_definite(1, 2, 1, 3, 3)])]


def _definite(seed: int, *shape: int) -> Array:
    root = np.random.default_rng(seed).normal(size=shape)
    return root @ _turned(root) / shape[-1] + np.eye(shape[-1])
