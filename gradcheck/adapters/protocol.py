"""What an interface is: one style of code, how it is recognised, and the problem that it poses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gradcheck.adapters import construct
from gradcheck.adapters.construct import Made
from gradcheck.problem import Problem, Sizes

Build = Callable[[Made, Sizes, np.random.Generator], Problem]


@dataclass(frozen=True)
class Settled:
    """How an object is read in all sizes: what builds its problem, whether everything about it fits in usual sizes.

    `modes`: the problems that it poses in other modes than the one that trains.
    """

    build: Build
    fits: bool = True
    modes: tuple[Problem, ...] = ()


class Make(Protocol):
    """Builds an object: `construct.make` is one."""

    def __call__(
        self, thing: Any, sizes: Sizes, rng: np.random.Generator, init: Mapping[str, Any] | None, variant: int
    ) -> Made:
        """Return the object, in one of the shapes that arrays for its constructor may have."""


def alone(thing: Any) -> Sequence[Any]:
    """Nothing belongs to `thing`."""
    return ()


@dataclass(frozen=True)
class Interface:
    """One style of code.

    `takes`: the code that it takes, in a line for people whose code was not understood. `recognises(thing)` looks at
    names and signatures, and runs none of the code. `make` builds an object from a class, `build` poses the problem of
    an object in given sizes; both raise CannotBuild with the reason. `partners(thing)`: functions that are judged
    together with it, as the derivative beside it. `parts(thing)`: methods of a class that are judged each by itself;
    this may run its code. `settle` decides in usual sizes how an object is read. `fixed`: sizes cannot be chosen.
    """

    takes: str
    recognises: Callable[[Any], bool]
    build: Build
    make: Make = construct.make
    settle: Callable[[Made, np.random.Generator], Settled] | None = None
    partners: Callable[[Any], Sequence[Any]] = alone
    parts: Callable[[Any], Iterable[str]] = alone
    fixed: bool = False
