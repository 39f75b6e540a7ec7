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

from gradcheck.numerical.evaluation.evaluate import Evaluator
from gradcheck.numerical.evaluation.steps import Domain, perturbed, random_numbers
from gradcheck.numerical.evaluation.structure import Structure
from gradcheck.problem import Array

# A bound needs the largest error of a few evaluations; the table estimates a standard deviation from few samples.
SAFETY = 12.0
# Even where the tables see no noise, a value of f is never taken to be better than this many units in the last place.
ULPS = 8
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
SAMPLE = 256  # outputs tell how noisy the others are
AROUND = np.array([-3, -2, -1, 1, 2, 3])
# What share of its scale an entry moves along a random direction, where the noise is measured: numbers that need all of
# a float's bits, so that f has to round.
GOLDEN = 0.6180339887498949  # its multiples, modulo 1, are as far apart as numbers can be
SHARES = np.array([sign * (1 + np.mod(i * GOLDEN, 1) / 4) for sign in (1, -1) for i in range(128)])


def table(changes: Array) -> Array:
    """Return the noise (standard deviation) in `changes (…, 6, outputs)` at equidistant points around the middle one.

    The lowest order's estimate may hold the function's own differences too, and any one may be small by luck: the
    middle one is taken.
    """
    squares = np.square(DIFFERENCES @ changes)
    a, b, c = (squares[..., rows, :].sum(axis=-2) for rows in ROWS)
    middle: Array = np.sqrt(np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c)))
    return middle


def direction(scale: Array, rng: np.random.Generator) -> Array:
    """Draw a direction along which all entries move by about their scale."""
    return np.asarray(SHARES[random_numbers(rng, scale.size, np.uint8)] * scale)


def along(
    evaluator: Evaluator, direction: Array, exponents: Array, together: int, domain: Domain
) -> tuple[Array, Array]:
    """Return noise amplitudes `(exponents, outputs)` at spacings 2^-exponent along a direction.

    And `(outputs,)`, at the finest of them, what a kink at the point does not explain. `together`: how many entries an
    output depends on. They move it √together times as far as one of them does, and far enough it would show its own
    curvature.
    """
    spacings = np.exp2(-exponents - int(np.log2(together)) // 2)
    f, _ = evaluator.along(direction, (spacings[:, None] * AROUND).ravel(), domain, "noise")
    with np.errstate(all="ignore"):
        changes = f.reshape(len(exponents), len(AROUND), -1)
        heard = loudest(table(changes))
        bent = _shrinks_as_a_kink(heard[-2:], exponents[-2:])
        # A few differences may be small by luck. Against |f|, no output is taken to be quieter than half of all are.
        size = np.abs(evaluator.f0)
        known = np.flatnonzero(size > 0)[:: 1 + size.size // SAMPLE]
        usual = np.median(heard[:, known] / size[known], axis=1, keepdims=True) * size if known.size else 0
        heard = np.fmax(heard, usual)
        return SAFETY * heard, SAFETY * np.where(bent, of_odd_part(changes[-1]), heard[-1])


def of_odd_part(changes: Array) -> Array:
    """Return the noise (standard deviation) in the odd part of `changes (…, 6, outputs)`, which has none of |t|.

    g(t) = (f(t) − f(−t)) / 2 at t = δ, 2δ, 3δ: 5 g₁ − 4 g₂ + g₃ is 0 for a cubic, and has 21 times the variance.
    """
    odd = (changes[..., POINTS // 2 :, :] - changes[..., POINTS // 2 - 1 :: -1, :]) / 2
    noise: Array = np.abs(np.einsum("...tk,t->...k", odd, [5.0, -4.0, 1.0])) / np.sqrt(21)
    return noise


def _shrinks_as_a_kink(heard: Array, exponents: Array) -> Array:
    """Return where what is heard `(exponents, outputs)` shrinks as the spacings do, neither more nor less."""
    scaled = heard * np.exp2(exponents)[:, None]
    shrinks: Array = (scaled > 0).all(axis=0) & (scaled.max(axis=0) <= 2 * scaled.min(axis=0))
    return shrinks


def by_colour(evaluator: Evaluator, structure: Structure, scale: Array, exponents: Array, domain: Domain) -> Array:
    """Return noise amplitudes `(3, exponents, colours, outputs)` at spacings 2^-exponent, for each colour alone.

    From three tables: behind the point, around it and ahead of it. A kink disturbs only some of them.
    """
    reach = 2 * (POINTS // 2)
    at = np.arange(-reach, reach + 1)
    x, index = evaluator.x, structure.index
    spacing = np.ldexp(1.0, -exponents)[:, None, None, None] * at[:, None] * (scale[index] * SHARES[1])[:, None, :]
    spacing = np.delete(spacing, reach, axis=2)
    new, _ = perturbed(np.broadcast_to(x[index][:, None, :], spacing.shape), spacing, domain)
    points = np.broadcast_to(index[:, None, :], new.shape).reshape(-1, index.shape[1])
    f = evaluator(points, new.reshape(points.shape), "noise")
    f = np.insert(f.reshape(len(exponents), len(index), len(at) - 1, -1), reach, 0, axis=2)
    tables = []
    with np.errstate(all="ignore"):
        for start in (0, reach // 2, reach):
            part = f[:, :, start : start + POINTS]
            middle = part[:, :, POINTS // 2, None]
            tables.append(loudest(table(np.delete(part - middle, POINTS // 2, axis=2))))
        return SAFETY * np.stack(tables)


def loudest(noise: Array) -> Array:
    """Return for every spacing (first axis) the largest noise that is known at it and all finer ones."""
    known = np.where(np.isfinite(noise), noise, 0)
    return np.maximum.accumulate(known[::-1], axis=0)[::-1]


def audible(spacings: Array, exponents: Array, finer: int) -> Array:
    """Return the coarsest spacing (its number) at which the noise of a step of an exponent is heard.

    It is finer by 2^finer: a smooth function's own differences vanish there. At least the two finest ones are heard.
    """
    first: Array = np.minimum(np.searchsorted(spacings, exponents + finer), max(len(spacings) - 2, 0))
    return first


def borrowed(heard: Array, variation: Array) -> Array:
    """Return the noise `(outputs,)` of outputs that stay as they are: they do not tell how they are rounded.

    One of the quieter ones that move does.
    """
    loud = np.sort(heard[(variation > 0) & (heard > 0)])
    return np.where(variation > 0, 0.0, loud[loud.size // 4] if loud.size else 0.0)
