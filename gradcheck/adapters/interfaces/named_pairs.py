"""Functions with their derivative beside them: `relu` and `relu_grad`, `mse` and `mse_prime`, `tanh` and `dtanh`.

Also gradients beside a Hessian or its product with a vector, `f_grad`, `f_hessp`, and `loss, grad = make_loss(X, y)`.
"""

from __future__ import annotations

from typing import Any

from gradcheck.adapters.calls import building, table
from gradcheck.adapters.protocol import Interface


def recognises(thing: Any) -> bool:
    """A function with a derivative of the same arguments beside it, or of these and tangents."""
    program = table.program_of(thing)
    claims = program.derivatives if program is not None else ()
    return any(one.form in ("place", "tangent") and not one.switched for one in claims)


INTERFACE = Interface(
    "a function f beside f_grad, f_prime, df or the like, of the same arguments",
    recognises,
    building.build,
    partners=table.partners,
)
