"""Comparisons: the other way, with or without equality, `and` for `or`, a mask turned around."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradcheck.repair.pieces import SYMBOLS
from gradcheck.repair.scene import Edit, Scene


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Another comparison; another way to put two conditions together."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in SYMBOLS:
        symbol = SYMBOLS[type(node.ops[0])]
        start, end = scene.outer(node.left)[1], scene.outer(node.comparators[0])[0]
        gap = scene.unit.file.text[start:end]
        for other in (">", ">=", "<", "<=", "==", "!="):
            if other != symbol:
                turned = gap.replace(symbol, other, 1)
                cost = 1.0 if other[0] in "<>" and symbol[0] in "<>" else 1.5
                yield scene.rewrite(start, end, turned, f"`{other}` for `{symbol}`", cost)
    if isinstance(node, ast.BoolOp):
        symbol, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        start, end = scene.outer(node.values[0])[1], scene.outer(node.values[1])[0]
        gap = scene.unit.file.text[start:end]
        yield scene.rewrite(start, end, gap.replace(symbol, other, 1), f"`{other}` for `{symbol}`", 1.5)
        for kept in node.values:
            yield scene.put(node, scene.piece(kept), f"only `{scene.text(kept)}`", 2.0)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.Invert)):
        yield scene.put(node, scene.piece(node.operand), "without the negation", 1.2)
