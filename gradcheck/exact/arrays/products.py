"""Products of matrices and sums of products, by flint's own matrix product where jets have one direction or none.

d(A B) = dA B + A dB: three products of balls, each of them exact arithmetic in C.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from flint import arb, arb_mat

from gradcheck.exact import session
from gradcheck.exact.arrays.array import Array, ExactArray, as_array, plain, scalar
from gradcheck.exact.arrays.reductions import total
from gradcheck.exact.jets.jet import Jet, jet

# Below this many products of numbers, making matrices of them costs more than it saves.
SMALL = 8


def matmul(a: Any, b: Any, **_: Any) -> Any:
    """`a @ b`: matrices, stacks of them, or vectors."""
    x, y = as_array(a), as_array(b)
    if x.ndim == 0 or y.ndim == 0:
        raise ValueError("matmul: Input operand does not have enough dimensions")
    rows: Array = x[None, :] if x.ndim == 1 else x
    columns: Array = y[:, None] if y.ndim == 1 else y
    if rows.shape[-1] != columns.shape[-2]:
        raise ValueError(f"matmul: Input operands have a mismatch: shapes {x.shape} and {y.shape}")
    stack = np.broadcast_shapes(rows.shape[:-2], columns.shape[:-2])
    left = np.broadcast_to(plain(rows), (*stack, *rows.shape[-2:]))
    right = np.broadcast_to(plain(columns), (*stack, *columns.shape[-2:]))
    made = np.empty((*stack, rows.shape[-2], columns.shape[-1]), dtype=object)
    for place in np.ndindex(stack):
        made[place] = product(left[place], right[place])
    result: Array = made.view(ExactArray)
    if y.ndim == 1:
        result = result[..., 0]
    if x.ndim == 1:
        result = result[..., 0] if y.ndim == 1 else result[..., 0, :]
    return scalar(result)


def product(left: Array, right: Array) -> Array:
    """The product of two matrices of jets, as plain arrays of objects."""
    (rows, inner), columns = left.shape, right.shape[1]
    operations = 2 * rows * inner * columns
    session.afford(operations)
    made = np.empty((rows, columns), dtype=object)
    x, y = [jet(entry) for entry in left.ravel()], [jet(entry) for entry in right.ravel()]
    if rows * inner * columns >= SMALL and _is_simple(x) and _is_simple(y):
        session.spend(operations)
        balls, slopes = _by_flint(x, y, rows, inner, columns)
        made.reshape(-1)[:] = [Jet(*pair) for pair in zip(balls, slopes, strict=True)]
        return made
    for i in range(rows):
        for j in range(columns):
            pairs = zip(x[i * inner : (i + 1) * inner], y[j::columns], strict=True)
            made[i, j] = total([p * q for p, q in pairs]) if inner else jet(0.0)
    return made


def _is_simple(jets: Sequence[Any]) -> bool:
    """Whether every entry is a finite real ball with one direction at most."""
    return all(type(x.ball) is arb and x.ball.is_finite() and (x.slope is None or type(x.slope) is arb) for x in jets)


def _by_flint(x: list[Any], y: list[Any], rows: int, inner: int, columns: int) -> tuple[list[Any], list[Any]]:
    a, b = arb_mat(rows, inner, [p.ball for p in x]), arb_mat(inner, columns, [q.ball for q in y])
    slopes: arb_mat | None = None
    if any(p.slope is not None for p in x):
        slopes = arb_mat(rows, inner, [arb(0) if p.slope is None else p.slope for p in x]) * b
    if any(q.slope is not None for q in y):
        part = a * arb_mat(inner, columns, [arb(0) if q.slope is None else q.slope for q in y])
        slopes = part if slopes is None else slopes + part
    return (a * b).entries(), [None] * (rows * columns) if slopes is None else slopes.entries()


def dot(a: Any, b: Any, out: None = None) -> Any:
    """`np.dot`: over the last axis of `a` and the last but one of `b`."""
    x, y = as_array(a), as_array(b)
    if x.ndim == 0 or y.ndim == 0:
        return x * y
    if y.ndim <= 2:
        return matmul(x, y)
    return tensordot(x, y, axes=([-1], [-2]))


def inner(a: Any, b: Any) -> Any:
    """`np.inner`: over the last axes."""
    x, y = as_array(a), as_array(b)
    return x * y if x.ndim == 0 or y.ndim == 0 else tensordot(x, y, axes=([-1], [-1]))


def vdot(a: Any, b: Any) -> Any:
    """Σ conj(a) b over all entries."""
    return matmul(np.conjugate(as_array(a)).reshape(-1), as_array(b).reshape(-1))


def outer(a: Any, b: Any, out: None = None) -> Any:
    """Every entry of `a` times every entry of `b`."""
    return as_array(a).reshape(-1, 1) * as_array(b).reshape(1, -1)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum products over pairs of axes."""
    x, y = as_array(a), as_array(b)
    if isinstance(axes, int):
        of_x, of_y = list(range(x.ndim - axes, x.ndim)), list(range(axes))
    else:
        of_x, of_y = ([int(i) for i in np.atleast_1d(part)] for part in axes)
    of_x, of_y = [i % x.ndim for i in of_x], [i % y.ndim for i in of_y]
    if [x.shape[i] for i in of_x] != [y.shape[i] for i in of_y]:
        raise ValueError("shape-mismatch for sum")
    rest_x = [i for i in range(x.ndim) if i not in of_x]
    rest_y = [i for i in range(y.ndim) if i not in of_y]
    length = int(np.prod([x.shape[i] for i in of_x], dtype=int))
    left = x.transpose([*rest_x, *of_x]).reshape(-1, length) if x.size else x.reshape(0, length)
    right = y.transpose([*of_y, *rest_y]).reshape(length, -1) if y.size else y.reshape(length, 0)
    shape = [x.shape[i] for i in rest_x] + [y.shape[i] for i in rest_y]
    return scalar(matmul(left, right).reshape(shape))


def einsum(*operands: Any, **_: Any) -> Any:
    """`np.einsum`: two operands at a time by broadcasting, multiplying and summing."""
    from gradcheck.exact.arrays.einsum import contract

    return contract(*operands)


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Σₖ a[k] v[n − k]"""
    x, y = as_array(a).reshape(-1), as_array(v).reshape(-1)
    if len(y) > len(x):
        x, y = y, x
    padded = np.concatenate([np.zeros_like(y[1:]), x, np.zeros_like(y[1:])])
    whole = np.stack([(padded[n : n + len(y)] * y[::-1]).sum() for n in range(len(x) + len(y) - 1)])
    if mode == "full":
        return whole
    if mode == "same":
        start = (len(y) - 1) // 2
        return whole[start : start + len(x)]
    return whole[len(y) - 1 : len(x)]


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Σₖ a[n + k] conj(v[k])"""
    x, y = as_array(a).reshape(-1), np.conjugate(as_array(v)).reshape(-1)
    if len(y) > len(x):
        return convolve(y[::-1], x, mode)[::-1] if mode != "same" else np.conjugate(correlate(v, a, mode))[::-1]
    return convolve(x, y[::-1], mode)


def _sum_of_products(spec: str) -> Callable[..., Any]:
    return lambda a, b, **_: einsum(spec, a, b)


UFUNCS: dict[str, Callable[..., Any]] = {
    "matmul": matmul,
    "vecdot": lambda a, b, **_: einsum("...i,...i->...", np.conjugate(as_array(a)), b),
    "matvec": _sum_of_products("...ij,...j->...i"),
    "vecmat": lambda a, b, **_: einsum("...i,...ij->...j", np.conjugate(as_array(a)), b),
}
