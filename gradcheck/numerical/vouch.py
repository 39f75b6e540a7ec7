"""Long double vouches for a Jacobian: does it foretell how f moves along a random direction?

Two evaluations tell, for every output at once. Where they contradict, shorter steps are asked, and the bounds of the
output's entries reach what these show. An output that stands still may have a tail below long double's rounding, too:
longer steps show where it rises.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numerical import tails
from gradcheck.numerical.certificate import predict
from gradcheck.numerical.extended import DOUBLE, STEP, WIDE, Extended
from gradcheck.numerical.found import Found
from gradcheck.numerical.rounded import ROUNDING, power_law
from gradcheck.numerical.steps import within
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

# A certificate that an output is as foretold is one up to this share of its slope.
SURE = 2.0**-20
STEPS = STEP * np.array([1, 2.0**-6, 2.0**-12])
# A few quotients at steps of about the same size tell by how much they differ how well each is known.
SEVERAL, SPREAD = 2.0 ** np.linspace(0, 1, 5)[:-1], 2
RISING = 2.0 ** np.arange(1, -21, -2)


@dataclass(frozen=True)
class Line:
    """How f moves along the direction, and what the Jacobian foretells, `(outputs,)` each.

    `noise`: what the rounding of f leaves open; `slip`: what that of points and sums does; `unsure`: what the bounds
    do; `size`: Σ |J| |direction|.
    """

    slope: Array
    noise: Array
    slip: Array
    foretold: Array
    unsure: Array
    size: Array

    @classmethod
    def of(cls, extended: Extended, structure: Structure, found: Found) -> Line | None:
        """Return None where forward does not compute in long double."""
        if extended.slope is None:
            return None
        slope, noise = extended.slope
        [foretold], size, unsure = predict(structure, found, extended.direction[None])
        slip = (DOUBLE * (8 + len(found.value)) + WIDE / STEP) * size
        return cls(slope, noise, slip, foretold, unsure, size)

    @property
    def off(self) -> Array:
        """Which outputs do not move as foretold."""
        with np.errstate(invalid="ignore"):
            off: Array = ~(np.abs(self.slope - self.foretold) <= np.maximum(self.unsure, self.noise + self.slip))
            return off


def agrees(extended: Extended, structure: Structure, found: Found) -> bool:
    """Return whether every output moves as foretold, and clearly so: a wrong structure is found out."""
    line = Line.of(extended, structure, found) if extended.direction.all() else None
    if line is None or line.off.any() or not (line.unsure + line.noise < SURE * line.size).all():
        return False
    extended.vouched = found
    return True


def widen(extended: Extended, structure: Structure, found: Found) -> Found:
    """Return the same with bounds that reach what long double shows along the direction."""
    line = None if found is extended.vouched else Line.of(extended, structure, found)
    if line is None:
        return found
    still = line.off | (line.slope == 0)
    if not still.any():
        return found
    touched = structure.column >= 0
    unknown = touched & (found.kink | found.jump | ~np.isfinite(found.bound))
    moves = np.where(touched & ~unknown, np.abs(structure.spread(extended.direction[structure.index])), 0)
    zero = (found.value == 0) & (moves > 0)
    off, flat = line.off & ~unknown.any(axis=0), still & zero.any(axis=0)
    if not (off.any() or flat.any()):
        return found
    off, flat = off & ~extended.other, flat & ~extended.other
    slope = np.zeros(moves.shape)
    if off.any():
        slope += np.where(off, _missed(extended, line), 0)
    if flat.any():
        slope += np.where(zero & flat, _hidden(extended), 0)
    if not slope.any():
        return found
    found = found.own()
    found.truncation += np.divide(slope, moves, out=np.zeros(moves.shape), where=moves > 0)
    return found


def _missed(extended: Extended, line: Line) -> Array:
    """Return by how much the slopes along the direction differ from what is foretold, where they clearly do; else 0.

    They are those of the steps that leave the least doubt, unless shorter ones that can tell agree (two kinks may
    cancel). Where f stands still, this tells nothing, unless 0 was foretold: what may hide behind it, a tail shows.
    """
    gap, doubt = np.zeros(line.off.size), np.full(line.off.size, np.inf)
    refuted = np.zeros(line.off.size, dtype=bool)
    for step in STEPS:
        found = extended.slopes(step * SEVERAL)
        if found is None:
            break
        slopes, noise = found
        with np.errstate(invalid="ignore"):
            unsure = noise + line.slip + SPREAD * np.ptp(slopes, axis=0)
            tells = slopes.any(axis=0) | (line.foretold == 0)
            here = np.abs(np.median(slopes, axis=0) - line.foretold)
            refuted |= tells & (unsure < gap / 4) & (here <= np.maximum(line.unsure, unsure))
            better = tells & (unsure < doubt)
        gap, doubt = np.where(better, here, gap), np.where(better, unsure, doubt)
    return np.where((gap > np.maximum(line.unsure, doubt)) & ~refuted, gap, 0)


def _hidden(extended: Extended) -> Array:
    """Return the slopes `(outputs,)` of tails that rise along the direction; 0 where there is none."""
    x = extended.evaluator.x.astype(np.longdouble)
    t = np.concatenate([[0], RISING, -RISING])
    with np.errstate(all="ignore"):
        f = extended.at(within(x, x + t[:, None] * extended.direction, extended.domain))
    if f is None:
        return np.zeros(extended.evaluator.f0.size)
    with np.errstate(all="ignore"):
        moved = np.abs(f[1:] - f[0]).astype(np.float64).reshape(2, len(RISING), -1)
    first, height, slope = tails.first_moves(moved, RISING)
    largest = np.max(np.abs(f), axis=0, where=np.isfinite(f), initial=0.0).astype(np.float64)
    tail = (height <= DOUBLE**ROUNDING * largest) & ~_straight(moved, first)
    steepest: Array = tails.SAFETY * np.where(tail, slope, 0).max(axis=0)
    return steepest


def _straight(moved: Array, first: Array) -> Array:
    """Return where f goes on from its first move by one power of the step, as beyond a kink, and does not rest."""
    beyond = np.maximum(first[:, None] - np.arange(2, 5)[:, None], 0)
    with np.errstate(all="ignore"):
        run = np.take_along_axis(moved / RISING[:, None], beyond, axis=1)
        law = np.stack([power_law(quotients, RISING[at]) for quotients, at in zip(run, beyond, strict=True)])
        straight: Array = law & (first >= 4) & (run[:, 0] <= 2 * run[:, -1])
    return straight
