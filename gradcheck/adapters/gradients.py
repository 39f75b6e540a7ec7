"""The gradients of weights: what `backward` leaves behind, returns, hands out by a getter, or applies to the weights.

Each is an offer with a path: `dW`, `grads['W']`, `backward()[1]`, `get_gradients()[0]`; `pairing.py` says whose it is.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.places import follow, held_at, is_number, is_part
from gradcheck.adapters.returned import plain
from gradcheck.adapters.weights import Slot
from gradcheck.problem import Array

GETTER = re.compile(r"grad", re.IGNORECASE)
NO_GETTER = re.compile(
    r"zero|reset|clear|flush|clip|check|num|set|apply|update|add|acc|init|norm|print|plot|has|requires|no_|input|compute"
    r"|calc|desc|step|backward|enable|disable|save|load|tape|register",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Asked:
    """After a backward: the object, what came back, and what the weights were before, by path."""

    obj: Any
    said: Any
    before: Mapping[str, Array]


@dataclass(frozen=True)
class Offer:
    """An array that may be the gradient of a weight, and how it is read after a backward."""

    path: str
    array: Any
    read: Callable[[Asked], Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape; () for what is no array."""
        return np.shape(self.array)


@dataclass(frozen=True)
class Paired:
    """One weight and its gradient; nothing is said about it where `offer` is None."""

    slot: Slot
    offer: Offer | None

    def read(self, asked: Asked) -> Array | None:
        """The gradient after a backward, in memory of its own."""
        return None if self.offer is None else copied(self.offer.read(asked))


def copied(value: Any) -> Array | None:
    """A gradient as an array of its own; None where there is none."""
    found = plain(value)
    return None if found is None else np.array(found)


def left_behind(changed: Mapping[str, Any]) -> list[Offer]:
    """What backward made or wrote into."""
    return [Offer(path, value, _left(path)) for path, value in changed.items()]


def _left(path: str) -> Callable[[Asked], Any]:
    return lambda asked: follow(asked.obj, path)


def came_back(said: Any, what: str = "backward") -> list[Offer]:
    """What backward returned, containers opened: `(dx, [dW, db])`, `{"W": …}`."""
    return [Offer(f"{what}(){path}", value, _returned(steps)) for path, steps, value in opened(said)]


def _returned(steps: tuple[Any, ...]) -> Callable[[Asked], Any]:
    return lambda asked: _walk(asked.said, steps)


def handed_out(obj: Any, part: str, without: Collection[str]) -> list[Offer]:
    """What methods without arguments hand out that are called after gradients; of a `part` of `obj`, or ("") of itself.

    `without`: methods that are none of these.
    """
    found, holder = [], follow(obj, part)
    for name in dir(type(holder)):
        method = inspect.getattr_static(type(holder), name)
        if not inspect.isfunction(method) or name in without or not GETTER.search(name) or NO_GETTER.search(name):
            continue
        if any(p.default is p.empty for p in list(inspect.signature(method).parameters.values())[1:]):
            continue
        try:
            said = getattr(holder, name)()
            said = list(said) if inspect.isgenerator(said) else said
        except Exception:  # somebody else's method, which may want something else first
            continue
        found += [Offer(f"{name}(){path}", value, _getter(part, name, steps)) for path, steps, value in opened(said)]
    return found


def _getter(part: str, name: str, steps: tuple[Any, ...]) -> Callable[[Asked], Any]:
    def read(asked: Asked) -> Any:
        said = getattr(follow(asked.obj, part), name)()
        return _walk(list(said) if inspect.isgenerator(said) else said, steps)

    return read


def applied(slot: Slot, rate: float) -> Offer:
    """What an update took away from a weight: w ← w − rate · dL/dw."""

    def read(asked: Asked) -> Any:
        now = plain(follow(asked.obj, slot.paths[0]))
        return (asked.before[slot.paths[0]] - now) / rate

    return Offer(slot.paths[0], slot.array, read)


def opened(said: Any, depth: int = 4) -> Iterator[tuple[str, tuple[Any, ...], Any]]:
    """Yield the arrays and numbers in what was returned, with their paths, as text and as steps."""
    if isinstance(said, (list, tuple, dict)) and depth:
        for name, item in list(said.items() if isinstance(said, dict) else enumerate(said)):
            for path, steps, value in opened(item, depth - 1):
                yield f"[{name!r}]{path}", (name, *steps), value
    elif said is not None and (is_number(said) or isinstance(said, np.ndarray) or (is_part(said) and held_at(said))):
        yield "", (), said


def _walk(said: Any, steps: Sequence[Any]) -> Any:
    for step in steps:
        said = said[step]
    return said
