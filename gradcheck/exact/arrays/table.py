"""Which of NumPy's functions are computed here. All others run as they are, on plain arrays of objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.exact.arrays import elementwise, fourier, linalg, makers, ordering, products, reductions, statistics

NUMPY: dict[Any, Callable[..., Any]] = {
    **elementwise.NUMPY,
    **fourier.NUMPY,
    **makers.MAKERS,
    np.sum: reductions.sum_,
    np.prod: reductions.prod,
    np.max: reductions.max_,
    np.amax: reductions.max_,
    np.min: reductions.min_,
    np.amin: reductions.min_,
    np.any: reductions.truth(reductions.any_),
    np.all: reductions.truth(reductions.all_),
    np.mean: statistics.mean_,
    np.var: statistics.var,
    np.std: statistics.std,
    np.ptp: statistics.ptp,
    np.average: statistics.average,
    np.cumsum: reductions.cumsum,
    np.cumprod: reductions.cumprod,
    np.cov: statistics.cov,
    np.corrcoef: statistics.corrcoef,
    np.gradient: statistics.gradient,
    np.bincount: statistics.bincount,
    np.argmax: ordering.argmax,
    np.argmin: ordering.argmin,
    np.argsort: ordering.argsort,
    np.sort: ordering.sort,
    np.partition: ordering.partition,
    np.argpartition: ordering.argpartition,
    np.median: ordering.median,
    np.quantile: ordering.quantile,
    np.percentile: ordering.percentile,
    np.interp: ordering.interp,
    np.dot: products.dot,
    np.inner: products.inner,
    np.vdot: products.vdot,
    np.outer: products.outer,
    np.tensordot: products.tensordot,
    np.einsum: products.einsum,
    np.convolve: products.convolve,
    np.correlate: products.correlate,
    np.linalg.solve: linalg.solve,
    np.linalg.inv: linalg.inv,
    np.linalg.det: linalg.det,
    np.linalg.slogdet: linalg.slogdet,
    np.linalg.cholesky: linalg.cholesky,
    np.linalg.norm: linalg.norm,
}
for _name in ("vector_norm", "matrix_norm"):  # NumPy 2
    if hasattr(np.linalg, _name):
        NUMPY[getattr(np.linalg, _name)] = getattr(linalg, _name)

UNKNOWN: frozenset[Any] = frozenset(
    getattr(np.linalg, name)
    for name in (
        *("eig", "eigh", "eigvals", "eigvalsh", "svd", "svdvals", "qr", "lstsq", "pinv", "cond", "matrix_rank"),
    )
    if hasattr(np.linalg, name)
)
"""What has no exact form, and would fail on objects with a message about types."""

IN_PLACE: frozenset[Any] = frozenset({np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis})
"""What writes into its first argument, plain numbers too: these become jets afterwards."""

# Methods of arrays that NumPy computes without asking, by the function that they are.
METHODS: dict[str, Any] = {
    name: getattr(np, name)
    for name in (
        *("sum", "prod", "max", "min", "any", "all", "mean", "var", "std", "cumsum", "cumprod", "argmax", "argmin"),
        *("argsort", "clip", "round", "dot", "ptp", "partition", "argpartition"),
    )
}
