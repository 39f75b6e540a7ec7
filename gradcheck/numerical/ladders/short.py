"""Five values of f for the many functions that are smooth at the size of their variable.

f is taken at ±a and ±b around the point, and at c further out. The derivative at the point of the quintic through all
five (and the point itself) is the value; its distance from the quartic through the first four, one order below, is its
truncation. No step is finer, so that it takes the certificate to tell whether something hides below.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gradcheck.numerical.entries import Entries
from gradcheck.numerical.evaluation.evaluate import Evaluator
from gradcheck.numerical.evaluation.noise import ULPS
from gradcheck.numerical.evaluation.steps import Domain, out_and_in, perturbed
from gradcheck.numerical.evaluation.structure import Structure
from gradcheck.problem import Array

Steps = tuple[float, float, float]  # a, b and c, as shares of the scale: few bits, and no powers of one number

USUAL: Steps = 7 / 1024, 29 / 8192, 129 / 8192  # what is truncated of 1/x, and what is rounded, are about the same
LONG: Steps = 7 / 128, 29 / 1024, 129 / 1024  # where x is small for f, and nothing but rounding is in the way
POINTS = 5
BLOCK_VALUES = 1 << 17  # at a time stay in the cache
SURER = 2  # times that distance
# The sixth derivative's share is that of the fourth squared, by the second's: 0.9 times that for a power series that
# goes on geometrically, 2.3 times for one with factorials, and more where the fourth is passing through 0.
NEXT = 8


@lru_cache(maxsize=4)
def weights(steps: Steps) -> tuple[Array, float]:
    """Return the rows `(4, points)` that make out of the one-sided quotients at a, −a, b, −b and c:

    the quintic's derivative at 0, how far it is from the quartic's (times `SURER`); how far that is from the parabola's
    (times a², by which a next order is smaller where f is smooth at the size of x: one distance alone may be small by
    luck); and how far the two sides' quotients are apart at b beyond a's, which is 0 for a parabola. And how much of
    the noise at step 1 the derivative has.
    """
    a, b, c = steps
    at = np.array([a, -a, b, -b, c])
    quintic = np.linalg.inv(np.vander(at, increasing=True))[0]
    quartic = np.append(np.linalg.inv(np.vander(at[:4], increasing=True))[0], 0)
    parabola = np.array([0, 0, 0.5, 0.5, 0])
    bend = np.array([-b / a, b / a, 1, -1, 0])
    rows = np.stack([quintic, SURER * (quintic - quartic), a * a * (quartic - parabola), bend])
    return rows, float(np.abs(quintic / at).sum() + abs((quintic / at).sum()))


def climb(
    evaluator: Evaluator,
    structure: Structure,
    scale: Array,
    noise: Array,
    domain: Domain,
    steps: Steps = USUAL,
) -> Entries:
    """Return what five values tell, a block of colours at a time; an infinite bound where f is seen not to be smooth.

    `noise (outputs,)`: the amplitude that was measured near the point.
    """
    (a, b, c), (rows, share) = steps, weights(steps)
    value, truncation, rounding, step = np.empty((4, *structure.shape))
    for part in structure.blocks(BLOCK_VALUES // POINTS):
        colours = structure.part(part)
        index = colours.index
        x, unit = evaluator.x[index], scale[index]
        new, taken = np.empty((2, POINTS, *index.shape))
        new[:2], taken[:2] = out_and_in(x, a * unit, domain)
        new[2:4], taken[2:4] = out_and_in(x, b * unit, domain)
        new[4], taken[4] = perturbed(x, np.copysign(c * unit, x), domain)
        f = evaluator(index, new.reshape(-1, index.shape[1]), "steps").reshape(POINTS, *colours.shape)
        with np.errstate(all="ignore"):
            amplitude = np.abs(f[4])
            amplitude += np.abs(evaluator.f0)
            amplitude *= ULPS * evaluator.eps
            np.maximum(amplitude, noise, out=amplitude)
            np.multiply(amplitude, share / colours.spread(unit), out=rounding[part])
            f /= colours.spread(taken)
            _judge(f, rows, value[part], truncation[part], rounding[part])
        step[part] = colours.spread(b * unit)
    return Entries.smooth(value, truncation, rounding, step)


def _judge(quotients: Array, rows: Array, value: Array, truncation: Array, rounding: Array) -> None:
    """Write values and truncations of one-sided quotients `(points, colours, outputs)` into arrays."""
    value[:], gap, lower, bend = (rows @ quotients.reshape(POINTS, -1)).reshape(-1, *value.shape)
    np.maximum(np.abs(gap, out=gap), np.abs(lower, out=lower), out=truncation)
    # Odd derivatives may be small by luck, all of them at once (in the middle of a sigmoid). The even ones tell how
    # much less each next one is: how far the two sides are apart at a, and at b beyond that.
    curved = np.abs(np.subtract(quotients[0], quotients[1], out=quotients[0]), out=quotients[0])
    bend = np.maximum(np.abs(bend, out=bend) - rounding, 0)
    np.maximum(truncation, bend * np.minimum(1, NEXT * bend / curved), out=truncation, where=bend > 0)
    unknown = ~np.isfinite(truncation + rounding)
    if unknown.any():
        value[unknown], truncation[unknown], rounding[unknown] = 0, np.inf, 0
