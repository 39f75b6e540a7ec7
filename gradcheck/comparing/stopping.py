"""Where forward stops at a tolerance: an iteration that ends when it moves by less than 1e-8, a solver with `rtol=`.

What it computes is near to what it solves, and a right claim is the derivative of the latter. So a claim that is wrong
beside such a forward is asked again where the same code stops a million times later, and held to the digits that are
left: what is wrong there is wrong, and what is right there is right up to forward's own tolerance.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import CodeType, FunctionType

import numpy as np

from gradcheck.branches.recompile import as_statement, compiled, in_place
from gradcheck.comparing.compare import Comparison
from gradcheck.comparing.judge import judge
from gradcheck.errors import TimeLimit
from gradcheck.evaluated import Evaluated, Ledger
from gradcheck.guarded import LONGEST, in_time
from gradcheck.in_dtype import InDtype
from gradcheck.problem import Method
from gradcheck.syntax import tree

# What tolerances are multiplied by: the second where the loop does not end with the first.
LATER = (2.0**-20, 2.0**-10)
# Numbers between these are tolerances; a smaller one asks for digits that float64 does not have.
SMALLEST, LARGEST = 2.0**-45, 1e-3
# A later stop may leave this many times its tolerance.
LEFT = 8.0
# Seconds for all that is asked about one claim at one point, in questions.
QUESTIONS = 10

STOPS = "forward stops at a tolerance of its own; with a smaller one, the claims are right"


class Stopping:
    """The tolerances in some functions: `functions()` are looked at when they are first asked about."""

    def __init__(self, functions: Callable[[], Iterable[FunctionType]]) -> None:
        self._functions = functions
        self._found: list[list[tuple[FunctionType, CodeType]]] | None = None

    def later(self, here: Evaluated, method: Method, name: str, known: InDtype) -> Comparison | None:
        """How a claim about `name` compares where forward stops later; None where it stops at no tolerance."""
        if here.is_large(name) or here.problem.accuracy:
            return None
        if self._found is None:
            functions = list(self._functions())
            self._found = [list(_stopping_later(functions, times)) for times in LATER]
        for times, changes in zip(LATER, self._found, strict=True):
            if not changes:
                continue
            try:
                with in_place(changes), in_time(QUESTIONS * LONGEST):
                    return _judged(here, method, name, known, times)
            except (Exception, TimeLimit):  # other people's code, with numbers in it that it was not made for
                continue
        return None


def _judged(here: Evaluated, method: Method, name: str, known: InDtype, times: float) -> Comparison:
    with in_time():
        near = np.concatenate([np.asarray(one, dtype=float).ravel() for one in here.problem.forward(here.point.values)])
    size = float(np.abs(near).max(initial=0.0))
    moved = float(np.abs(near - here.flat).max(initial=0.0))
    left = LEFT * max(times * moved, SMALLEST * min(1.0, size)) / size if size else 0.0
    problem = replace(here.problem, accuracy=min(left, LARGEST))
    there = Evaluated(replace(here.point, problem=problem), Ledger(), seed=here.seed, budget=here.budget)
    again = there.in_dtype(known.dtype)
    answer, asked = there.ask_entries(method, name, again)
    if answer.rows is None:
        raise ValueError(answer.message)
    return judge(there, method, name, answer.rows, asked, again)


def _stopping_later(functions: Iterable[FunctionType], times: float) -> Iterator[tuple[FunctionType, CodeType]]:
    """Functions that stop at a tolerance, each with the code in which it stops later."""
    for function in functions:
        found = copy.deepcopy(tree(function))
        tolerances = [] if found is None else list(_tolerances(found))
        if found is None or not tolerances:
            continue
        made: Callable[[ast.AST], ast.AST] = _Later(tolerances, times).visit
        code = compiled(as_statement(made(found)), function.__code__)  # type: ignore[arg-type]
        if code is not None:
            yield function, code


def _tolerances(root: ast.AST) -> Iterator[ast.expr]:
    """What a loop's last step is compared with where that ends it, and what a keyword with `tol` in its name is."""
    for node in ast.walk(root):
        if isinstance(node, ast.Call):
            yield from (word.value for word in node.keywords if word.arg and "tol" in word.arg)
        elif isinstance(node, ast.While):
            yield from _limits(node.test, ends=False)
        if isinstance(node, (ast.For, ast.While)):
            for one in ast.walk(node):
                if isinstance(one, ast.If) and any(isinstance(last, (ast.Break, ast.Return)) for last in one.body):
                    yield from _limits(one.test, ends=True)


def _limits(test: ast.AST, ends: bool) -> Iterator[ast.expr]:
    """What something comes down to in a test that `ends` a loop, or keeps it going."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _limits(test.operand, not ends)
    elif isinstance(test, ast.Compare) and isinstance(test.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
        is_less = isinstance(test.ops[0], (ast.Lt, ast.LtE))
        yield test.comparators[0] if is_less == ends else test.left
    else:
        for part in ast.iter_child_nodes(test):
            yield from _limits(part, ends)


class _Later(ast.NodeTransformer):
    """Makes tolerances smaller, whatever number stands in them when the code runs."""

    def __init__(self, places: list[ast.expr], times: float) -> None:
        self.places = {id(one) for one in places}
        text = f"lambda t: max(t * {times!r}, {SMALLEST!r}) if {SMALLEST!r} < t <= {LARGEST!r} else t"
        self.smaller = ast.parse(text, mode="eval").body

    def visit(self, node: ast.AST) -> ast.AST:
        """A tolerance as an argument of what makes it smaller, or what is in a node."""
        inside = self.generic_visit(node)
        if id(node) not in self.places:
            return inside
        call = ast.Call(copy.deepcopy(self.smaller), [inside], [])  # type: ignore[list-item]
        return ast.copy_location(call, node)
