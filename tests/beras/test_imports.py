"""Architecture: the modules of Beras import each other without a circle, type-checking and local imports included."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import beras

FOLDER = Path(beras.__file__).parent


def imports(text: str, modules: set[str]) -> set[str]:
    """Return which of `modules` a source file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & modules


def graph(sources: dict[str, str]) -> dict[str, set[str]]:
    """Map each module to those that it imports."""
    return {name: imports(text, set(sources)) - {name} for name, text in sources.items()}


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Return the sets of modules that reach each other (Warshall's closure: there are few)."""
    reach = {a: set(b) for a, b in edges.items()}
    for k in edges:
        for a in edges:
            if k in reach[a]:
                reach[a] |= reach[k]
    found = [frozenset(b for b in edges if b in reach[a] and a in reach[b]) for a in edges if a in reach[a]]
    return [set(circle) for circle in dict.fromkeys(found)]


def sources() -> dict[str, str]:
    """Map the name of every module of Beras to its source, but for `beras` itself, which only gathers names."""
    found = {}
    for path in sorted(FOLDER.rglob("*.py")):
        parts = path.relative_to(FOLDER).with_suffix("").parts
        name = ".".join(part for part in ("beras", *parts) if part != "__init__")
        if name != "beras":
            found[name] = path.read_text()
    return found


def test_there_is_no_circle() -> None:
    found = graph(sources())
    assert len(found) > 40
    assert "beras.recorder" in found["beras.tensor"]
    assert circles(found) == []


@pytest.mark.parametrize(
    "back",
    [
        "from beras.a import x",
        "import beras.a",
        "from beras import a",
        "def f():\n    from beras.a import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from beras.a import X",
    ],
)
def test_a_circle_would_be_noticed(back: str) -> None:
    planted = {"beras.a": "from beras.b import y", "beras.b": "import beras.c", "beras.c": back, "beras.d": back}
    assert circles(graph(planted)) == [{"beras.a", "beras.b", "beras.c"}]
