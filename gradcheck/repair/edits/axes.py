"""Sums and means: over another axis, over all of them, one for the other, one missing, one too many."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from gradcheck.repair.pieces import ATOM, Piece
from gradcheck.repair.scene import Edit, Scene

REDUCTIONS = {
    "sum": ("mean",),
    "mean": ("sum",),
    "max": ("sum",),
    "min": (),
    "prod": (),
    "std": ("var",),
    "var": ("std",),
}
ALONG = frozenset((*REDUCTIONS, "argmax", "argmin", "cumsum", "concatenate", "stack", "expand_dims", "repeat",
                   "flip", "squeeze", "norm", "softmax", "logsumexp", "amax", "amin", "any", "all"))  # fmt: skip
AXES = {0: (), 1: ("0",), 2: ("0", "1", "-1"), 3: ("0", "1", "-1", "(0, 1)", "(1, 2)"),
        4: ("0", "1", "-1", "(0, 2, 3)", "(0, 1, 2)", "(2, 3)", "(1, 2)", "(0, 1)")}  # fmt: skip


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Edits of a call along axes; and sums and means of a term."""
    name = _name(node)
    if isinstance(node, ast.Call) and name in ALONG:
        yield from _along(node, name, scene)
    yield from _summed(node, scene)


def _name(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _along(node: ast.Call, name: str, scene: Scene) -> Iterator[Edit]:
    func = node.func
    of_numpy = isinstance(func, ast.Name) or scene.text(func).startswith(f"{scene.numpy}.")
    inner = (node.args[0] if node.args else None) if of_numpy else func.value  # type: ignore[attr-defined]
    if inner is None:
        return
    for other in REDUCTIONS.get(name, ()):
        end = scene.inner(func)[1]
        scale = {"sum": 1 / _terms(node, inner, scene), "mean": _terms(node, inner, scene)}.get(name, math.nan)
        yield scene.rewrite(end - len(name), end, other, f"`{other}` for `{name}`", 1, scale)
    if name in REDUCTIONS or name in ("cumsum", "squeeze", "expand_dims", "flip", "repeat"):
        yield scene.put(node, scene.piece(inner), f"without `{name}`", 1.5)
    value = scene.array(inner)
    positional = node.args[of_numpy] if len(node.args) > of_numpy else None
    keyword = next((one for one in node.keywords if one.arg == "axis"), None)
    axis = keyword.value if keyword is not None else positional
    for text in AXES.get(2 if value is None else value.ndim, ("0", "1", "-1")):
        if axis is not None and text != scene.text(axis):
            yield scene.put(axis, Piece(text), f"`axis={text}`", 1)
        elif axis is None and name in REDUCTIONS:
            yield _added(node, f"axis={text}", scene)
            if not any(one.arg == "keepdims" for one in node.keywords):
                yield _added(node, f"axis={text}, keepdims=True", scene)
    if axis is not None and name in REDUCTIONS:
        yield _dropped(node, keyword or axis, "over all axes", scene)
    kept = next((one for one in node.keywords if one.arg == "keepdims"), None)
    if kept is not None:
        yield _dropped(node, kept, "without `keepdims`", scene)
    elif axis is not None and name in REDUCTIONS:
        yield _added(node, "keepdims=True", scene)


def _terms(node: ast.Call, inner: ast.AST, scene: Scene) -> float:
    """How many entries are summed up to one; NaN where nobody knows."""
    made, value = scene.array(node), scene.array(inner)
    return value.size / made.size if made is not None and value is not None and value.size and made.size else math.nan


def _added(node: ast.Call, text: str, scene: Scene) -> Edit:
    """An argument at the end of a call."""
    end = scene.inner(node)[1] - 1
    comma = ", " if node.args or node.keywords else ""
    return scene.rewrite(end, end, f"{comma}{text}", f"with `{text}`", 1)


def _dropped(node: ast.Call, argument: ast.AST, what: str, scene: Scene) -> Edit:
    """A call without one of its arguments, and without the comma beside it."""
    text = scene.unit.file.text
    start, end = scene.inner(argument)
    before = text[:start].rstrip()
    if before.endswith(","):
        return scene.rewrite(len(before) - 1, end, "", what, 1)
    after = text[end:].lstrip()
    gap = len(text[end:]) - len(after)
    return scene.rewrite(start, end + gap + (1 + after[1:2].isspace() if after.startswith(",") else 0), "", what, 1)


def _summed(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """A term summed or averaged over axes: where something is made of it, or handed back."""
    value = scene.array(node)
    if value is None or value.dtype.kind != "f" or not value.ndim or not isinstance(node, ast.expr):
        return
    parent = scene.parents.get(node)
    if not scene.is_term(node) or isinstance(parent, (ast.Attribute, ast.Subscript)):
        return
    inner = scene.piece(node).within(ATOM)
    returned = isinstance(parent, (ast.Return, ast.Assign, ast.AugAssign, ast.Tuple, ast.List, ast.Dict, ast.Lambda))
    for text in AXES.get(value.ndim, ("0",)):
        for name, keep in (("sum", False), ("sum", True), ("mean", False), ("mean", True)):
            arguments = f"axis={text}{', keepdims=True' if keep else ''}"
            what = f"{'summed' if name == 'sum' else 'averaged'} over axis {text}"
            cost = 1.0 + (not returned) + (name == "mean") + 0.5 * (text != "0")
            yield scene.put(node, Piece(f"{inner}.{name}({arguments})"), what, cost)
    for name, what in (("sum", "summed"), ("mean", "averaged")):
        yield scene.put(node, Piece(f"{inner}.{name}()"), f"{what} over all axes", 2.5 - returned)
