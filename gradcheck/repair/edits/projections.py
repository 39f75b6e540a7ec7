"""What normalisations subtract from a gradient: its mean, and its share along what they hand back.

Of y = (x − mean)/σ the gradient is (d − mean(d) − y·mean(d·y))/σ, of a softmax p it is p·(d − Σ d·p). What has squares
of mean 1 along an axis, of sum 1, or entries of sum 1, is known by its values.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from gradcheck.problem import Array
from gradcheck.repair.pieces import ATOM, PRODUCT, Piece, binary
from gradcheck.repair.scene import NAMES, Edit, Scene

# How near to 1 what is normalised comes: an ε keeps it from being 1.
NEAR = 0.02


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """A gradient less its mean, or less its share along what is normalised."""
    value, parent = scene.array(node), scene.parents.get(node)
    if not isinstance(node, ast.expr) or value is None or value.dtype.kind != "f" or not 0 < value.ndim < 4:
        return
    if isinstance(parent, (ast.Attribute, ast.Subscript)):
        return
    sources = [node, *_first_operand(node)]
    whole = scene.piece(node)
    for axis in range(value.ndim):
        if value.shape[axis] < 2:
            continue
        along = f"axis={axis if axis < value.ndim - 1 else -1}, keepdims=True"
        for source in sources:
            d = scene.piece(source).within(ATOM)
            yield _less(node, whole, Piece(f"{d}.mean({along})"), f"the mean of {d} over axis {axis}", 3.0, scene)
        units = [one for one in scene.names(node)[:NAMES] if np.shape(one.value) == value.shape]
        for unit in units:
            for how in _norms(np.asarray(unit.value), axis):
                for source in sources:
                    d = scene.piece(source).within(PRODUCT)
                    share = Piece(f"({d} * {unit.text}).{'mean' if how == 'mean' else 'sum'}({along})")
                    term = share if how == "weights" else binary(Piece(unit.text), "*", share)
                    yield _less(node, whole, term, f"the share along {unit.text}", 2.5, scene)


def _first_operand(node: ast.expr) -> Iterator[ast.expr]:
    """The d of `d − …`, from which something is subtracted already."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        node = node.left
        yield node


def _norms(value: Array, axis: int) -> Iterator[str]:
    """What is normalised about an array along an axis: squares of mean or sum 1, entries of sum 1."""
    if value.dtype.kind != "f" or not value.size:
        return
    squares = value**2
    for how, size in (("mean", squares.mean(axis)), ("sum", squares.sum(axis)), ("weights", value.sum(axis))):
        if np.abs(size - 1).max() < NEAR and (how != "weights" or value.min() >= 0):
            yield how


def _less(node: ast.expr, whole: Piece, term: Piece, what: str, cost: float, scene: Scene) -> Edit:
    return scene.put(node, binary(whole, "-", term), f"less {what}", cost)
