"""Names: another variable, attribute or argument of the same shape; what came in for what went out."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gradcheck.repair.pieces import Piece
from gradcheck.repair.scene import NAMES, Edit, Scene

# Names of another shape that are tried at one place.
OTHERS = 8


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Another name for one that is read; another size for one."""
    yield from _sizes(node, scene)
    if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) or not isinstance(node.ctx, ast.Load):
        return
    parent = scene.parents.get(node)
    if isinstance(parent, ast.Attribute) and parent.attr in ("shape", "size", "ndim", "dtype"):
        return
    value = scene.array(node)
    if value is None and isinstance(parent, ast.Subscript) and node is parent.value:
        yield from _lists(node, scene)
    if value is None and isinstance(parent, (ast.Call, ast.Subscript, ast.Attribute)):
        return
    yield from _of_other_shapes(node, value, scene)
    tried, uses = 0, _uses(node, scene)
    for one in scene.names(node):
        if one.text == scene.text(node) or (value is not None and not _alike(np.asarray(one.value), value)):
            continue
        number = value is None or value.ndim == 0
        if uses[0] is node and len(uses) > 1 and not number:
            yield _everywhere(uses, one.text, scene)
        yield scene.put(node, Piece(one.text), f"`{one.text}` for `{scene.text(node)}`", 2.0 if number else 1.2)
        tried += 1
        if tried == NAMES:
            break


def _uses(node: ast.Name | ast.Attribute | ast.Subscript, scene: Scene) -> list[ast.expr]:
    """Where a statement reads what a node reads, in their order."""
    every = ast.walk(scene.statement(node))
    found = [one for one in every if type(one) is type(node) and ast.dump(one) == ast.dump(node)]
    return sorted((one for one in found if isinstance(one, ast.expr)), key=scene.inner)


def _everywhere(uses: Sequence[ast.expr], other: str, scene: Scene) -> Edit:
    """Another name wherever a statement reads one: `y * (1 - y)` for `x * (1 - x)`."""
    text, old = scene.unit.file.text, scene.text(uses[0])
    new, at = "", scene.inner(uses[0])[0]
    for one in uses:
        start, end = scene.inner(one)
        new += text[at:start] + other
        at = end
    return scene.rewrite(scene.inner(uses[0])[0], at, new, f"`{other}` for `{old}` throughout", 1.2)


def _lists(node: ast.Name | ast.Attribute | ast.Subscript, scene: Scene) -> Iterator[Edit]:
    """Another list (or dict) for one of which an item is read."""
    lists = dict.fromkeys(one.text.rpartition("[")[0] for one in scene.names(node) if one.text.endswith("]"))
    for name in lists:
        if name != scene.text(node):
            yield scene.put(node, Piece(name), f"`{name}` for `{scene.text(node)}`", 1.1)


def _of_other_shapes(
    node: ast.Name | ast.Attribute | ast.Subscript, value: np.ndarray[Any, Any] | None, scene: Scene
) -> Iterator[Edit]:
    """Variables of the function itself that are of another shape than the one that is read."""
    own = [one for one in scene.names(node) if one.text.isidentifier() and one.text != scene.text(node)]
    if value is not None and isinstance(node, ast.Name):
        others = [one for one in own if np.shape(one.value) != value.shape]
        yield from (
            scene.put(node, Piece(one.text), f"`{one.text}` for `{scene.text(node)}`", 2.2) for one in others[:OTHERS]
        )


def _alike(other: np.ndarray[Any, Any], value: np.ndarray[Any, Any]) -> bool:
    """Whether one can stand where the other does, and is not the same there."""
    kinds = (other.dtype.kind in "iu") == (value.dtype.kind in "iu")
    return other.shape == value.shape and kinds and not np.array_equal(other, value)


def _sizes(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Rows for entries, columns for rows."""
    value, text = scene.array(node), scene.text(node) if isinstance(node, ast.expr) else ""
    if value is None or not (text.startswith("len(") or text.endswith(".size") or ".shape[" in text):
        return
    if value.ndim == 0 and value.dtype.kind in "iu" and value:
        for one in scene.sizes(node):
            if one.text != text:
                scale = scene.through(node, one.value / float(value))
                yield scene.put(node, Piece(one.text), f"`{one.text}` for `{text}`", 1.0, scale)
