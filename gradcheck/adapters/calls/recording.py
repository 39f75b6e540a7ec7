"""Stand-ins for what nobody can guess: a dict that notes what is read out of it, an object that samples numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# So many entries a dict of parameters has before anybody has read one: W1, b1, W2, b2.
LAYERS = 4


class Recording(dict[Any, Any]):
    """A dict whose entries are made when they are asked for."""

    def __init__(self, known: dict[str, Any], make: Callable[[str], Any]) -> None:
        super().__init__(known)
        self._make = make

    def __missing__(self, key: Any) -> Any:
        self[key] = self._make(key)
        return self[key]

    def get(self, key: Any, default: Any = None) -> Any:
        """The entry; one with a default is left at it."""
        return self[key] if key in self or default is None else default

    def pop(self, key: Any, *default: Any) -> Any:
        """The entry, taken out."""
        value = self.get(key, *default)
        if key in self:
            del self[key]
        return value

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return max(len(self.keys()), LAYERS)


class Sampler:
    """An object whose methods give small whole numbers: a data set that is sampled for negative examples."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_: int(np.random.randint(0, 3))  # noqa: NPY002 -- as people's own code does, so that it is pinned
