"""NumPy's functions of entries that are no ufuncs: roundings, closeness, parts of complex numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import acb

from gradcheck.exact import session
from gradcheck.exact.arrays.array import ExactArray, as_array, exact, plain
from gradcheck.exact.arrays.makers import exact_or_same
from gradcheck.exact.jets import parts, piecewise
from gradcheck.exact.jets.analytic import RULES
from gradcheck.exact.jets.decisions import value_of
from gradcheck.exact.jets.jet import jet


def each(function: Callable[..., Any], *arrays: Any) -> Any:
    """Apply a function of jets entry by entry."""
    made = np.frompyfunc(function, len(arrays), 1)(*(plain(as_array(array)) for array in arrays))
    return as_array(made) if isinstance(made, np.ndarray) else exact(made)


def round_(a: Any, decimals: int = 0, out: None = None) -> Any:
    """Rounded to so many decimal digits."""
    return each(lambda x: piecewise.round_to(x, decimals), a)


def fix(x: Any, out: None = None) -> Any:
    """The whole number towards 0."""
    return each(piecewise.trunc, x)


def clip(
    a: Any, a_min: Any = None, a_max: Any = None, out: None = None, *, min: Any = None, max: Any = None, **_: Any
) -> Any:
    """Kept within bounds."""
    low, high = _bound(a_min, min), _bound(a_max, max)
    bounds = float("-inf") if low is None else low, float("inf") if high is None else high
    return each(piecewise.clip, a, *bounds)


def _bound(first: Any, second: Any) -> Any:
    given = [one for one in (first, second) if one is not None and one is not np._NoValue]
    return given[0] if given else None


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Finite numbers as they are; others end the run, for balls do not tell NaN from infinity (1 / 0)."""

    def finite(entry: Any) -> Any:
        if not parts.is_finite(entry):
            session.leave("np.nan_to_num meets a number that is not finite")
        return entry

    return each(finite, x)


def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """|a − b| ≤ atol + rtol |b|"""
    x, y = as_array(a), as_array(b)
    return np.less_equal(np.abs(x - y), atol + rtol * np.abs(y))


def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all entries are close."""
    return bool(np.all(isclose(a, b, rtol, atol)))


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    """Whether shapes and entries are the same."""
    x, y = as_array(a1), as_array(a2)
    return x.shape == y.shape and bool(np.all(np.equal(x, y)))


def real(val: Any) -> Any:
    """The real parts."""
    return each(parts.real, val)


def imag(val: Any) -> Any:
    """The imaginary parts."""
    return each(parts.imag, val)


def angle(z: Any, deg: bool = False) -> Any:
    """The angle of complex numbers."""
    found = np.arctan2(imag(z), real(z))
    return np.degrees(found) if deg else found


def is_complex(x: Any) -> bool:
    """Whether there are complex numbers in it."""
    return type(value_of(next(iter(np.ravel(plain(as_array(x)))), None))) is acb


def where(condition: Any, *choices: Any) -> Any:
    """`x` where the condition holds, `y` elsewhere."""
    found = exact_or_same(condition)
    holds = plain(found.astype(bool) if isinstance(found, ExactArray) else np.asarray(found, dtype=bool))
    if not choices:
        return np.nonzero(holds)
    holds, x, y = np.broadcast_arrays(holds, *(plain(as_array(one)) for one in choices))
    return as_array(np.where(holds, x, y))


def sinc(x: Any) -> Any:
    """sin(πx) / (πx), and 1 at 0"""
    return each(RULES["sinc"], x)


def i0(x: Any) -> Any:
    """The modified Bessel function of order 0."""
    return each(lambda entry: RULES["i0"](jet(entry)), x)


NUMPY: dict[Any, Callable[..., Any]] = {
    np.round: round_,
    np.around: round_,
    np.clip: clip,
    np.nan_to_num: nan_to_num,
    np.isclose: isclose,
    np.allclose: allclose,
    np.array_equal: array_equal,
    np.real: real,
    np.imag: imag,
    np.angle: angle,
    np.iscomplexobj: is_complex,
    np.isrealobj: lambda x: not is_complex(x),
    np.where: where,
    np.sinc: sinc,
    np.i0: i0,
    np.fix: fix,
}
