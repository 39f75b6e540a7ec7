"""What one forward and one backward do to an object, found out on a twin: what they write, make and leave behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.adapters.places import Place, is_number, places
from gradcheck.adapters.state import fingerprint


@dataclass(frozen=True)
class Traces:
    """`written`: paths that forward fills anew. `changed`: what backward makes or writes into, by path, as it left it.

    `before`: all paths before both. `said`: what backward returned; the exception where it raised.
    """

    written: frozenset[str] = frozenset()
    changed: dict[str, Any] = field(default_factory=dict)
    said: Any = None
    before: frozenset[str] = frozenset()


def traces(twin: Any, forward: Callable[[], object], backward: Callable[[], Any]) -> Traces:
    """Run forward and backward on `twin`, once each."""
    with np.errstate(all="ignore"):
        fresh = _taken(twin)
        forward()
        between = _taken(twin)
        try:
            said = backward()
        except Exception as error:  # said again when the claim is asked, where it is a verdict
            said = error
    written = frozenset(path for path in between if _changed(path, fresh, between))
    after = _taken(twin)
    return Traces(
        written, {path: after[path][0] for path in after if _changed(path, between, after)}, said, frozenset(fresh)
    )


def _taken(obj: Any) -> dict[str, tuple[Any, Any]]:
    """Every array and number by its path, with its content."""
    return {place.path: (value, fingerprint(value)) for value, place in numbers(obj)}


def numbers(obj: Any) -> list[tuple[Any, Place]]:
    """Every array of floats and number of an object, with its place; holders are looked into, not listed."""
    return [(value, place) for value, place in places(obj) if is_number(value) or isinstance(value, np.ndarray)]


def _changed(path: str, before: dict[str, tuple[Any, Any]], after: dict[str, tuple[Any, Any]]) -> bool:
    """Made anew (even if it holds the same numbers), or written into."""
    if path not in before:
        return True
    (was, content), (now, holds) = before[path], after[path]
    return content != holds or (was is not now and isinstance(now, np.ndarray))
