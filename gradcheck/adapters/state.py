"""What an object remembers: attribute dicts, containers and random generators, saved and put back."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck.adapters.places import Slots

Store = MutableMapping[Any, Any] | list[Any]
GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


def taken(store: Store) -> Store:
    """Return the content of what holds attributes or entries."""
    if isinstance(store, Slots):
        return store.content()
    return list(store) if isinstance(store, list) else dict(store)


def refill(store: Store, saved: Store) -> None:
    """Give what holds attributes or entries the content that it had."""
    if isinstance(store, list):
        store[:] = saved
        return
    if isinstance(store, Slots) and not isinstance(saved, list):
        store.refill(saved)
        return
    store.update(saved)
    if len(store) != len(saved):  # something new came in between
        for name in [name for name in store if name not in saved]:
            del store[name]


def put_back(own: MutableMapping[str, Any], name: str, saved: Any) -> None:
    """Put an attribute back that was changed in place: the same object where that is possible."""
    value = own.get(name)
    if isinstance(value, np.ndarray) and value.shape == np.shape(saved) and value.flags.writeable:
        value[...] = saved
    elif isinstance(value, (dict, list)) and type(value) is type(saved):
        refill(value, saved)
    else:
        own[name] = saved


def entries(value: Any, depth: int = 4) -> int:
    """How many entries a container has, those of the containers in it included."""
    if not depth or not isinstance(value, (list, tuple, dict)):
        return 1
    return sum(entries(item, depth - 1) for item in (value.values() if isinstance(value, dict) else value))


def fingerprint(value: Any, depth: int = 4) -> Any:
    """Return something that differs when the content of `value` does (unknown objects: their identity)."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes() if value.dtype != object else id(value)
    if isinstance(value, np.generic):  # which compares with a tuple entry by entry
        return value.item()
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, np.random.RandomState):
        state = value.get_state(legacy=False)
        return state["state"]["key"].tobytes(), state["state"]["pos"], state["has_gauss"], state["gauss"]
    if isinstance(value, random.Random):
        return value.getstate()
    if depth and isinstance(value, dict):
        return {key: fingerprint(item, depth - 1) for key, item in value.items()}
    if depth and isinstance(value, (list, tuple)):
        return [fingerprint(item, depth - 1) for item in value]
    return value if isinstance(value, (int, float, str, bytes, bool, type(None))) else id(value)


def global_fingerprint() -> Any:
    """Return something that differs when a global random generator was used."""
    return random.getstate(), fingerprint(np.random.mtrand._rand)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Start the global random generators at `seed`, and put their states back.

    Other people's code draws from NumPy's global generator, so that this is the one to be pinned.
    """
    before = np.random.get_state(), random.getstate()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before[0])  # noqa: NPY002
        random.setstate(before[1])


def generators(dicts: Sequence[Mapping[str, Any]]) -> list[tuple[int, str, Any]]:
    """Return a copy of every random generator that is an attribute, with the number of its dict and its name."""
    return [
        (number, name, copy.deepcopy(value))
        for number, own in enumerate(dicts)
        for name, value in own.items()
        if isinstance(value, GENERATORS)
    ]
