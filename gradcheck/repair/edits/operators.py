"""Operators: another one, operands in the other order, one operand too many."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from gradcheck.repair.pieces import SYMBOLS, Piece, binary
from gradcheck.repair.scene import Edit, Scene

OTHERS: dict[type[ast.operator], tuple[str, ...]] = {
    ast.Add: ("-", "*"),
    ast.Sub: ("+", "*"),
    ast.Mult: ("/", "@", "+"),
    ast.Div: ("*",),
    ast.FloorDiv: ("/",),
    ast.MatMult: ("*",),
    ast.Pow: ("*",),
    ast.BitAnd: ("|",),
    ast.BitOr: ("&",),
}


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Edits of a binary operation or of an augmented assignment."""
    if isinstance(node, ast.AugAssign):
        yield from _augmented(node, scene)
    if not isinstance(node, ast.BinOp) or type(node.op) not in SYMBOLS:
        return
    left, right, symbol = scene.piece(node.left), scene.piece(node.right), SYMBOLS[type(node.op)]
    gap, by, to = scene.gap(node.left, node.right), _number(node.right, scene), _number(node.left, scene)
    for other in OTHERS.get(type(node.op), ()):
        made = binary(left, other, right, gap.replace(symbol, other, 1))
        scale = {"*/": 1 / by / by, "/*": by * by}.get(symbol + other, math.nan) if by else math.nan
        yield scene.put(node, made, f"`{other}` for `{symbol}`", 1 if other in "+-*/" else 2, scale)
    if isinstance(node.op, (ast.MatMult, ast.Sub, ast.Div, ast.Pow)):
        turned = binary(right, symbol, left, gap)
        scale = -1.0 if isinstance(node.op, ast.Sub) else math.nan
        yield scene.put(node, turned, "the operands in the other order", 1 if symbol in "@-" else 2, scale)
    without = {"*": 1 / by, "/": by}.get(symbol, math.nan) if by else math.nan
    yield scene.put(node, left, f"without `{symbol} {right.text}`", 1.0, without)
    if not isinstance(node.op, ast.Pow):
        alone = Piece(f"-{right.text}", 12) if symbol == "-" and right.binds >= 12 else right
        yield scene.put(node, alone, f"without `{left.text}`", 1.0, 1 / to if to and symbol == "*" else math.nan)


def _number(node: ast.AST, scene: Scene) -> float:
    """What an operand is worth, if it is one number; NaN otherwise."""
    value = scene.array(node)
    return float(value) if value is not None and value.ndim == 0 else math.nan


def _augmented(node: ast.AugAssign, scene: Scene) -> Iterator[Edit]:
    """`-=` for `+=`, `*=` for `/=`, and `=`."""
    start, end = scene.inner(node.target)[1], scene.outer(node.value)[0]
    between = scene.unit.file.text[start:end]
    symbol = SYMBOLS.get(type(node.op), "")
    for other in {"+": ("-", ""), "-": ("+", ""), "*": ("/", ""), "/": ("*", "")}.get(symbol, ()):
        new = between.replace(f"{symbol}=", f"{other}=", 1)
        yield scene.rewrite(start, end, new, f"`{other}=` for `{symbol}=`", 1)
