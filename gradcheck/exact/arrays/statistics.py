"""Means, variances, covariances and differences of neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.exact import session
from gradcheck.exact.arrays.array import Array, ExactArray, as_array, exact, full, scalar
from gradcheck.exact.arrays.reductions import (
    Axis,
    at,
    axes_of,
    entry_of,
    mask,
    max_,
    min_,
    norm_of,
    rows_of,
    sum_,
)
from gradcheck.exact.jets.jet import jet


def mean_(
    a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    """Σ x / n"""
    x = as_array(a)
    return sum_(x, axis, keepdims=keepdims, where=where) / count(x, axis, keepdims, where)


def count(x: Array, axis: Axis, keepdims: Any, where: Any) -> Any:
    """How many entries a mean is taken of."""
    where = mask(where)
    if where is True:
        return int(np.prod([x.shape[a] for a in axes_of(axis, x.ndim)], dtype=int))
    return np.broadcast_to(where, x.shape).sum(axis=axis, keepdims=keepdims is True)


def var(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """Σ |x − mean|² / (n − ddof)"""
    x = as_array(a)
    middle = mean_(x, axis, keepdims=True, where=where) if mean is None or mean is np._NoValue else mean
    away = x - middle
    squares = away * np.conjugate(away) if away.dtype.kind == "c" else away * away
    ddof = ddof if correction is None or correction is np._NoValue else correction
    return np.real(sum_(squares, axis, keepdims=keepdims, where=where)) / (count(x, axis, keepdims, where) - ddof)


def std(
    a: Any, axis: Axis = None, dtype: Any = None, out: None = None, ddof: Any = 0, keepdims: Any = False, **more: Any
) -> Any:
    """√ var; where all entries are equal it grows as their distances do, as a norm."""
    x = as_array(a)
    if x.dtype.kind == "c" or more:
        return np.sqrt(var(x, axis, None, None, ddof, keepdims, **more))
    away = x - mean_(x, axis, keepdims=True)
    rows, shape, kept = rows_of(away, axis)
    made = np.empty(len(rows), dtype=object)
    root = jet(count(x, axis, keepdims, True) - ddof).sqrt()
    made[:] = [norm_of(list(row)) / root for row in rows]
    return scalar(made.reshape(kept if keepdims is True else shape).view(ExactArray))


def ptp(a: Any, axis: Axis = None, out: None = None, keepdims: Any = False) -> Any:
    """max − min"""
    return max_(a, axis, keepdims=keepdims) - min_(a, axis, keepdims=keepdims)


def average(a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    """Σ w x / Σ w"""
    x = as_array(a)
    if weights is None:
        value, weight = mean_(x, axis, keepdims=keepdims), as_array(float(count(x, axis, keepdims, True)))
    else:
        w = as_array(weights)
        if w.shape != x.shape:
            w = w.reshape([n if a in axes_of(axis, x.ndim) else 1 for a, n in enumerate(x.shape)])
            w = w * np.ones(x.shape)
        weight = sum_(w, axis, keepdims=keepdims)
        value = sum_(x * w, axis, keepdims=keepdims) / weight
    return (value, scalar(weight + value * 0)) if returned else value


def cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, **weights: Any) -> Any:
    """Σ (x − mean) (x − mean)ᵀ / (n − ddof), of variables in rows."""
    if any(value is not None for value in weights.values()):
        session.leave("np.cov with weights has no exact form")
    x = np.atleast_2d(as_array(m))
    x = x if rowvar or x.shape[0] == 1 else x.T
    if y is not None:
        other = np.atleast_2d(as_array(y))
        x = np.concatenate([x, other if rowvar or other.shape[0] == 1 else other.T])
    away = x - mean_(x, 1, keepdims=True)
    product = away @ np.conjugate(away).T / (x.shape[1] - ((0 if bias else 1) if ddof is None else ddof))
    return scalar(np.squeeze(product))


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, **_: Any) -> Any:
    """Covariances of variables of spread 1."""
    c = cov(x, y, rowvar)
    if np.ndim(c) == 0:
        return c / c
    spread = np.sqrt(np.diagonal(c))
    return c / spread[:, None] / spread[None, :]


def gradient(f: Any, *steps: Any, axis: Axis = None, edge_order: int = 1) -> Any:
    """Central differences of neighbours, one-sided at the ends; steps of one length along each axis."""
    x = as_array(f)
    axes = axes_of(axis, x.ndim)
    lengths = steps * len(axes) if len(steps) == 1 else steps or (1,) * len(axes)
    if edge_order != 1 or any(np.ndim(step) for step in lengths):
        session.leave("np.gradient with uneven steps or edge_order=2 has no exact form")
    made = []
    for a, step in zip(axes, lengths, strict=True):
        y = np.moveaxis(x, a, 0)
        inside = (y[2:] - y[:-2]) / (jet(step) * 2)
        ends = [(y[1:2] - y[:1]) / step, (y[-1:] - y[-2:-1]) / step]
        made.append(np.moveaxis(np.concatenate([ends[0], inside, ends[1]]), 0, a))
    return made[0] if len(made) == 1 else tuple(made)


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How much weight each number has."""
    places = np.asarray(x)
    made = full(max(int(places.max(initial=-1)) + 1, minlength), 0.0)
    at(entry_of("add"), made, places, exact(weights))
    return made
