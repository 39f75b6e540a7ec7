"""A jet: a ball that certainly holds a value, and one that holds its derivative along a direction.

Arithmetic differentiates as it goes (forward mode: Wengert 1964; on balls: Johansson, *Arb*, IEEE Trans. Computers
66(8), 2017). `ball` is a `flint.arb`; `slope` is one too, or a row of them for several directions at once
(`flint.arb_mat`), or `None` for what does not depend on the direction, which makes constants as cheap as balls. Both
may be jets themselves: a jet of jets has second derivatives.
"""

from __future__ import annotations

import numbers
from fractions import Fraction
from typing import Any, NoReturn

import numpy as np
from flint import acb, arb, arb_series, fmpq, fmpz

from gradcheck.exact import session
from gradcheck.exact.jets.decisions import Order, decide, is_equal, value_of
from gradcheck.exact.jets.terms import Term, term

BALLS = (arb, acb, arb_series, Term)


class Jet:
    """A number with its derivative, which NumPy takes for a scalar of float64.

    Python and NumPy numbers join as constants, at the very value that they have. What would lose exactness
    (`float(jet)`) ends the exact run and says at which line.
    """

    __slots__ = ("ball", "slope")

    def __init__(self, ball: Any, slope: Any = None) -> None:
        try:
            session.tick()
        except StopIteration:
            session.too_large()
        self.ball = ball
        self.slope = slope

    def __add__(self, other: Any) -> Any:
        if type(other) is not Jet:
            other = number(other)
            return other if other is NotImplemented else Jet(self.ball + other, self.slope)
        s, t = self.slope, other.slope
        return Jet(self.ball + other.ball, t if s is None else s if t is None else s + t)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        if type(other) is not Jet:
            other = number(other)
            return other if other is NotImplemented else Jet(self.ball - other, self.slope)
        s, t = self.slope, other.slope
        return Jet(self.ball - other.ball, s if t is None else -t if s is None else s - t)

    def __rsub__(self, other: Any) -> Any:
        other = number(other)
        if other is NotImplemented:
            return other
        return Jet(other - self.ball, None if self.slope is None else -self.slope)

    def __mul__(self, other: Any) -> Any:
        s = self.slope
        if type(other) is not Jet:
            other = number(other)
            if other is NotImplemented:
                return other
            return Jet(self.ball * other, None if s is None else s * other)
        a, b, t = self.ball, other.ball, other.slope
        if s is None:
            return Jet(a * b, None if t is None else t * a)
        return Jet(a * b, s * b if t is None else s * b + t * a)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        s = self.slope
        if type(other) is not Jet:
            other = number(other)
            if other is NotImplemented:
                return other
            if s is None:
                return Jet(_divided(self.ball, other))
            return Jet(_divided(self.ball, other), s / other)
        b, t = other.ball, other.slope
        y = _divided(self.ball, b)
        if t is not None:  # (a/b)′ = (a′ − (a/b) b′) / b
            s = -(t * y) if s is None else s - t * y
        return Jet(y, None if s is None else s / b)

    def __rtruediv__(self, other: Any) -> Any:
        other = number(other)
        if other is NotImplemented:
            return other
        y = _divided(other, self.ball)
        return Jet(y, None if self.slope is None else -(self.slope * _divided(y, self.ball)))

    def __pow__(self, other: Any, modulus: None = None) -> Any:
        return other if (other := _number(other)) is NotImplemented else LATER["power"](self, other)

    def __rpow__(self, other: Any) -> Any:
        return other if (other := _number(other)) is NotImplemented else LATER["power"](other, self)

    def __floordiv__(self, other: Any) -> Any:
        return other if (other := _number(other)) is NotImplemented else LATER["floor_divide"](self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return other if (other := _number(other)) is NotImplemented else LATER["floor_divide"](other, self)

    def __mod__(self, other: Any) -> Any:
        return other if (other := _number(other)) is NotImplemented else LATER["remainder"](self, other)

    def __rmod__(self, other: Any) -> Any:
        return other if (other := _number(other)) is NotImplemented else LATER["remainder"](other, self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __neg__(self) -> Jet:
        return Jet(-self.ball, None if self.slope is None else -self.slope)

    def __pos__(self) -> Jet:
        return self

    def __abs__(self) -> Any:
        return LATER["absolute"](self)

    def __lt__(self, other: Any) -> Any:
        other = _number(other)
        return other if other is NotImplemented else decide("less", self, other, _is_less)

    def __le__(self, other: Any) -> Any:
        other = _number(other)
        return other if other is NotImplemented else decide("less_equal", self, other, _is_at_most)

    def __gt__(self, other: Any) -> Any:
        other = _number(other)
        return other if other is NotImplemented else decide("greater", self, other, _is_greater)

    def __ge__(self, other: Any) -> Any:
        other = _number(other)
        return other if other is NotImplemented else decide("greater_equal", self, other, _is_at_least)

    def __eq__(self, other: Any) -> Any:
        other = _number(other)
        return other if other is NotImplemented else is_equal(self, other)

    def __ne__(self, other: Any) -> Any:
        other = _number(other)
        return other if other is NotImplemented else not is_equal(self, other)

    def __bool__(self) -> bool:
        return not is_equal(self, 0)

    def __hash__(self) -> int:
        session.leave("it hashes a number (as a key, or in a set)")

    def __float__(self) -> NoReturn:
        session.leave("it makes a number a Python float (float, math.*, a float array, compiled code)")

    def __complex__(self) -> NoReturn:
        session.leave("it makes a number a Python complex")

    def __int__(self) -> int:
        return int(LATER["trunc"](self).ball.unique_fmpz())

    def __trunc__(self) -> int:
        return int(self)

    def __floor__(self) -> int:
        return int(LATER["floor"](self))

    def __ceil__(self) -> int:
        return int(LATER["ceil"](self))

    def __round__(self, digits: int | None = None) -> Any:
        rounded = LATER["round"](self, digits or 0)
        return int(rounded) if digits is None else rounded

    def __copy__(self) -> Jet:
        return self

    def __deepcopy__(self, memo: Any) -> Jet:
        return self

    def __repr__(self) -> str:
        return f"Jet({self.ball}, {self.slope})"

    def __format__(self, spec: str) -> str:
        """As the nearest float: what is printed is not computed with."""
        return format(nearest(self), spec)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return LATER["__array_ufunc__"](ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return LATER["__array_function__"](function, types, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        """What a scalar of NumPy's has besides: `.shape`, `.sum()`, `.reshape(1, 1)`."""
        return LATER["__getattr__"](self, name)


numbers.Real.register(Jet)


LATER: dict[str, Any] = {}
"""Functions of jets and NumPy's protocols, by name: put in by the files that write them, which all import this one."""


def number(value: Any) -> Any:
    """Return what arithmetic with balls takes: an int, a float or a ball; NotImplemented for anything else."""
    kind = type(value)
    if kind is float or kind is int or kind is bool or kind in BALLS:
        return value
    if isinstance(value, np.longdouble):
        high = float(value)
        return arb(high) + float(value - high) if np.isfinite(high) else arb(high)
    if isinstance(value, np.generic):
        value = value.item()
        kind = type(value)
    if kind is complex:
        return acb(value.real, value.imag)
    if isinstance(value, (float, int)):
        return float(value) if isinstance(value, float) else int(value)
    if isinstance(value, Fraction):
        return arb(fmpq(value.numerator, value.denominator))
    if isinstance(value, (fmpq, fmpz)):
        return arb(value)
    return value if type(value) is Term else NotImplemented


def _number(value: Any) -> Any:
    return value if type(value) is Jet else number(value)


def jet(value: Any) -> Any:
    """Return a number as a jet without derivative; anything else as it is."""
    if type(value) is Jet:
        return value
    plain = number(value)
    if plain is NotImplemented:
        return value
    ball = plain if type(plain) in BALLS else arb(plain)
    return Jet(term(ball) if session.current().uses_terms and type(ball) is arb else ball)


def nearest(value: Any) -> Any:
    """The float (or complex) nearest to the middle of a jet or ball."""
    ball = value_of(value)
    return complex(float(ball.real), float(ball.imag)) if type(ball) is acb else float(ball)


def _divided(a: Any, b: Any) -> Any:
    """a / b for balls and numbers; both may be Python's, where 1 / 0 would raise."""
    if type(a) is int or type(a) is float:
        a = arb(a)
    return a / b


def _is_less(order: Order) -> bool:
    return order < 0


def _is_at_most(order: Order) -> bool:
    return order <= 0


def _is_greater(order: Order) -> bool:
    return order > 0


def _is_at_least(order: Order) -> bool:
    return order >= 0
