"""More of the tables of `numpy_rules`: linear algebra, sums of products, sorting, padding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from beras import ops
from beras.ops.reductions import Axis
from beras.tensor import Tensor

Run = Callable[..., Tensor]


def _einsum(run: Run, subscripts: Any, *operands: Any, optimize: Any = False) -> Tensor:
    if not isinstance(subscripts, str):
        raise TypeError("subscripts as lists of numbers have no rule")
    terms, output = ops.explicit(subscripts, [np.ndim(x) for x in operands])
    single: list[Any] = []
    for k, (term, x) in enumerate(zip(terms, operands, strict=True)):
        names = "".join(dict.fromkeys(term))
        if len(names) < len(term):  # a diagonal, before anything else
            sizes = zip(term, np.shape(x), strict=True)
            places = tuple(np.arange(n).reshape([-1 if c == name else 1 for c in names]) for name, n in sizes)
            x = run(ops.GetItem(places), x) if isinstance(x, Tensor) else np.asarray(x)[places]
            terms[k] = names
        single.append(x)
    return run(ops.Einsum(f"{','.join(terms)}->{output}", optimize), *single)


def _outer(run: Run, a: Any, b: Any) -> Tensor:
    left, right = (run(ops.Reshape(-1), x) if isinstance(x, Tensor) else np.ravel(x) for x in (a, b))
    return run(ops.Multiply(), run(ops.Reshape((-1, 1)), left), right)


def _norm(run: Run, x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    vectors = isinstance(axis, int) or (axis is None and np.ndim(x) == 1)
    matrices = np.ndim(x) == 2 if axis is None else np.size(axis) == 2
    if ord is None or (matrices and ord == "fro") or (vectors and ord == 2):
        return run(ops.Norm(axis, keepdims), x)
    if vectors and ord == 1:
        return run(ops.Sum(axis, keepdims), run(ops.Absolute(), x))
    if vectors and ord == np.inf:
        return run(ops.Max(axis, keepdims), run(ops.Absolute(), x))
    raise TypeError("no rule for this norm")


def _prod(run: Run, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    return run(ops.Prod(axis, keepdims), a)


def _cumsum(run: Run, a: Any, axis: int | None = None) -> Tensor:
    if axis is None:
        return run(ops.CumSum(0), run(ops.Reshape(-1), a))
    return run(ops.CumSum(axis), a)


def _sort(run: Run, a: Any, axis: int | None = -1, *, kind: Any = None, stable: Any = None) -> Tensor:
    if axis is None:
        a, axis = run(ops.Reshape(-1), a), 0
    order = np.argsort(np.asarray(a), axis=axis, kind="stable")
    places: list[Any] = list(np.ogrid[tuple(slice(n) for n in order.shape)])
    places[axis % order.ndim] = order
    return run(ops.GetItem(tuple(places)), a)


def _pad(run: Run, array: Any, pad_width: Any, mode: Any = "constant", *, constant_values: Any = 0) -> Tensor:
    if mode == "constant" and np.ndim(constant_values) == 0 and not isinstance(constant_values, Tensor):
        widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).tolist()
        return run(ops.Pad(widths, constant_values), array)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise TypeError("no rule for this padding")
    places = np.pad(np.arange(array.size).reshape(array.shape), pad_width, mode=mode)
    return run(ops.GetItem(places), run(ops.Reshape(-1), array))


def _solve(run: Run, a: Any, b: Any) -> Tensor:
    return run(ops.Solve(), a, b)


def _inv(run: Run, a: Any) -> Tensor:
    return run(ops.Inv(), a)


def _det(run: Run, a: Any) -> Tensor:
    return run(ops.Det(), a)


def _slogdet(run: Run, a: Any) -> Any:
    found = np.linalg.slogdet(np.asarray(a))
    sign = np.asarray(found[0]).view(Tensor)
    return type(found)(sign, run(ops.LogAbsDet(), a))


def _cholesky(run: Run, a: Any) -> Tensor:
    return run(ops.Cholesky(), a)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.einsum: _einsum,
    np.outer: _outer,
    np.linalg.norm: _norm,
    np.prod: _prod,
    np.cumsum: _cumsum,
    np.sort: _sort,
    np.pad: _pad,
    np.linalg.solve: _solve,
    np.linalg.inv: _inv,
    np.linalg.det: _det,
    np.linalg.slogdet: _slogdet,
    np.linalg.cholesky: _cholesky,
}
METHODS: dict[str, Callable[..., Any]] = {"prod": _prod, "cumsum": _cumsum}
