"""`math` and `scipy.special` on jets. What is not here ends the run when it meets a jet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.exact import session
from gradcheck.exact.arrays.array import as_array, scalar
from gradcheck.exact.arrays.reductions import norm_of, total
from gradcheck.exact.jets import piecewise
from gradcheck.exact.jets.functions import FUNCTIONS, PREDICATES

_AS_NUMPY = {
    **{"acos": "arccos", "asin": "arcsin", "atan": "arctan", "atan2": "arctan2", "lgamma": "gammaln", "pow": "power"},
    **{"acosh": "arccosh", "asinh": "arcsinh", "atanh": "arctanh", "fabs": "absolute"},
}
_SAME = (
    "exp exp2 expm1 log2 log10 log1p sqrt cbrt sin cos tan sinh cosh tanh erf erfc gamma copysign fmod degrees radians"
)


def _log(x: Any, base: Any = None) -> Any:
    return FUNCTIONS["log"](x) if base is None else FUNCTIONS["log"](x) / FUNCTIONS["log"](base)


_MATH: dict[str, Callable[..., Any]] = {
    **{name: FUNCTIONS[name] for name in _SAME.split()},
    **{name: FUNCTIONS[other] for name, other in _AS_NUMPY.items()},
    **{name: PREDICATES[name] for name in ("isnan", "isinf", "isfinite")},
    "log": _log,
    "floor": lambda x: int(piecewise.floor(x)),
    "ceil": lambda x: int(piecewise.ceil(x)),
    "trunc": int,
    "hypot": lambda *xs: norm_of(xs),
    "fsum": lambda xs: total(xs),
    "prod": lambda xs, *, start=1: np.prod(as_array(list(xs))) * start,
    "dist": lambda p, q: norm_of([a - b for a, b in zip(p, q, strict=True)]),
    "isclose": lambda a, b, *, rel_tol=1e-09, abs_tol=0.0: bool(
        abs(a - b) <= max(rel_tol * max(abs(a), abs(b)), abs_tol)
    ),
}


def _of_scalars(function: Callable[..., Any]) -> Callable[..., Any]:
    """Like `math`, it takes an array of no axes for the number in it."""
    return lambda *args, **kwargs: function(*map(scalar, args), **kwargs)


MATH = {name: _of_scalars(function) for name, function in _MATH.items()}
"""What `math` has, of scalars."""


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """log Σ b exp(a)"""
    if return_sign:
        session.leave("logsumexp with return_sign has no exact form")
    x = as_array(a)
    top = np.max(x, axis=axis, keepdims=True)
    terms = np.exp(x - top) if b is None else as_array(b) * np.exp(x - top)
    summed = np.log(np.sum(terms, axis=axis, keepdims=True)) + top
    return summed if keepdims else scalar(np.squeeze(summed, axis=axis))


def log_softmax(x: Any, axis: Any = None) -> Any:
    """x − log Σ exp(x)"""
    return as_array(x) - logsumexp(x, axis=axis, keepdims=True)


def softmax(x: Any, axis: Any = None) -> Any:
    """exp(x) / Σ exp(x)"""
    return np.exp(log_softmax(x, axis))


SCIPY: dict[str, Callable[..., Any]] = {"logsumexp": logsumexp, "log_softmax": log_softmax, "softmax": softmax}
"""Functions of `scipy.special` that are no ufuncs; its ufuncs are asked for by NumPy's protocol, by name."""
