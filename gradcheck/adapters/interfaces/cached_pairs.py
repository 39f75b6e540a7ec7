"""Functions with a cache: `affine_forward(x, w, b)` returns `(out, cache)`, `affine_backward(dout, cache)` takes it.

The same with several outputs and upstream gradients, with parameters in a dict, or where backward takes the input, the
output or what else forward returned instead of a cache; and `cost, cache = f(X, Y, parameters)` beside its gradients.
Or backward is returned itself: `out, back = dense(x, w, b)`.
"""

from __future__ import annotations

from typing import Any

from gradcheck.adapters.calls import building, table
from gradcheck.adapters.protocol import Interface


def recognises(thing: Any) -> bool:
    """A function with its backward beside it."""
    program = table.program_of(thing)
    return program is not None and any(one.form == "product" or _is_cached(one) for one in program.derivatives)


def _is_cached(one: Any) -> bool:
    return one.form == "gradient" and one.step is not None


INTERFACE = Interface(
    "a function f_forward that returns (out, cache) beside f_backward(dout, cache)",
    recognises,
    building.build,
    partners=table.partners,
)
