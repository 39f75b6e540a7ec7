"""Small numbers of forward that its derivative forgets: in a denominator, a root, a logarithm."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from gradcheck.repair.pieces import Piece, binary, call
from gradcheck.repair.scene import Edit, Scene

SMALL = 0.02
UNDER = frozenset(("sqrt", "log", "power", "divide", "log2", "log10"))


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """A denominator, or what stands under a root, a logarithm or a power, with a small number added or as its least."""
    if not isinstance(node, ast.expr) or isinstance(node, ast.Constant) or not _is_under(node, scene):
        return
    small = [repr(one) for one in scene.material.constants if 0 < one < SMALL]
    small += [one.text for one in scene.names(node) if np.ndim(one.value) == 0 and 0 < one.value < SMALL]
    for text in dict.fromkeys(small):
        yield scene.put(node, binary(scene.piece(node), "+", Piece(text)), f"+ {text}", 1.2)
        if scene.numpy:
            least = call(f"{scene.numpy}.maximum", scene.text(node), text)
            yield scene.put(node, least, f"at least {text}", 2.0)


def _is_under(node: ast.expr, scene: Scene) -> bool:
    parent = scene.parents.get(node)
    if isinstance(parent, ast.BinOp):
        divides = isinstance(parent.op, ast.Div) and node is parent.right
        return divides or (isinstance(parent.op, ast.Pow) and node is parent.left)
    name = scene.text(parent.func).rpartition(".")[2] if isinstance(parent, ast.Call) else ""
    return name in UNDER and isinstance(parent, ast.Call) and node in parent.args
