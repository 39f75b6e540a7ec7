"""Data in batches, and what is known about all samples from what was measured on each batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from beras.arrays import Array
from beras.checks import number_between, whole_number
from beras.tensor import Tensor

Batch = tuple[Any, Any, Tensor | None]
"""Inputs (a tensor, or a list of them), labels and, if there are any, weights of the samples."""


def _numbers(name: str, value: Any) -> Array:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"expected numbers in {name}, but its dtype is {array.dtype}")
    if array.ndim == 0:
        raise ValueError(f"expected {name} with one row per sample, but it is a single number")
    return array


def batches(arrays: Sequence[Array], batch_size: int, order: Array | None = None) -> Iterator[list[Tensor]]:
    """Yield `batch_size` rows of each array at a time, as Tensors, in `order`; the last batch may be smaller."""
    # Rows are picked batch by batch: a shuffled copy of everything would not fit into the processor's cache.
    for start in range(0, len(arrays[0]), batch_size):
        stop = start + batch_size
        if order is None:
            yield [array[start:stop].view(Tensor) for array in arrays]
        else:  # take does what array[rows] does, faster
            yield [array.take(order[start:stop], axis=0).view(Tensor) for array in arrays]


@dataclass(frozen=True)
class Samples:
    """Arrays of the same samples: inputs (several of them where a model has), labels, and weights where there are."""

    inputs: list[Array]
    labels: Array | None
    weights: Array | None
    several: bool

    @classmethod
    def of(cls, x: Any, y: Any, sample_weight: Any = None, inputs: int = 1) -> Samples:
        """Check data for a model of so many `inputs`. Raises `ValueError` where they do not fit together."""
        if inputs > 1 and not (isinstance(x, (list, tuple)) and len(x) == inputs):
            got = f"{len(x)} arrays" if isinstance(x, (list, tuple)) else f"a {type(x).__name__}"
            raise ValueError(f"the model has {inputs} inputs: expected a list of so many arrays in x, got {got}")
        named = [("x", x)] if inputs == 1 else [(f"x[{k}]", part) for k, part in enumerate(x)]
        found = [(name, _numbers(name, part)) for name, part in named]
        labels = None if y is None else _numbers("y", y)
        weights = None if sample_weight is None else _numbers("sample_weight", sample_weight)
        first = found[0][1]
        others = [*found[1:], ("y", labels), ("sample_weight", weights)]
        for name, array in others:
            if array is not None and len(array) != len(first):
                raise ValueError(f"{named[0][0]} has {len(first)} samples, but {name} has {len(array)}")
        if len(first) == 0:
            raise ValueError("there are no samples: x and y are empty")
        if weights is not None and weights.ndim != 1:
            raise ValueError(f"expected sample_weight to hold one number for each sample, got shape {weights.shape}")
        return cls([array for _, array in found], labels, weights, inputs > 1)

    def __len__(self) -> int:
        return len(self.inputs[0])

    def batches(self, batch_size: int, order: Array | None = None) -> Iterator[Batch]:
        """Yield all samples, some at a time."""
        arrays = [*self.inputs, *[a for a in (self.labels, self.weights) if a is not None]]
        n = len(self.inputs)
        for batch in batches(arrays, batch_size, order):
            x = batch[:n] if self.several else batch[0]
            y = None if self.labels is None else batch[n]
            yield x, y, None if self.weights is None else batch[-1]

    def parted(self, share: float) -> tuple[Samples, Samples]:
        """Return what comes first, and the last `share` of the samples. Raises `ValueError` where one part is empty."""
        number_between(share, "fit", "validation_split", 0.0, 1.0)
        at = int(len(self) * (1 - share))
        if not 0 < at < len(self):
            raise ValueError(f"validation_split={share} of {len(self)} samples leaves nothing for one of the two parts")

        def part(rows: slice) -> Samples:
            labels, weights = (None if a is None else a[rows] for a in (self.labels, self.weights))
            return Samples([a[rows] for a in self.inputs], labels, weights, self.several)

        return part(slice(0, at)), part(slice(at, None))

    def weighted_by_class(self, class_weight: Mapping[int, float] | None) -> Samples:
        """Return the same, each sample's weight times that of its class; classes that are not named have 1."""
        if class_weight is None:
            return self
        if not isinstance(class_weight, Mapping):
            raise TypeError(f"class_weight must be a dict of weights by class, but is a {type(class_weight).__name__}")
        labels: Any = np.zeros(0) if self.labels is None else self.labels
        classes = labels.argmax(axis=-1) if labels.ndim == 2 and labels.shape[-1] > 1 else labels
        if classes.size != len(self):
            raise ValueError(f"class_weight needs one class for each sample in y, got shape {labels.shape}")
        weights = np.array([float(class_weight.get(int(c), 1.0)) for c in classes.reshape(-1)])
        return Samples(
            self.inputs, self.labels, weights if self.weights is None else weights * self.weights, self.several
        )


class Stream:
    """Batches from an iterable, `(x, y)` or `(x, y, sample_weight)`: a generator, or what makes one every epoch."""

    def __init__(self, data: Iterable[Any], steps: int | None) -> None:
        self.data, self.steps = data, steps
        self._one_pass = iter(data) if iter(data) is data else None

    def batches(self) -> Iterator[Batch]:
        """Yield the batches of one epoch. Raises `ValueError` where there is none left."""
        iterator = iter(self.data) if self._one_pass is None else self._one_pass
        taken = 0
        while self.steps is None or taken < self.steps:
            try:
                batch = next(iterator)
            except StopIteration:
                break
            if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
                raise ValueError("a generator must yield (x, y) or (x, y, sample_weight)")
            x, y, *weight = batch
            inputs = [Tensor(part) for part in x] if isinstance(x, (list, tuple)) else Tensor(x)
            yield inputs, Tensor(y), Tensor(weight[0]) if weight else None
            taken += 1
        if taken == 0:
            raise ValueError(
                "the generator has no batch left for this epoch: give something that can be iterated over again, or "
                "steps_per_epoch"
            )


def is_stream(x: Any, y: Any) -> bool:
    """Whether data come from an iterable that is no array."""
    return y is None and not isinstance(x, (np.ndarray, list, tuple)) and isinstance(x, Iterable)


def validation_of(data: Any, name: str) -> tuple[Any, Any, Any]:
    """Return `data` as `(x, y, sample_weight)`. Raises TypeError or ValueError, which name it, if it is not that."""
    if not isinstance(data, (tuple, list)):
        raise TypeError(f"{name} must be a pair (x, y), but is a {type(data).__name__}")
    if len(data) not in (2, 3):
        raise ValueError(f"{name} must be a pair (x, y), but has {len(data)} parts")
    x, y, *weight = data
    return x, y, weight[0] if weight else None


def size_of(x: Any) -> int:
    """Return how many samples a batch has."""
    return len(x[0]) if isinstance(x, list) else len(x)


def checked_batch_size(batch_size: int) -> int:
    """Return `batch_size` if it is one. Raises `TypeError`, `ValueError`."""
    return whole_number(batch_size, "a model", "batch_size")


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
