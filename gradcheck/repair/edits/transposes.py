"""Transposes: one too many, one missing; one to be added, for a matrix that is used twice."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradcheck.repair.pieces import ATOM, Piece, binary
from gradcheck.repair.scene import Edit, Scene

NAMES = ("T", "mT")
CALLS = ("transpose", "swapaxes", "moveaxis")


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Without a transpose that is there; with one, for a matrix."""
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield scene.put(node, scene.piece(node.value), f"without `.{node.attr}`", 1)
        return
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
        of_numpy = isinstance(node.func.value, ast.Name) and node.func.value.id == scene.numpy
        if not of_numpy or node.args:
            inner = node.args[0] if of_numpy else node.func.value
            yield scene.put(node, scene.piece(inner), f"without `{node.func.attr}`", 1.5)
        return
    value, parent = scene.array(node), scene.parents.get(node)
    if not isinstance(node, ast.expr) or value is None or value.ndim < 2 or isinstance(parent, ast.Attribute):
        return
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult) and isinstance(node, ast.BinOp):
        cost = 2.0
    else:
        cost = 1.0 if isinstance(node, (ast.Name, ast.Attribute)) else 1.5
    text = scene.piece(node).within(ATOM)
    if value.ndim == 2:
        yield scene.put(node, Piece(f"{text}.T"), "transposed", cost)
        if value.shape[0] == value.shape[1] and scene.is_term(node):
            yield scene.put(node, binary(scene.piece(node), "+", Piece(f"{text}.T")), "plus its transpose", cost + 1)
    else:
        yield scene.put(node, Piece(f"{text}.swapaxes(-1, -2)"), "transposed", cost + 1)
        yield scene.put(node, Piece(f"{text}.swapaxes(0, 1)"), "transposed", cost + 1.5)
