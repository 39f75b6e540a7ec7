"""The exact engine: somebody's NumPy code, run on numbers that cannot lie.

A **ball** is a midpoint with a radius that certainly holds the true value, at any number of bits (Johansson, *Arb:
efficient arbitrary-precision midpoint-radius interval arithmetic*, IEEE Trans. Computers 66(8), 2017; in Python the
package python-flint, here the extra `proof`). A **jet** is a ball with its derivative along a direction. NumPy runs
code on arrays of any Python numbers, and so on jets: what comes out encloses f and J v at exactly the floats that were
given, without a step, without noise.

    numbers      jets/       jet (arithmetic), decisions, terms; analytic and piecewise functions with their derivatives
    arrays       arrays/     the array class, what NumPy asks it (protocols), and what NumPy has no loop for
    names        shadow/     `np`, `math`, `float` in the modules that are checked, and the state of the objects there
    a run        session, trace, run, errors
    questions    evaluate (forward), claims, comparison, formula (a claim at a point), boxes (on an interval)

What holds, and what is assumed:

- **Values.** Floats are taken at the number that they are, in forward, in the claim, and as constants of the code. A
  cast to a shorter float is the identity here, and noted. Constants that the code rounds (`1 / 6`) differ from the
  fraction in the 17th digit: see `comparison.ROUNDED`.
- **Decisions.** Balls decide where they are sure. Equal numbers (the same to the last bit, without a radius, or shown
  to be equal: `jets.terms`) are ordered by their derivatives along the direction: `one_sided` runs both sides.
  Overlapping balls are never taken for equal: more bits, and in the end NotExact. Every decision is in the trace, with
  its place and operands.
- **Types.** Arrays of jets say that they are of float64: code that asks takes the branch that it takes for floats.
  What cannot be seen from inside is a test by identity (`type(x) is np.ndarray`, `f is np.exp` for an `f` from before);
  so a result counts as proof only where it agrees with what the same code gives in floats (`agreement`).
- **What leaves** (compiled code, `float(x)` in a module that is not shadowed, eigenvalues, more operations than the
  budget) raises NotExact with the line of the user's file.
- **State.** Objects that the code reaches are put back as they were; meanwhile their arrays of floats hold jets.

One exact run goes on at a time in a process; other threads wait for it, or run in floats, undisturbed but for the very
objects that are run exactly.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from gradcheck.errors import install
from gradcheck.exact.errors import NotExact

if TYPE_CHECKING:
    from gradcheck.exact.boxes import Boxes, box
    from gradcheck.exact.claims import Claim, ask, claim
    from gradcheck.exact.comparison import (
        ROUNDED,
        Comparison,
        agreement,
        compare,
        digits,
        midpoint,
        midpoints,
        row_scale,
    )
    from gradcheck.exact.evaluate import Along, OneSided, along, jacobian, one_sided, second
    from gradcheck.exact.formula import ExactPoint, Formula
    from gradcheck.exact.kept import digits_kept, line_of_loss
    from gradcheck.exact.trace import Choice, Decision, Site, Trace

__all__ = [
    "ROUNDED",
    "Along",
    "Boxes",
    "Choice",
    "Claim",
    "Comparison",
    "Decision",
    "ExactPoint",
    "Formula",
    "NotExact",
    "OneSided",
    "Site",
    "Trace",
    "agreement",
    "along",
    "ask",
    "available",
    "box",
    "claim",
    "compare",
    "digits",
    "digits_kept",
    "jacobian",
    "line_of_loss",
    "midpoint",
    "midpoints",
    "one_sided",
    "row_scale",
    "second",
]

_HOMES = {
    **dict.fromkeys(("Boxes", "box"), "boxes"),
    **dict.fromkeys(("Claim", "ask", "claim"), "claims"),
    **dict.fromkeys(
        ("Comparison", "ROUNDED", "agreement", "compare", "digits", "midpoint", "midpoints", "row_scale"), "comparison"
    ),
    **dict.fromkeys(("Along", "OneSided", "along", "jacobian", "one_sided", "second"), "evaluate"),
    **dict.fromkeys(("ExactPoint", "Formula"), "formula"),
    **dict.fromkeys(("digits_kept", "line_of_loss"), "kept"),
    **dict.fromkeys(("Choice", "Decision", "Site", "Trace"), "trace"),
}


def available() -> bool:
    """Whether python-flint is installed, so that anything can be run exactly."""
    return importlib.util.find_spec("flint") is not None


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: without python-flint, `available` and NotExact are all there is."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if not available():
        raise ImportError(f"{name} needs python-flint, which the extra installs: {install('proof')}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
