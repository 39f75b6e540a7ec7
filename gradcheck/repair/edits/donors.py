"""Expressions that the code has elsewhere, and slopes of them: in place of another, as a factor, as a term."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcheck.repair.observe import Observed
from gradcheck.repair.pieces import ATOM, PRODUCT, SIGN, SUM, Piece, binary
from gradcheck.repair.scene import Donor, Edit, Scene

# The longest expression that is tried as a term, for there are many places for one.
SHORT = 24

# The slope of a function of NumPy: how it is written, how tightly that binds, and what it is worth.
SLOPES: dict[str, tuple[str, int, Callable[[Any], Any]]] = {
    "sin": ("{np}.cos({x})", ATOM, np.cos),
    "cos": ("-{np}.sin({x})", SIGN, lambda x: -np.sin(x)),
    "tanh": ("1 - {np}.tanh({x}) ** 2", SUM, lambda x: 1 - np.tanh(x) ** 2),
    "log": ("1 / ({x})", PRODUCT, lambda x: 1 / x),
    "sqrt": ("0.5 / {np}.sqrt({x})", PRODUCT, lambda x: 0.5 / np.sqrt(x)),
    "square": ("2 * ({x})", PRODUCT, lambda x: 2 * x),
    "abs": ("{np}.sign({x})", ATOM, np.sign),
    "arctan": ("1 / (1 + ({x}) ** 2)", PRODUCT, lambda x: 1 / (1 + x**2)),
    "log1p": ("1 / (1 + ({x}))", PRODUCT, lambda x: 1 / (1 + x)),
}


def slopes(node: ast.AST, seen: Observed) -> Iterator[Donor]:
    """The slope of a function that the code calls, at what it calls it with."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or len(node.args) != 1:
        return
    inner, value = node.args[0], seen.values.get(node.args[0])
    if node.func.attr not in SLOPES or not isinstance(node.func.value, ast.Name) or value is None:
        return
    form, binds, worth = SLOPES[node.func.attr]
    text = form.format(np=node.func.value.id, x=ast.unparse(inner))
    names = frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name))
    with np.errstate(all="ignore"):
        yield Donor(text, binds, names, worth(np.asarray(value, dtype=float)))


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Edits that put an expression of forward or of the function itself where its names are known."""
    yield from _terms(node, scene)
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


def _terms(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """A term more, or one less, where a sum may stand: what is handed back, a denominator, an argument."""
    value, parent = scene.array(node), scene.parents.get(node)
    if value is None or not isinstance(node, ast.expr) or value.dtype.kind not in "fi":
        return
    below = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Div) and node is parent.right
    held = isinstance(
        parent, (ast.BinOp, ast.UnaryOp, ast.Subscript, ast.keyword, ast.Slice, ast.BoolOp, ast.Attribute)
    )
    if held and not below:
        return
    for donor in scene.material.expressions:
        shape = np.shape(donor.value)
        fits = value.ndim == 0 or _fits(shape, value.shape)
        if len(donor.text) > SHORT or not fits or not scene.knows(donor.names, node):
            continue
        for symbol in "+-":
            made = binary(scene.piece(node), symbol, Piece(donor.text, donor.binds))
            yield scene.put(node, made, f"{symbol} `{donor.text}`", 4.0)


def _fits(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, whole) == whole
    except ValueError:
        return False
