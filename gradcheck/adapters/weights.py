"""The weights of an object: found by name, exchanged by attribute.

An in-place `assign` would round float64 into float32 and refuse complex numbers, so a weight is exchanged by
setting whatever holds it: an attribute, an entry of a list, tuple or dict, of the object itself or of a part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.adapters.returned import plain
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array

# Attributes and methods that list the weights in the order of their gradients.
LISTS = ("weights", "parameters", "trainable_weights", "trainable_variables", "params")
# What forward and backward leave behind; never a place where a weight lives.
TRACES = frozenset({"inputs", "outputs", "input", "output", "input_dict", "ins", "cache", "grads", "gradients"})
DEPTH = 4
# What a weight is called, without a plural and a number.
STEMS = frozenset({"w", "weight", "b", "bias", "bia", "gamma", "beta", "kernel"})


@dataclass(frozen=True)
class Place:
    """Something that holds a weight: the attribute dict of an object, or a container that hangs on one."""

    holder: Any
    key: Any
    path: str

    def put(self, value: Any) -> None:
        if isinstance(self.holder, _Tuple):
            self.holder.put(self.key, value)
        else:
            self.holder[self.key] = value


@dataclass(frozen=True)
class _Tuple:
    """A tuple, exchanged as a whole in the place that holds it."""

    place: Place

    def put(self, index: int, value: Any) -> None:
        items = list(self.place.holder[self.place.key])
        items[index] = value
        kind = type(self.place.holder[self.place.key])
        self.place.put(tuple(items) if kind is tuple else kind(*items))


@dataclass(frozen=True)
class Slot:
    """One weight: its name, the object that it was, and every place that holds it."""

    name: str
    original: Any
    places: tuple[Place, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(place.path for place in self.places)

    @property
    def array(self) -> Array:
        found = plain(self.original)
        assert found is not None
        return found

    def putter(self) -> Callable[[Array], Any]:
        """Return `put`, or where the weight is an array in one place, the same without what need not be asked again."""
        kind, original, place = type(self.original), self.original, self.places[0]
        if not isinstance(original, np.ndarray) or len(self.places) > 1 or isinstance(place.holder, _Tuple):
            return self.put
        holder, key = place.holder, place.key
        if kind is np.ndarray:
            return lambda value: holder.__setitem__(key, value)
        attributes = dict(vars(original))

        def put(value: Array) -> None:
            wrapped = value.view(kind)
            wrapped.__dict__.update(attributes)
            holder[key] = wrapped

        return put

    def put(self, value: Array) -> Any:
        """Put `value` into the object, in the class that the weight had and in its own dtype; return what was put."""
        wrapped = like(self.original, value)
        for place in self.places:
            place.put(wrapped)
        return wrapped


def like(original: Any, value: Array) -> Any:
    """Return `value` as what `original` is: an array of its class with its attributes, a node, or a number."""
    kind = type(original)
    if kind is np.ndarray:
        return value
    if isinstance(original, np.ndarray):
        view = value.view(kind)
        vars(view).update(vars(original))
        return view
    if isinstance(original, (float, int, np.generic)):
        return value[()]
    node = object.__new__(kind)
    vars(node).update(vars(original))
    for name in ("value", "data"):
        if isinstance(vars(original).get(name), np.ndarray):
            setattr(node, name, value)
    return node


def is_array(thing: Any) -> bool:
    """An array of floats, or a node that holds one."""
    if isinstance(thing, np.ndarray):
        return thing.dtype.kind in "fc"
    held = getattr(thing, "__dict__", {})
    return isinstance(held, dict) and any(
        isinstance(held.get(name), np.ndarray) and held[name].dtype.kind in "fc" for name in ("value", "data")
    )


def listing(obj: Any) -> list[Any] | None:
    """Return the weights that `obj` lists itself, in its order; None where it lists none."""
    for name in LISTS:
        try:
            found = getattr(obj, name)
            if callable(found) and not isinstance(found, np.ndarray):
                found = found()
        except Exception:  # a property of somebody else's class may raise anything; the next name may not
            continue
        if isinstance(found, dict):
            found = list(found.values())
        if isinstance(found, (list, tuple)) and all(is_array(one) or isinstance(one, (float, int)) for one in found):
            return list(found)
    return None


def holders(obj: Any) -> list[dict[str, Any]]:
    """Return the attribute dicts of `obj` and of the objects that it is made of."""
    return [own for own, _, _ in walk(obj)]


def walk(obj: Any) -> Iterator[tuple[dict[str, Any], Any, str]]:
    """Yield the attribute dict of `obj` and of every part of it, with the part and its path."""
    queue: list[tuple[Any, str, int]] = [(obj, "", 0)]
    seen: set[int] = set()
    while queue:
        part, path, depth = queue.pop(0)
        own = getattr(part, "__dict__", None)
        if id(part) in seen or not isinstance(own, dict) or len(seen) > 200:
            continue
        seen.add(id(part))
        yield own, part, path
        if depth < DEPTH:
            queue += [(child, below, depth + 1) for child, below in _parts(own, path)]


def _parts(own: dict[str, Any], path: str) -> Iterator[tuple[Any, str]]:
    for name, value in own.items():
        if name in TRACES:
            continue
        here = f"{path}.{name}" if path else name
        if isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                if is_part(item):
                    yield item, f"{here}[{index}]"
        elif isinstance(value, dict):
            for key, item in value.items():
                if is_part(item):
                    yield item, f"{here}[{key!r}]"
        elif is_part(value):
            yield value, here


def is_part(thing: Any) -> bool:
    """An object of somebody's own class that has attributes, and is no array, class, function or module."""
    kind = type(thing)
    return (
        isinstance(getattr(thing, "__dict__", None), dict)
        and not isinstance(thing, (np.ndarray, type))
        and not callable(getattr(thing, "__code__", None))
        and kind.__module__ not in ("builtins", "types", "functools", "collections", "random")
        and not kind.__module__.startswith("numpy")
        and kind.__name__ not in ("module", "function", "method")
    )


