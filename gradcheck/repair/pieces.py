"""Pieces of source that are put together so that Python reads them as they were meant: parentheses where needed."""

from __future__ import annotations

import ast
from dataclasses import dataclass

LOOSEST, TEST, COMPARED, SUM, PRODUCT, SIGN, POWER, ATOM = 0, 1, 5, 10, 11, 12, 13, 15

_OPERATORS: dict[type[ast.AST], int] = {
    ast.Or: 2, ast.And: 3, ast.Not: 4, ast.BitOr: 6, ast.BitXor: 7, ast.BitAnd: 8, ast.LShift: 9, ast.RShift: 9,
    ast.Add: SUM, ast.Sub: SUM, ast.Mult: PRODUCT, ast.MatMult: PRODUCT, ast.Div: PRODUCT, ast.FloorDiv: PRODUCT,
    ast.Mod: PRODUCT, ast.Invert: SIGN, ast.UAdd: SIGN, ast.USub: SIGN, ast.Pow: POWER,
}  # fmt: skip
SYMBOLS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.MatMult: "@", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
    ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """Source of an expression, and how tightly its outermost operator binds."""

    text: str
    binds: int = ATOM

    def within(self, least: int) -> str:
        """Its source where operators around it bind as tightly as `least`."""
        return self.text if self.binds >= least else f"({self.text})"


def binary(left: Piece, symbol: str, right: Piece, gap: str = "") -> Piece:
    """Two pieces with an operator between them, by its symbol; `gap` is how the source writes it, with its spaces."""
    binds = next(_OPERATORS[kind] for kind, sign in SYMBOLS.items() if sign == symbol)
    if symbol == "**":
        return Piece(f"{left.within(ATOM)}{gap or symbol}{right.within(SIGN)}", POWER)
    return Piece(f"{left.within(binds)}{gap or f' {symbol} '}{right.within(binds + 1)}", binds)


def negative(piece: Piece) -> Piece:
    """The piece with the other sign."""
    return Piece(f"-{piece.within(SIGN)}", SIGN)


def call(function: str, *arguments: str) -> Piece:
    """A call."""
    return Piece(f"{function}({', '.join(arguments)})")


def binding(node: ast.AST) -> int:
    """How tightly the outermost operator of an expression binds."""
    if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.BoolOp)):
        return _OPERATORS[type(node.op)]
    if isinstance(node, ast.Compare):
        return COMPARED
    if isinstance(node, (ast.IfExp, ast.Lambda, ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Starred, ast.Tuple)):
        return LOOSEST
    return POWER + 1 if isinstance(node, ast.Await) else ATOM


def needed(parent: ast.AST, child: ast.AST) -> int:
    """How tightly a child must bind where it stands."""
    if isinstance(parent, ast.BinOp):
        own = _OPERATORS[type(parent.op)]
        if isinstance(parent.op, ast.Pow):
            return ATOM if child is parent.left else SIGN
        return own if child is parent.left else own + 1
    if isinstance(parent, ast.UnaryOp):
        return _OPERATORS[type(parent.op)]
    if isinstance(parent, ast.Compare):
        return COMPARED + 1
    if isinstance(parent, ast.BoolOp):
        return _OPERATORS[type(parent.op)] + 1
    if isinstance(parent, ast.IfExp):
        return TEST + 1
    if isinstance(parent, (ast.Attribute, ast.Subscript, ast.Call)):
        held = parent.func if isinstance(parent, ast.Call) else parent.value
        return ATOM if child is held else TEST
    return _OPERATORS[ast.BitOr] if isinstance(parent, ast.Starred) else LOOSEST
