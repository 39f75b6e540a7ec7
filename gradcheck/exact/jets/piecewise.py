"""Functions that decide: absolute values, maxima, signs, roundings, quotients with a remainder, powers.

Where two values are equal, the direction decides (see `decisions`): what comes out is the derivative on that side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flint import acb, arb, arb_mat, arb_series

from gradcheck.exact import session
from gradcheck.exact.errors import Apart, Undecided
from gradcheck.exact.jets.analytic import arctan, exp, log, log1p, sqrt
from gradcheck.exact.jets.decisions import Order, decide, value_of
from gradcheck.exact.jets.jet import Jet, jet
from gradcheck.exact.jets.parts import imag, is_nan, real

# Exponents up to this size are multiplied out by flint.
LARGEST_EXPONENT = 2**20


def absolute(x: Any) -> Any:
    """|x|; of complex numbers, the modulus."""
    x = jet(x)
    if type(value_of(x)) is acb:
        return hypot(real(x), imag(x))
    either = _either(x, -x, 1) if x.slope is None else None
    if either is not None:
        return either
    return -x if decide("absolute", x, 0, _itself, continuous=True) < 0 else x


def sign(x: Any) -> Any:
    """−1, 0 or 1."""
    return Jet(arb(decide("sign", x, 0, _itself)))


def maximum(a: Any, b: Any) -> Any:
    """The larger one; of equal ones that which is larger ahead."""
    return _chosen("maximum", a, b, 1)


def minimum(a: Any, b: Any) -> Any:
    """The smaller one; of equal ones that which is smaller ahead."""
    return _chosen("minimum", a, b, -1)


def fmax(a: Any, b: Any) -> Any:
    """The larger one; what is not a number ends the run, since balls do not tell NaN from infinity."""
    return _numbers("np.fmax", maximum, a, b)


def fmin(a: Any, b: Any) -> Any:
    """The smaller one, likewise."""
    return _numbers("np.fmin", minimum, a, b)


def _numbers(name: str, function: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    if is_nan(jet(a)) or is_nan(jet(b)):
        session.leave(f"{name} meets a number that is not finite")
    return function(a, b)


def _chosen(kind: str, a: Any, b: Any, wanted: int) -> Any:
    a, b = jet(a), jet(b)
    if is_nan(a) or is_nan(b):
        return a if is_nan(a) else b
    either = _either(a, b, wanted)
    if either is not None:
        return either
    return b if decide(kind, a, b, _itself, continuous=True) == -wanted else a


def _either(a: Any, b: Any, wanted: int) -> Any:
    """The larger (or smaller) of two that cannot be told apart, values nor derivatives: what encloses both.

    Two ways to the same number end here, where nothing has to be decided. None for all others.
    """
    x, y, s, t = a.ball, b.ball, a.slope, b.slope
    if type(x) is not arb or type(y) is not arb or x < y or x > y or x is y or x == y:
        return None
    s, t = (arb(0) if slope is None else slope for slope in (s, t))
    if type(s) is not arb or type(t) is not arb or not s.overlaps(t):
        return None
    larger = x.max(y) if wanted > 0 else x.min(y)
    return Jet(larger, None if a.slope is None and b.slope is None else s.union(t))


def clip(x: Any, low: Any, high: Any) -> Any:
    """x kept within bounds, of which either may be None; the upper one wins where they cross."""
    x = jet(x)
    if low is not None:
        x = _chosen("clip", x, low, 1)
    return x if high is None else _chosen("clip", x, high, -1)


def floor(x: Any) -> Any:
    """The largest whole number that is not larger."""
    x = jet(x)
    whole = _whole("floor", x.ball)
    return Jet(arb(decide("floor", x, whole, lambda order: whole - (order < 0))))


def ceil(x: Any) -> Any:
    """The smallest whole number that is not smaller."""
    return -floor(-jet(x))


def trunc(x: Any) -> Any:
    """The whole number towards 0."""
    x = jet(x)
    if _is_whole(x.ball) and x.slope is None:
        return Jet(x.ball)
    return ceil(x) if x < 0 else floor(x)


def rint(x: Any) -> Any:
    """The nearest whole number; of two that are equally near, that which is nearer ahead, else the even one."""
    x = jet(x)
    half = x + 0.5
    whole = _whole("rint", half.ball)
    odd = whole % 2 != 0
    return Jet(arb(decide("rint", half, whole, lambda order: whole - (order < 0 or (order == 0 and odd)))))


def round_to(x: Any, digits: int = 0) -> Any:
    """Rounded to so many decimal digits."""
    if digits == 0:
        return rint(x)
    scale = arb(10) ** int(digits)
    return rint(jet(x) * scale) / scale


def _is_whole(ball: Any) -> bool:
    value = value_of(ball)
    return type(ball) is not Jet and type(value) is arb and bool(value.is_integer())


def _whole(kind: str, ball: Any) -> int:
    """The largest whole number that is not above a ball, which must lie between two."""
    found = arb(value_of(ball)).floor().unique_fmpz()
    if found is None:
        session.end(Undecided(str(session.caller()), kind))
    return int(found)


def floor_divide(x: Any, y: Any) -> Any:
    """⌊x / y⌋."""
    return floor(jet(x) / jet(y))


def remainder(x: Any, y: Any) -> Any:
    """x − y ⌊x / y⌋, of the sign of y."""
    return jet(x) - jet(y) * floor_divide(x, y)


def fmod(x: Any, y: Any) -> Any:
    """x − y trunc(x / y), of the sign of x."""
    return jet(x) - jet(y) * trunc(jet(x) / jet(y))


def heaviside(x: Any, middle: Any) -> Any:
    """0 below 0, 1 above, `middle` at 0."""
    order = decide("heaviside", x, 0, _itself)
    return jet(middle) if order == 0 else Jet(arb(1 if order > 0 else 0))


def copysign(x: Any, y: Any) -> Any:
    """|x| with the sign of y (0 counts as positive: the sign of a zero is no mathematics)."""
    size = absolute(x)
    return -size if decide("copysign", y, 0, _itself) < 0 else size


def hypot(x: Any, y: Any) -> Any:
    """√(x² + y²); at 0 it grows as its arguments do."""
    x, y = jet(x), jet(y)
    return root_of_squares([x, y])


def root_of_squares(entries: list[Any]) -> Any:
    """√(Σ x²). Where all are 0, the derivative along the direction is that norm of the derivatives."""
    total = Jet(arb(0))
    for x in entries:
        total = total + x * x
    if _is_zero(total.ball):
        slopes = [x.slope for x in entries if x.slope is not None]
        if any(type(slope) is arb_mat for slope in slopes):
            session.end(Apart(str(session.caller()), "norm"))
        if not slopes:
            return total
        ahead = Jet(arb(0), sqrt(sum((s * s for s in slopes), arb(0))))
        session.current().trace.note(session.caller(), "norm", 0, ahead, tie=True)
        return ahead
    return sqrt(total)


def power(x: Any, y: Any) -> Any:
    """x to the power y: a whole constant of any base, else of a base that is not negative."""
    x, y = jet(x), jet(y)
    if type(y.ball) in (Jet, arb_series):
        return exp(y * log(x))
    result = _power_of_constant(x, value_of(y.ball))
    if y.slope is None or (_is_zero(x.ball) and y.ball > 0):
        return result
    by_exponent = y.slope * (result.ball * log(x.ball))
    return Jet(result.ball, by_exponent if result.slope is None else result.slope + by_exponent)


def _power_of_constant(x: Any, exponent: Any) -> Any:
    if _is_whole(exponent) and abs(exponent) <= LARGEST_EXPONENT:
        n = int(exponent.fmpz())
        if n == 0:
            return Jet(arb(1))
        if n == 1:
            return x
        if n == 2:
            return x * x
        if x.slope is None:
            return Jet(x.ball**n)
        below = x.ball ** (n - 1)
        return Jet(below * x.ball, x.slope * (below * n))
    if type(x.ball) is Jet:
        below = power(x.ball, exponent - 1)
        return Jet(power(x.ball, exponent), None if x.slope is None else x.slope * (below * exponent))
    if exponent == 0.5:
        return sqrt(x)
    if x.slope is None:
        return Jet(x.ball**exponent)
    below = x.ball ** (exponent - 1)
    return Jet(x.ball**exponent, x.slope * (below * exponent))


def _is_zero(ball: Any) -> bool:
    value = value_of(ball)
    return type(ball) is not Jet and type(value) is arb and bool(value == 0)


def logaddexp(a: Any, b: Any) -> Any:
    """log(eᵃ + eᵇ), from the larger one on, so that nothing is too large."""
    a, b = jet(a), jet(b)
    if not value_of(a) > value_of(b):
        a, b = b, a
    if value_of(a) == arb.neg_inf():
        return a
    return a + log1p(exp(b - a))


def logaddexp2(a: Any, b: Any) -> Any:
    """log₂(2ᵃ + 2ᵇ)."""
    scale = arb.const_log2()
    return logaddexp(jet(a) * scale, jet(b) * scale) / scale


def arctan2(y: Any, x: Any) -> Any:
    """The angle of (x, y); it jumps where y = 0 > x."""
    y, x = jet(y), jet(x)
    across = type(value_of(x)) is arb and bool(value_of(x) < 0)
    if across and decide("arctan2", y, 0, _itself) < 0:
        return arctan(y / x) - arb.pi()
    if across:
        return arctan(y / x) + arb.pi()
    if value_of(x) > 0:
        return arctan(y / x)
    half = arb.pi() / 2
    return (-half if decide("arctan2", y, 0, _itself) < 0 else half) - arctan(x / y)


def xlogy(x: Any, y: Any) -> Any:
    """x log y, and 0 where x is 0."""
    x = jet(x)
    if _is_zero(x.ball) and x.slope is None:
        return x
    return x * log(jet(y))


def xlog1py(x: Any, y: Any) -> Any:
    """x log(1 + y), and 0 where x is 0."""
    x = jet(x)
    return x if _is_zero(x.ball) and x.slope is None else x * log1p(jet(y))


def entr(x: Any) -> Any:
    """−x log x, and 0 at 0."""
    return -xlogy(x, x)


def _itself(order: Order) -> Order:
    return order
