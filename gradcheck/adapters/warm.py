"""What an object only has after its first call: weights whose sizes the data decide, and what says that they are made.

The first call is made for them; all else that it leaves (caches, statistics, states) is put back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.adapters.construct import duplicate
from gradcheck.adapters.isolated import copied_deep
from gradcheck.adapters.places import Store, holders
from gradcheck.adapters.state import fingerprint
from gradcheck.adapters.weights import every

Call = Callable[[Any], object]


def warm_up(obj: Any, call: Call, again: Call) -> None:
    """Make on `obj` what lasts from its first call on. `again` is the same call with other data."""
    twin = duplicate(obj)
    if twin is obj:
        return  # it cannot be copied, so that nobody knows what a call leaves
    with np.errstate(all="ignore"):
        before = {path for slot in every(twin) for path in slot.paths}
        call(twin)
        first = {path: slot.original for slot in every(twin) for path in slot.paths}
        between = _attributes(twin)
        again(twin)
        second = {path: slot.original for slot in every(twin) for path in slot.paths}
        if not any(first[path] is second.get(path) for path in first if path not in before):
            return
        passing = {place for place, content in _attributes(twin).items() if between.get(place, content) != content}
        stores = holders(obj)
        kept = [{name: copied_deep(value) for name, value in store.items()} for store in stores]
        call(obj)
        for number, (store, had) in enumerate(zip(stores, kept, strict=True)):
            for name in [name for at, name in passing if at == number]:
                _put_back(store, name, had)


def _put_back(store: Store, name: str, had: dict[str, Any]) -> None:
    if name in had:
        store[name] = _begun(store.get(name), had[name])
    elif name in store:
        del store[name]


def _begun(now: Any, had: Any) -> Any:
    """What stood there before the first call; a dict keeps the lists that were made in it, without their entries."""
    if not isinstance(now, dict) or not isinstance(had, dict):
        return had
    made: dict[Any, Any] = {key: [] for key, value in now.items() if key not in had and isinstance(value, list)}
    return {**had, **made}


def _attributes(obj: Any) -> dict[tuple[int, str], Any]:
    """The content of every attribute; of an array, which it is as well."""
    return {
        (number, name): (id(value) if isinstance(value, np.ndarray) else 0, fingerprint(value))
        for number, store in enumerate(holders(obj))
        for name, value in store.items()
    }
