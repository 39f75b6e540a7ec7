"""Where a function lives: an interval on which forward is finite, found by calling it.

A logarithm is no wrong function of negative numbers: it is none. Asked where forward is NaN, no derivative is right.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gradcheck.problem import Problem, Values, Variable
from gradcheck.sampling import draw

INFINITE = float("inf")
# In this order: the widest that is usual comes first.
HALVES = ((0.0, INFINITE), (-INFINITE, 0.0), (1.0, INFINITE))
INTERVALS = ((-1.0, 1.0), (0.0, 1.0))
DRAWS = 3


def with_domains(problem: Problem, seed: int) -> Problem:
    """Return the problem with domains for its real inputs where forward is not finite on all real numbers.

    Declared domains stay. Where no domain is found in which forward is finite, the problem stays as it is.
    """
    free = [v for v in problem.variables if v.role == "input" and v.data == "real" and v.domain is None]
    if not free or problem.dtype != "float64" or _is_finite(problem, seed):
        return problem
    for domains in _combinations(free):
        tried = replace(problem, variables=tuple(_with(v, domains) for v in problem.variables))
        if _is_finite(tried, seed):
            return tried
    return problem


def _combinations(free: list[Variable]) -> Iterator[dict[str, tuple[float, float]]]:
    """Domains to try: for one variable alone, for all of them alike, then for two."""
    every = (*HALVES, *INTERVALS)
    for domain, v in itertools.product(every, free):
        yield {v.name: domain}
    if len(free) > 1:
        for domain in every:
            yield {v.name: domain for v in free}
    if 1 < len(free) <= 3:
        for (a, b), first, second in itertools.product(itertools.combinations(free, 2), every, every):
            yield {a.name: first, b.name: second}


def _with(variable: Variable, domains: dict[str, tuple[float, float]]) -> Variable:
    found = domains.get(variable.name)
    return variable if found is None else replace(variable, domain=found)


def _is_finite(problem: Problem, seed: int) -> bool:
    for number in range(DRAWS):
        rng = np.random.default_rng([seed, 9, number])
        if not finite(problem, {v.name: draw.value(v, rng, draw.generic) for v in problem.variables}):
            return False
    return True


def finite(problem: Problem, values: Values) -> bool:
    """Whether forward returns finite numbers only."""
    try:
        outputs = problem.forward(values)
    except Exception:  # it refuses these values altogether, which is not a matter of a domain
        return False
    return all(bool(np.isfinite(np.asarray(output, dtype=float)).all()) for output in outputs)
