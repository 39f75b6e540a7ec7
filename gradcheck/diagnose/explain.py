"""Why a claim is wrong: the facts for the diagnosis, and the smallest counterexample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.diagnose import Evidence, diagnose
from gradcheck.diagnose.counterexample import counterexample
from gradcheck.problem import Method, Subject, Values
from gradcheck.results import Cause
from gradcheck.sampling import Point
from gradcheck.visit import Ledger, Visit

WHOLE_NUMBERS = Cause(
    "whole numbers",
    "Wrong only for whole numbers (int64 arrays): np.zeros_like(x), say, makes a gradient that cannot hold fractions.",
    "at all points of floating-point numbers it is right",
)


def explain(
    subject: Subject,
    point: Point,
    dtype: str,
    method: Method,
    name: str,
    message: str,
    previous: Values | None,
    seed: int,
    budget: int,
) -> tuple[tuple[Cause, ...], str, str]:
    """Return the causes that fit, best first, the smallest counterexample as text, and a test that reproduces it.

    All are empty for a Jacobian past the budget: what is wrong with it is the entry that was found by halving.
    """
    visit = Visit(point, Ledger(), seed=seed, budget=budget)
    if visit.is_large(name):
        return (), "", ""
    causes = diagnose(_evidence(visit, method, name, dtype, message, previous))
    if any(
        array.dtype.kind in "iu" and point.values[key].dtype.kind == "f" for key, array in visit.given(dtype).items()
    ):
        causes = (WHOLE_NUMBERS, *causes[:1])  # all points before it were right

    def still_wrong(values: Values) -> bool:
        try:
            smaller = Visit(replace(point, values=dict(values)), Ledger(), seed=seed)
        except Exception:  # values at which forward itself fails show nothing about its derivative
            return False
        return smaller.is_wrong(method, name, dtype)

    example, test = counterexample(subject, method.name, name, point.values, still_wrong)
    return causes, example, test


def _evidence(visit: Visit, method: Method, name: str, dtype: str, message: str, previous: Values | None) -> Evidence:
    answer, asked = visit.ask_entries(method, name, dtype)
    right, tolerance = visit.expected(name, asked, dtype)
    return Evidence(
        method=method,
        variable=visit.problem.variable(name),
        problem=visit.problem,
        values=visit.point.values,
        outputs=visit.outputs,
        claim=answer.rows if answer.rows is not None else np.full(right.shape, np.nan),
        estimate=right,
        tolerance=tolerance,
        previous=previous,
        message=answer.message or message,
    )
