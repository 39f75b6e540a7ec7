"""One entry's difference quotients over the whole ladder: the V-shaped picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradcheck.numerical.evaluate import Evaluator, Forward
from gradcheck.numerical.extrapolate import select
from gradcheck.numerical.jacobian import Ladder
from gradcheck.numerical.steps import perturbed
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

    `index` and `output` are flat indices; a quotient that cannot be evaluated is NaN. The noise is the amplitude of the
    error of one value of f: a quotient at step h carries noise/h of it.
    """
    evaluator = Evaluator(forward, values, wrt)
    ladder = Ladder.of(evaluator, domain)
    x = evaluator.x[index]
    h = ladder.steps * ladder.scale[index]
    (up, h_up), (down, h_down) = perturbed(x, h, domain), perturbed(x, -h, domain)
    at = np.full((len(h), 1), index)
    with np.errstate(all="ignore"):
        change = evaluator(at, up[:, None], "curve")[:, output] - evaluator(at, down[:, None], "curve")[:, output]
        quotient = np.where((h_up == 0) | (h_down == 0), np.nan, change / (h_up - h_down))
    amplitude = np.fmax(
        ladder.noise(evaluator, np.random.default_rng(0))[:, output], ladder.eps * abs(evaluator.f0[output])
    )
    chosen = select(quotient[:, None], ladder.steps, (amplitude / h)[:, None], 2).level[0]
    return h, quotient, float(h[chosen]), float(amplitude[chosen])
