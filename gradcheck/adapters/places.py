"""Where values hang: attributes and slots of an object and of its parts, entries of containers, holders with `.data`.

A place can be read and filled. Filling is by setting whatever holds the value and never by writing into an array:
that would round float64 into float32 and refuse complex numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Store = MutableMapping[str, Any]

# How deep parts and containers are looked into, and how many parts there may be.
DEPTH = 4
PARTS = 200

# What a holder calls the number that it holds.
VALUES = ("data", "value", "val", "array", "values", "num", "item", "_data", "_value")


_ABSENT = object()


class Slots(MutableMapping[str, Any]):
    """The `__slots__` of an object, as if they were its attribute dict."""

    def __init__(self, obj: Any) -> None:
        self.obj = obj
        names = [one for base in type(obj).__mro__ for one in _listed(vars(base).get("__slots__", ()))]
        self.names = [name for name in names if name not in ("__dict__", "__weakref__")]

    def __getitem__(self, name: str) -> Any:
        if name not in self.names:
            raise KeyError(name)
        try:
            return getattr(self.obj, name)
        except AttributeError:
            raise KeyError(name) from None

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self.obj, name, value)

    def __delitem__(self, name: str) -> None:
        delattr(self.obj, name)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.names if hasattr(self.obj, name))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def content(self) -> dict[str, Any]:
        """All that is there, at once."""
        found = ((name, getattr(self.obj, name, _ABSENT)) for name in self.names)
        return {name: value for name, value in found if value is not _ABSENT}

    def refill(self, content: Mapping[str, Any]) -> None:
        """Make all that is there this, and set nothing that is already."""
        now = self.content()
        for name in self.names:
            if name in content and now.get(name, _ABSENT) is not content[name]:
                setattr(self.obj, name, content[name])
            elif name in now and name not in content:
                delattr(self.obj, name)


def _listed(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def stores(obj: Any) -> list[Store]:
    """Return what holds the attributes of one object: its attribute dict, its slots, or both."""
    own = getattr(obj, "__dict__", None)
    slots = Slots(obj) if any(vars(base).get("__slots__") for base in type(obj).__mro__) else None
    return [store for store in (own if isinstance(own, dict) else None, slots) if store is not None]


@dataclass(frozen=True)
class Place:
    """Something that holds a value: the attributes of an object, or a container that hangs on one."""

    holder: Any
    key: Any
    path: str

    def get(self) -> Any:
        """What is held."""
        return self.holder[self.key]

    def put(self, value: Any) -> None:
        """Hold `value` from now on."""
        self.holder[self.key] = value


@dataclass(frozen=True)
class InTuple:
    """A tuple, exchanged as a whole in the place that holds it."""

    place: Place

    def __getitem__(self, index: int) -> Any:
        return self.place.get()[index]

    def __setitem__(self, index: int, value: Any) -> None:
        old = self.place.get()
        items = list(old)
        items[index] = value
        self.place.put(tuple(items) if type(old) is tuple else type(old)(*items))


def holders(obj: Any) -> list[Store]:
    """Return what holds the attributes of `obj` and of the objects that it is made of."""
    return [own for own, _, _ in walk(obj)]


def walk(obj: Any) -> Iterator[tuple[Store, Any, str]]:
    """Yield what holds the attributes of `obj` and of every part of it, with the part and its path."""
    queue: list[tuple[Any, str, int]] = [(obj, "", 0)]
    seen: set[int] = set()
    while queue and len(seen) <= PARTS:
        part, path, depth = queue.pop(0)
        if id(part) in seen:
            continue
        seen.add(id(part))
        for own in stores(part):
            yield own, part, path
            if depth < DEPTH:
                for name, value in list(own.items()):
                    place = Place(own, name, f"{path}.{name}" if path else name)
                    queue += [(one.get(), one.path, depth + 1) for one in inside(value, place) if is_part(one.get())]


def inside(value: Any, place: Place, depth: int = 3) -> Iterator[Place]:
    """Yield `place`, or the places in the container that it holds."""
    if (depth and isinstance(value, (dict, list, tuple))) or _is_list_of_arrays(value):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        holder = InTuple(place) if isinstance(value, tuple) else value
        for key, item in list(items):
            yield from inside(item, Place(holder, key, f"{place.path}[{key!r}]"), depth - 1)
    else:
        yield place


def _is_list_of_arrays(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == object and value.ndim == 1


def is_part(thing: Any) -> bool:
    """An object of somebody's own class that has attributes, and is no array, class, function or module."""
    kind = type(thing)
    return (
        bool(stores(thing))
        and not isinstance(thing, (np.ndarray, type))
        and not callable(getattr(thing, "__code__", None))
        and kind.__module__ not in ("builtins", "types", "functools", "collections", "random", "weakref")
        and not kind.__module__.startswith("numpy")
        and kind.__name__ not in ("module", "function", "method")
    )


