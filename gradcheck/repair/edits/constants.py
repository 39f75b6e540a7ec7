"""Numbers: others than are written, and factors that are numbers."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Iterator

from gradcheck.repair.pieces import ATOM, PRODUCT, Piece, binary
from gradcheck.repair.scene import Edit, Scene

SMALL = (0, 1, 2, 3, 4)
FACTORS = ("2", "0.5", "3", "4", "1 / 3", "0.25")


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Another number for a number, or a number as a factor of a term."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            counting = _counts(node, scene)
            for piece, cost in _others(node.value, scene, counting):
                plain = piece.binds == ATOM and node.value
                scale = scene.through(node, float(piece.text) / float(node.value)) if plain else math.nan
                yield scene.put(node, piece, f"`{piece.text}` for `{scene.text(node)}`", cost, scale)
        return
    value = scene.array(node)
    if value is None or value.dtype.kind != "f" or not isinstance(node, ast.expr) or not scene.is_term(node):
        return
    for factor in FACTORS:
        piece = Piece(factor, PRODUCT if "/" in factor else ATOM)
        made = binary(piece, "*", scene.piece(node))
        yield scene.put(node, made, f"{factor} ×", 1.5 if factor in FACTORS[:2] else 2.5, _worth(factor))
    if not isinstance(node, ast.BinOp) or not isinstance(node.right, ast.Constant):
        yield scene.put(node, binary(scene.piece(node), "+", Piece("1")), "+ 1", 2.5)
        yield scene.put(node, binary(scene.piece(node), "-", Piece("1")), "- 1", 2.5)
    for constant in scene.material.constants:
        if constant in SMALL:
            continue
        number = Piece(repr(constant))
        yield scene.put(node, binary(number, "*", scene.piece(node)), f"{constant!r} ×", 2.5, constant)
        yield scene.put(node, binary(scene.piece(node), "/", number), f"÷ {constant!r}", 2.5, 1 / constant)


def _worth(factor: str) -> float:
    first, _, second = factor.partition(" / ")
    return float(first) / float(second or 1)


def _counts(node: ast.AST, scene: Scene) -> bool:
    """Whether a number counts or indexes: it stands in a subscript, an axis, a shape."""
    around: ast.AST | None = node
    while around is not None and not isinstance(around, ast.stmt):
        parent = scene.parents.get(around)
        if isinstance(parent, ast.Subscript) and around is parent.slice:
            return True
        if isinstance(parent, ast.keyword):
            return parent.arg in ("axis", "axes", "ddof", "k", "shape")
        if isinstance(parent, ast.Call) and scene.text(parent.func).rpartition(".")[2] in ("range", "reshape"):
            return True
        around = parent
    return False


def _others(value: float, scene: Scene, counting: bool) -> Iterator[tuple[Piece, float]]:
    """Numbers that may have been meant, with what they cost."""
    if counting:
        yield from (
            (Piece(str(n), ATOM if n >= 0 else 12), 2.0) for n in (0, 1, -1, 2, value + 1, value - 1) if n != value
        )
        return
    near = [(n, 1.5) for n in (1, 2, 0, 0.5, 3, 4) if n != value]
    near += [
        (n, 2.0) for n in (value + 1, value - 1, 2 * value, value / 2, 3 * value, value / 3, 10 * value, value / 10)
    ]
    near += [(1 / value, 2.0), (value**2, 2.5)] if 1e-100 < abs(value) < 1e100 else []
    near += [(n, 1.2) for n in scene.material.constants if n != value]
    seen: set[float] = set()
    for number, cost in near:
        tidy = _tidy(number, isinstance(value, int))
        if tidy not in seen and tidy != value:
            seen.add(tidy)
            yield Piece(repr(tidy), ATOM if tidy >= 0 else 12), cost
    yield Piece(f"-{value!r}", 12), 1.5
    constants = [n for n in scene.material.constants if n not in (0, 1, value)]
    for one, times in itertools.product(constants, (2, 3, 4)):
        yield Piece(f"{times} * {one!r}", PRODUCT), 2.5
        yield Piece(f"{one!r} / {times}", PRODUCT), 2.5
    for one, other in itertools.combinations_with_replacement(constants[:6], 2):
        yield Piece(f"{one!r} * {other!r}", PRODUCT), 3.0
    for one, other in itertools.permutations(constants[:6], 2):
        yield Piece(f"{one!r} / {other!r}", PRODUCT), 3.5


def _tidy(number: float, whole: bool) -> float:
    """A number as it would be written."""
    near = round(number)
    return near if whole and near == number else float(f"{number:.12g}")
