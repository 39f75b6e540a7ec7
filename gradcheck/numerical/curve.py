"""One entry's difference quotients over the whole ladder: the V-shaped picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradcheck.numerical.evaluation.evaluate import Evaluator, Forward
from gradcheck.numerical.evaluation.quotients import Quotients
from gradcheck.numerical.evaluation.steps import Domain, scales
from gradcheck.numerical.evaluation.structure import dense
from gradcheck.numerical.rules import limits
from gradcheck.problem import Array


def curve(
    forward: Forward,
    values: Mapping[str, Array],
    wrt: str,
    index: int,
    output: int,
    *,
    domain: Domain = None,
) -> tuple[Array, Array, float, float]:
    """Return `(steps, central difference quotients, chosen step, noise)` of one entry.

    `index` and `output` are flat indices; a quotient that cannot be evaluated is NaN. The noise is the amplitude of the
    error of one value of f: a quotient at step h carries noise/h of it.
    """
    evaluator = Evaluator(forward, values, wrt)
    nothing = np.zeros(evaluator.f0.size)
    alone = dense(evaluator.x.size, nothing.size).part(np.array([index]))
    with np.errstate(all="ignore"):
        q = Quotients.at(evaluator, alone, scales(evaluator.x, domain), domain, nothing).take(np.array([output]))
        level = int(limits.central(q).level[0])
    return q.h[:, 0], q.central[:, 0], float(q.h[level, 0]), float(q.amplitude[1, level, 0])
