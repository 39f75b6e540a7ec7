"""The syntax tree of a function, from the file that it is written in."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Mapping
from functools import lru_cache
from typing import Any


def tree(function: Any) -> ast.FunctionDef | ast.Lambda | None:
    """Return the syntax tree of a function, `None` where its text is not known."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    arguments = code.co_varnames[: code.co_argcount]
    nodes = _trees(code.co_filename).get(code.co_firstlineno, [])
    fitting = [node for node in nodes if tuple(a.arg for a in (*node.args.posonlyargs, *node.args.args)) == arguments]
    named = [node for node in fitting if getattr(node, "name", "<lambda>") == code.co_name]
    return named[0] if named else None


def nodes(function: Any) -> tuple[ast.AST, ...]:
    """All nodes of the syntax tree of a function; none where its text is not known."""
    found = tree(function)
    return walked(found) if found is not None else ()


@lru_cache(maxsize=1000)
def walked(root: ast.AST) -> tuple[ast.AST, ...]:
    """All nodes of a tree."""
    return tuple(ast.walk(root))


# Of every file, the lines that its functions were read from.
_parsed: dict[str, tuple[list[str], Mapping[int, list[ast.FunctionDef | ast.Lambda]]]] = {}


def _trees(file: str) -> Mapping[int, list[ast.FunctionDef | ast.Lambda]]:
    """All functions of a file by the line in which they begin."""
    lines = linecache.getlines(file)
    known = _parsed.get(file)
    if known is None or known[0] is not lines:
        known = _parsed[file] = lines, _functions("".join(lines))
    return known[1]


def _functions(text: str) -> Mapping[int, list[ast.FunctionDef | ast.Lambda]]:
    found: dict[int, list[ast.FunctionDef | ast.Lambda]] = {}
    try:
        whole = ast.parse(text)
    except (SyntaxError, ValueError):
        return found
    for node in ast.walk(whole):
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            first = [one.lineno for one in getattr(node, "decorator_list", [])]
            found.setdefault(min([node.lineno, *first]), []).append(node)
    return found
