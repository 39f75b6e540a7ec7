"""Which functions run when a class goes forward, and which when it goes back: by their names, and what those call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import FunctionType

BACK = re.compile(r"back|grad|bprop|deriv")
FORWARD = re.compile(r"forward|call|loss|predict|fprop|__init__")


def going_back(functions: Sequence[FunctionType]) -> list[FunctionType]:
    """Those that are named after derivatives, and what they call, but for forward itself."""
    every = [one for one in functions if BACK.search(one.__name__) or not FORWARD.search(one.__name__)]
    return _reached([one for one in every if BACK.search(one.__name__)], every)


def going_forward(functions: Sequence[FunctionType]) -> list[FunctionType]:
    """All others, and what they call; none that is named after derivatives."""
    others = [one for one in functions if not BACK.search(one.__name__)]
    back = {one.__name__ for one in going_back(functions)}
    return _reached([one for one in others if one.__name__ not in back or FORWARD.search(one.__name__)], others)


def _reached(start: Sequence[FunctionType], every: Sequence[FunctionType]) -> list[FunctionType]:
    """The functions, and those that they name, and so on."""
    found = dict.fromkeys(start)
    waiting = list(start)
    while waiting:
        names = set(waiting.pop().__code__.co_names)
        new = [one for one in every if one.__name__ in names and one not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return list(found)
