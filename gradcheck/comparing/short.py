"""Whether what a claim loses in float32 is rounding: the same code, in float64, then loses as many of its own eps.

    |claim₃₂ − right| / eps₃₂ ≤ MORE · max(|claim₆₄ − claim_long double| / eps₆₄, |right|)

A formula that cancels loses digits in any type alike. What it loses in one of them only, it does not lose to rounding.
"""

from __future__ import annotations

import numpy as np

from gradcheck.asking.cotangents import Cotangents
from gradcheck.evaluated import Evaluated
from gradcheck.in_dtype import InDtype
from gradcheck.problem import Array, Method

# Rounding errors of one formula in two types are this far apart, counted in their eps, and no more.
MORE = 64.0
EPS = {dtype: float(np.finfo(dtype).eps) for dtype in ("float32", "float64")}


def is_more_than_rounding(
    here: Evaluated, method: Method, name: str, claim: Array, right: Array, asked: Cotangents, known: InDtype
) -> bool:
    """Whether a claim in float32 is farther off than rounding; False where long double, or an edge, tells nothing."""
    if known.precision != "float32" or known.whole or here.point.special or here.point.edge:
        return False
    said: list[Array] = []
    for dtype in ("float64", "longdouble"):
        wide = here.in_dtype(dtype)
        if wide.refusal:
            return False
        answer = here.ask(method, wide, dict.fromkeys(method.wrt, asked))[name]
        if answer.rows is None or np.dtype(answer.dtype) != np.dtype(dtype):
            return False
        said.append(answer.rows)
    rounded = float(np.abs(said[0] - said[1]).max(initial=0.0))
    size = float(np.abs(right).max(initial=0.0))
    off = float(np.abs(claim - right).max(initial=0.0))
    return off / EPS["float32"] > MORE * max(rounded / EPS["float64"], size)
