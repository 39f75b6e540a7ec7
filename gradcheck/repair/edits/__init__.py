"""The single edits that are tried, by what they change."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from gradcheck.repair.edits import (
    axes,
    comparisons,
    constants,
    donors,
    epsilons,
    factors,
    functions,
    indices,
    names,
    operators,
    projections,
    signs,
    statements,
    transposes,
)
from gradcheck.repair.scene import Edit, Scene

KINDS = (
    operators,
    signs,
    transposes,
    axes,
    factors,
    names,
    constants,
    comparisons,
    functions,
    epsilons,
    indices,
    statements,
    projections,
    donors,
)


def edits(node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Yield every edit of one node."""
    for kind in KINDS:
        name = kind.__name__.rpartition(".")[2]
        yield from (replace(edit, kind=name) for edit in kind.edits(node, scene))
