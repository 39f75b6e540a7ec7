"""A call written as code, with other values of its variables, for a test to paste."""

from __future__ import annotations

from gradcheck.adapters.handed.forward import Whole
from gradcheck.adapters.handed.given import Call
from gradcheck.adapters.handed.options import Claims
from gradcheck.adapters.handed.standing import Standing
from gradcheck.literal import written
from gradcheck.problem import Values


def arguments(call: Call, whole: Whole, claims: Claims, values: Values) -> list[str] | None:
    """Return the arguments of `check` between the function and the derivative; None where one cannot be written."""
    if isinstance(call.f, Standing):
        return None
    made = [one.at(values) for one in whole.arguments]
    pairs = list(zip(call.arguments, made, strict=True))
    point = [written(value) for given, value in pairs if given.point]
    beside = {
        "args": tuple(value for given, value in pairs if not given.point) or None,
        "kwargs": dict(call.kwargs) or None,
        "wrt": [one.name for one in call.wrt] or None,
        "names": None,
        "domain": claims.domain,
        "symmetric": claims.symmetric,
        "tangent": claims.tangent,
        "retraction": claims.retraction,
        "accuracy": claims.accuracy or None,
    }
    named = {name: written(value) for name, value in beside.items() if value is not None}
    lines = [*point, *(None if text is None else f"{name}={text}" for name, text in named.items())]
    return None if None in lines else [line for line in lines if line is not None]
