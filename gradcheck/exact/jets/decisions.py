"""Decisions on jets: which of two is larger, and what decides where they are equal.

Balls decide where they are sure. Where both are the same number (both exact and equal, or one and the same object), the
derivatives along the direction decide, as for dual numbers: the order is that of the values one small step ahead. Where
balls merely overlap, nothing is assumed: the run ends as `Undecided` and is made again with more bits, and in the end
with `terms`, which are the same object where arithmetic shows that they are the same number. What neither decides is
not exact (sin² + cos² and 1 stay undecided). Values that are equal with their derivatives count as equal, and the trace
says so (`flat`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Literal, TypeVar

from flint import acb, arb, arb_mat, arb_series

from gradcheck.exact import session
from gradcheck.exact.errors import Apart, Undecided

Order = Literal[-1, 0, 1]
Outcome = TypeVar("Outcome", bound=Hashable)


def decide(
    kind: str,
    left: Any,
    right: Any,
    outcome: Callable[[Order], Outcome],
    *,
    continuous: bool = False,
) -> Outcome:
    """Order two jets or numbers, make the outcome of it, and leave it in the trace.

    `continuous`: both outcomes give the same number at a tie (a maximum, an absolute value), so that one that the
    direction does not decide is harmless.
    """
    site = session.caller()
    found, tie, flat = _order(left, right, site, kind, continuous)
    result = outcome(found)
    session.current().trace.note(site, kind, result, left, right, tie=tie, flat=flat and not continuous)
    return result


def is_equal(left: Any, right: Any) -> bool:
    """Whether two jets or numbers are equal (complex ones too), as a decision."""
    if type(value_of(left)) is acb or type(value_of(right)) is acb:
        return _is_equal_complex(left, right)
    return decide("equal", left, right, lambda order: order == 0)


def value_of(number: Any) -> Any:
    """The ball of a jet, however deeply nested; of a power series, its constant term; a number itself."""
    while hasattr(number, "ball"):
        number = number.ball
    return number[0] if type(number) is arb_series else number


def _order(left: Any, right: Any, site: Any, kind: str, continuous: bool) -> tuple[Order, bool, bool]:
    """Return the order, whether values were equal and depend on the direction, and whether that did not decide."""
    a, b = getattr(left, "ball", left), getattr(right, "ball", right)
    if hasattr(a, "ball") or hasattr(b, "ball"):
        found = _order(a, b, site, kind, continuous)
        if found[0]:
            return found
    elif (order := _order_of_values(a, b, site, kind)) != 0:
        return order, False, False
    s, t = getattr(left, "slope", None), getattr(right, "slope", None)
    if left is right or (s is None and t is None):
        return 0, False, False
    ahead = _sign(s if t is None else -t if s is None else s - t, site, kind, continuous)
    return ahead, True, ahead == 0


def _order_of_values(a: Any, b: Any, site: Any, kind: str) -> Order:
    if a is b and not (type(a) is arb and a.is_nan()):
        return 0
    a = a[0] if type(a) is arb_series else a
    b = b[0] if type(b) is arb_series else b
    if type(a) is acb or type(b) is acb:
        session.leave("it orders complex numbers")
    if a < b:
        return -1
    if a > b:
        return 1
    if a == b:
        return 0
    session.end(Undecided(str(site), kind))


def _sign(slope: Any, site: Any, kind: str, continuous: bool) -> Order:
    """The sign of a difference of derivatives: in one direction, or the same one in all directions of a block.

    What is `continuous` has that of the directions that decide: in the others both outcomes are the same number.
    """
    if type(slope) is arb_mat:
        signs = {_sign(entry, site, kind, continuous) for entry in slope.entries()}
        if continuous and len(signs) > 1:
            signs.discard(0)
        if len(signs) > 1:
            session.end(Apart(str(site), kind))
        return signs.pop()
    if hasattr(slope, "ball"):
        return _order(slope, 0, site, kind, continuous)[0]
    return _order_of_values(slope, 0, site, kind)


def _is_equal_complex(left: Any, right: Any) -> bool:
    difference = acb(value_of(left)) - acb(value_of(right))
    zero = [part == 0 for part in (difference.real, difference.imag)]
    apart = [not part.contains(arb(0)) for part in (difference.real, difference.imag)]
    if not (all(zero) or any(apart)):
        session.end(Undecided(str(session.caller()), "equal"))
    return all(zero)
