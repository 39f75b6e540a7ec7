"""Which gradient is whose: by its name, by its place, by its shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.calls import words
from gradcheck.adapters.returned import plain

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Gradient:
    """One array that came back: the name it has, and where it is in the answer (keys and places, outermost first)."""

    name: str
    path: tuple[Any, ...]
    shape: Shape


def gradients(said: Any, names: Sequence[str]) -> list[Gradient]:
    """Return every array in an answer; `names` are what its text calls the elements."""
    if said is None or said is NotImplemented or said is Ellipsis:
        raise NotImplementedError("it returned nothing")
    return list(_inside(said, (), names[0] if len(names) == 1 else "", names))


def _inside(said: Any, path: tuple[Any, ...], name: str, names: Sequence[str] = ()) -> Any:
    if isinstance(said, Mapping):
        for key, one in said.items():
            yield from _inside(one, (*path, key), str(key))
    elif isinstance(said, (tuple, list)) and any(_is_array(one) or one is None for one in said):
        for number, one in enumerate(said):
            own = names[number] if len(names) == len(said) else ""
            if one is not None:
                yield from _inside(one, (*path, number), own)
    elif (array := plain(said)) is not None and array.dtype.kind in "fiubc":
        yield Gradient(name, path, array.shape)


def _is_array(one: Any) -> bool:
    return isinstance(one, (np.ndarray, np.generic, Mapping, list, tuple)) or hasattr(one, "__array__")


def at(said: Any, path: tuple[Any, ...]) -> Any:
    """Return what stands at a path in an answer."""
    for key in path:
        said = said[key]
    return plain(said)


def match(found: Sequence[Gradient], variables: Mapping[str, Shape], likely: Sequence[str] = ()) -> dict[str, Gradient]:
    """Say whose each gradient is: {variable: gradient}; `likely`: variables of a lone gradient."""
    matched: dict[str, Gradient] = {}
    left = []
    for one in found:
        name = words.owner(one.name, [v for v in variables if v not in matched]) if one.name else None
        if name is None:
            left.append(one)
        else:
            matched[name] = one
    if matched:  # the keys of a dict say what they hold
        left = [one for one in left if not one.path or not isinstance(one.path[-1], str)]
    open_ = [name for name in variables if name not in matched]
    if len(left) == len(open_):
        return {**matched, **dict(zip(open_, left, strict=True))}
    if not matched and len(left) == 1 and len(found) == 1:
        return _alone(left[0], variables, likely)
    ahead = open_[: len(left)]
    if not matched and len(left) > 1 and [one.shape for one in left] == [variables[name] for name in ahead]:
        return dict(zip(ahead, left, strict=True))
    for one in left:
        fitting = [name for name in open_ if variables[name] == one.shape and name not in matched]
        if len(fitting) == 1:
            matched[fitting[0]] = one
    return matched


def _alone(gradient: Gradient, variables: Mapping[str, Shape], likely: Sequence[str]) -> dict[str, Gradient]:
    """One gradient for several variables: that of a likely one of its shape, or else of the first likely one."""
    preferred = [name for name in likely if name in variables] or list(variables)
    chosen = [name for name in preferred if variables[name] == gradient.shape] or preferred
    return {chosen[0]: gradient} if chosen else {}
