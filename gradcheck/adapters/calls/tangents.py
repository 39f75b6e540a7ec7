"""`sin_jvp(x, v) → (y, dy)`: a value, and beside it its change along a tangent that the value itself never reads."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from gradcheck.adapters.calls import pairs, words
from gradcheck.adapters.calls.guesses import PENALTIES
from gradcheck.adapters.calls.program import Derivative, Leaf, Output, Program, Step, Upstream
from gradcheck.adapters.calls.source import facts
from gradcheck.syntax import nodes

Function = Callable[..., Any]


def value_and_tangent(name: str, f: Function) -> Program | None:
    """Return the program of a function that returns both; `None` where its text says nothing of the kind.

    The value is asked for with its own arguments as tangents, which have the right shapes and do not change it.
    """
    said = facts(f).last()
    if said is None or said.kind != "several" or len(said.elements) != 2 or pairs.takes_any_number(f):
        return None
    value, claimed = said.elements
    is_named = value.name and claimed.name in (f"d{value.name}", f"d_{value.name}", f"{value.name}_dot")
    if not (is_named or pairs.FORWARD_MODE & set(words.words_of(name))):
        return None
    taken = [p.name for p in pairs.required(f)]
    read, along = _behind(f, value.mentions), _behind(f, claimed.mentions)
    tangents = [one for one in taken if one in along - read]
    ours = [one for one in taken if one not in tangents]
    if not 1 <= len(tangents) <= len(ours) or PENALTIES & {one.lower() for one in tangents}:
        return None
    owners = [words.owner(one, ours) for one in tangents]
    named = None not in owners and len(set(owners)) == len(owners)
    by = [one for one in owners if one] if named else ours[: len(tangents)]
    forward = Step(f, name, tuple((one, Leaf(one if one in ours else by[tangents.index(one)])) for one in taken))
    takes = tuple((one, Leaf(one) if one in ours else Upstream(tangents.index(one))) for one in taken)
    claims = Derivative(name, "tangent", Step(f, name, takes), gradients=(Output(0, 1),), tangents=tuple(by))
    return Program((forward,), (Output(0, 0),), (claims,))


def _behind(f: Function, mentioned: frozenset[str]) -> set[str]:
    """All names from which those that are mentioned are computed."""
    made: dict[str, set[str]] = {}
    for node in nodes(f):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            source = node.iter if isinstance(node, ast.For) else node.value
            used = {one.id for one in ast.walk(source) if isinstance(one, ast.Name)} if source is not None else set()
            for one in (inner for target in targets for inner in ast.walk(target)):
                if isinstance(one, ast.Name):
                    made.setdefault(one.id, set()).update(used)
    found: set[str] = set()
    left = [*mentioned]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += made.get(name, ())
    return found
