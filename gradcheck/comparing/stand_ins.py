"""Finite numbers that stand for −∞: `np.where(mask, scores, -1e9)` before a softmax.

At inputs of 1e6, scores lie below −1e9, and what was to be left out wins. There a gradient that does not know the mask
is wrong, as is forward; that is no question of the derivative. So a claim that is wrong, and right with −1e300 in the
number's place, is passed over, and said to be.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType

import numpy as np

from gradcheck.branches.constants import with_constant
from gradcheck.branches.recompile import in_place
from gradcheck.comparing.judge import is_wrong
from gradcheck.errors import shown
from gradcheck.evaluated import Evaluated, Ledger
from gradcheck.in_dtype import InDtype
from gradcheck.problem import Method
from gradcheck.syntax import nodes

# From here on a negative number is none that anything comes to, but one to be left out.
LARGE = 1e4
INFINITE = -1e300
# What puts a number in the place of others: its arguments that are put there.
PUTTING = {"where": (1, 2), "full": (1,), "full_like": (1,), "masked_fill": (1,), "putmask": (2,), "fill": (0,)}


class StandIns:
    """The numbers that stand for −∞ in some functions: `functions()` are looked at when they are first asked about."""

    def __init__(self, functions: Callable[[], Iterable[FunctionType]]) -> None:
        self._functions = functions
        self._found: list[tuple[FunctionType, CodeType, str]] | None = None
        self._there: Evaluated | None = None

    def why(self, here: Evaluated, method: Method, name: str, known: InDtype) -> str:
        """Why a wrong claim about `name` says nothing here: with −1e300 in their place, it is right. Else ""."""
        if self._found is None:
            self._found = [one for function in self._functions() if (one := _exchanged(function)) is not None]
        if not self._found:
            return ""
        with in_place((function, code) for function, code, _ in self._found):
            try:
                other = Evaluated(here.point, Ledger(), seed=here.seed, budget=here.budget)
                shows = (
                    np.abs(other.flat).max(initial=0.0) > -INFINITE / LARGE
                )  # it is put out, and left out of nothing
                if shows or other.random or is_wrong(other, method, name, other.in_dtype(known.name)):
                    return ""
            except Exception:  # other people's code, with a number in it that it was not made for
                return ""
        return f"{self._found[0][2]} stands for −∞, and here there are scores below it: what it masks is not left out"


def _exchanged(function: FunctionType) -> tuple[FunctionType, CodeType, str] | None:
    """A function with the code in which −∞ is farther away, and where it stands; None where there is no such number."""
    found = list(_fills(function))
    if not found:
        return None
    code = with_constant(function, {(number.lineno, number.col_offset) for number, _ in found}, INFINITE)
    number, value = found[0]
    text = f"{value:g}".replace("-", "−").replace("e+0", "e")
    place = f"{shown(function.__code__.co_filename)}, line {number.lineno}"
    return None if code is None else (function, code, f"{text} ({place})")


def _fills(function: FunctionType) -> Iterator[tuple[ast.expr, float]]:
    """Yield each large negative number that a function puts in the place of others, and its value."""
    for node in nodes(function):
        numbers: list[ast.expr] = []
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Subscript) for one in node.targets):
            numbers = [node.value]
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            numbers = [node.args[i] for i in PUTTING.get(name, ()) if i < len(node.args)]
            numbers += [word.value for word in node.keywords if word.arg == "fill_value"]
        for number in numbers:
            value = _value(number, function)
            if value is not None and INFINITE < value <= -LARGE:
                yield number, value


def _value(node: ast.expr, function: FunctionType) -> float | None:
    """A number as it is written, or a constant of its module."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _value(node.operand, function)
        return None if value is None else -value
    if isinstance(node, ast.Name):
        return _number(function.__globals__.get(node.id))
    return _number(node.value) if isinstance(node, ast.Constant) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
