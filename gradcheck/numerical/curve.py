"""One entry's difference quotients over the whole ladder: the V-shaped picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradcheck.numerical.evaluate import Evaluator, Forward
from gradcheck.numerical.extrapolate import smallest
from gradcheck.numerical.ladder import ULPS, Ladder
from gradcheck.numerical.steps import both_sides, relative_steps
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
    ladder.listen(evaluator, np.random.default_rng(0))
    steps, scale = relative_steps(ladder.whole), float(ladder.scale[index])
    new, taken = both_sides(evaluator.x[[index]], steps[:, None] * scale, domain)
    f = evaluator(np.full((2 * len(steps), 1), index), new.reshape(-1, 1), "curve")[:, output].reshape(2, -1)
    ahead, behind = taken[..., 0]
    with np.errstate(all="ignore"):
        quotients = (f[0] - f[1]) / (ahead - behind)
        quotients[(ahead == 0) | (behind == 0)] = np.nan
        heard = ladder.noise_at(ladder.whole)[:, output]
        noise = np.fmax(heard, ULPS * ladder.eps * np.fmax(np.abs(f).max(axis=0), abs(evaluator.f0[output])))
        best = smallest(quotients[:, None], steps, (noise / (steps * scale))[:, None], 2)
    level = int(best.level[0])
    return steps * scale, quotients, float(steps[level] * scale), float(noise[level])
