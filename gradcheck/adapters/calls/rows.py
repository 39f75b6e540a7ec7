"""A Jacobian of several outputs by several arguments, row by row, entry by entry of arrays of one shape.

def polar(r, t): return r * np.cos(t), r * np.sin(t)
def polar_jac(r, t): return [[np.cos(t), -r * np.sin(t)], [np.sin(t), r * np.cos(t)]]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck.problem import Array

Shape = tuple[int, ...]


def read(said: Any, outputs: Sequence[Shape], variables: Sequence[Shape]) -> list[list[Any]] | None:
    """The entries, a row for each output and in it one for each variable; None where it is no such Jacobian.

    One output may hold all rows, along its first axis. A variable, or an entry, may be one number for all.
    """
    rows = outputs if len(outputs) > 1 else [outputs[0][1:]] * outputs[0][0] if outputs[0] else []
    if len(variables) < 2 or len(rows) < 2 or len(set(rows)) > 1 or not set(variables) <= {rows[0], ()}:
        return None
    found = [_listed(row, len(variables)) for row in _listed(said, len(rows)) or ()]
    entries = [one for row in found for one in row or ()]
    shapes = {np.shape(one) for one in entries}
    if len(entries) != len(rows) * len(variables) or rows[0] not in shapes or not shapes <= {rows[0], ()}:
        return None
    return [row for row in found if row is not None]


def products(entries: Sequence[Sequence[Any]], upstream: Sequence[Array], variables: Sequence[Shape]) -> list[Any]:
    """Σᵢ gᵢ ∂fᵢ/∂xⱼ for each variable j; a number's is the sum over all entries."""
    whole = upstream if len(upstream) > 1 else list(upstream[0])
    found = []
    for j, shape in enumerate(variables):
        terms = [g * row[j] for g, row in zip(whole, entries, strict=True)]
        total = sum(terms[1:], terms[0])
        found.append(total if np.shape(total) == shape else np.sum(total))
    return found


def _listed(one: Any, length: int) -> list[Any] | None:
    """The elements of a list, a tuple or an array along its first axis, if it has so many."""
    is_long = isinstance(one, (list, tuple)) or (isinstance(one, np.ndarray) and one.ndim)
    return list(one) if is_long and len(one) == length else None
