"""A function's code with another constant in it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from gradcheck.branches.recompile import as_statement, compiled
from gradcheck.syntax import tree


def with_constant(function: FunctionType, places: set[tuple[int, int]], value: Any) -> CodeType | None:
    """The code of a function with another constant at some places (line, column); None where that cannot be made."""
    found = copy.deepcopy(tree(function))
    if found is None:
        return None
    as_code = ast.parse(repr(value), mode="eval").body
    made: Callable[[ast.AST], ast.AST] = _Exchange(places, as_code).visit
    return compiled(as_statement(made(found)), function.__code__)  # type: ignore[arg-type]


class _Exchange(ast.NodeTransformer):
    """Puts a constant in place of others."""

    def __init__(self, places: set[tuple[int, int]], constant: ast.expr) -> None:
        self.places = places
        self.constant = constant

    def visit(self, node: ast.AST) -> Any:
        """A constant that stands at one of the places, or what is in a node."""
        at = getattr(node, "lineno", None), getattr(node, "col_offset", None)
        if at in self.places and isinstance(node, (ast.Constant, ast.UnaryOp, ast.Name)):
            return ast.copy_location(copy.deepcopy(self.constant), node)
        return self.generic_visit(node)
