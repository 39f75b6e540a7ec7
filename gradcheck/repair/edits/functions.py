"""Functions: one for another, one too many, one missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from gradcheck.repair.pieces import COMPARED, SUM, Piece, binary
from gradcheck.repair.scene import NAMES, Edit, Scene

GROUPS: tuple[tuple[str, ...], ...] = (
    ("sin", "cos", "tan"),
    ("sinh", "cosh", "tanh"),
    ("arcsin", "arccos", "arctan"),
    ("exp", "log", "expm1", "log1p", "exp2"),
    ("log", "log1p", "log2", "log10"),
    ("zeros_like", "ones_like"),
    ("zeros", "ones"),
    ("maximum", "minimum"),
    ("max", "min"),
    ("amax", "amin"),
    ("argmax", "argmin"),
    ("dot", "outer", "multiply", "matmul"),
    ("triu", "tril"),
    ("floor", "ceil"),
    ("sqrt", "square"),
    ("multiply", "divide"),
    ("add", "subtract"),
    ("greater", "less", "greater_equal", "less_equal"),
    ("hstack", "vstack"),
    ("rot90", "flip"),
    ("eye", "ones", "zeros"),
    ("tanh", "tan", "sigmoid"),
    ("cumsum", "cumprod"),
    ("abs", "sign"),
)
OTHERS: dict[str, tuple[str, ...]] = {}
for _group in GROUPS:
    for _name in _group:
        OTHERS[_name] = (*OTHERS.get(_name, ()), *(one for one in _group if one != _name))
DROPPED = frozenset(("sqrt", "square", "exp", "log", "abs", "sign", "tanh", "sin", "cos", "log1p", "expm1", "negative",
                     "sigmoid", "relu", "reversed", "flip", "conj", "tril", "triu", "diag", "copy"))  # fmt: skip


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Another function in a call, its argument alone, its arguments in the other order; a slope, made of its output."""
    if isinstance(node, ast.Call):
        yield from _call(node, scene)
    yield from _slopes(node, scene)


def _call(node: ast.Call, scene: Scene) -> Iterator[Edit]:
    end = scene.inner(node.func)[1]
    name = scene.text(node.func).rpartition(".")[2]
    for other in OTHERS.get(name, ()):
        yield scene.rewrite(end - len(name), end, other, f"`{other}` for `{name}`", 1.2)
    if name in DROPPED and len(node.args) == 1 and not node.keywords:
        yield scene.put(node, scene.piece(node.args[0]), f"without `{name}`", 1.5)
    plain = [one for one in node.args if not isinstance(one, ast.Starred)]
    if len(plain) == len(node.args) >= 2:
        first, second = node.args[-2:] if name == "where" else node.args[:2]
        start, stop = scene.inner(first)[0], scene.inner(second)[1]
        between = scene.unit.file.text[scene.inner(first)[1] : scene.inner(second)[0]]
        turned = f"{scene.text(second)}{between}{scene.text(first)}"
        yield scene.rewrite(start, stop, turned, "the arguments in the other order", 1.5)
    if name == "where" and len(node.args) == 3:
        for kept in node.args[1:]:
            yield scene.put(node, scene.piece(kept), "without `where`", 2.5)
    if name in ("maximum", "minimum") and len(node.args) == 2:
        yield scene.put(node, scene.piece(node.args[0]), f"without `{name}`", 2.0)
    if name == "maximum" and len(node.args) == 2:
        yield from _masks(node, scene)
    if name in ("clip", "round", "around", "sort") and node.args:
        # A clip is against large steps: what may come first to mind is everything else that is right while none clips.
        yield scene.put(node, scene.piece(node.args[0]), f"without `{name}`", 0.5 if name == "clip" else 2.0)


def _masks(node: ast.Call, scene: Scene) -> Iterator[Edit]:
    """A gradient where something else is positive, for a gradient where it is positive itself."""
    for kept, least in (node.args, reversed(node.args)):
        value = scene.array(kept)
        if scene.text(least) not in ("0", "0.0") or value is None or not value.ndim:
            continue
        alike = [
            one for one in scene.names(node) if np.shape(one.value) == value.shape and one.text != scene.text(kept)
        ]
        for one in alike[:NAMES]:
            made = binary(scene.piece(kept), "*", Piece(f"{one.text} > 0", COMPARED))
            yield scene.put(node, made, f"masked by `{one.text} > 0`", 1.5)


def _slopes(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """1 - t² for tanh, s (1 - s) for a sigmoid, where what is handed back is a function's output."""
    parent = scene.parents.get(node)
    if not isinstance(node, (ast.Call, ast.BinOp)) or not isinstance(
        parent, (ast.Return, ast.Lambda, ast.List, ast.Tuple)
    ):
        return
    own, one = scene.piece(node), Piece("1")
    yield scene.put(node, binary(one, "-", binary(own, "**", Piece("2"))), "its slope, 1 - t²", 2.0)
    yield scene.put(node, binary(own, "*", Piece(binary(one, "-", own).text, SUM)), "its slope, s (1 - s)", 2.0)
