"""Data in batches, and what is known about all samples from what was measured on each batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from beras.arrays import Array
from beras.checks import whole_number
from beras.tensor import Tensor


def dataset(x: Any, y: Any, batch_size: int) -> tuple[Array, Array]:
    """Return `x` and `y` (None: there is none) as plain arrays of numbers for the same samples, at least one."""
    whole_number(batch_size, "a model", "batch_size")
    arrays = []
    for name, value in (("x", x), ("y", x if y is None else y)):
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise ValueError(f"expected numbers in {name}, but its dtype is {array.dtype}")
        if array.ndim == 0:
            raise ValueError(f"expected {name} with one row per sample, but it is a single number")
        arrays.append(array)
    inputs, labels = arrays
    if len(inputs) != len(labels):
        raise ValueError(f"x has {len(inputs)} samples, but y has {len(labels)}")
    if len(inputs) == 0:
        raise ValueError("there are no samples: x and y are empty")
    return inputs, labels


def pair(data: Any, name: str) -> tuple[Any, Any]:
    """Return `data` as `(x, y)`. Raises TypeError or ValueError, which name it, if it is no such pair."""
    if not isinstance(data, tuple | list):
        raise TypeError(f"{name} must be a pair (x, y), but is a {type(data).__name__}")
    if len(data) != 2:
        raise ValueError(f"{name} must be a pair (x, y), but has {len(data)} parts")
    x, y = data
    return x, y


def batches(arrays: Sequence[Array], batch_size: int, order: Array | None = None) -> Iterator[list[Tensor]]:
    """Yield `batch_size` rows of each array at a time, as Tensors, in `order`; the last batch may be smaller."""
    # Rows are picked batch by batch: a shuffled copy of everything would not fit into the processor's cache.
    for start in range(0, len(arrays[0]), batch_size):
        stop = start + batch_size
        if order is None:
            yield [array[start:stop].view(Tensor) for array in arrays]
        else:  # take does what array[rows] does, faster
            yield [array.take(order[start:stop], axis=0).view(Tensor) for array in arrays]


class Means:
    """Means over samples from means over batches: Σ size · metric / Σ size."""

    def __init__(self) -> None:
        self.count = 0
        self.totals: defaultdict[str, float] = defaultdict(float)

    def add(self, metrics: Mapping[str, float], size: int) -> None:
        """Count the metrics of a batch of `size` samples."""
        self.count += size
        for name, value in metrics.items():
            self.totals[name] += size * value

    def values(self) -> dict[str, float]:
        """Return the mean of every metric."""
        return {name: float(total / self.count) for name, total in self.totals.items()}
