"""Which part of an answer is about the inputs: all that came back, its first items, some keys, or an attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.adapters import returned
from gradcheck.adapters.gradients import Asked, Offer, came_back
from gradcheck.adapters.pairing import names_fit
from gradcheck.adapters.places import follow, is_number, label

Shape = tuple[int, ...]

# What a gradient by an only input is called, whatever that one is called.
USUAL = ("inputs", "input", "inp", "x", "in", "prev", "aprev")


@dataclass(frozen=True)
class Answered:
    """`first`, `last`: items of a sequence that are about inputs, as a slice. `keys`: entries of a dict; `left`: paths.

    `nothing`: nothing came back.
    """

    first: int | None = None
    last: int | None = None
    whole: bool = True
    keys: Mapping[str, Any] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    nothing: bool = False

    @property
    def is_about_weights(self) -> bool:
        """Whether nothing in it is about inputs."""
        return not self.left and not self.keys and (self.nothing or self.first == self.last is not None)

    def rest(self, said: Any, what: str) -> list[Offer]:
        """What is about weights."""
        if self.whole:
            return []
        mine = set(range(len(said))[self.first : self.last]) if isinstance(said, (list, tuple)) else set()
        names = {f"[{at}]" for at in mine} | {f"[{key!r}]" for key in self.keys.values()}
        return [
            one for one in came_back(said, what) if not any(one.path.startswith(f"{what}(){name}") for name in names)
        ]

    def read(
        self,
        asked: Asked,
        names: Sequence[str],
        shapes: Sequence[Shape],
        constants: Sequence[str],
        what: str,
        more: bool,
    ) -> list[Any]:
        """One gradient per input; `more`: there are gradients of weights as well."""
        if self.left:
            return [follow(asked.obj, self.left[name]) if name in self.left else None for name in names]
        said = asked.said
        if self.keys:
            return [said[self.keys[name]] if name in self.keys else None for name in names]
        if (said is None or self.first == self.last is not None) and more:
            return [None for _ in names]
        if not self.whole and isinstance(said, (list, tuple)):
            said = said[self.first : self.last]
        wanted = [name for name in names if name not in constants]
        if isinstance(said, np.ndarray) and len(wanted) == 1 < len(names):
            said = [said]
        return list(returned.listed(said, names, shapes, what, constants))


def answered(
    said: Any,
    changed: Mapping[str, Any],
    names: Sequence[str],
    shapes: Sequence[Shape],
    constants: Sequence[str],
    weights: Sequence[Shape],
) -> Answered:
    """Find out which part of `said` is about the inputs; `weights` are the shapes of what may have gradients beside."""
    if not names:
        return Answered(0, 0, False)
    if not _has_numbers(said):
        return Answered(left=_left(changed, names, shapes, constants), nothing=True)
    if isinstance(said, Mapping):
        keys = {name: key for key in said for name in names if _is_of(str(key), name, len(names))}
        return Answered(0, 0, False, keys=keys)
    if not isinstance(said, (list, tuple)) or returned.is_nested_numbers(said, shapes):
        # Of indices nothing is claimed: what an embedding hands back is about its table.
        about_data = set(names) <= set(constants) and _shape(said) in weights and _shape(said) not in shapes
        return Answered(0, 0, False) if about_data else Answered()
    asked = [shape for name, shape in zip(names, shapes, strict=True) if name not in constants]
    if isinstance(said, (list, tuple)) and len(said) in (len(names), len(asked)) and _fit(said, asked, shapes):
        return Answered()
    for wanted in (asked, list(shapes)):
        for first, last in ((0, len(wanted)), (len(said) - len(wanted), len(said))):
            items = said[first:last]
            if len(said) > len(wanted) and [_shape(one) for one in items] == wanted:
                return Answered(first, last, False)
    flat = [one.shape for one in came_back(said)]
    if len(flat) <= len(weights) and all(flat.count(shape) <= list(weights).count(shape) for shape in flat):
        return Answered(0, 0, False)
    front = next((at for at, item in enumerate(said) if _is_container(item)), len(said))
    return Answered(0, min(front, len(asked)), False) if len(said) > len(asked) or front < len(said) else Answered()


def _fit(said: Sequence[Any], asked: Sequence[Shape], shapes: Sequence[Shape]) -> bool:
    found = [_shape(one) for one in said]
    return found in (list(asked), list(shapes))


def _shape(item: Any) -> Shape | None:
    if isinstance(item, (list, tuple, dict)) or item is None:
        return None
    found = returned.plain(item)
    return None if found is None else found.shape


def _is_container(item: Any) -> bool:
    return isinstance(item, (list, tuple, dict)) and bool(came_back(item))


def _has_numbers(said: Any) -> bool:
    return said is not None and (isinstance(said, np.ndarray) or is_number(said) or bool(came_back(said)))


def _left(
    changed: Mapping[str, Any], names: Sequence[str], shapes: Sequence[Shape], constants: Sequence[str]
) -> dict[str, str]:
    """Attributes that hold the gradients by the inputs: called so, and of their shape where there are several."""
    found = {}
    for name, shape in zip(names, shapes, strict=True):
        if name in constants:
            continue
        fits = [
            path for path in changed if "." not in path and _is_of(label(path).name, name, len(names) - len(constants))
        ]
        fits.sort(key=lambda path: np.shape(changed[path]) != shape)
        if fits:
            found[name] = fits[0]
    return found


def _is_of(gradient: str, name: str, count: int) -> bool:
    """Whether a name is that of the gradient by the input `name`."""
    return gradient == name or any(names_fit(one, gradient) for one in (name, *(USUAL if count == 1 else ())))
