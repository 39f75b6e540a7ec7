"""A value and its gradient from one call: `softmax_loss(x, y) → (loss, dx)`, `cost(theta, X, y) → (J, grad)`."""

from __future__ import annotations

from typing import Any

from gradcheck.adapters.calls import building, table
from gradcheck.adapters.protocol import Interface


def recognises(thing: Any) -> bool:
    """A function that returns a value, and beside it what its text calls a gradient."""
    program = table.program_of(thing)
    return program is not None and any(one.form == "gradient" and one.step is None for one in program.derivatives)


INTERFACE = Interface(
    'a function that returns (value, gradient), or (loss, {"dW": …})',
    recognises,
    building.build,
)
