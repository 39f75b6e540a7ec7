"""Weights found wherever an object keeps them, and stored in a file that holds nothing but arrays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from beras.core import Tensor, Variable, Weighted
from beras.files import read_arrays, write_arrays

Path = tuple[Any, ...]
"""Where something was found: `(path of what holds it, name in there)`, `()` at the top."""


class Composite(Weighted):
    """Something made of layers: its weights are those of its attributes.

    Layers, composites and Variables are found as attributes and in lists, tuples and dicts of any depth.
    A weight that is reached twice (a shared layer) counts once, under the first path.
    """

    not_parts: ClassVar[frozenset[str]] = frozenset()  # attributes that hold no weights of this object

    @property
    def weights(self) -> list[Tensor]:
        """All weights, each once, in the order in which the attributes were set."""
        found: dict[int, Tensor] = {}
        for _, leaf in self._leaves():
            for weight in [leaf] if isinstance(leaf, Variable) else leaf.weights:
                found.setdefault(id(weight), weight)
        return list(found.values())

    def named_weights(self) -> dict[str, Tensor]:
        """Map the path of every weight to it: `{"layers.0.w": …, "layers.0.b": …}`."""
        found: dict[int, tuple[str, Tensor]] = {}
        for path, leaf in self.named_leaves():
            for name, weight in weights_of(leaf):
                found.setdefault(id(weight), (f"{path}.{name}" if name else path, weight))
        return dict(found.values())

    def named_leaves(self) -> Iterator[tuple[str, Weighted | Variable]]:
        """Yield every layer and bare Variable with its path, each once."""
        for path, leaf in self._leaves():
            names = []
            while path:
                path, name = path
                names.append(str(name))
            yield ".".join(reversed(names)), leaf

    def _leaves(self) -> list[tuple[Path, Weighted | Variable]]:
        leaves: list[tuple[Path, Weighted | Variable]] = []
        _collect(self, (), set(), leaves)
        return leaves

    @contextmanager
    def mode(self, training: bool) -> Iterator[None]:
        """Put the layers that have two modes (`layer.training`: dropout, batch normalization) into one for a while."""
        others = [leaf for _, leaf in self._leaves() if getattr(leaf, "training", training) is not training]
        for leaf in others:
            leaf.training = training  # type: ignore[union-attr]
        try:
            yield
        finally:
            for leaf in others:
                leaf.training = not training  # type: ignore[union-attr]

    def save_weights(self, path: str | os.PathLike[str]) -> None:
        """Write all weights to `path` as an `.npz` of plain arrays, in one step: an old file stays until then."""
        write_arrays(path, {name: np.asarray(weight) for name, weight in self.named_weights().items()})

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Set all weights from a file of `save_weights`, each in its own dtype.

        Raises OSError for a missing file; ValueError for a file that cannot be read, and for one whose names, shapes
        or kinds of number do not match, all of which it lists. Then no weight has changed.
        """
        try:
            saved = read_arrays(path)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)} cannot be read as saved weights: {error}") from error
        mine = self.named_weights()
        wrong = [f"it lacks {name}" for name in mine if name not in saved]
        wrong += [f"it has {name}, which the model has not" for name in saved if name not in mine]
        for name in mine.keys() & saved.keys():
            mine_is, saved_is = mine[name], saved[name]
            if mine_is.shape != saved_is.shape:
                wrong.append(f"{name} has shape {saved_is.shape}, the model's has {mine_is.shape}")
            elif not np.can_cast(saved_is.dtype, mine_is.dtype, "same_kind"):
                wrong.append(f"{name} is {saved_is.dtype}, the model's is {mine_is.dtype}")
        if wrong:
            raise ValueError(f"{os.fspath(path)} does not fit this model: {'; '.join(sorted(wrong))}")
        for name, weight in mine.items():
            if isinstance(weight, Variable):
                weight.assign(saved[name])
            else:
                weight[...] = saved[name]


@lru_cache(maxsize=1024)  # weights are gathered at every training step, and isinstance is slow for abstract classes
def _kind(cls: type) -> str:
    """Say how to look for weights in objects of a class."""
    if issubclass(cls, Composite) and cls.weights is Composite.weights:
        return "composite"
    if issubclass(cls, Weighted | Variable):  # a composite that lists its weights itself is a leaf too
        return "leaf"
    if issubclass(cls, Mapping):
        return "mapping"
    return "sequence" if issubclass(cls, list | tuple) else "nothing"


def _collect(value: Any, path: Path, seen: set[int], leaves: list[tuple[Path, Weighted | Variable]]) -> None:
    cls: type = type(value)
    kind = _kind(cls)
    if kind == "nothing" or id(value) in seen:
        return
    seen.add(id(value))
    if kind == "leaf":
        leaves.append((path, value))
    elif kind == "composite":
        for name, part in vars(value).items():
            if name not in value.not_parts:
                _collect(part, (path, name), seen, leaves)
    else:
        for name, part in value.items() if kind == "mapping" else enumerate(value):
            _collect(part, (path, name), seen, leaves)


def weights_of(leaf: Weighted | Variable) -> list[tuple[str, Tensor]]:
    """The weights of a layer under the names of its attributes, or numbered where it keeps them elsewhere."""
    if isinstance(leaf, Variable):
        return [("", leaf)]
    names = {id(value): name for name, value in vars(leaf).items()}
    return [(names.get(id(weight), str(index)), weight) for index, weight in enumerate(leaf.weights)]
