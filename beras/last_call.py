"""What a layer knows of its last call: of the last one that was made in the thread that asks."""

from __future__ import annotations

import threading
from typing import Any

NOTHING: Any = object()


class LastCall(threading.local):
    """The last call of a layer in each thread: the copy of the layer that `forward` ran on."""

    call: Any = None


class OfTheLastCall:
    """An attribute of a layer that its last call in this thread has left: its inputs, say.

    The copy of the layer that stands for a call has such an attribute itself, which comes before this one (there is no
    `__set__`), and so has a layer whose `forward` sets it.
    """

    def __init__(self, default: Any = NOTHING) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: type) -> Any:
        if layer is None:
            return self
        last = getattr(layer, "_last", None)
        value = self.default if last is None or last.call is None else last.call.__dict__.get(self.name, self.default)
        if value is NOTHING:
            raise AttributeError(f"{owner.__name__} has no {self.name} yet: call it on an input first")
        return value
