"""Linear algebra by elimination, and norms. Eigenvalues, singular values and least squares have no exact form here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from flint import arb

from gradcheck.exact import session
from gradcheck.exact.arrays.array import Array, ExactArray, as_array, plain, scalar
from gradcheck.exact.arrays.reductions import axes_of, max_, min_, norm_of, sum_
from gradcheck.exact.jets.decisions import value_of
from gradcheck.exact.jets.jet import Jet, jet


class SlogdetResult(NamedTuple):
    """As NumPy's."""

    sign: Any
    logabsdet: Any


def solve(a: Any, b: Any) -> Any:
    """x with a x = b."""
    matrix, right = as_array(a), as_array(b)
    vector = right.ndim == 1 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else right.ndim == matrix.ndim - 1
    columns = right[..., None] if vector else right
    found = _stacked(_solved, matrix, columns)
    return found[..., 0] if vector else found


def inv(a: Any) -> Any:
    """a⁻¹"""
    matrix = as_array(a)
    return _stacked(_solved, matrix, np.broadcast_to(as_array(np.eye(_order(matrix))), matrix.shape))


def det(a: Any) -> Any:
    """The product of the pivots."""
    return scalar(_stacked(lambda x: _eliminated(x)[1], as_array(a)))


def slogdet(a: Any) -> Any:
    """The sign of the determinant, and the logarithm of its size."""
    value = det(a)
    return SlogdetResult(np.sign(value), np.log(np.abs(value)))


def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """The lower triangle L with L Lᵀ = a."""
    found = _stacked(_cholesky, as_array(a))
    return np.swapaxes(found, -1, -2) if upper else found


def _order(matrix: Any) -> int:
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    return int(matrix.shape[-1])


def _stacked(function: Callable[..., Any], *arrays: Any) -> Any:
    """Apply a function of matrices to stacks of them."""
    stack = np.broadcast_shapes(*(array.shape[:-2] for array in arrays))
    _order(arrays[0])
    whole = [np.broadcast_to(plain(array), (*stack, *array.shape[-2:])) for array in arrays]
    parts = [function(*(array[place] for array in whole)) for place in np.ndindex(stack)]
    made = np.empty((*stack, *np.shape(parts[0])), dtype=object)
    for place, part in zip(np.ndindex(stack), parts, strict=True):
        made[place] = part
    return made.view(ExactArray)


def _solved(matrix: Array, right: Array) -> Array:
    n = len(matrix)
    work, _ = _eliminated(np.concatenate([matrix, right], axis=1))
    found = work[:, n:]
    for i in reversed(range(n)):
        for k in range(i + 1, n):
            found[i] = found[i] - work[i, k] * found[k]
        found[i] = found[i] / work[i, i]
    return found


def _eliminated(matrix: Array) -> tuple[Array, Any]:
    """Gaussian elimination, with the largest pivot for narrow balls (any that is not 0 gives the same numbers)."""
    session.afford(matrix.size * len(matrix))
    work = np.empty(matrix.shape, dtype=object)
    work.reshape(-1)[:] = [jet(x) for x in matrix.ravel()]
    determinant = Jet(arb(1))
    for k in range(len(work)):
        pivot = max(range(k, len(work)), key=lambda i: _size(work[i, k]))
        if pivot != k:
            work[[k, pivot]] = work[[pivot, k]]
            determinant = -determinant
        determinant = determinant * work[k, k]
        if not value_of(work[k, k]).is_finite() or value_of(work[k, k]) == 0:
            break
        for i in range(k + 1, len(work)):
            factor = work[i, k] / work[k, k]
            work[i, k:] = work[i, k:] - factor * work[k, k:]
    return work, determinant


def _size(x: Any) -> float:
    """How far from 0 a ball is for certain."""
    return float(value_of(x).abs_lower())


def _cholesky(matrix: Array) -> Array:
    n = len(matrix)
    made = np.empty((n, n), dtype=object)
    made.reshape(-1)[:] = [Jet(arb(0))] * (n * n)
    for i in range(n):
        for j in range(i + 1):
            rest = jet(matrix[i, j])
            for k in range(j):
                rest = rest - made[i, k] * np.conjugate(made[j, k])
            made[i, j] = rest.sqrt() if i == j else rest / made[j, j]
    return made


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    """A norm of vectors (1, 2, ∞, any p), or of matrices by their rows or columns (1, ∞, Frobenius)."""
    array = as_array(x)
    if ord is None and axis is None:
        return _reduced(array, None, keepdims, norm_of)
    axes = axes_of(axis, array.ndim)
    if len(axes) == 1 or (ord is None and len(axes) == 2):
        return _vector(array, ord, axis, keepdims)
    if ord == "fro":
        return _reduced(array, axis, keepdims, norm_of)
    if ord in (1, -1, np.inf, -np.inf):
        inside, outside = axes if abs(ord) == 1 else axes[::-1]
        sums = sum_(np.abs(array), axis=inside, keepdims=True)
        found = (max_ if ord > 0 else min_)(sums, axis=outside, keepdims=True)
        return found if keepdims is True else scalar(np.squeeze(found, axis=axes))
    session.leave(f"np.linalg.norm of a matrix with ord={ord!r} has no exact form")


def _vector(array: Any, ord: Any, axis: Any, keepdims: Any) -> Any:
    if ord is None or ord == 2:
        return _reduced(array, axis, keepdims, norm_of)
    sizes = np.abs(array)
    if ord in (np.inf, -np.inf):
        return (max_ if ord > 0 else min_)(sizes, axis=axis, keepdims=keepdims)
    if ord == 0:
        return sum_(np.not_equal(array, 0).astype(float), axis=axis, keepdims=keepdims)
    if ord == 1:
        return sum_(sizes, axis=axis, keepdims=keepdims)
    return sum_(sizes**ord, axis=axis, keepdims=keepdims) ** (1 / ord)


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Any:
    """`np.linalg.vector_norm`: the entries along the axes as one vector."""
    array = as_array(x)
    if ord != 2 and axis is None:
        found = _vector(array.reshape(-1), ord, 0, False)
        return np.reshape(found, [1] * array.ndim) if keepdims is True else found
    return _vector(array, ord, axis, keepdims)


def matrix_norm(x: Any, /, *, keepdims: Any = False, ord: Any = "fro") -> Any:
    """`np.linalg.matrix_norm`: of the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)


def _reduced(array: Any, axis: Any, keepdims: Any, function: Callable[[Any], Any]) -> Any:
    axes = axes_of(axis, array.ndim)
    rest = [i for i in range(array.ndim) if i not in axes]
    rows = plain(array).transpose([*rest, *axes]).reshape([*(array.shape[i] for i in rest), -1])
    made = np.empty(rows.shape[:-1], dtype=object)
    for place in np.ndindex(made.shape):
        made[place] = function(list(rows[place]))
    kept = tuple(1 if i in axes else n for i, n in enumerate(array.shape))
    return scalar((made.reshape(kept) if keepdims is True else made).view(ExactArray))
