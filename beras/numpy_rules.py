"""Which operation each NumPy function, ufunc and array method is: the tables that `dispatch` looks up.

A rule takes `run(operation, *inputs)`, which evaluates and records, and then the arguments of the NumPy function. It
supports the arguments that it names; with others (`out`, `where`, `dtype`, …) the call counts as one without a rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from beras import numpy_rules_algebra as algebra
from beras import ops
from beras.ops.reductions import Axis
from beras.tensor import Tensor

Run = Callable[..., Tensor]
Rule = Callable[..., Any]

UFUNCS: dict[np.ufunc, type[ops.Operation]] = {
    np.add: ops.Add,
    np.subtract: ops.Subtract,
    np.multiply: ops.Multiply,
    np.divide: ops.Divide,
    np.power: ops.Power,
    np.matmul: ops.Matmul,
    np.negative: ops.Negative,
    np.positive: ops.Positive,
    np.conjugate: ops.Conjugate,
    np.square: ops.Square,
    np.exp: ops.Exp,
    np.expm1: ops.Expm1,
    np.log: ops.Log,
    np.log1p: ops.Log1p,
    np.sqrt: ops.Sqrt,
    np.sin: ops.Sin,
    np.cos: ops.Cos,
    np.tanh: ops.Tanh,
    np.absolute: ops.Absolute,
    np.maximum: ops.Maximum,
    np.minimum: ops.Minimum,
    np.logaddexp: ops.LogAddExp,
}

PIECEWISE_CONSTANT_UFUNCS = frozenset(
    {
        *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
        *(np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.isnan, np.isinf, np.isfinite, np.signbit),
        *(np.floor, np.ceil, np.trunc, np.rint, np.sign, np.floor_divide),
        *(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift),
    }
)

PIECEWISE_CONSTANT_FUNCTIONS = frozenset(
    {
        *(
            np.argmax,
            np.argmin,
            np.argsort,
            np.argpartition,
            np.nonzero,
            np.count_nonzero,
            np.searchsorted,
            np.digitize,
        ),
        *(np.all, np.any, np.isclose, np.allclose, np.array_equal, np.round, np.around, np.fix),
        *(np.zeros_like, np.ones_like, np.empty_like, np.shape, np.ndim, np.size),
    }
)

CONSTANT_IN_THE_FIRST: frozenset[Any] = frozenset({np.full_like, np.bincount, np.heaviside})
"""Piecewise constant in the first argument, not in the others."""

# Written by Python code that uses nothing but functions with rules: they run as they are, and are recorded inside.
MADE_OF_RULES = frozenset({np.vstack, np.hstack, np.split, np.array_split, np.atleast_1d, np.atleast_2d, np.atleast_3d})

PIECEWISE_CONSTANT_METHODS = frozenset(
    {"all", "any", "argmax", "argmin", "argpartition", "argsort", "nonzero", "round", "searchsorted"}
)


def _sum(run: Run, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    return run(ops.Sum(axis, keepdims), a)


def _mean(run: Run, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    return run(ops.Mean(axis, keepdims), a)


def _max(run: Run, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    return run(ops.Max(axis, keepdims), a)


def _min(run: Run, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    return run(ops.Min(axis, keepdims), a)


def _var(run: Run, a: Any, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False) -> Tensor:
    # As NumPy has it: its mean() of float16 is computed in float32, the mean inside var() is not.
    sums = run(ops.Sum(axis, True), a)
    deviation = run(ops.Subtract(), a, run(ops.Divide(), sums, a.size / max(sums.size, 1)))
    total = run(ops.Sum(axis, keepdims), run(ops.Square(), deviation))
    return run(ops.Divide(), total, max(a.size / max(total.size, 1) - ddof, 0))


def _std(run: Run, a: Any, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False) -> Tensor:
    return run(ops.Sqrt(), _var(run, a, axis, ddof=ddof, keepdims=keepdims))


def _reshape(run: Run, a: Any, shape: Any) -> Tensor:
    return run(ops.Reshape(shape), a)


def _reshape_method(run: Run, a: Any, *shape: Any) -> Tensor:
    return run(ops.Reshape(shape[0] if len(shape) == 1 else shape), a)


def _flat(run: Run, a: Any) -> Tensor:
    return run(ops.Reshape(-1), a)


def _flat_copy(run: Run, a: Any) -> Tensor:
    return run(ops.Copy(), run(ops.Reshape(-1), a))


def _transpose(run: Run, a: Any, axes: Any = None) -> Tensor:
    return run(ops.Transpose(axes), a)


def _transpose_method(run: Run, a: Any, *axes: Any) -> Tensor:
    return run(ops.Transpose(axes[0] if len(axes) == 1 else axes or None), a)


def _swapaxes(run: Run, a: Any, axis1: int, axis2: int) -> Tensor:
    order = np.arange(a.ndim)
    order[[axis1, axis2]] = order[[axis2, axis1]]
    return run(ops.Transpose(order.tolist()), a)


def _matrix_transpose(run: Run, a: Any) -> Tensor:
    return _swapaxes(run, a, -1, -2)


def _moveaxis(run: Run, a: Any, source: Any, destination: Any) -> Tensor:
    # Where each axis goes can be read off an array whose shape says which axis it was.
    moved = np.moveaxis(np.empty(range(a.ndim)), source, destination)
    return run(ops.Transpose(moved.shape), a)


def _squeeze(run: Run, a: Any, axis: Any = None) -> Tensor:
    return run(ops.Reshape(np.squeeze(np.asarray(a), axis).shape), a)


def _expand_dims(run: Run, a: Any, axis: Any) -> Tensor:
    return run(ops.Reshape(np.expand_dims(np.asarray(a), axis).shape), a)


def _broadcast_to(run: Run, a: Any, shape: Any) -> Tensor:
    return run(ops.BroadcastTo((shape,) if isinstance(shape, int) else shape), a)


def _repeat(run: Run, a: Any, repeats: Any, axis: int | None = None) -> Tensor:
    return run(ops.Repeat(np.asarray(repeats), axis), a)


def _take(run: Run, a: Any, indices: Any, axis: int | None = None) -> Tensor:
    if axis is None:
        return run(ops.GetItem(np.asarray(indices)), run(ops.Reshape(-1), a))
    return run(ops.GetItem((*[slice(None)] * (axis % a.ndim), np.asarray(indices))), a)


def _concatenate(run: Run, arrays: Any, axis: int | None = 0) -> Tensor:
    if axis is None:
        return run(ops.Concatenate(0), *[run(ops.Reshape(-1), a) for a in arrays])
    return run(ops.Concatenate(axis), *arrays)


def _stack(run: Run, arrays: Any, axis: int = 0) -> Tensor:
    return run(ops.Stack(axis), *arrays)


def _where(run: Run, condition: Any, x: Any, y: Any) -> Tensor:
    return run(ops.Where(np.asarray(condition)), x, y)


def _clip(run: Run, a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Tensor:
    low, high = a_min if min is None else min, a_max if max is None else max
    if not isinstance(low, Tensor) and not isinstance(high, Tensor):
        return run(ops.Clip(low, high), a)
    raised = a if low is None else run(ops.Maximum(), a, low)
    return raised if high is None else run(ops.Minimum(), raised, high)


def _dot(run: Run, a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        dtype = np.promote_types(np.asarray(a).dtype, np.asarray(b).dtype)  # a Python number counts as any other
        tensors = [run(ops.Cast(dtype), x) if isinstance(x, Tensor) and x.dtype != dtype else x for x in (a, b)]
        return run(ops.Multiply(), *tensors)
    if np.ndim(b) > 2:
        raise TypeError("no rule for np.dot with more than two axes on the right")
    return run(ops.Matmul(), a, b)


def _copy(run: Run, a: Any) -> Tensor:
    return run(ops.Copy(), a)


def _deepcopy(run: Run, a: Any, memo: Any) -> Tensor:
    return run(ops.Copy(), a)


def _astype(run: Run, a: Any, dtype: Any, *, copy: bool = True) -> Tensor:
    if np.dtype(dtype).kind != "f":
        raise TypeError("only casts to floating-point types have a derivative")
    return run(ops.Cast(dtype), a)


def _same_if_real(run: Run, a: Any) -> Tensor:
    if a.dtype.kind == "c":
        raise TypeError("no rule for complex numbers")
    return run(ops.Copy(), a)


def _view(run: Run, a: Any, *, type: Any = Tensor) -> Tensor:
    if type is not Tensor:
        raise TypeError("no rule for views of another type")
    return run(ops.Reshape(a.shape), a)


def _to_device(run: Run, a: Any, device: str, *, stream: Any = None) -> Tensor:
    if device != "cpu":
        raise TypeError("arrays live on the CPU")
    return run(ops.Reshape(a.shape), a)


def _of_floats(operation: type[ops.Operation]) -> Rule:
    """NumPy's function of integers and complex numbers is another one than `operation`, and has no rule."""

    def rule(run: Run, x: Any) -> Tensor:
        if np.asarray(x).dtype.kind != "f":
            raise TypeError(f"no rule for {x.dtype}")
        return run(operation(), x)

    return rule