def is_number(thing: Any) -> bool:
    """A float of Python's or NumPy's; truth values and whole numbers are settings."""
    return isinstance(thing, (float, np.floating))


def is_array(thing: Any) -> bool:
    """An array of floats, or a holder of one."""
    if isinstance(thing, np.ndarray):
        return thing.dtype.kind in "fc"
    return is_part(thing) and held_at(thing) is not None


def held_at(holder: Any) -> str | None:
    """Return the attribute in which a holder keeps its array; None where `holder` is none."""
    for own in stores(holder):
        for name in VALUES:
            if isinstance(own.get(name), np.ndarray) and own[name].dtype.kind in "fc":
                return name
    return None


def places(obj: Any) -> Iterator[tuple[Any, Place]]:
    """Yield every array and number that hangs on `obj` or on a part of it, holders too, with its place."""
    for own, _, path in walk(obj):
        for name, value in list(own.items()):
            for place in inside(value, Place(own, name, f"{path}.{name}" if path else name)):
                found = place.get()
                if is_number(found) or is_array(found):
                    yield found, place


def numbers_of(obj: Any) -> Iterator[tuple[Any, Place]]:
    """Yield the arrays and numbers that are attributes of `obj` itself."""
    for own in stores(obj):
        for name, value in list(own.items()):
            if is_number(value) or isinstance(value, np.ndarray):
                yield value, Place(own, name, name)


STEP = re.compile(r"\[(.*?)\](?=[.\[]|$)|\.?([^.\[]+)")


def follow(obj: Any, path: str) -> Any:
    """Return what stands at a path of attributes and entries (LookupError or AttributeError where it is gone)."""
    found = obj
    for entry, attribute in STEP.findall(path):
        if attribute:
            found = getattr(found, attribute)
        elif isinstance(found, dict):
            found = next((value for name, value in found.items() if repr(name) == entry), None)
        else:
            found = found[int(entry)]
    return found


MISSING = object()


def fill(obj: Any, path: str, value: Any) -> None:
    """Put `value` where a path leads, or nothing any more (`MISSING`)."""
    steps = STEP.findall(path)
    outside = "".join(f"[{entry}]" if entry else f".{attribute}" for entry, attribute in steps[:-1]).lstrip(".")
    holder = follow(obj, outside)
    entry, attribute = steps[-1]
    if attribute:
        delattr(holder, attribute) if value is MISSING else setattr(holder, attribute, value)
        return
    name = next((one for one in holder if repr(one) == entry), None) if isinstance(holder, dict) else int(entry)
    if value is MISSING:
        del holder[name]
    else:
        holder[name] = value


@dataclass(frozen=True)
class Label:
    """Where something stands: the part that it hangs on, and its name; `index` of an entry of a list.

    `container`: the attribute, where the name is that of an entry.
    """

    owner: str
    name: str
    container: str = ""
    index: int | None = None


def label(path: str) -> Label:
    """Read a path.

    >>> label("layers[0].params['W1']")
    Label(owner='layers[0]', name='w1', container='params', index=None)
    >>> label("weights[2]")
    Label(owner='', name='weights', container='', index=2)
    """
    steps = STEP.findall(path)
    at = max((number for number, (_, attribute) in enumerate(steps) if attribute), default=0)
    owner = "".join(f"[{entry}]" if entry else f".{attribute}" for entry, attribute in steps[:at]).lstrip(".")
    attribute, entries = steps[at][1] if steps else "", [entry for entry, _ in steps[at + 1 :]]
    words = [one.strip("'\"") for one in entries if not one.lstrip("-").isdigit()]
    numbers = [int(one) for one in entries if one.lstrip("-").isdigit()]
    index = numbers[-1] if numbers else None
    if words:
        return Label(owner, _name(words[-1]), _name(attribute), index)
    return Label(owner, _name(attribute), "", index)


def _name(written: str) -> str:
    return written.strip("_").lower()
