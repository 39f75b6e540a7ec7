"""Several points in one call of forward: variables repeated along the batch.

NumPy begins anew for every row that it reduces, which is slow where rows are short (a softmax over ten classes takes
three times as long). Short rows are therefore held as columns: the batch lies innermost in memory.
"""

from __future__ import annotations

import numpy as np

from gradcheck.problem import Array

SHORT = 32


def join(points: Array) -> Array:
    """Return `(points · rows, …)` for points `(points, rows, …)`: one after another."""
    joined = points.reshape(-1, *points.shape[2:])
    return np.asfortranarray(joined) if short(joined) else joined


def short(value: Array) -> bool:
    """Return whether a variable is one of short rows."""
    return value.ndim == 2 and value.shape[1] <= SHORT


class Tile:
    """Copies of a variable, joined, in which entries are replaced."""

    def __init__(self, value: Array, copies: int) -> None:
        self.flat, self.rows, self.copies = value.reshape(-1), len(value), copies
        self.joined = join(np.repeat(value[None], copies, axis=0))
        self.memory = self.joined.ravel(order="K")
        # Where in memory the first copy's entries stand, and how much further on those of the next copy are.
        self.place, self.apart = np.arange(value.size), value.size
        if short(value):
            rows, columns = value.shape
            self.place, self.apart = np.add.outer(np.arange(rows), copies * rows * np.arange(columns)).ravel(), rows

    def first(self, copies: int) -> Array:
        """Return the first copies."""
        return self.joined[: copies * self.rows]

    def where(self, entries: Array, copies: int) -> Array:
        """Return where in memory `entries (points, …)` stand, where every point takes the next one of `copies`."""
        return self.place[entries] + (np.arange(len(entries)) % copies)[:, None] * self.apart
