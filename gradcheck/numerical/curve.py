"""One entry's difference quotients over the whole ladder: the V-shaped picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradcheck.numerical.evaluate import Evaluator, Forward
from gradcheck.numerical.judge import thorough
from gradcheck.numerical.ladder import Ladder
from gradcheck.numerical.structure import dense
from gradcheck.problem import Array


def curve(
    forward: Forward,
    values: Mapping[str, Array],
    wrt: str,
    index: int,
    output: int,
    *,
    domain: tuple[float, float] | None = None,
) -> tuple[Array, Array, float, float]:
    """Return `(steps, central difference quotients, chosen step, noise)` of one entry.

    `index` and `output` are flat indices; a quotient that cannot be evaluated is NaN. The noise is the amplitude of
    the
    error of one value of f: a quotient at step h carries noise/h of it.
    """
    evaluator = Evaluator(forward, values, wrt)
    ladder = Ladder.of(evaluator, domain)
    one = dense(evaluator.x.size, evaluator.f0.size).part(np.array([index]))
    q = ladder.climb(evaluator, one).take(np.array([output]))
    found = thorough(q)
    noise = float(q.amplitude[np.argmin(np.abs(q.steps * q.scale - found.step)), 0])
    return q.steps * q.scale, q.central[:, 0], float(found.step[0]), noise
