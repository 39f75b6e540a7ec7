"""Keywords that `check` does not know, refused by name with the one that was probably meant."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from gradcheck.errors import UsageError

# What other tools call it.
ELSEWHERE = {
    "fprime": "grad",
    "gradient": "grad",
    "df": "grad",
    "derivative": "deriv",
    "dfun": "jac",
    "jacobian": "jac",
    "hessian": "hess",
    "argnum": "wrt",
    "argnums": "wrt",
    "bounds": "domain",
    "limits": "domain",
    "manifold": "tangent",
    "kwds": "kwargs",
    "timeout": "time_limit",
    "seed": "options=gradcheck.Options(seed=…)",
    "dtype": "options=gradcheck.Options(dtypes=…)",
    "dtypes": "options=gradcheck.Options(dtypes=…)",
}
TOLERANCES = frozenset({"atol", "rtol", "tol", "tolerance", "eps", "epsilon", "step", "h", "delta"})


def refuse_unknown(keywords: Iterable[str], function: Callable[..., Any]) -> None:
    """Raise UsageError where there are keywords that the function does not take."""
    for name in keywords:
        parameters = inspect.signature(function).parameters.values()
        known = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
        if name in TOLERANCES:
            raise UsageError(
                f"{function.__name__} takes no {name}=: no tolerance has to be chosen, every estimate has a bound of "
                "its own; accuracy= says how exact f is where it is computed iteratively"
            )
        near = ELSEWHERE.get(name.lower()) or next(iter(difflib.get_close_matches(name, known, 1)), "")
        hint = f"do you mean {near if '=' in near else near + '='}?" if near else f"it takes {', '.join(known)}"
        raise UsageError(f"{function.__name__} takes no keyword {name}=: {hint}")
