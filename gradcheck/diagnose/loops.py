"""The numbers by which loops and rules end: what they count to, and how near they have to come."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType

from gradcheck.syntax import nodes

# What is counted to: terms, nodes, rounds.
FEWEST, LARGEST = 2, 5_000
COUNTING = ("range", "linspace", "arange", "leggauss", "hermgauss", "laggauss", "chebgauss")


def counted(function: FunctionType) -> Iterator[tuple[ast.AST, int]]:
    """Yield whole numbers to which a function counts, as it writes them or by a name that stands for one."""
    for node in nodes(function):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in COUNTING:
            for part in ast.walk(node):
                value = _value(part, function)
                if isinstance(value, int) and FEWEST <= value <= LARGEST:
                    yield part, value


def stops(function: FunctionType) -> Iterator[float]:
    """Yield small numbers at which a loop ends: in the test of a `while`, or of an `if` that leaves a loop."""
    for loop in nodes(function):
        if not isinstance(loop, (ast.For, ast.While)):
            continue
        leaving = [one for one in ast.walk(loop) if isinstance(one, ast.If) and _leaves(one)]
        for test in [*([loop.test] if isinstance(loop, ast.While) else []), *(one.test for one in leaving)]:
            for part in ast.walk(test):
                value = _value(part, function)
                if isinstance(value, float) and 0 < value < 1:
                    yield value


def _leaves(node: ast.If) -> bool:
    return any(isinstance(one, (ast.Break, ast.Return)) for one in node.body)


def _value(node: ast.AST, function: FunctionType) -> object:
    """A number as it is written, or that a name stands for: a default, a constant of the module."""
    if isinstance(node, ast.Constant):
        value: object = node.value
    elif isinstance(node, ast.Name):
        code, defaults = function.__code__, function.__defaults__ or ()
        names = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
        given = {**dict(zip(names, defaults, strict=True)), **(function.__kwdefaults__ or {})}
        value = given.get(node.id, function.__globals__.get(node.id))
    else:
        return None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
