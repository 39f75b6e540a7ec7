"""Indices and slices: one further, the other order, the last element, the other direction, another range, a stride."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

import numpy as np

from gradcheck.repair.pieces import Piece, binary
from gradcheck.repair.scene import Edit, Scene

STRIDE = re.compile(r"strid|step", re.IGNORECASE)


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Edits of a subscript, of a range, and of what is handed back in an order."""
    if isinstance(node, ast.Subscript):
        yield from _subscript(node, scene)
    elif isinstance(node, ast.Call) and scene.text(node.func) == "range":
        yield from _range(node, scene)
    elif isinstance(node, (ast.Tuple, ast.List)) and isinstance(node.ctx, ast.Load) and 2 <= len(node.elts) <= 6:
        yield from _order(node, scene)
        yield from _strides(node, scene)
    elif isinstance(node, ast.For):
        yield from _windows(node, scene)


def _strides(node: ast.Tuple | ast.List, scene: Scene) -> Iterator[Edit]:
    """Whole numbers that are listed together, each times the same one: `h * stride, w * stride` for `h, w`."""
    if len(node.elts) > 1 and all(isinstance(one, ast.Name) and _whole(one, scene) for one in node.elts):
        yield from _times(node.elts, node, scene)


def _windows(node: ast.For, scene: Scene) -> Iterator[Edit]:
    """An innermost loop over windows: in its slices, each place times a stride, also those of the loops around."""
    if any(isinstance(one, ast.For) for one in ast.walk(node) if one is not node):
        return
    loops: list[ast.AST] = [node]
    while isinstance(scene.parents.get(loops[-1]), ast.For):
        loops.append(scene.parents[loops[-1]])
    bounds = [bound for one in ast.walk(node) if isinstance(one, ast.Slice) for bound in (one.lower, one.upper)]
    inside = [one for bound in bounds if bound is not None for one in ast.walk(bound)]
    counted = {getattr(one.target, "id", "") for one in loops if isinstance(one, ast.For)}
    uses = [one for one in inside if isinstance(one, ast.Name) and one.id in counted]
    if uses and not any(_is_multiplied(one, scene) for one in uses):
        yield from _times(uses, node.body[0], scene)


def _times(uses: Sequence[ast.expr], node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Each of these names times a whole number that has a name where a node stands."""
    text, spans = scene.unit.file.text, sorted(scene.inner(one) for one in uses)
    for factor in _strides_at(node, {scene.text(one) for one in uses}, scene):
        new, at = "", spans[0][0]
        for start, end in spans:
            new += f"{text[at:start]}{text[start:end]} * {factor}"
            at = end
        cost = 1.0 if STRIDE.search(factor) else 2.0
        yield scene.rewrite(spans[0][0], spans[-1][1], new, f"the index × {factor}", cost)


def _is_multiplied(node: ast.AST, scene: Scene) -> bool:
    parent = scene.parents.get(node)
    return isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult)


def _strides_at(node: ast.AST, places: set[str], scene: Scene) -> list[str]:
    """Names of whole numbers where a node stands, apart from what loops count, and how far they do."""
    ranges = [one for one in ast.walk(scene.unit.node) if isinstance(one, ast.Call) and scene.text(one.func) == "range"]
    ends = {scene.text(one) for call in ranges for argument in call.args for one in ast.walk(argument)
            if isinstance(one, ast.expr)}  # fmt: skip
    whole = [
        one.text
        for one in scene.names(node)
        if isinstance(one.value, (int, np.integer)) and not isinstance(one.value, bool) and one.value > 1
    ]
    found = [one for one in dict.fromkeys(whole) if one not in places | ends]
    return sorted(found, key=lambda one: STRIDE.search(one) is None)[:8]


def _subscript(node: ast.Subscript, scene: Scene) -> Iterator[Edit]:
    places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for place in places:
        if isinstance(place, ast.Slice):
            yield from _slice(place, scene)
        elif isinstance(place, (ast.Name, ast.BinOp)) and _whole(place, scene):
            for symbol in "+-":
                yield scene.put(
                    place, binary(scene.piece(place), symbol, Piece("1")), f"`{symbol} 1` in the index", 2.0
                )
    if len(places) == 2:
        first, second = places
        start, end = scene.inner(first)[0], scene.inner(second)[1]
        between = scene.unit.file.text[scene.inner(first)[1] : scene.inner(second)[0]]
        turned = f"{scene.text(second)}{between}{scene.text(first)}"
        yield scene.rewrite(start, end, turned, "the indices in the other order", 1.5)
    if isinstance(node.ctx, ast.Load):
        yield scene.put(node, scene.piece(node.value), "without the index", 2.0)


def _whole(node: ast.AST, scene: Scene) -> bool:
    value = scene.array(node)
    return value is not None and value.ndim == 0 and value.dtype.kind in "iu"


def _slice(node: ast.Slice, scene: Scene) -> Iterator[Edit]:
    start, end = scene.inner(node)
    step = f":{scene.text(node.step)}" if node.step is not None else ""
    low = scene.text(node.lower) if node.lower is not None else ""
    high = scene.text(node.upper) if node.upper is not None else ""
    others = [(low, ""), ("", high), ("", "")]
    others += [(low, f"{high} {sign} 1") for sign in "+-"] if high else [(low, "-1")]
    others += [(f"{low} {sign} 1", high) for sign in "+-"] if low else [("1", high)]
    for first, last in others:
        text = f"{first}:{last}{step}".replace("-1 + 1", "0")
        if (first, last) != (low, high):
            yield scene.rewrite(start, end, text, f"`{text}` for `{scene.text(node)}`", 1.5)
    for turned in ("::-1", ":") if not low and not high else ():
        if turned != scene.text(node):
            yield scene.rewrite(start, end, turned, f"`{turned}` for `{scene.text(node)}`", 2.0)


def _range(node: ast.Call, scene: Scene) -> Iterator[Edit]:
    if not node.args:
        return
    stop = node.args[0] if len(node.args) == 1 else node.args[1]
    for symbol in "+-":
        yield scene.put(stop, binary(scene.piece(stop), symbol, Piece("1")), f"`{symbol} 1` at the range's end", 1.5)
    if len(node.args) == 1:
        yield scene.put(node, Piece(f"reversed({scene.text(node)})"), "reversed", 1.5)
        yield scene.put(node, Piece(f"range(1, {scene.text(stop)})"), "from 1 on", 2.0)
    elif len(node.args) == 2:
        yield scene.put(node, Piece(f"range({scene.text(stop)})"), "from 0 on", 1.5)


def _order(node: ast.Tuple | ast.List, scene: Scene) -> Iterator[Edit]:
    """Two of several things in the other order."""
    for n, first in enumerate(node.elts):
        for second in node.elts[n + 1 :]:
            between = scene.unit.file.text[scene.inner(first)[1] : scene.inner(second)[0]]
            turned = f"{scene.text(second)}{between}{scene.text(first)}"
            yield scene.rewrite(scene.inner(first)[0], scene.inner(second)[1], turned, "in the other order", 2.0)
