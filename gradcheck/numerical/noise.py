"""How noisy `forward` is: measured by difference tables, not assumed to be eps·|f|.

At points f(t), t = −3δ … 3δ, a smooth function's high differences vanish and what is left is noise:
|Δⁿf| / √C(2n, n) estimates its standard deviation (J. J. Moré and S. M. Wild, "Estimating computational
noise", SIAM J. Sci. Comput. 33(3), 2011). Spacings run from near eps up to where the function itself shows,
because a computation may round to a grid that finer spacings never leave.
"""

from __future__ import annotations

from math import comb

import numpy as np

from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.steps import perturbed
from gradcheck.problem import Array

# A bound needs the largest error of a few evaluations; the table estimates a standard deviation from few samples.
SAFETY = 12.0
POINTS = np.array([-3, -2, -1, 1, 2, 3])
ORDERS = (4, 5, 6)


def table(f: Array) -> Array:
    """Return the noise (standard deviation) in `f (…, 7, outputs)`, values at seven equidistant points.

    Each order's estimate holds the function's own differences too, so the smallest one is taken.
    """
    found = []
    difference = np.diff(f, n=ORDERS[0], axis=-2)
    for order in ORDERS:
        found.append(np.sqrt(np.mean(difference**2, axis=-2) / comb(2 * order, order)))
        difference = np.diff(difference, axis=-2)
    return np.fmin.reduce(found)


def measure(
    evaluator: Evaluator, scale: Array, exponents: Array, domain: tuple[float, float] | None, rng: np.random.Generator
) -> Array:
    """Return the noise amplitude `(len(exponents), outputs)` at spacings scale · 2^-exponent, along random directions.

    NaN where forward could not be evaluated.
    """
    x = evaluator.x
    direction = rng.choice([-1.0, 1.0], x.size) * rng.uniform(1, 1.25, x.size) * scale
    spacing = np.ldexp(1.0, -exponents)[:, None, None] * POINTS[None, :, None] * direction
    new, _ = perturbed(x, spacing.reshape(-1, x.size), domain)
    whole = np.broadcast_to(np.arange(x.size), new.shape)
    f = evaluator(whole, new, "noise").reshape(len(exponents), len(POINTS), -1)
    f = np.insert(f, 3, evaluator.f0, axis=1)
    with np.errstate(all="ignore"):
        return SAFETY * table(f)
