"""One function for both: `nonlin(x, deriv=False)` is the function, `nonlin(x, deriv=True)` its derivative at x."""

from __future__ import annotations

from typing import Any

from gradcheck.adapters.calls import building, table
from gradcheck.adapters.protocol import Interface


def recognises(thing: Any) -> bool:
    """A function with a switch that is named after derivatives."""
    program = table.program_of(thing)
    return program is not None and any(one.switched for one in program.derivatives)


INTERFACE = Interface("a function f(x, deriv=False)", recognises, building.build)
