"""How noisy `forward` is: measured by difference tables, not assumed to be eps·|f|.

At points f(t), t = −3δ … 3δ, a smooth function's high differences vanish and what is left is noise:
|Δⁿf| / √C(2n, n) estimates its standard deviation (J. J. Moré and S. M. Wild, "Estimating computational
noise", SIAM J. Sci. Comput. 33(3), 2011). Spacings run from near eps up to where the function itself shows,
because a computation may round to a grid that finer spacings never leave.
"""

from __future__ import annotations

from itertools import pairwise
from math import comb

import numpy as np

from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.steps import perturbed
from gradcheck.problem import Array

# A bound needs the largest error of a few evaluations; the table estimates a standard deviation from few samples.
SAFETY = 12.0
ORDERS = (4, 5, 6)
POINTS = 7
# Each row is one difference; the squares of an order's rows add up to the variance that it sees. Without the column of
# the middle point, at which the function is made 0.
DIFFERENCES = np.delete(
    np.concatenate([np.diff(np.eye(POINTS), n=n, axis=0) / np.sqrt(comb(2 * n, n) * (POINTS - n)) for n in ORDERS]),
    POINTS // 2,
    axis=1,
)
ENDS = np.cumsum([0, *(POINTS - order for order in ORDERS)]).tolist()
ROWS = [slice(start, end) for start, end in pairwise(ENDS)]  # each order's


def table(f: Array) -> Array:
    """Return the noise (standard deviation) in `f (…, 7, outputs)`, values at seven equidistant points."""
    # Neighbours are so close that subtracting the middle one adds no rounding.
    return around(np.delete(f, POINTS // 2, axis=-2) - f[..., POINTS // 2, None, :])


def around(f: Array) -> Array:
    """Return the noise in `f (…, 6, outputs)`, values at equidistant points around one at which f is 0.

    The lowest order's estimate may hold the function's own differences too, and any one may be small by luck: the
    middle one is taken.
    """
    squares = np.square(DIFFERENCES @ f)
    a, b, c = (squares[..., rows, :].sum(axis=-2) for rows in ROWS)
    middle: Array = np.sqrt(np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c)))
    return middle


def along(
    evaluator: Evaluator, direction: Array, exponents: Array, domain: tuple[float, float] | None
) -> tuple[Array, Array]:
    """Return noise amplitudes `(len(exponents), outputs)` around x, at spacings direction · 2^-exponent.

    And how far the middle of f's outermost values is from f at x. NaN where forward could not be evaluated.
    """
    at = np.array([-3, -2, -1, 1, 2, 3])
    f, _ = evaluator.along(direction, (np.ldexp(1.0, -exponents)[:, None] * at).ravel(), domain, "noise")
    with np.errstate(all="ignore"):
        f = f.reshape(len(exponents), len(at), -1) - evaluator.f0
        return SAFETY * around(f), np.abs(f[:, 0] + f[:, -1]) / 2


def measure(
    evaluator: Evaluator,
    index: Array,
    moves: Array,
    exponents: Array,
    domain: tuple[float, float] | None,
    sides: bool,
) -> Array:
    """Return noise amplitudes `(tables, len(exponents), points, outputs)` at spacings moves · 2^-exponent.

    Every row of `index (points, entries)` is moved together, by `moves`. The tables: around the point and, with
    `sides`, also
    behind it (first) and ahead of it (last): a kink disturbs only some of them. NaN where forward could not be
    evaluated.
    """
    x = evaluator.x
    reach = 6 if sides else 3
    at = np.delete(np.arange(-reach, reach + 1), reach)
    spacing = np.ldexp(1.0, -exponents)[:, None, None, None] * at[:, None] * moves[:, None, :]
    new, _ = perturbed(np.broadcast_to(x[index][:, None, :], spacing.shape), spacing, domain)
    points = np.broadcast_to(index[:, None, :], new.shape).reshape(-1, index.shape[1])
    f = evaluator(points, new.reshape(points.shape), "noise")
    f = np.insert(f.reshape(len(exponents), len(index), len(at), -1), reach, evaluator.f0, axis=2)
    with np.errstate(all="ignore"):
        tables = [table(f[:, :, start : start + 7]) for start in ((0, 3, 6) if sides else (0,))]
        return SAFETY * np.stack(tables)
