"""Functions handed over with their derivative: the call `gradcheck.check(f, x, grad=df)`, top to bottom.

- `keywords.py` refuses what is misspelt; `given.py` looks at the arguments, of which some are nested (`trees.py`);
- `options.py` reads what is said beside them: how each array may move (`spaces.py`);
- `known.py` calls f and its derivatives at the point; `answers.py` and `jacobians.py` take apart what comes back;
- `pinned.py` starts random numbers anew in every call; `standing.py` says which function is shown for another;
- `derivatives.py` makes a question of each derivative, in the convention that it follows (`conventions.py`);
- `posing.py` makes a problem of the questions and a `forward.py`; `writing.py` writes the call for a test to paste;
- `second_order.py` does the same for Hessians, of a gradient as a function (`gradients.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters import source
from gradcheck.adapters.declarations import waivers
from gradcheck.adapters.handed.forward import Forward
from gradcheck.adapters.handed.given import Call, Function, Given
from gradcheck.adapters.handed.options import Claims, Spaces
from gradcheck.adapters.handed.posing import posed
from gradcheck.adapters.handed.standing import shown
from gradcheck.errors import CannotBuild, UsageError
from gradcheck.problem import Problem, Sizes, Subject


def function_subject(
    f: Function,
    point: Sequence[Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    wrt: Any = None,
    names: Sequence[str] | None = None,
    name: str | None = None,
    **claims: Any,
) -> Subject:
    """Return the subject "`f` at a point"; the keywords are those of `gradcheck.check`, which says what they mean.

    Raises UsageError where the call makes no sense; `Subject.build` raises CannotBuild where it cannot be asked.
    """
    if not callable(f):
        raise UsageError(f"expected a function to differentiate, but got {type(f).__name__}")
    how = Claims(**claims)
    how.refuse_what_is_no_function()
    return handed_subject(Call.of(f, point, args, kwargs, names, wrt), how, name)


def handed_subject(call: Call, claims: Claims, name: str | None = None) -> Subject:
    """Return the subject that a call with its claims is. Raises UsageError where the options make no sense."""
    claims.refuse_what_is_no_function()
    Spaces(call, claims)  # or says which option makes no sense
    f = shown(call.f)
    problem = functools.cache(lambda: posed(call, claims))

    def build(sizes: Sizes, rng: np.random.Generator) -> Problem:
        return problem()

    code = (f, *(shown(claim) for claim in claims.functions.values() if callable(claim)))
    return Subject(
        name or source.title(f),
        source.location(f),
        source.documentation(f),
        build,
        fixed=True,
        waivers=_waivers(f, claims),
        code=code,
    )


def said_waivers(thing: Any) -> dict[str, str]:
    """What a thing waives. Raises UsageError where it says so in no way that can be read."""
    try:
        return waivers(thing)
    except CannotBuild as error:
        raise UsageError(str(error)) from error


def _waivers(f: Function, claims: Claims) -> dict[str, str]:
    """What f waives, under the names that a derivative has here ("vjp[x]") and in its file ("backward[x]")."""
    found = {**said_waivers(f), **claims.waivers}
    for kind, claim in claims.functions.items():
        written = getattr(shown(claim), "__name__", kind)
        found |= {key.replace(f"{written}[", f"{kind}[", 1): why for key, why in found.items()}
    return found


__all__ = ["Call", "Claims", "Forward", "Function", "Given", "function_subject", "handed_subject", "said_waivers"]
