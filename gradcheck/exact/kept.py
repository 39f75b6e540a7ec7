"""How many digits of an exact derivative a claim keeps in floats, and at which line it loses them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from flint import arb

from gradcheck.exact import session
from gradcheck.exact.arrays.array import Array
from gradcheck.exact.claims import ask
from gradcheck.exact.comparison import MOST_DIGITS, digits
from gradcheck.exact.errors import NotExact
from gradcheck.exact.jets.jet import Jet
from gradcheck.exact.trace import Site
from gradcheck.problem import Method, Problem, Values

# Bits of a float64, and half of them: where that many are left, most are lost.
BITS, HALF = 53, 26


def digits_kept(floats: Array, exact: Array, column: Array, sizes: Array, dtype: str) -> tuple[float, int]:
    """The fewest decimal digits that any entry of a gradient keeps of the scale of its rows, and which entry that is.

    `column`, `(colours, outputs)`: the entry of the variable that moves an output, −1 for none (as in an estimate): the
    scale of an output is the largest exact entry that moves it, or its own of `sizes`, `(outputs,)`, where several
    outputs cancel; that of an entry is the largest of its outputs'. Entries whose scale the type cannot hold are left
    out; where there is no other, all digits are kept.
    """
    entries = np.array([abs(float(ball)) if ball.is_finite() else np.nan for ball in exact])
    named = column >= 0
    moved = np.where(named, np.nan_to_num(entries)[column], 0.0)
    outputs = np.broadcast_to(np.maximum(moved.max(axis=0, initial=0.0), sizes), column.shape)
    scale = np.zeros(entries.size)
    np.maximum.at(scale, column[named], outputs[named])
    smallest = float(np.finfo(dtype).tiny)
    fewest, at = MOST_DIGITS, 0
    with session.precisely():
        for entry in np.flatnonzero(np.isfinite(entries) & (scale >= smallest)):
            kept = digits(float(floats[entry]), exact[entry], float(scale[entry]))
            if kept < fewest:
                fewest, at = kept, int(entry)
    return float(fewest), at


def line_of_loss(
    problem: Problem, method: Method, values: Values, shapes: Sequence[tuple[int, ...]], row: Array
) -> str:
    """The first line at which a claim, run on balls of float64's precision, knows a number to less than half of it.

    The radius of such a ball grows as the error of a float may. "" where no line does that (an overflow loses digits,
    too), or where such wide balls leave a comparison undecided.
    """
    with _watched() as found, suppress(NotExact, NotImplementedError):  # what was seen until then counts
        ask(problem, method, values, shapes, row[None, :], bits=BITS, most=BITS)
    return str(found[0]) if found else ""


@contextmanager
def _watched() -> Iterator[list[Site]]:
    """Note where jets are made whose accuracy is low, as long as the context lasts."""
    found: list[Site] = []
    made = Jet.__init__

    def watched(self: Jet, ball: Any, slope: Any = None) -> None:
        made(self, ball, slope)
        if not found and type(ball) is arb and ball.is_finite() and ball.rel_accuracy_bits() < HALF:
            site = session.caller()
            found.extend([site] * (not site.is_ours))

    Jet.__init__ = watched  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Jet.__init__ = made  # type: ignore[method-assign]
