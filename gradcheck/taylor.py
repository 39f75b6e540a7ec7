"""How well a claim foretells f along one direction: the remainder of Taylor's formula, over the step.

    R(h) = |φ(x + h·v) − φ(x) − h · claim·v|,    φ = w · f

for one direction v of the variable and one combination w of the outputs. Where the claim is the derivative R is of
second order in h, where it is not of first: on log-log axes the slope is 2 or 1. This is what Manopt's `checkgradient`,
Firedrake's `taylor_test` and SimPEG's `check_derivative` show. It is a picture; the verdict does not hang on it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcheck.problem import Array, Values
from gradcheck.results import Taylor

# From an eighth of the variable's size, each step an eighth of the last.
STEPS = 2.0 ** -np.arange(3, 27, 3)

# A remainder is told from rounding above this many eps of what is added up.
ABOVE = 64.0


def taylor(
    forward: Callable[[Values], list[Array]],
    values: Values,
    name: str,
    claim: Array,
    weights: Array,
    start: Array,
    domain: tuple[float, float] | None,
    label: str,
) -> Taylor | None:
    """Return the remainders of a claim about `values[name]` at the point `label`; None where f is not finite there.

    `claim`: the derivative of `weights · f`, flat; `weights`: one for each of all outputs, which are `start` there.
    """
    x = np.asarray(values[name], dtype=float)
    v = _direction(x, domain)

    def outputs(h: float) -> Array:
        moved = forward({**values, name: x + h * v})
        return np.concatenate([np.asarray(one, dtype=float).ravel() for one in moved])

    try:
        with np.errstate(all="ignore"):
            change = [float(weights @ (outputs(h) - start)) for h in STEPS]
    except Exception:  # somebody else's code, which refuses values near the point
        return None
    along = float(claim @ v.ravel())
    remainders = np.abs(np.array(change) - STEPS * along)
    if not np.isfinite(remainders).all():
        return None
    eps = float(np.finfo(float).eps)
    noise = ABOVE * eps * float(np.abs(weights) @ np.abs(start) + np.abs(claim) @ np.abs(x.ravel()))
    return Taylor(
        label, tuple(STEPS.tolist()), tuple(map(_short, remainders)), _short(noise), _slope(remainders, noise)
    )


def _direction(x: Array, domain: tuple[float, float] | None) -> Array:
    """A direction of the variable's size, such that x + v/8 stays inside of the domain."""
    rng = np.random.default_rng(0)
    size = np.where(x == 0, float(np.abs(x).max(initial=0.0)) or 1.0, np.abs(x))
    v = size * rng.choice([-1.0, 1.0], x.shape) * rng.uniform(0.5, 1.0, x.shape)
    if domain is not None:
        low, high = domain
        v = np.where((x + v > low) & (x + v < high), v, np.minimum(size, np.minimum(x - low, high - x)) * np.sign(v))
    return np.asarray(v)


def _slope(remainders: Array, noise: float) -> float:
    """The slope at the shortest steps at which the remainder is more than rounding; NaN where there are no two."""
    seen = int(np.argmin([*(remainders > noise), False]))
    if seen < 2:
        return float("nan")
    fell, shorter = remainders[seen - 2] / remainders[seen - 1], STEPS[seen - 2] / STEPS[seen - 1]
    return _short(float(np.log(fell) / np.log(shorter)))


def _short(number: float) -> float:
    """Three significant digits: what a picture shows, and the same on every machine."""
    return float(f"{number:.3g}")
