"""Numbers that know how they were made, so that two of them can be shown to be equal.

Balls never show it, unless both are exact. A term is a ball with the expression that it encloses, each of which exists
once in a run: equal fractions are one term (they are kept as fractions, as long as their arithmetic is that of
fractions), and so are equal operations on equal terms. exp(x) is exp(x), and (x + x + x) / 3 is x. What is one term is
equal; all else is as for balls. A run takes terms for its inputs where balls have left a comparison undecided: they
take several times as long.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from flint import arb, fmpq

from gradcheck.exact import session

# Fractions of more bits than this are kept as balls alone.
LARGEST = 4096
# Python's arithmetic operators, and which of them commute.
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


class Term:
    """A ball, the fraction that it is (None: none is known), and the number of its expression."""

    __slots__ = ("ball", "fraction", "number")

    def __init__(self, ball: arb, fraction: fmpq | None, number: int) -> None:
        self.ball = ball
        self.fraction = fraction
        self.number = number

    def __add__(self, other: Any) -> Any:
        return _operation("+", self, other)

    def __radd__(self, other: Any) -> Any:
        return _operation("+", other, self)

    def __sub__(self, other: Any) -> Any:
        return _operation("-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _operation("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return _operation("*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _operation("*", other, self)

    def __truediv__(self, other: Any) -> Any:
        return _operation("/", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _operation("/", other, self)

    def __neg__(self) -> Any:
        return _operation("*", self, -1)

    def __pow__(self, exponent: Any) -> Any:
        return _interned(("**", self.number, term(exponent).number), lambda: self.ball**exponent)

    def __lt__(self, other: Any) -> bool:
        return bool(self.ball < other)

    def __gt__(self, other: Any) -> bool:
        return bool(self.ball > other)

    def apply(self, function: Any) -> Term:
        """An analytic function of this number."""
        return _interned((function, self.number), lambda: function.ball(self.ball))


def term(value: Any) -> Any:
    """Return a number or a ball as a term; NotImplemented for what is none."""
    if type(value) is Term:
        return value
    if isinstance(value, (int, float)):
        value = arb(value)
    if type(value) is not arb:
        return NotImplemented
    return _of_ball(value) if value.is_exact() and value.is_finite() else _new(value)


def _table() -> dict[Any, Term]:
    return session.current().terms


def _new(ball: arb, fraction: fmpq | None = None) -> Term:
    """An expression that is equal to nothing but itself."""
    table = _table()
    made = table[len(table)] = Term(ball, fraction, len(table))
    return made


def _interned(key: Any, compute: Callable[[], arb]) -> Term:
    """The expression of this key, made if it is new; where its ball is exact, the number itself."""
    table = _table()
    known = table.get(key)
    if known is None:
        ball = compute()
        known = table[key] = _of_ball(ball) if ball.is_exact() and ball.is_finite() else _new(ball)
    return known


def _of_ball(ball: arb) -> Term:
    return _of_fraction(ball.fmpq())


def _of_fraction(fraction: fmpq) -> Term:
    key = (int(fraction.p), int(fraction.q))
    table = _table()
    known = table.get(key)
    if known is None:
        known = table[key] = _new(arb(fraction), fraction)
    return known


def _operation(name: str, left: Any, right: Any) -> Any:
    a, b = term(left), term(right)
    if a is NotImplemented or b is NotImplemented:
        return NotImplemented
    if a.fraction is not None and b.fraction is not None and not (name == "/" and b.fraction == 0):
        exact = _OPERATORS[name](a.fraction, b.fraction)
        if exact.height_bits() <= LARGEST:
            return _of_fraction(exact)
    if name == "-" and a is b and a.ball.is_finite():
        return _of_fraction(fmpq(0))
    numbers = (a.number, b.number)
    return _interned((name, *(sorted(numbers) if name in "+*" else numbers)), lambda: _OPERATORS[name](a.ball, b.ball))
