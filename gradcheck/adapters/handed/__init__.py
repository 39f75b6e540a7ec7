"""Functions handed over with their derivative: the call `gradcheck.check(f, x, grad=df)`.

given.py        the arguments, and which of them are numbers      trees.py    nested dicts and lists of arrays
options.py      what is said beside them                          spaces.py   how an array may move
known.py        what is known at the point                        answers.py  an answer taken apart
derivatives.py  grad, jac, deriv, vjp, jvp as questions           jacobians.py  every form of a Jacobian
conventions.py  of complex numbers and symmetric matrices         posing.py   the problem that they pose
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters import source
from gradcheck.adapters.handed.forward import Forward
from gradcheck.adapters.handed.given import Call, Function, Given
from gradcheck.adapters.handed.options import Claims, Spaces
from gradcheck.adapters.handed.posing import posed
from gradcheck.errors import UsageError
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
    f = call.f
    problem = functools.cache(lambda: posed(call, claims))

    def build(sizes: Sizes, rng: np.random.Generator) -> Problem:
        return problem()

    code = (f, *(claim for claim in claims.functions.values() if callable(claim)))
    return Subject(name or source.title(f), source.location(f), source.documentation(f), build, fixed=True, code=code)


__all__ = ["Call", "Claims", "Forward", "Function", "Given", "function_subject", "handed_subject"]
