"""Statements: added up for overwritten, in or out of a loop, one too many."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradcheck.repair.scene import Edit, Scene

LOOPS = (ast.For, ast.While)
BLOCKS = ("body", "orelse", "finalbody")


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Edits of a statement, or of its place among others."""
    if not isinstance(node, ast.stmt) or node is scene.unit.node:
        return
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        yield from _added_up(node, scene)
    if isinstance(node, ast.AugAssign):
        yield from _duplicates(node, scene)
    parent = scene.parents.get(node)
    block = next((part for part in (getattr(parent, name, None) for name in BLOCKS) if _holds(part, node)), None)
    if (
        block is None
        or parent is None
        or scene.line_of(node) in map(scene.line_of, (one for one in block if one is not node))
    ):
        return
    at = block.index(node)
    if at == len(block) - 1 and parent is not scene.unit.node and isinstance(parent, (*LOOPS, ast.If, ast.With)):
        cost = 1.0 if isinstance(node, ast.Return) and isinstance(parent, LOOPS) else 2.0
        yield _moved(node, parent, scene, cost)
    if at and isinstance(block[at - 1], (*LOOPS, ast.If)):
        yield _moved(node, block[at - 1].body[0], scene, 2.5)
    if not isinstance(node, (ast.FunctionDef, ast.Import, ast.ImportFrom, *LOOPS)) and not _goes_on(node, scene):
        yield _dropped(node, block, scene)


def _goes_on(node: ast.stmt, scene: Scene) -> bool:
    """Whether a statement calls the same method of something else: the way on through a graph, which no repair ends."""
    called = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    return getattr(called, "attr", getattr(called, "id", "")) == getattr(scene.unit.node, "name", "<lambda>")


def _holds(part: object, node: ast.stmt) -> bool:
    return isinstance(part, list) and any(one is node for one in part)


def _added_up(node: ast.Assign, scene: Scene) -> Iterator[Edit]:
    (target,) = node.targets
    if not isinstance(target, (ast.Name, ast.Subscript, ast.Attribute)):
        return
    start, end = scene.inner(target)[1], scene.outer(node.value)[0]
    gap = scene.unit.file.text[start:end]
    cost = 1.0 if isinstance(target, ast.Subscript) else 2.0
    for symbol in ("+=", "-=", "*="):
        yield scene.rewrite(start, end, gap.replace("=", symbol, 1), f"`{symbol}` for `=`", cost + (symbol != "+="))


def _duplicates(node: ast.AugAssign, scene: Scene) -> Iterator[Edit]:
    """`np.add.at(x, i, g)` for `x[i] += g`, which adds one of several that meet."""
    kinds: dict[type[ast.operator], str] = {ast.Add: "add", ast.Sub: "subtract"}
    if isinstance(node.target, ast.Subscript) and type(node.op) in kinds and scene.numpy:
        index = node.target.slice
        where = f"({scene.text(index)})" if isinstance(index, ast.Tuple) else scene.text(index)
        if not any(isinstance(one, ast.Slice) for one in ast.walk(index)):
            parts = f"{scene.text(node.target.value)}, {where}, {scene.text(node.value)}"
            text = f"{scene.numpy}.{kinds[type(node.op)]}.at({parts})"
            yield scene.rewrite(*scene.inner(node), text, "every duplicate counts", 1.2)


def _moved(node: ast.stmt, like: ast.AST, scene: Scene, cost: float) -> Edit:
    """A statement indented as another one."""
    text = scene.unit.file.text
    start, end = scene.inner(node)
    first = text.rfind("\n", 0, start) + 1
    other = scene.inner(like)[0]
    indent = text[text.rfind("\n", 0, other) + 1 : other]
    own = text[first:start]
    lines = text[start:end].split("\n")
    moved = [line.replace(own, indent, 1) if line.startswith(own) else line for line in lines[1:]]
    return scene.rewrite(first, end, "\n".join([f"{indent}{lines[0]}", *moved]), "indented otherwise", cost)


def _dropped(node: ast.stmt, block: list[ast.stmt], scene: Scene) -> Edit:
    """A block without one of its statements."""
    text = scene.unit.file.text
    start, end = scene.inner(node)
    cost = 1.5 if isinstance(node, (ast.Break, ast.Continue, ast.Return)) else 2.5
    what = f"without `{text[start:end].splitlines()[0]}`"
    if len(block) == 1:
        return scene.rewrite(start, end, "pass", what, cost)
    first, last = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    return scene.rewrite(first, len(text) if last < 0 else last + 1, "", what, cost)
