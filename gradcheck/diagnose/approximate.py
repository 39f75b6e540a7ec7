"""Forward approximates something (a series, a quadrature, an iteration), and the claim is the derivative of that.

It is found by running forward with more of it: the numbers that its loops and rules count to become larger. The
derivative of a better approximation is nearer to such a claim, that of a still better one nearer still.
"""

from __future__ import annotations

import ast
from contextlib import AbstractContextManager
from types import FunctionType

import numpy as np

from gradcheck.branches.constants import with_constant
from gradcheck.branches.recompile import in_place
from gradcheck.diagnose.evidence import Cause, Evidence
from gradcheck.diagnose.loops import counted
from gradcheck.diagnose.small_constants import functions_of, jacobian_with, replaced
from gradcheck.problem import Array, Subject

# A claim that is further off than this is another formula.
MOST = 0.2
# How much nearer the claim is to each better approximation, at the least; what is this near is as good as there.
NEARER, KNOWN = 0.6, 1e-4
# What a number that is counted to is multiplied with.
MORE = 2


def approximation(subject: Subject, e: Evidence) -> Cause | None:
    """The cause where the claim is the derivative of what forward approximates, or None."""
    if not e.readable or not np.isfinite(e.claim).all() or not e.scale:
        return None
    off = _distance(e, e.estimate)
    if not 0 < off <= MOST * e.scale:
        return None
    functions = list(functions_of(subject.code))
    found = [(f, *one) for f in functions for one in counted(f)]
    for function, node, number in found:
        better, best = _better(number), _better(_better(number))
        changes = (_changed(functions, function, node, number, by) for by in (better, best))
        near, nearest = (_distance(e, jacobian_with(subject, e, one)) for one in changes)
        if near <= NEARER * off and (nearest <= NEARER * near or nearest <= KNOWN * off):
            how = f"{off / near:.2g} × nearer to the claim" if near else "the claim"
            sentence = (
                "Forward is an approximation, and the claim is the derivative of what it approximates, not of forward: "
                f"with {better:g} in place of {number:g}, forward's own derivative is {how}."
            )
            evidence = f"the claim is off by {off:.2g}; with {better:g} by {near:.2g}, with {best:g} by {nearest:.2g}"
            return Cause("forward is an approximation", sentence, evidence)
    return None


def _better(number: int) -> int:
    """A larger number of terms, odd where it was (nodes may share their ends)."""
    return MORE * (number - number % 2) + number % 2


def _changed(
    functions: list[FunctionType], function: FunctionType, node: ast.AST, number: int, by: int
) -> AbstractContextManager[None]:
    """Let a function run with another number where it is written; or all of them, where it has a name."""
    if isinstance(node, ast.Name):
        return replaced(functions, number, by)
    code = with_constant(function, {(getattr(node, "lineno", 0), getattr(node, "col_offset", 0))}, by)
    return in_place([(function, code)] if code is not None else [])


def _distance(e: Evidence, jacobian: Array | None) -> float:
    if jacobian is None or jacobian.shape != e.claim.shape or not np.isfinite(jacobian).all():
        return float("inf")
    return float(np.max(np.abs(jacobian - e.claim), where=e.judged, initial=0.0))
