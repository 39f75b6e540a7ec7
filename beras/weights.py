"""Weights found wherever an object keeps them, and stored in a file that holds nothing but arrays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from beras.array_archive import Header, read_arrays, write_arrays
from beras.core import Diffable, Tensor, Variable, Weighted
from beras.modes import modes

Path = tuple[Any, ...]
"""Where something was found: `(path of what holds it, name in there)`, `()` at the top."""

Found = list[tuple[Path, Any]]

MOST_TOLD = 20  # what is wrong about a file of weights is told up to so many


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
        """Map the path of every weight to it: `{"layers.0.w": …, "layers.0.b": …}`.

        Raises ValueError where the names of attributes and keys give two weights the same path.
        """
        found: dict[int, tuple[str, Tensor]] = {}
        for path, leaf in self.named_leaves():
            for name, weight in weights_of(leaf):
                found.setdefault(id(weight), (".".join(filter(None, (path, name))), weight))
        named: dict[str, Tensor] = {}
        for name, weight in found.values():
            if named.setdefault(name, weight) is not weight:
                raise ValueError(f"two weights of {type(self).__name__} have the same path {name}: rename one of them")
        return named

    def named_leaves(self) -> Iterator[tuple[str, Weighted | Variable]]:
        """Yield every layer and bare Variable with its path, each once."""
        for path, leaf in self._leaves():
            names = []
            while path:
                path, name = path
                names.append(str(name))
            yield ".".join(reversed(names)), leaf

    def _leaves(self) -> Found:
        if _kind(type(self)) == OWN:
            return [((), self)]
        found: Found = []
        _collect(self, COMPOSITE, (), {id(self)}, found, all_parts=False)
        return found

    def _all_parts(self) -> Sequence[Any]:
        """This object, and all layers, composites and Variables in it, each once."""
        found: Found = [((), self)]
        _collect(self, COMPOSITE, (), {id(self)}, found, all_parts=True)
        return [part for _, part in found]

    @contextmanager
    def mode(self, training: bool) -> Iterator[None]:
        """Put all parts that have two modes (`part.training`: dropout, batch normalization) into one for a while.

        Only for calls made in this thread.
        """
        parts = [part for part in self._all_parts() if hasattr(part, "training")]
        earlier = modes.training
        modes.training = earlier | {id(part): training for part in parts}
        # What is no Diffable, a model say, runs on itself and knows its own attribute only.
        others = [(part, part.training) for part in parts if not isinstance(part, Diffable)]
        for part, _ in others:
            part.training = training
        try:
            yield
        finally:
            modes.training = earlier
            for part, before in others:
                part.training = before

    def check_weights(self, saved: Mapping[str, Header]) -> None:
        """Raise `ValueError`, which lists all that does not match, unless saved arrays are those of this model."""
        _fitting(self.named_weights(), saved)

    def save_weights(self, path: str | os.PathLike[str]) -> None:
        """Write all weights to `path` as an `.npz` of plain arrays, in one step: an old file stays until then."""
        write_arrays(path, {name: np.asarray(weight) for name, weight in self.named_weights().items()})

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Set all weights from a file of `save_weights`, each in its own dtype.

        Raises OSError for a missing file; ValueError for a file that cannot be read, and for one whose names, shapes
        or kinds of number do not match, all of which it lists, or where a weight is read-only. Then no weight has
        changed.
        """
        mine = self.named_weights()
        try:
            saved = read_arrays(path, lambda headers: _fitting(mine, headers))
        except DoesNotFit as error:
            raise ValueError(f"{os.fspath(path)} does not fit this model: {error}") from None
        except ValueError as error:
            raise ValueError(
                f"{os.fspath(path)} cannot be read as saved weights: {error}. Take a file that save_weights wrote, or "
                "save the weights again"
            ) from error
        for name, weight in mine.items():
            if isinstance(weight, Variable):
                weight.assign(saved[name])
            else:
                weight[...] = saved[name]


class DoesNotFit(ValueError):
    """Saved arrays that are not those of this model."""


def _fitting(mine: Mapping[str, Tensor], saved: Mapping[str, Header]) -> Iterable[str]:
    """Return the names of the weights, or raise `DoesNotFit` with all that is wrong about what was saved."""
    wrong = [f"it lacks {name}" for name in mine if name not in saved]
    wrong += [f"it has {name}, which the model has not" for name in saved if name not in mine]
    for name in mine.keys() & saved.keys():
        mine_is, saved_is = mine[name], saved[name]
        if not mine_is.flags.writeable:
            wrong.append(f"{name} is read-only in the model: set its flags.writeable to True")
        if mine_is.shape != saved_is.shape:
            wrong.append(f"{name} has shape {saved_is.shape}, the model's has {mine_is.shape}")
        elif not np.can_cast(saved_is.dtype, mine_is.dtype, "same_kind"):
            wrong.append(f"{name} is {saved_is.dtype}, the model's is {mine_is.dtype}")
    if wrong:
        told = sorted(wrong)
        more = f"; and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
        raise DoesNotFit("; ".join(" ".join(text.split())[:200] for text in told[:MOST_TOLD]) + more)
    return mine


# How to look for weights in an object.
NOTHING, LEAF, COMPOSITE, OWN, MAPPING, SEQUENCE = range(6)


@lru_cache(maxsize=1024)  # asked at every training step, and isinstance is slow for abstract classes
def _kind(cls: type) -> int:
    if issubclass(cls, Composite):
        return COMPOSITE if cls.weights is Composite.weights else OWN  # OWN: it lists its weights itself
    if issubclass(cls, Weighted | Variable):
        return LEAF
    if issubclass(cls, Mapping):
        return MAPPING
    return SEQUENCE if issubclass(cls, list | tuple) else NOTHING


def _collect(holder: Any, kind: int, path: Path, seen: set[int], found: Found, *, all_parts: bool) -> None:
    """Append what `holder` holds to `found`, each object once: the leaves for weights, or `all_parts`.

    The leaves for weights are layers, Variables and composites that list their weights themselves.
    """
    if kind == MAPPING:
        parts = holder.items()
    elif kind == SEQUENCE:
        parts = enumerate(holder)
    else:
        parts = [item for item in vars(holder).items() if item[0] not in holder.not_parts]
    for name, part in parts:
        cls: type = type(part)
        inner = _kind(cls)
        if inner == NOTHING or id(part) in seen:
            continue
        seen.add(id(part))
        if inner == LEAF or (inner == OWN and not all_parts):
            found.append(((path, name), part))
            continue
        if all_parts and inner in (COMPOSITE, OWN):
            found.append(((path, name), part))
        _collect(part, inner, (path, name), seen, found, all_parts=all_parts)


def weights_of(leaf: Weighted | Variable) -> list[tuple[str, Tensor]]:
    """The weights of a layer under the names of its attributes, or numbered where it keeps them elsewhere."""
    if isinstance(leaf, Variable):
        return [("", leaf)]
    names = {id(value): name for name, value in getattr(leaf, "__dict__", {}).items()}
    return [(names.get(id(weight), str(index)), weight) for index, weight in enumerate(leaf.weights)]
