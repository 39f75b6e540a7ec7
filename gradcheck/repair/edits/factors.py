"""Factors that are missing: a size, the upstream gradient, a mask, an attribute, what is made of one of them."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

import numpy as np

from gradcheck.repair.pieces import SUM, Piece, binary
from gradcheck.repair.scene import NAMES, Edit, Named, Scene


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """A term, multiplied with or divided by something that has a name where it stands."""
    value = scene.array(node)
    if value is None or value.dtype.kind not in "fb" or not isinstance(node, ast.expr):
        return
    if scene.is_term(node) and not isinstance(node, ast.Constant):
        yield from _by_sizes(node, scene)
    matmul = scene.parents.get(node)
    is_factor = isinstance(matmul, ast.BinOp) and isinstance(matmul.op, ast.MatMult)
    # What is handed back as one number may have lost all that had a shape.
    alone = not value.ndim and isinstance(scene.parents.get(node), (ast.Return, ast.List, ast.Tuple, ast.Lambda))
    if alone or ((scene.is_term(node) or is_factor) and not isinstance(node, ast.Constant)):
        yield from _by_names(node, None if alone else value.shape, scene)
        yield from _by_items(node, value.shape, scene)


def _by_sizes(node: ast.expr, scene: Scene) -> Iterator[Edit]:
    for size in scene.sizes(node):
        named = Piece(size.text)
        own = size.text.split("(")[0] in ("len", scene.text(node)) or ".s" in size.text
        cost = 1.0 if own else 1.5
        yield scene.put(node, binary(scene.piece(node), "/", named), f"÷ {size.text}", cost, 1 / size.value)
        yield scene.put(node, binary(scene.piece(node), "*", named), f"× {size.text}", cost, size.value)
        if scene.numpy:
            root = Piece(f"{scene.numpy}.sqrt({size.text})")
            made = binary(scene.piece(node), "/", root)
            yield scene.put(node, made, f"÷ √{size.text}", 3.0, 1 / math.sqrt(size.value))
            made = binary(scene.piece(node), "*", root)
            yield scene.put(node, made, f"× √{size.text}", 3.0, math.sqrt(size.value))


def _by_names(node: ast.expr, shape: tuple[int, ...] | None, scene: Scene) -> Iterator[Edit]:
    own = scene.text(node)
    fitting = [one for one in scene.names(node) if one.text != own and (shape is None or _fits(one, shape))]
    for one in fitting[:NAMES]:
        named, whole = Piece(one.text), np.ndim(one.value) == 0
        scale = float(one.value) if whole else math.nan
        for piece, cost in _made_of(named, one, scene):
            times = binary(scene.piece(node), "*", piece)
            yield scene.put(node, times, f"× {piece.text}", cost, scale if piece is named else math.nan)
        with np.errstate(all="ignore"):
            through = binary(scene.piece(node), "/", named)
            yield scene.put(node, through, f"÷ {one.text}", 2.0, float(np.float64(1) / scale) if whole else math.nan)
        if whole and np.asarray(one.value).dtype.kind == "f":
            left = Piece(f"1 - {one.text}", SUM)
            yield scene.put(node, binary(scene.piece(node), "/", left), f"÷ ({left.text})", 2.5)


def _by_items(node: ast.expr, shape: tuple[int, ...], scene: Scene) -> Iterator[Edit]:
    """Times the slope of tanh, sigmoid or ReLU at a state of this round of a loop, or of the round beside it."""
    states: dict[tuple[str, str], None] = {}
    for one in ast.walk(scene.unit.node):
        if isinstance(one, ast.Subscript) and isinstance(one.slice, ast.Name):
            value = scene.array(one)
            if value is not None and value.dtype.kind == "f" and value.shape == shape and shape:
                states[scene.text(one.value), one.slice.id] = None
    for held, index in states:
        for item in (f"{held}[{index}]", f"{held}[{index} + 1]", f"{held}[{index} - 1]"):
            state = Piece(item)
            slope = binary(Piece("1"), "-", binary(state, "**", Piece("2")))
            yield scene.put(node, binary(scene.piece(node), "*", slope), f"× {slope.text}", 2.0)
            for other in (binary(state, "*", binary(Piece("1"), "-", state)), Piece(f"{item} > 0", 5)):
                yield scene.put(node, binary(scene.piece(node), "*", other), f"× {other.text}", 2.5)


def _made_of(named: Piece, one: Named, scene: Scene) -> Iterator[tuple[Piece, float]]:
    """A name, and what slopes are usually made of it."""
    yield named, 1.5
    if np.asarray(one.value).dtype.kind != "f":
        return
    yield binary(Piece("1"), "-", named), 2.0
    yield binary(Piece("1"), "-", binary(named, "**", Piece("2"))), 2.0
    yield Piece(f"{named.text} > 0", 5), 2.0
    yield binary(named, "**", Piece("2")), 3.0
    if scene.numpy:
        yield Piece(f"{scene.numpy}.sqrt({named.text})"), 3.0
        yield Piece(f"{scene.numpy}.sign({named.text})"), 3.0
    yield binary(named, "*", binary(Piece("1"), "-", named)), 2.5


def _fits(one: Named, shape: tuple[int, ...]) -> bool:
    """Whether a product with it keeps the shape."""
    try:
        return np.broadcast_shapes(np.shape(one.value), shape) == shape
    except ValueError:
        return False
