"""A second look in long double, at entries for which float64 needed whole ladders.

Two witnesses: a whole ladder, which is as careful as float64's, and short ladders of fine steps, which see waves that
are as low as the noise. As long double loses so much less, its value makes a bound smaller that holds it; where it
contradicts, the bound reaches both.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.numerical import judge, short
from gradcheck.numerical.estimate import largest_known
from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.extended import DOUBLE, WIDE, Extended
from gradcheck.numerical.found import Found
from gradcheck.numerical.ladder import GUESS, Ladder, Quotients, finest
from gradcheck.numerical.rounded import Point
from gradcheck.numerical.steps import scales
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

# Steps shorter than those that float64 needs, by 2^-8, and noise heard next to the point.
SHORTER = 8
SPACINGS = GUESS + SHORTER
# What is not better known than this share of the largest derivative is no witness: next to a kink, say.
SURE = 2.0**-20
# What a claim computed in float64 loses is far below what quotients lose, but not below what long double does.
SHRUNK = 1 / 8


def look(extended: Extended, structure: Structure, found: Found) -> Found:
    """Return the same for colours that climbed whole ladders, with what long double finds of smooth entries.

    Its value, where it lies within the bound, which then shrinks; else a bound that reaches what it finds. Where f does
    not move in float64, what it does in long double counts even where that is not known well.
    """
    some = found.climbed
    displaced = extended.displaced if some.size else None
    if displaced is None:
        return found
    part = structure.part(some)
    ladder, near = _ladders(extended, displaced)
    whole, brief = _whole(extended, displaced, part, ladder), _brief(displaced, part, near, ladder)
    found = found.own()
    value, bound = found.value[some], found.bound[some]
    smooth = ~(found.kink[some] | found.jump[some] | whole.kink | whole.jump | extended.other) & np.isfinite(bound)
    least = SURE * largest_known(found.value, found.bound)
    reach = np.maximum(*(_reach(witness, value, bound, least) for witness in (whole, brief)))
    # Steps of a few sizes may all step over a wave: they need the consent of the whole ladder.
    agreed = smooth & (reach == 0) & (np.abs(whole.value - value) <= bound) & (whole.bound <= bound)
    agreed &= ~(np.abs(brief.value - whole.value) > brief.bound + whole.bound)
    best = whole.where(brief.bound < whole.bound, brief)
    closer = agreed & (np.abs(best.value - value) <= bound) & (best.bound <= np.minimum(SHRUNK * bound, least))
    still = (value == 0) & ~closer
    reach = np.maximum(reach, np.where(still, np.abs(whole.value) + whole.bound, 0))
    found.value[some] = np.where(closer, best.value, value)
    for error in (found.truncation, found.rounding):
        error[some] *= np.where(closer, SHRUNK, 1)
    found.truncation[some] += np.where(smooth, reach, 0)
    return found


def _reach(witness: Found, value: Array, bound: Array, least: float) -> Array:
    """Return how far a bound has to reach where a witness clearly contradicts; else 0."""
    far = np.abs(witness.value - value)
    apart = (witness.bound <= least) & (far > np.maximum(bound, witness.bound))
    return np.where(apart, far + witness.bound, 0)


def _ladders(extended: Extended, displaced: Evaluator) -> tuple[Ladder, Ladder]:
    """Return a whole ladder of steps from 4 × max(|x|, 1) down, and one whose scale is that of x (0 has none)."""
    x = extended.evaluator.x
    near = Ladder(np.where(x == 0, 0, scales(x, 0.0)), int(SPACINGS.max()), None, DOUBLE, extended.noise[None])
    near.listen(displaced, np.random.default_rng(0), SPACINGS)
    near.hear(extended.noise)
    scale = scales(x, 1.0)
    return Ladder(scale, finest(x, scale, WIDE), None, DOUBLE, extended.noise[None]), near


def _whole(extended: Extended, displaced: Evaluator, structure: Structure, ladder: Ladder) -> Found:
    def at_x(q: Quotients, colours: Structure) -> Quotients:
        """Their point is x, not a displacement of 0."""
        size = np.abs(extended.evaluator.x[colours.column.ravel()])
        f0 = np.tile(extended.evaluator.f0, len(colours.index))
        moved = np.fmax(np.abs(q.up), np.abs(q.down))
        with np.errstate(all="ignore"):
            return replace(q, point=Point.of(f0, moved, q.steps, size, q.scale, q.point.rounded, WIDE))

    return judge.climb(displaced, structure, ladder, extended.noise, at_x)


def _brief(displaced: Evaluator, structure: Structure, near: Ladder, ladder: Ladder) -> Found:
    """Return the best of what short ladders find; what contradicts finer steps is passed over."""
    best = Found.nothing(*structure.column.shape)
    for scale in (near.scale, ladder.scale) if (ladder.scale != near.scale).any() else (near.scale,):
        fine = replace(near, scale=np.ldexp(scale, -SHORTER))
        for plan in (short.FINER, short.LONGER):
            other = short.climb(displaced, structure, fine, plan)
            with np.errstate(invalid="ignore"):
                apart = np.abs(other.value - best.value) > other.bound + best.bound
            best = best.where(~apart & (other.bound < best.bound), other)
    return best
