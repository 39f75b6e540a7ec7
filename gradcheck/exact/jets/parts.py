"""Parts of complex jets, and whether a number is one at all."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from flint import acb, acb_mat, arb, arb_mat

from gradcheck.exact import session
from gradcheck.exact.errors import Undecided
from gradcheck.exact.jets.decisions import value_of
from gradcheck.exact.jets.jet import Jet, jet


def real(x: Any) -> Any:
    """The real part."""
    return _part(x, "real")


def imag(x: Any) -> Any:
    """The imaginary part."""
    return _part(x, "imag")


def conjugate(x: Any) -> Any:
    """The complex conjugate; of real numbers, themselves."""
    x = jet(x)
    if type(value_of(x)) is not acb:
        return x
    return Jet(x.ball.conjugate(), _of_slope(x.slope, acb_mat, lambda z: z.conjugate()))


def _part(x: Any, name: str) -> Any:
    x = jet(x)
    if type(value_of(x)) is not acb:
        return x if name == "real" else Jet(arb(0))
    part = attrgetter(name)
    return Jet(part(x.ball), _of_slope(x.slope, arb_mat, part))


def _of_slope(slope: Any, rows: Any, part: Callable[[Any], Any]) -> Any:
    """A part of a derivative, which may be real beside a complex value, or a row of several."""
    if slope is None:
        return None
    if type(slope) in (arb_mat, acb_mat):
        return rows(1, slope.ncols(), [part(acb(entry)) for entry in slope.entries()])
    return part(acb(slope))


def is_nan(x: Any) -> bool:
    """Whether a number is undefined: 0 / 0, the root of −1, or 1 / 0, which mathematics does not tell apart."""
    ball = value_of(x)
    if type(ball) is acb:
        return bool(ball.real.is_nan() or ball.imag.is_nan())
    return bool(ball.is_nan()) if type(ball) is arb else bool(ball != ball)


def is_finite(x: Any) -> bool:
    """Whether a ball is finite."""
    ball = value_of(x)
    return bool(ball.is_finite()) if type(ball) in (arb, acb) else abs(ball) < float("inf")


def is_infinite(x: Any) -> bool:
    """Whether a number is ∞ or −∞."""
    ball = value_of(x)
    if is_finite(x) or is_nan(x):
        return False
    if type(ball) is arb and not ball.is_exact():
        session.end(Undecided(str(session.caller()), "isinf"))
    return True
