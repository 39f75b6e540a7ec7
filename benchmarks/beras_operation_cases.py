"""The operations of the tape at random points, those of linear algebra by elimination and by sums of products."""

from __future__ import annotations

from typing import Any

import numpy as np
from beras_points import POSITIVE, Array, Case, Random, normal, sigmoid, sizes
from truth import Exact, lift

from beras import ops


def operation(rng: Random) -> Case:
    """Draw an operation of NumPy's, and by which of its operands."""
    rows, columns = sizes(rng)
    x, y = normal(rng, rows, columns), normal(rng, rows if rng.random() < 0.5 else 1, columns)
    low, high = np.sort(normal(rng, 2))
    condition = rng.random((rows, columns)) < 0.5
    positive = np.abs(x) + 1e-3 * np.abs(x).max()
    matrix = normal(rng, columns, 4)
    one: list[tuple[ops.Operation, Any, Array, Any]] = [
        (ops.Exp(), Exact.exp, x, None),
        (ops.Expm1(), lambda v: Exact.exp(v) - 1, x, None),
        (ops.Log(), Exact.log, positive, POSITIVE),
        (ops.Log1p(), Exact.log1p, positive - 0.5 * positive.min(), (-1.0, np.inf)),
        (ops.Sqrt(), Exact.sqrt, positive, POSITIVE),
        (ops.Sin(), Exact.sin, x, None),
        (ops.Cos(), Exact.cos, x, None),
        (ops.Tanh(), Exact.tanh, x, None),
        (ops.Absolute(), Exact.abs, x, None),
        (ops.Clip(low, high), lambda v: Exact.minimum(Exact.maximum(v, low), high), x, None),
        (ops.Negative(), lambda v: -v, x, None),
        (ops.Positive(), lambda v: v, x, None),
        (ops.Conjugate(), lambda v: v, x, None),
        (ops.Reciprocal(), lambda v: 1 / v, x, None),
        (ops.Square(), lambda v: v * v, x, None),
        (ops.Copy(), lambda v: v, x, None),
        (ops.Cast(), lambda v: v, x, None),
        (ops.Sum(0), lambda v: Exact.sum(v, axis=0), x, None),
        (ops.Mean(-1), lambda v: Exact.sum(v, axis=-1) / columns, x, None),
        (ops.Max(-1), lambda v: Exact.max(v, axis=-1), x, None),
        (ops.Min(0), lambda v: Exact.minimum.reduce(v, axis=0), x, None),
        (ops.Reshape(-1), lambda v: v.reshape(-1), x, None),
        (ops.Transpose(), lambda v: v.T, x, None),
        (ops.GetItem(1), lambda v: v[1], x, None),
        (ops.BroadcastTo((2, rows, columns)), lambda v: np.broadcast_to(v, (2, rows, columns)), x, None),
        (ops.Repeat(2, 0), lambda v: np.repeat(v, 2, axis=0), x, None),
        (ops.CumSum(0), lambda v: np.add.accumulate(v, axis=0), x, None),
        (ops.Prod(0), lambda v: np.multiply.reduce(v, axis=0), x, None),
        (ops.Norm(-1), lambda v: Exact.sqrt(Exact.sum(v * v, axis=-1)), x, None),
        (ops.Pad([(1, 0), (2, 1)]), lambda v: np.pad(v, [(1, 0), (2, 1)]), x, None),
        (ops.Scatter([1, 1], (3, columns)), lambda v: np.stack([v[0] * 0, v[0] + v[1], v[0] * 0]), x[:2], None),
        (ops.NormalDistribution(), Exact.normal_distribution, x, None),
        (ops.Sigmoid(), sigmoid, x, None),
    ]
    two: list[tuple[ops.Operation, Any, Array, Array]] = [
        (ops.Add(), lambda v, w: v + w, x, y),
        (ops.Subtract(), lambda v, w: v - w, x, y),
        (ops.Multiply(), lambda v, w: v * w, x, y),
        (ops.Divide(), lambda v, w: v / w, x, y),
        (ops.Power(), lambda v, w: Exact.exp(w * Exact.log(v)), positive, np.clip(y, -8, 8)),
        (ops.Maximum(), Exact.maximum, x, y),
        (ops.Minimum(), Exact.minimum, x, y),
        (ops.Where(condition), lambda v, w: np.where(condition, v, w), x, y),
        (ops.Matmul(), lambda v, w: v @ w, x, matrix),
        (ops.LogAddExp(), lambda v, w: Exact.log(Exact.exp(v) + Exact.exp(w)), x, y),
        (ops.Concatenate(), lambda v, w: np.concatenate([v, w]), x, y),
        (ops.Stack(), lambda v, w: np.stack([v, w]), x, x[::-1]),
    ]
    number = int(rng.integers(len(one) + 2 * len(two)))
    if number < len(one):
        operation, formula, point, domain = one[number]
        name = (type(operation).__name__,)
        return Case(
            name, lambda v: operation.forward(v["x"]), lambda v: formula(v["x"]), {"x": point}, "x", domain=domain
        )
    operation, formula2, left, right = two[(number - len(one)) // 2]
    wrt = "xy"[number % 2]
    domain = POSITIVE if isinstance(operation, ops.Power) and wrt == "x" else None
    return Case(
        (f"{type(operation).__name__} by {wrt}",),
        lambda v: operation.forward(v["x"], v["y"]),
        lambda v: formula2(v["x"], v["y"]),
        {"x": left, "y": right},
        wrt,
        domain=domain,
    )


def linear_algebra(rng: Random) -> Case:
    """Draw a function of a matrix."""
    n = int(rng.integers(2, 6))
    x, y = normal(rng, n, n), normal(rng, n, 2)
    root = rng.normal(size=(n, n))
    definite = (root @ root.T + np.eye(n)) * 10 ** rng.uniform(-2, 2)
    one: list[tuple[ops.Operation, Any, Array]] = [
        (ops.Det(), _determinant, x),
        (ops.LogAbsDet(), lambda a: Exact.log(Exact.abs(np.asarray(_determinant(a)))), x),
        (ops.Inv(), lambda a: _solved(a, lift(np.eye(n))), x),
        (ops.Cholesky(), _root, definite),
        (ops.Einsum("ij->j"), lambda a: Exact.sum(a, axis=0), x),
    ]
    two: list[tuple[ops.Operation, Any]] = [
        (ops.Solve(), _solved),
        (ops.Einsum("ij,jk->ki"), lambda a, b: (a @ b).T),
        (ops.Einsum("ij,ik->"), lambda a, b: Exact.sum(a.T @ b)),
    ]
    number = int(rng.integers(len(one) + 2 * len(two)))
    if number < len(one):
        operation, formula, point = one[number]
        program = (type(operation).__name__,)
        return Case(program, lambda v: operation.forward(v["x"]), lambda v: formula(v["x"]), {"x": point}, "x")
    operation, formula = two[(number - len(one)) // 2]
    wrt = "xy"[number % 2]
    return Case(
        (f"{type(operation).__name__} by {wrt}",),
        lambda v: operation.forward(v["x"], v["y"]),
        lambda v: formula(v["x"], v["y"]),
        {"x": x, "y": y},
        wrt,
    )


def _solved(a: Any, b: Any) -> Any:
    """Return `a⁻¹ b` by Gauss' elimination."""
    a, b = a.copy(), b.copy()
    n = len(a)
    for k in range(n):
        pivot = k + int(np.argmax([abs(row[k].a) for row in a[k:]]))
        a[[k, pivot]], b[[k, pivot]] = a[[pivot, k]], b[[pivot, k]]
        for i in range(n):
            if i != k:
                factor = a[i, k] / a[k, k]
                a[i], b[i] = a[i] - a[k] * factor, b[i] - b[k] * factor
    return b / np.diagonal(a)[:, None]


def _determinant(a: Any) -> Any:
    """Return the determinant by the first row."""
    if len(a) == 1:
        return a[0, 0]
    minors = (np.delete(a[1:], k, axis=1) for k in range(len(a)))
    return sum((a[0, k] * _determinant(minor) * (-1.0) ** k for k, minor in enumerate(minors)), 0.0)


def _root(a: Any) -> Any:
    """Return the lower triangular root of a positive definite matrix, row by row."""
    root = lift(np.zeros(a.shape))
    for i in range(len(a)):
        for j in range(i + 1):
            rest = a[i, j] - Exact.sum(root[i, :j] * root[j, :j]) if j else a[i, j]
            root[i, j] = Exact.sqrt(rest) if i == j else rest / root[j, j]
    return root
