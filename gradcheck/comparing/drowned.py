"""Claims about outputs at rest: rounding of a derivative that is 0, or a number that no value of f can tell.

Of 1e17 + Σx², no float64 moves with x: a claim of 2x and one of −2x fit it alike. A claim that is nothing but rounding
(0, up to what a sum that cancels leaves) is another number a little further; one that a formula gives stays.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.asking.cotangents import Cotangents
from gradcheck.comparing.expected import expected, largest
from gradcheck.comparing.scales import at_rest
from gradcheck.evaluated import Evaluated
from gradcheck.in_dtype import InDtype
from gradcheck.numerical.evaluation.steps import moved
from gradcheck.problem import Array, Method

# This many neighbours are asked, this far away (of the entry itself); a claim stays that changes by this share.
NEIGHBOURS, AWAY, STAYS = 8, 2.0**-10, 2.0**-4


def is_drowned(
    here: Evaluated, method: Method, name: str, claim: Array, asked: Cotangents, known: InDtype, nothing: float
) -> bool:
    """Whether a claim larger than `nothing` stays as it is near the point, where the outputs that it is about rest."""
    estimate = here.estimate(name)
    rests = at_rest(estimate) & (here.flat != 0)
    if not rests.any():
        return False
    about = np.zeros(claim.shape, dtype=bool)
    for some in expected(estimate, asked, largest(estimate), here.flat, here.variable(name), known.precision):
        about[some.row, some.position] |= (some.output >= 0) & rests[some.output]
    said = claim[about]
    if not (np.abs(said) > nothing).any():
        return False
    point, x = known.point, np.asarray(here.point.values[name], dtype=float)
    rng = np.random.default_rng([here.seed, 14])
    domain = here.problem.variable(name).domain
    for _ in range(NEIGHBOURS):
        near = moved(x, x * AWAY * rng.uniform(-1, 1, x.shape), domain)
        beside = replace(known, point=replace(point, values={**point.values, name: near}))
        answer = here.ask(method, beside, dict.fromkeys(method.wrt, asked))[name]
        if answer.rows is None or np.abs(answer.rows[about] - said).sum() > STAYS * np.abs(said).sum():
            return False
    return True
