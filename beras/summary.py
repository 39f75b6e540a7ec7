"""A model on one page: its layers, where they are, and how many numbers each of them learns."""

from __future__ import annotations

from beras.core import Tensor
from beras.weights import Composite, weights_of


def summary_text(model: Composite) -> str:
    """Return a table of the layers of `model`, each once, with the names, shapes and count of their weights.

    >>> from beras.layers import Dense
    >>> from beras.activations import ReLU
    >>> from beras.model import SequentialModel
    >>> print(summary_text(SequentialModel([Dense(3, 4), ReLU(), Dense(4, 2)])))
    SequentialModel
    layer     kind   weights           parameters
    layers.0  Dense  w (3, 4)  b (1, 4)        16
    layers.1  ReLU                              0
    layers.2  Dense  w (4, 2)  b (1, 2)        10
    26 parameters, 26 of them trained
    """
    rows = [("layer", "kind", "weights", "parameters")]
    counted: set[int] = set()
    for path, leaf in model.named_leaves():
        named = weights_of(leaf)
        shapes = "  ".join(f"{name} {weight.shape}".strip() for name, weight in named)
        rows.append((path, type(leaf).__name__, shapes, f"{_size([w for _, w in named], counted):,}"))
    total, trained = _size(model.weights, set()), _size(model.trainable_variables, set())
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    count_width = max(len(row[3]) for row in rows)
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3].rjust(count_width)])
        for row in rows
    ]
    return "\n".join([type(model).__name__, *lines, f"{total:,} parameters, {trained:,} of them trained"])


def _size(weights: list[Tensor], counted: set[int]) -> int:
    """Count the numbers in `weights` that are not in `counted` yet, and put them there."""
    size = 0
    for weight in weights:
        if id(weight) not in counted:
            counted.add(id(weight))
            size += weight.size
    return size