def _along_first_axis(rule: Rule) -> Rule:
    """`ufunc.reduce` reduces axis 0 unless told otherwise."""
    return lambda run, a, axis=0, *, keepdims=False: rule(run, a, axis, keepdims=keepdims)


# What a ufunc's methods are, where UFUNCS does not say it.
UFUNC_RULES: dict[tuple[np.ufunc, str], Rule] = {
    (np.reciprocal, "__call__"): _of_floats(ops.Reciprocal),
    (np.fabs, "__call__"): _of_floats(ops.Absolute),
    (np.add, "reduce"): _along_first_axis(_sum),
    (np.maximum, "reduce"): _along_first_axis(_max),
    (np.minimum, "reduce"): _along_first_axis(_min),
    (np.multiply, "reduce"): _along_first_axis(algebra.METHODS["prod"]),
}

FUNCTIONS: dict[Any, Rule] = {
    np.sum: _sum,
    np.mean: _mean,
    np.max: _max,
    np.amax: _max,
    np.min: _min,
    np.amin: _min,
    np.var: _var,
    np.std: _std,
    np.reshape: _reshape,
    np.ravel: _flat,
    np.transpose: _transpose,
    np.swapaxes: _swapaxes,
    np.moveaxis: _moveaxis,
    np.squeeze: _squeeze,
    np.expand_dims: _expand_dims,
    np.broadcast_to: _broadcast_to,
    np.repeat: _repeat,
    np.take: _take,
    np.concatenate: _concatenate,
    np.stack: _stack,
    np.where: _where,
    np.clip: _clip,
    np.dot: _dot,
    np.copy: _copy,
    np.real: _same_if_real,
    **algebra.FUNCTIONS,
}
for _name, _rule in {"astype": _astype, "matrix_transpose": _matrix_transpose}.items():  # NumPy 2
    if hasattr(np, _name):
        FUNCTIONS[getattr(np, _name)] = _rule  # type: ignore[assignment]

METHODS: dict[str, Rule] = {
    "sum": _sum,
    "mean": _mean,
    "max": _max,
    "min": _min,
    "var": _var,
    "std": _std,
    "reshape": _reshape_method,
    "ravel": _flat,
    "flatten": _flat_copy,
    "transpose": _transpose_method,
    "T": _transpose,
    "mT": _matrix_transpose,
    "swapaxes": _swapaxes,
    "squeeze": _squeeze,
    "repeat": _repeat,
    "take": _take,
    "clip": _clip,
    "dot": _dot,
    "copy": _copy,
    "__copy__": _copy,
    "__deepcopy__": _deepcopy,
    "astype": _astype,
    "conj": _same_if_real,
    "conjugate": _same_if_real,
    "real": _same_if_real,
    "view": _view,
    "to_device": _to_device,
    **algebra.METHODS,
}
