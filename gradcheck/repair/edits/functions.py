"""Functions: one for another, one too many, one missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradcheck.repair.pieces import Piece
from gradcheck.repair.scene import Edit, Scene

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
WRAPPED = ("sqrt", "square", "sign", "abs", "exp", "log")


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Another function in a call, its argument alone, its arguments in the other order; or a function around."""
    if isinstance(node, ast.Call):
        yield from _call(node, scene)
    yield from _wrapped(node, scene)


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
    if name == "clip" and node.args:
        yield scene.put(node, scene.piece(node.args[0]), "without `clip`", 2.0)


def _wrapped(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """A function of an array or number that is a whole factor or argument."""
    value = scene.array(node)
    if value is None or value.dtype.kind != "f" or not isinstance(node, ast.expr) or isinstance(node, ast.Constant):
        return
    if scene.numpy and not isinstance(scene.parents.get(node), (ast.Attribute, ast.Subscript)):
        for name in WRAPPED:
            made = Piece(f"{scene.numpy}.{name}({scene.text(node)})")
            yield scene.put(node, made, f"`{scene.numpy}.{name}` of `{scene.text(node)}`", 3.0)
    yield from _powers(node, scene)


def _powers(node: ast.expr, scene: Scene) -> Iterator[Edit]:
    parent = scene.parents.get(node)
    if isinstance(parent, ast.BinOp) and not isinstance(parent.op, ast.Pow) and not isinstance(node, ast.BinOp):
        inner = scene.piece(node).within(15)
        for power in ("2", "3"):
            yield scene.put(node, Piece(f"{inner} ** {power}", 13), f"`{scene.text(node)}` to the power {power}", 2.5)
