"""How the code itself uses a derivative: at what went into the function, or at what came out of it (`s * (1 - s)`).

Read off the module's source. Only where every use that can be told is of an output is the derivative one of the output.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Iterator
from typing import Any

OF_THE_OUTPUT = "the slope as a function of the output, as the code uses it"


def takes_the_output(function: Any, name: str, derivative: str) -> bool:
    """Whether `derivative` is called on outputs of `name`, wherever the module (of a method: the class) calls it."""
    tree: Any = _tree(getattr(function, "__module__", "") or "")
    if tree is None:
        return False
    for part in function.__qualname__.split(".")[:-1]:
        tree = next((one for one in ast.walk(tree) if isinstance(one, ast.ClassDef) and one.name == part), tree)
    outputs = set(_kept(tree, name))
    uses = [_is_output(call.args[0], name, outputs) for call in _calls(tree, derivative) if call.args]
    return bool(uses) and all(uses)


def takes_a_bare_array(module: str) -> bool:
    """Whether an engine asks, anywhere in this module, if what came back is a tuple or a list, as one does that takes
    a bare array for the only gradient. Without that it is unpacked."""
    tree = _tree(module)
    asked = [call.args[1] for call in _calls(tree, "isinstance") if len(call.args) == 2] if tree is not None else []
    return any(_word(one) in ("tuple", "list") for kinds in asked for one in getattr(kinds, "elts", [kinds]))


@functools.lru_cache(maxsize=8)
def _tree(module: str) -> ast.Module | None:
    try:
        return ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError, SyntaxError):
        return None


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _word(node.func) == name:
            yield node


def _kept(tree: ast.AST, name: str) -> Iterator[str]:
    """Names under which outputs are kept: assigned to, or appended to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _has_call(node.value, name):
            yield from (word for target in node.targets if (word := _word(target)))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            yield from (word for one in node.args[:1] if _has_call(one, name) and (word := _word(node.func.value)))


def _has_call(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and _word(node.func) == name


def _is_output(node: ast.AST, name: str, outputs: set[str]) -> bool:
    return _has_call(node, name) or _word(node) in outputs


def _word(node: ast.AST) -> str:
    """The last word of an expression: `z` of `self.z` and `z[-1]`, `A1` of `cache["A1"]`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        key = node.slice
        return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else _word(node.value)
    return ""
