"""The weights of an object: exchanged by setting whatever holds them (`places.py`), and found out by moving them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.adapters.places import InTuple, Place, held_at, is_array, is_number, label, places, stores
from gradcheck.adapters.returned import plain
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array, Values

# Attributes and methods that list the weights in the order of their gradients.
LISTS = ("weights", "parameters", "trainable_weights", "trainable_variables", "params", "get_params", "get_parameters")
# What a weight is called, without a plural and a number.
STEMS = frozenset({"w", "weight", "b", "bias", "bia", "gamma", "beta", "kernel", "filter", "theta"})


@dataclass(frozen=True)
class Slot:
    """One weight: its name, the object that it was, and every place that holds it."""

    name: str
    original: Any
    places: tuple[Place, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it is held."""
        return tuple(place.path for place in self.places)

    @property
    def array(self) -> Array:
        """Its numbers."""
        found = plain(self.original)
        assert found is not None
        return found

    @property
    def current(self) -> Array:
        """Its numbers as they stand now."""
        found = plain(self.places[0].get())
        assert found is not None
        return found

    def putter(self) -> Callable[[Array], Any]:
        """Return `put`, or where the weight is an array in one place, the same without what need not be asked again."""
        kind, original, place = type(self.original), self.original, self.places[0]
        if not isinstance(original, np.ndarray) or len(self.places) > 1 or isinstance(place.holder, InTuple):
            return self.put
        holder, name = place.holder, place.key
        if kind is np.ndarray:
            return lambda value: holder.__setitem__(name, value)
        attributes = dict(vars(original))

        def put(value: Array) -> None:
            wrapped = value.view(kind)
            wrapped.__dict__.update(attributes)
            holder[name] = wrapped

        return put

    def put(self, value: Array) -> Any:
        """Put `value` into the object, in the class that the weight had and in its own dtype; return what was put."""
        wrapped = like(self.original, value)
        for place in self.places:
            place.put(wrapped)
        return wrapped


def like(original: Any, value: Array) -> Any:
    """Return `value` as what `original` is: an array of its class with its attributes, a holder, or a number."""
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
    for mine, own in zip(stores(node), stores(original), strict=True):
        mine.update(own)
    setattr(node, held_at(original) or "value", value)
    return node


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
        found = tuple(place for value, place in around if same(value, weight))
        if not found:
            raise CannotBuild(f"its weight number {number} is held by no attribute, so that it cannot be varied")
        name = short(found)
        taken = {slot.name for slot in slots}
        slots.append(Slot(name if name not in taken else f"{name}#{number}", weight, found))
    return slots


def every(obj: Any) -> list[Slot]:
    """Return a slot for every array and number of floats that `obj` holds, each once, whatever it is there for."""
    groups: list[tuple[Any, list[Place]]] = []
    for value, place in places(obj):
        if not is_number(value) and not isinstance(value, np.ndarray):
            continue  # a holder: its array is there as well
        known = next((group for group in groups if not is_number(value) and same(group[0], value)), None)
        if known is None:
            groups.append((value, [place]))
        else:
            known[1].append(place)
    return [Slot(_title(obj, tuple(where)), value, tuple(where)) for value, where in groups]


def _title(obj: Any, found: tuple[Place, ...]) -> str:
    """The name of a weight: of its holder where it is that one's number."""
    name = short(found)
    outside, _, inner = name.rpartition(".")
    return outside if outside and inner in ("data", "value", "_data", "_value", "num") else name


def moves(name: str, values: Values, forward: Callable[[Values], Sequence[Array]]) -> bool:
    """Whether forward depends on a variable: its outputs change when it is moved, or it refuses the moved value."""
    rng = np.random.default_rng(0)
    value = np.asarray(values[name])
    size = rng.uniform(0.25, 0.5, size=value.shape)
    with np.errstate(all="ignore"):
        before = forward(values)
        try:
            return any(_differ(before, forward({**values, name: value + sign * size})) for sign in (1, -1, 4))
        except Exception:  # other people's code reads it, and refuses what it finds
            return True


def _differ(one: Sequence[Array], other: Sequence[Array]) -> bool:
    return len(one) != len(other) or any(
        a.shape != b.shape or not np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
        for a, b in zip(one, other, strict=True)
    )


def named(obj: Any) -> list[Slot]:
    """Return attributes that are called as weights are: for an object whose own list of them is not written yet."""
    return [
        Slot(place.path.lstrip("_"), value, (place,))
        for value, place in places(obj)
        if isinstance(value, np.ndarray)
        and is_array(value)
        and place.path.strip("_").isidentifier()
        and has_stem(place.path)
    ]


def has_stem(path: str) -> bool:
    """Whether what stands at `path` is called as weights are: `W`, `b1`, `gamma`, `params['w2']`, `weights[0]`."""
    return stem(label(path).name) in STEMS


def stem(name: str) -> str:
    """A name without its number and plural.

    >>> stem("_W1"), stem("biases"), stem("weights")
    ('w', 'bias', 'weight')
    """
    plain_name = name.lower().strip("_").rstrip("0123456789").strip("_")
    return plain_name.removesuffix("es") if plain_name.endswith("ses") else plain_name.removesuffix("s") or plain_name


def apart(slots: Sequence[Slot], inputs: Sequence[str]) -> list[Slot]:
    """Rename weights that are called as an input is: `w` becomes `self.w`."""
    return [replace(slot, name=f"self.{slot.name}") if slot.name in inputs else slot for slot in slots]


def on(obj: Any, name: str, paths: Sequence[str]) -> Slot:
    """The slot of the same name and paths on another object of the same build."""
    found = [(value, place) for value, place in places(obj) if place.path in paths]
    return Slot(name, found[0][0], tuple(place for _, place in found))


def all_on(obj: Any, slots: Sequence[Slot]) -> list[Slot]:
    """The same slots on another object of the same build."""
    around = {place.path: (value, place) for value, place in places(obj)}
    return [Slot(slot.name, around[slot.paths[0]][0], tuple(around[path][1] for path in slot.paths)) for slot in slots]


def short(found: tuple[Place, ...]) -> str:
    """What a weight is called: an attribute's own name or a dict's entry before a number in a list, without parts."""

    def rank(path: str) -> tuple[bool, int, bool, int]:
        where = label(path)
        return where.index is not None, path.count("."), bool(where.container), len(path)

    return min((place.path for place in found), key=rank).lstrip("_")
