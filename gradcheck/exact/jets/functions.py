"""Every function of numbers that NumPy and scipy.special have as a ufunc, on jets, by the ufunc's name.

NumPy's loops over arrays of objects call a method of the entries (`exp`, `sqrt`, `rint`): the jets get these, so that
an array that has lost its class (`np.asarray`, `np.array`) runs exactly as well.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from flint import arb

from gradcheck.exact.jets import parts, piecewise
from gradcheck.exact.jets.analytic import RULES
from gradcheck.exact.jets.decisions import is_equal
from gradcheck.exact.jets.jet import LATER, Jet, jet


def _analytic(rule: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: rule(x if type(x) is Jet else jet(x))


def _binary(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An operator whose first operand is made a jet, should both be plain numbers."""
    return lambda x, y: operation(x if type(x) is Jet else jet(x), y)


def _reciprocal(x: Any) -> Any:
    return 1 / jet(x)


def _square(x: Any) -> Any:
    return x * x


def _modf(x: Any) -> tuple[Any, Any]:
    whole = piecewise.trunc(x)
    return x - whole, whole


def _divmod(x: Any, y: Any) -> tuple[Any, Any]:
    quotient = piecewise.floor_divide(x, y)
    return quotient, jet(x) - jet(y) * quotient


def _scaled(factor: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda x: jet(x) * factor()


def _degree() -> Any:
    return arb.pi() / 180


def _per_degree() -> Any:
    return 180 / arb.pi()


def _huber(delta: Any, r: Any) -> Any:
    """½ r² for |r| ≤ δ, else δ (|r| − ½ δ)."""
    size = piecewise.absolute(r)
    return _square(jet(r)) * 0.5 if size <= delta else delta * (size - jet(delta) * 0.5)


PREDICATES: dict[str, Callable[..., bool]] = {
    "less": lambda x, y: bool(jet(x) < y),
    "less_equal": lambda x, y: bool(jet(x) <= y),
    "greater": lambda x, y: bool(jet(x) > y),
    "greater_equal": lambda x, y: bool(jet(x) >= y),
    "equal": lambda x, y: is_equal(x, y) if _both_numbers(x, y) else bool(x == y),
    "not_equal": lambda x, y: not is_equal(x, y) if _both_numbers(x, y) else bool(x != y),
    "logical_and": lambda x, y: bool(x) and bool(y),
    "logical_or": lambda x, y: bool(x) or bool(y),
    "logical_xor": lambda x, y: bool(x) != bool(y),
    "logical_not": lambda x: not bool(x),
    "isnan": lambda x: parts.is_nan(jet(x)),
    "isinf": lambda x: parts.is_infinite(jet(x)),
    "isfinite": lambda x: parts.is_finite(jet(x)),
    "signbit": lambda x: bool(jet(x) < 0),
}
"""What answers yes or no: arrays of them are arrays of bool, as ever."""


def _both_numbers(x: Any, y: Any) -> bool:
    return type(jet(x)) is Jet and type(jet(y)) is Jet


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _analytic(rule) for name, rule in RULES.items()},
    "add": _binary(operator.add),
    "subtract": _binary(operator.sub),
    "multiply": _binary(operator.mul),
    "divide": _binary(operator.truediv),
    "true_divide": _binary(operator.truediv),
    "negative": lambda x: -jet(x),
    "positive": jet,
    "square": lambda x: _square(jet(x)),
    "reciprocal": _reciprocal,
    "absolute": piecewise.absolute,
    "fabs": piecewise.absolute,
    "sign": piecewise.sign,
    "maximum": piecewise.maximum,
    "minimum": piecewise.minimum,
    "fmax": piecewise.fmax,
    "fmin": piecewise.fmin,
    "clip": piecewise.clip,
    "floor": piecewise.floor,
    "ceil": piecewise.ceil,
    "trunc": piecewise.trunc,
    "rint": piecewise.rint,
    "round": piecewise.round_to,
    "modf": _modf,
    "divmod": _divmod,
    "floor_divide": piecewise.floor_divide,
    "remainder": piecewise.remainder,
    "mod": piecewise.remainder,
    "fmod": piecewise.fmod,
    "heaviside": piecewise.heaviside,
    "copysign": piecewise.copysign,
    "hypot": piecewise.hypot,
    "power": piecewise.power,
    "float_power": piecewise.power,
    "logaddexp": piecewise.logaddexp,
    "logaddexp2": piecewise.logaddexp2,
    "arctan2": piecewise.arctan2,
    "conjugate": parts.conjugate,
    "real": parts.real,
    "imag": parts.imag,
    "ldexp": lambda x, n: jet(x) * arb(2) ** int(n),
    "degrees": _scaled(_per_degree),
    "rad2deg": _scaled(_per_degree),
    "radians": _scaled(_degree),
    "deg2rad": _scaled(_degree),
    "digamma": _analytic(RULES["psi"]),
    "loggamma": _analytic(RULES["gammaln"]),
    "xlogy": piecewise.xlogy,
    "xlog1py": piecewise.xlog1py,
    "entr": piecewise.entr,
    "huber": _huber,
}
"""All others: the result is a jet (of `modf` and `divmod`, two)."""

# What NumPy's loops over objects, and scalars of NumPy's own, have as methods.
METHODS = (
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "square", "reciprocal", "rint"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
    *("fabs", "sign", "floor", "ceil", "trunc", "conjugate", "power", "arctan2", "hypot", "logaddexp", "fmod"),
    *("degrees", "radians", "rad2deg", "deg2rad", "float_power"),
)


def _method(name: str) -> Callable[..., Any]:
    function = FUNCTIONS[name]
    return lambda self, *others: function(self, *others)


LATER.update(FUNCTIONS)
for _name in METHODS:
    setattr(Jet, _name, _method(_name))
