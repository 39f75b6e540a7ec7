"""Functions with their derivative beside them: `relu` and `relu_grad`, `mse` and `mse_prime`, `tanh` and `dtanh`."""

from __future__ import annotations

from typing import Any

from gradcheck.adapters.calls import building, table
from gradcheck.adapters.protocol import Interface


def recognises(thing: Any) -> bool:
    """A function with a derivative of the same arguments beside it."""
    program = table.program_of(thing)
    return program is not None and any(one.form == "place" and not one.switched for one in program.derivatives)


INTERFACE = Interface(
    "a function f beside f_grad, f_prime, df or the like, of the same arguments",
    recognises,
    building.build,
    partners=table.partners,
)
