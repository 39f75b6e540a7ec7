"""Does the assembled Jacobian predict what really happens along random directions? A wrong structure does not."""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.judge import Found
from gradcheck.numerical.ladder import Ladder
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

DIRECTIONS = 2
FINER = np.array([3, 6, 9, 12])  # exponents beyond the step at which the entries themselves were judged


def disagreement(
    evaluator: Evaluator, structure: Structure, ladder: Ladder, found: Found, rng: np.random.Generator
) -> Array:
    """Return which outputs' derivatives along random directions differ from what the Jacobian predicts.

    The quotients along a direction are taken at steps somewhat finer than those that the entries needed (and finer
    by √n,
    because n entries move together). An output disagrees if two of them in a row miss the prediction by more than
    bounds
    and noise explain, and not by less where the step is shorter, as truncation would. Outputs with a kink, or with an
    entry of which nothing is known, are left out: they are not linear.
    """
    wrong = np.zeros(evaluator.f0.size, dtype=bool)
    known = structure.column >= 0
    steps = (
        found.step[known & np.isfinite(found.bound)] / ladder.scale[structure.column[known & np.isfinite(found.bound)]]
    )
    level = -np.log2(np.median(steps[steps > 0])) if (steps > 0).any() else 5.0
    exponents = np.unique(np.minimum(FINER + int(level + np.log2(len(ladder.scale)) / 2), ladder.finest))
    for _ in range(DIRECTIONS):
        # Few bits, so that x + h is exact at all but the finest steps.
        direction = rng.choice([-1.0, 1.0], evaluator.x.size) * rng.integers(5, 9, evaluator.x.size) / 8 * ladder.scale
        q = ladder.along(evaluator, direction, exponents, "certificate")
        with np.errstate(all="ignore"):
            weight = np.where(known, direction[structure.column], 0)
            terms = found.value * weight
            size = np.sum(np.abs(terms), axis=0)
            # A step is rounded to a float of x, and the sum of the prediction rounds too.
            slip = ladder.eps * (8 + len(direction) + q.point.near.max(initial=0) / q.steps[:, None]) * size
            unsure = np.sum(found.bound * np.abs(weight), axis=0) + slip + 2 * q.noise
            gap = np.abs(q.central - terms.sum(axis=0))
            off = gap > SURE * unsure
            wrong |= (off[:-1] & off[1:] & (gap[1:] > 0.25 * gap[:-1])).any(axis=0)
    bent = found.kink.any(axis=0) | found.jump.any(axis=0) | ~np.isfinite(found.bound).all(axis=0)
    return wrong & ~bent


SURE = 4
