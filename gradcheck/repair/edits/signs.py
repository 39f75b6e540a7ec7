"""Signs: of a term, a factor, a result."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradcheck.repair.pieces import negative
from gradcheck.repair.scene import Edit, Scene


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """The other sign of an expression, as it stands or without its minus."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield scene.put(node, scene.piece(node.operand), "without its minus", 1, -1.0)
    elif isinstance(node, ast.expr) and scene.is_term(node) and _is_real(node, scene):
        parent = scene.parents.get(node)
        summed = isinstance(parent, ast.BinOp) and isinstance(parent.op, (ast.Add, ast.Sub))
        if not (summed and isinstance(parent, ast.BinOp) and node is parent.right):  # there the operator changes
            yield scene.put(node, negative(scene.piece(node)), "the other sign", 1, -1.0)


def _is_real(node: ast.AST, scene: Scene) -> bool:
    """Whether an expression was a floating number or array; a number as it is written is changed elsewhere."""
    value = scene.array(node)
    return value is not None and value.dtype.kind == "f" and not isinstance(node, ast.Constant)
