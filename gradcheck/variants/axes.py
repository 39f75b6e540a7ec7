"""What code says about the axes it is meant for.

A forward that counts axes from the front (`axis=1`, `x.shape[1]`, `x[:, 0]`) is about so many of them, and code that
transposes is not about vectors, which `.T` leaves as they are.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from gradcheck.syntax import nodes
from gradcheck.variants.calls import going_forward
from gradcheck.variants.options import functions


def counts_axes(code: Sequence[Any]) -> bool:
    """Whether any function that goes forward names an axis after the first by its number from the front."""
    return any(map(_names_an_axis, going_forward([one for thing in code for one in functions(thing)])))


def names_axes(code: Sequence[Any]) -> bool:
    """Whether any function that goes forward names an axis, be it the last one: it is about rows."""
    forth = going_forward([one for thing in code for one in functions(thing)])
    return any(isinstance(node, ast.keyword) and node.arg in ("axis", "axes") for one in forth for node in nodes(one))


def transposes(code: Sequence[Any]) -> bool:
    """Whether any function, there or back, turns a matrix round."""
    return any(_transposes(one) for thing in code for one in functions(thing))


@lru_cache(maxsize=4096)
def _names_an_axis(function: Any) -> bool:
    return any(map(_names, nodes(function)))


@lru_cache(maxsize=4096)
def _transposes(function: Any) -> bool:
    return any(map(_turns, nodes(function)))


def _turns(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("T", "transpose", "swapaxes")


def _names(node: ast.AST) -> bool:
    if isinstance(node, ast.keyword):
        parts = node.value.elts if isinstance(node.value, (ast.Tuple, ast.List)) else [node.value]
        return node.arg in ("axis", "axes") and any(map(_is_later, parts))
    if isinstance(node, ast.Subscript):
        shape = isinstance(node.value, ast.Attribute) and node.value.attr == "shape"
        if isinstance(node.slice, ast.Tuple) and not shape:
            return not any(isinstance(one, ast.Constant) and one.value is Ellipsis for one in node.slice.elts)
        return shape and _is_later(node.slice)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        reduces = node.func.attr in ("sum", "mean", "max", "min", "prod", "var", "std", "argmax")
        at = 1 if isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy") else 0
        return reduces and len(node.args) > at and _is_later(node.args[at])
    return False


def _is_later(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value >= 1
