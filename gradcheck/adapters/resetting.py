"""Gradients that add up from one backward to the next: set to what they begin with before each question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.gradients import Asked, Paired
from gradcheck.adapters.places import MISSING, fill, follow
from gradcheck.adapters.returned import plain


@dataclass(frozen=True)
class Adding:
    """One gradient that adds up: where it is, and what stood there before anything was asked."""

    name: str
    path: str
    began: Any

    def begin(self, obj: Any) -> None:
        """Set it to nothing: in place where it is an array, as an optimizer does."""
        now = follow(obj, self.path)
        array = None if now is None else plain(now)
        if isinstance(self.began, np.ndarray) and array is not None and array.ndim and array.flags.writeable:
            array[...] = 0
        elif isinstance(self.began, (float, int, np.number)):
            fill(obj, self.path, self.began * 0.0)
        elif now is not None:
            fill(obj, self.path, None if self.began is MISSING else self.began)


def accumulating(obj: Any, twin: Any, pairs: Sequence[Paired], call: Callable[[Any], object]) -> list[Adding]:
    """Return the gradients to which each backward adds. `call(twin)` runs forward and backward, the same each time."""
    if not pairs:
        return []
    try:
        with np.errstate(all="ignore"):
            first, second = (read_all(pairs, Asked(twin, call(twin), {})) for _ in range(2))
    except Exception:  # said again when the claim is asked, where it is a verdict
        return []
    return [
        Adding(one.slot.name, one.offer.path, _before(obj, one.offer.path))
        for one, a, b in zip(pairs, first, second, strict=True)
        if one.offer is not None and "()" not in one.offer.path and _added(a, b)
    ]


def read_all(pairs: Sequence[Paired], asked: Asked) -> list[Any]:
    """The gradients of all weights after one answer."""
    return [one.read(asked) for one in pairs]


def _before(obj: Any, path: str) -> Any:
    try:
        return follow(obj, path)
    except (LookupError, AttributeError):
        return MISSING


def _added(first: Any, second: Any) -> bool:
    """Whether the second answer is the first one with as much added."""
    if first is None or second is None or first.shape != second.shape or not first.any():
        return False
    return bool(np.allclose(second, 2 * first, rtol=1e-9, atol=0))
