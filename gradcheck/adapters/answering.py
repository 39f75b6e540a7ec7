"""Of the ways in which an object may be asked, the first in which it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gradcheck.adapters.layer import Layer
from gradcheck.adapters.ways import Way
from gradcheck.errors import CannotBuild


def first_answering(ways: Iterable[Way], asked: Callable[[Way], Layer]) -> Layer:
    """Return the layer, `asked` in one of the `ways`, that answers; where none does, the first that can be asked.

    Raises CannotBuild with the first reason where there is none. A network's own backward pass is none of these.
    """
    error: CannotBuild | None = None
    first: Layer | None = None
    for way in ways:
        try:
            found = asked(way)
        except CannotBuild as problem:
            error = error or problem
            continue
        if found.of_weights_alone:
            error = error or CannotBuild("it gives gradients of weights alone")
            continue
        if found.answers():
            return found
        first = first or found
    if first is not None:
        return first
    raise error or CannotBuild("nothing is known about the arguments of its methods")
