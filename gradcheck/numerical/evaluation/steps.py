"""How far each entry of a variable is moved.

Step k of an entry is 2^-k · 13/16 of its `scale`, a power of two at or below its magnitude: few bits, so that x + h is
exact, and shorter than |x|, so that an entry keeps its sign and a rate or a length that has to be positive stays so.
Whatever is asked for, quotients divide by the step that was really taken, (x + h) − x.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.problem import Array

Domain = tuple[float, float] | None

LONGEST = 0.8125  # of the scale
EXPONENT = ~np.int64((1 << 52) - 1)  # the bits of a float that are left when its mantissa is set to 1
TINY = float(np.finfo(np.float64).smallest_normal)


def relative_steps(k: Array) -> Array:
    """Return steps number k as shares of the scale.

    >>> relative_steps(np.arange(3)).tolist()
    [0.8125, 0.40625, 0.203125]
    """
    return np.ldexp(LONGEST, -k)


def random_numbers(rng: np.random.Generator, count: int, dtype: type[np.integer[Any]]) -> Array:
    """Return integers of a dtype, all of its values equally likely: the bits of the generator as they come."""
    raw = rng.bit_generator.random_raw(-(-count * np.dtype(dtype).itemsize // 8))
    return np.asarray(raw).view(dtype)[:count]


def scales(x: Array, domain: Domain = None) -> Array:
    """Return the power of two at or below |x| and the way to the ends of the domain, for every entry.

    0 has no magnitude: its unit is 1, or the largest |x| of the variable where that is smaller.

    >>> scales(np.array([-1.0, 1.25, 4.0, 0.0])).tolist()
    [1.0, 1.0, 4.0, 1.0]
    """
    x = x.astype(np.float64, copy=False)
    size = np.maximum(np.abs(x), TINY)
    zero = x == 0
    if zero.any():
        size[zero] = 1.0 if zero.all() else min(float(size.max()), 1.0)
    if domain is not None:
        for way in (x - domain[0], domain[1] - x):
            size = np.where(way > 0, np.minimum(size, way), size)
    rounded: Array = (size.view(np.int64) & EXPONENT).view(np.float64)
    return rounded


def last_true(rows: Array) -> Array:
    """Return the number of the last true row `(rows, entries)` of every column; −1 where there is none."""
    return np.where(rows.any(axis=0), len(rows) - 1 - np.argmax(rows[::-1], axis=0), -1)


def moved(x: Array, h: Array, domain: Domain) -> Array:
    """Return `x + h` in x's dtype, and x where x + h would leave the open domain (or overflow)."""
    with np.errstate(over="ignore"):
        return within(x, np.asarray(x + h), domain)


def within(x: Array, new: Array, domain: Domain) -> Array:
    """Return `new` in x's dtype, and x where that is outside the open domain or not finite."""
    new = new.astype(x.dtype, copy=False)
    inside = np.isfinite(new)
    if domain is not None:
        inside &= (new > domain[0]) & (new < domain[1])
    return new if inside.all() else np.where(inside, new, x)


def perturbed(x: Array, h: Array, domain: Domain) -> tuple[Array, Array]:
    """Return `x + h` in x's dtype and the step really taken (0 where x + h would leave the open domain).

    The caller divides by the step, so that a point outside the domain becomes NaN: not known.
    """
    new = moved(x, h, domain)
    return new, np.subtract(new, x).astype(np.float64, copy=False)


def out_and_in(x: Array, h: Array, domain: Domain) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return x moved by h away from zero and towards it, one after the other; and the steps really taken.

    Away from zero floats are coarser; the step towards it can then be as long to the last bit. Of two unequal steps a
    and b, a central quotient is off by f″ (a − b) / 2.
    """
    outward = np.copysign(h, x)
    far, taken = perturbed(x, outward, domain)
    back = -taken
    stuck = taken == 0
    if stuck.any():
        back[stuck] = -outward[stuck]
    near, back = perturbed(x, back, domain)
    return (far, near), (taken, back)


def both_sides(x: Array, h: Array, domain: Domain) -> tuple[Array, Array]:
    """Return `x + h` and `x − h`, stacked, and the steps really taken: `out_and_in` in order."""
    new, taken = (np.stack(sides) for sides in out_and_in(x, h, domain))
    inward = np.broadcast_to(np.signbit(x), new.shape[1:])
    if inward.any():
        new, taken = np.where(inward, new[::-1], new), np.where(inward, taken[::-1], taken)
    return new, taken