def places(obj: Any) -> Iterator[tuple[Any, Place]]:
    """Yield every array that hangs on `obj` or on a part of it, with the place that holds it."""
    for own, _, path in walk(obj):
        for name, value in own.items():
            if name in TRACES:
                continue
            here = f"{path}.{name}" if path else name
            place = Place(own, name, here)
            if is_array(value) or (isinstance(value, (float, int)) and not isinstance(value, bool)):
                yield value, place
            elif isinstance(value, tuple):
                for index, item in enumerate(value):
                    if is_array(item):
                        yield item, Place(_Tuple(place), index, f"{here}[{index}]")
            elif isinstance(value, (list, dict)):
                for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                    if is_array(item):
                        yield item, Place(value, key, f"{here}[{key!r}]")


def same(one: Any, other: Any) -> bool:
    """The same weight: the very object, or an array on the same memory."""
    if one is other:
        return True
    if not (isinstance(one, np.ndarray) and isinstance(other, np.ndarray)):
        return False
    return (
        one.shape == other.shape
        and one.size > 0
        and one.__array_interface__["data"][0] == other.__array_interface__["data"][0]
        and one.strides == other.strides
    )


def find(obj: Any, listed: list[Any] | None = None) -> list[Slot]:
    """Return a slot for every weight that `obj` lists (CannotBuild where one hangs on no attribute)."""
    listed = listing(obj) if listed is None else listed
    if not listed:
        return []
    around = list(places(obj))
    slots: list[Slot] = []
    for number, weight in enumerate(listed):
        held = tuple(place for value, place in around if same(value, weight))
        if not held:
            raise CannotBuild(f"its weight number {number} is held by no attribute, so that it cannot be varied")
        name = short(held)
        taken = {slot.name for slot in slots}
        slots.append(Slot(name if name not in taken else f"{name}#{number}", weight, held))
    return slots


def named(obj: Any) -> list[Slot]:
    """Return attributes that are called as weights are: for an object whose own list of them is not written yet."""
    found = []
    for value, place in places(obj):
        stem = place.path.lstrip("_").lower().rstrip("0123456789").rstrip("s").rstrip("e")
        if isinstance(value, np.ndarray) and is_array(value) and stem in STEMS:
            found.append(Slot(place.path.lstrip("_"), value, (place,)))
    return found


def apart(slots: Sequence[Slot], inputs: Sequence[str]) -> list[Slot]:
    """Rename weights that are called as an input is: `w` becomes `self.w`."""
    return [replace(slot, name=f"self.{slot.name}") if slot.name in inputs else slot for slot in slots]


def on(obj: Any, name: str, paths: Sequence[str]) -> Slot:
    """The slot of the same name and paths on another object of the same build."""
    held = [(value, place) for value, place in places(obj) if place.path in paths]
    return Slot(name, held[0][0], tuple(place for _, place in held))


def short(held: tuple[Place, ...]) -> str:
    """The attribute's own name before an entry of a list, without leading underscores."""

    def rank(path: str) -> tuple[bool, int, int]:
        return "[" in path.rpartition(".")[2], path.count("."), len(path)

    return min((place.path for place in held), key=rank).lstrip("_")
