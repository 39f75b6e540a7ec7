"""Pymanopt: Riemannian gradients of costs, and projections, which are linear and change nothing when done twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pymanopt")
from pymanopt import manifolds

from gradcheck import check
from tests.libraries.table import Bug, Call, judges_of

RNG = np.random.default_rng(0)
S = RNG.normal(size=(6, 6))
S = S + S.T
N = np.diag([2.0, 1.0])
MANIFOLDS: dict[str, Any] = {
    "Sphere": manifolds.Sphere(6),
    "Stiefel": manifolds.Stiefel(6, 2),
    "Grassmann": manifolds.Grassmann(6, 2),
    "Euclidean": manifolds.Euclidean(6, 2),
    "Oblique": manifolds.Oblique(6, 2),
    "Symmetric": manifolds.Symmetric(6),
    "SkewSymmetric": manifolds.SkewSymmetric(6),
    "PSDFixedRank": manifolds.PSDFixedRank(6, 2),
}


def of_cost(manifold: Any) -> Call:
    """tr xᵀ S x, along tangents."""
    x = point(manifold)

    def grad(x: Any) -> Any:
        return manifold.euclidean_to_riemannian_gradient(x, 2 * S @ x)

    return lambda: check(lambda x: np.sum(x * (S @ x)), x, grad=grad, tangent=manifold.projection)


def done_twice(manifold: Any) -> Call:
    """P v, the derivative of which along d is P P d."""
    x = point(manifold)
    v = RNG.normal(size=x.shape)

    def along(v: Any, d: Any) -> Any:
        return manifold.projection(x, manifold.projection(x, d))

    return lambda: check(lambda v: manifold.projection(x, v), v, jvp=along)


def point(manifold: Any) -> Any:
    """Somewhere on it; pymanopt draws from NumPy's global generator."""
    np.random.seed(0)  # noqa: NPY002
    return np.asarray(manifold.random_point())


RIGHT: dict[str, Call] = {
    **{f"{name}, gradient": of_cost(one) for name, one in MANIFOLDS.items()},
    **{f"{name}, projection": done_twice(one) for name, one in MANIFOLDS.items()},
}
# Its Lyapunov equation has MATLAB's sign, and half of it is of the vector instead of its projected rows.
BUGS = {
    "Elliptope, projection": Bug(
        done_twice(manifolds.Elliptope(5, 2)), ("jvp[v]",), done_twice(manifolds.PSDFixedRank(5, 2))
    )
}
test_right, test_bugs = judges_of("pymanopt", RIGHT, BUGS)
