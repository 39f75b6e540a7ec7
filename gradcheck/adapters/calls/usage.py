"""How a module itself calls a derivative: with what went into the function, or with what came out of it."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Literal

from gradcheck.compiled import uncompiled

At = Literal["input", "output"]


def asked_at(function: Callable[..., Any], name: str, derivative: str, also: Callable[[ast.Call], bool]) -> At | None:
    """Return at what a module's own calls ask for the derivative of the function `name`; `None` where it has none.

    `derivative` is the name that is called, `also` what else a call must have (a switch that is on).
    """
    file = getattr(uncompiled(function), "__code__", None)
    if file is None:
        return None
    found = {_of(call, scope, name) for call, scope in _calls(file.co_filename, derivative) if also(call)} - {None}
    return "output" if found == {"output"} else "input" if "input" in found else None


def _calls(file: str, name: str) -> Iterator[tuple[ast.Call, ast.AST]]:
    """Calls of a name, each with the function, class or module that it stands in."""
    for scope in _scopes(file, "".join(linecache.getlines(file))):
        for node in _own(scope):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name and node.args:
                yield node, scope


@lru_cache(maxsize=32)
def _scopes(file: str, text: str) -> list[ast.AST]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    return [node for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))]


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """What stands in a scope; of a class also what its methods keep in attributes."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if isinstance(scope, ast.ClassDef) or not isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            yield from _own(child)


def _of(call: ast.Call, scope: ast.AST, name: str) -> At | None:
    """What the first argument of a call is: assigned from a call of `name`, or from something else."""
    asked = call.args[0]
    if isinstance(asked, ast.Call):
        return "output" if _is_call_of(asked, name) else None
    if not isinstance(asked, (ast.Name, ast.Attribute)):
        return None
    wanted = ast.dump(_loaded(asked))
    values = [
        node.value
        for node in _own(scope)
        if isinstance(node, ast.Assign) and any(ast.dump(_loaded(target)) == wanted for target in node.targets)
    ]
    if not values:
        return None
    return "output" if all(_is_call_of(value, name) for value in values) else "input" if _computes(values) else None


def _loaded(node: ast.expr) -> ast.expr:
    """The same name or attribute, as it is read."""
    if isinstance(node, ast.Attribute):
        return ast.Attribute(node.value, node.attr, ast.Load())
    return ast.Name(node.id, ast.Load()) if isinstance(node, ast.Name) else node


def _is_call_of(value: ast.expr, name: str) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == name


def _computes(values: list[ast.expr]) -> bool:
    """Whether values are products and sums, as what goes into an activation is."""
    return all(isinstance(value, ast.BinOp) or _is_product(value) for value in values)


def _is_product(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and getattr(value.func, "attr", "") in ("dot", "matmul", "einsum")
