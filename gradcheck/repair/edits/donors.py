"""Expressions that the code has elsewhere: in place of another, as a factor."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from gradcheck.repair.pieces import Piece, binary
from gradcheck.repair.scene import Edit, Scene


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Edits that put an expression of forward or of the function itself where its names are known."""
    value = scene.array(node)
    if value is None or value.dtype.kind not in "fb" or not isinstance(node, ast.expr):
        return
    own, known = scene.text(node), {one.text for one in scene.names(node)}
    for donor in scene.material.expressions:
        if donor.text == own or donor.text in known or not scene.knows(donor.names, node):
            continue
        piece, shape = Piece(donor.text, donor.binds), np.shape(donor.value)
        if shape == value.shape and not isinstance(node, ast.Constant):
            yield scene.put(node, piece, f"`{donor.text}` for `{own}`", 2.5)
        if not scene.is_term(node) or not _fits(shape, value.shape) or isinstance(node, ast.Constant):
            continue
        yield scene.put(node, binary(scene.piece(node), "*", piece), f"× `{donor.text}`", 3.0)
        yield scene.put(node, binary(scene.piece(node), "/", piece), f"÷ `{donor.text}`", 3.0)


def _fits(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, whole) == whole
    except ValueError:
        return False
