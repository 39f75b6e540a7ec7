"""What an interface is: one style of code, how it is recognised, and the problem that it poses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters import construct
from gradcheck.adapters.construct import Made
from gradcheck.problem import Problem, Sizes

Make = Callable[[Any, Sizes, np.random.Generator, Mapping[str, Any] | None], Made]


def alone(thing: Any) -> Sequence[Any]:
    """Nothing belongs to `thing`."""
    return ()


@dataclass(frozen=True)
class Interface:
    """One style of code.

    `takes`: the code that it takes, in a line for people whose code was not understood. `recognises(thing)` looks at
    names and signatures, and runs none of the code. `make` builds an object from a class, `build` poses the problem of
    an object in given sizes; both raise CannotBuild with the reason. `partners(thing)`: functions that are judged
    together with it, as the derivative beside it. `fixed`: sizes cannot be chosen.
    """

    takes: str
    recognises: Callable[[Any], bool]
    build: Callable[[Made, Sizes, np.random.Generator], Problem]
    make: Make = construct.make
    partners: Callable[[Any], Sequence[Any]] = alone
    fixed: bool = False
