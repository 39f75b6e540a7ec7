"""Gradients that add up from one backward to the next: set to what they begin with before each question."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.gradients import Asked, Paired
from gradcheck.adapters.places import MISSING, fill, follow
from gradcheck.adapters.returned import plain

RESET = re.compile(r"(zero|reset|clear)_?(the_)?(grad|gradient)s?", re.IGNORECASE)


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


def accumulating(
    obj: Any, twin: Any, pairs: Sequence[Paired], call: Callable[[Any], object]
) -> tuple[list[Adding], list[str]]:
    """Return the gradients to which each backward adds, and the places of those that it writes anew.

    `call(twin)` runs forward and backward, the same each time. What no reset sets to zero, of the object or of that in
    it which owns the gradient, is not reset here: it then adds up in training as well.
    """
    if not pairs:
        return [], []
    try:
        with np.errstate(all="ignore"):
            first, second = (read_all(pairs, Asked(twin, call(twin), {})) for _ in range(2))
        owners = [owner for one in pairs if one.offer is not None for owner in _owners(twin, one.offer.path)]
        resets = [reset for owner in {id(owner): owner for owner in owners}.values() for reset in _resets(owner)]
        for reset in resets:
            reset()
    except Exception:  # said again when the claim is asked, where it is a verdict
        return [], []
    adding: list[Adding] = []
    anew: list[str] = []
    for one, a, b in zip(pairs, first, second, strict=True):
        if one.offer is None or "()" in one.offer.path:
            continue
        if _added(a, b) and not (resets and _is_left(twin, one.offer.path, b)):
            adding.append(Adding(one.slot.name, one.offer.path, _before(obj, one.offer.path)))
        elif a is not None and b is not None and a.any() and np.array_equal(a, b):
            anew.append(one.offer.path)
    return adding, anew


def _resets(obj: Any) -> Iterator[Callable[[], object]]:
    """Methods of the object itself that set its gradients to zero, by their names."""
    for name in dir(type(obj)):
        method = getattr(obj, name, None) if RESET.fullmatch(name) else None
        if callable(method) and not inspect.signature(method).parameters:
            yield method


def _owners(obj: Any, path: str) -> Iterator[Any]:
    """The object, and what it holds on the way to a place: `layers[0]` for `layers[0].grads['W']`."""
    yield obj
    for found in re.finditer(r"[.\[]", path):
        with contextlib.suppress(LookupError, AttributeError):
            yield follow(obj, path[: found.start()])


def _is_left(obj: Any, path: str, before: Any) -> bool:
    """Whether what stands there is still what was added up."""
    now = _before(obj, path)
    kept = None if now is MISSING or now is None else plain(now)
    return kept is not None and np.array_equal(kept, before)


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
