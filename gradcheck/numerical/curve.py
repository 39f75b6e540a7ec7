"""One entry's difference quotients from steps as long as x down to where they are rounded: the V-shaped picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradcheck.numerical.evaluation.evaluate import Evaluator, Forward
from gradcheck.numerical.evaluation.quotients import finest
from gradcheck.numerical.evaluation.steps import Domain, both_sides, relative_steps, scales
from gradcheck.problem import Array

EVERY = 5  # steps one is shown: a picture is not worth more calls of f


def curve(
    forward: Forward,
    values: Mapping[str, Array],
    wrt: str,
    index: int,
    output: int,
    *,
    domain: Domain = None,
) -> tuple[Array, Array]:
    """Return `(steps, central difference quotients)` of one entry.

    `index` and `output` are flat indices; a quotient that cannot be evaluated is NaN.
    """
    evaluator = Evaluator(forward, values, wrt)
    x = evaluator.x[index : index + 1]
    steps = relative_steps(np.arange(0, finest(x.dtype) + 1, EVERY)) * scales(evaluator.x, domain)[index]
    new, taken = both_sides(x, steps[:, None], domain)
    f = evaluator(np.array([[index]]), new.reshape(-1, 1), "curve")[:, output].reshape(2, -1)
    with np.errstate(all="ignore"):
        quotients = (f[0] - f[1]) / (taken[0] - taken[1])[:, 0]
    quotients[(taken == 0).any(axis=0)[:, 0]] = np.nan
    return steps, quotients
