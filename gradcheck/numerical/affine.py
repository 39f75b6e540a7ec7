"""Functions that are affine in a variable (Dense, a bias, MSE's inside …): one long step per colour is exact."""

from __future__ import annotations

import numpy as np

from gradcheck.numerical.evaluate import Evaluator
from gradcheck.numerical.judge import Found
from gradcheck.numerical.ladder import ULPS, Ladder
from gradcheck.numerical.steps import perturbed
from gradcheck.numerical.structure import Structure
from gradcheck.problem import Array

# Exponents of the steps at which second differences have to vanish, and a slope to stay.
PROBES = np.array([0, 3, 7, 12, 18, 25])
QUIET = 0.65
LONG = 0.8125  # of the scale; few bits, so that it is exact
BLOCK_VALUES = 1 << 18


def noise_if_affine(evaluator: Evaluator, ladder: Ladder, rng: np.random.Generator) -> Array | None:
    """Return the noise amplitude `(outputs,)` at long steps, or None where f is not affine within it.

    Along two random directions, and mixed between them, second differences must vanish at several steps. What is
    left of
    them is noise, which has to be as small as the noise that difference tables show.
    """
    x, f0 = evaluator.x, evaluator.f0
    d1, d2 = (rng.choice([-1.0, 1.0], x.size) * rng.integers(5, 9, x.size) / 8 * ladder.scale for _ in range(2))
    steps = np.ldexp(1.0, -PROBES)[:, None]
    moves = np.concatenate([steps * d1, -steps * d1, steps * d2, -steps * d2, steps * (d1 + d2) / 2])
    new, taken = perturbed(x, moves, ladder.domain)
    if ((taken == 0) & (moves != 0)).any() or not np.isfinite(f0).all():
        return None
    whole = np.broadcast_to(np.arange(x.size), new.shape)
    first = [0, len(PROBES)]  # the longest step, ahead and behind: tells most functions
    f = np.empty((len(new), f0.size))
    f[first] = evaluator(whole[first], new[first], "affine")
    if not np.isfinite(f[first]).all():
        return None
    with np.errstate(all="ignore"):
        size = np.abs(f0) + np.abs(f[first]).max(axis=0)
        # The tables are disturbed where f is not smooth: not all that they show is noise.
        noise = np.minimum(ladder.noise.max(axis=0), ladder.eps**QUIET * size)
        allowed = 4 * (noise + 2 * ULPS * ladder.eps * size)
        if not np.all(np.abs(f[first].sum(axis=0) - 2 * f0) <= allowed):
            return None
    rest = np.delete(np.arange(len(new)), first)
    f[rest] = evaluator(whole[rest], new[rest], "affine")
    all_f = f.reshape(5, len(PROBES), -1)
    with np.errstate(all="ignore"):
        second = [all_f[0] + all_f[1] - 2 * f0, all_f[2] + all_f[3] - 2 * f0, 2 * all_f[4] - all_f[0] - all_f[2]]
        # A straight line through the longest step passes through all shorter ones.
        line = [all_f[i] - f0 - (all_f[i][0] - f0) * steps / steps[0] for i in (0, 2)]
        left = np.max(np.abs([*second, *line]), axis=(0, 1))
        largest = np.max(np.abs(all_f), axis=(0, 1))
        # A point is rounded to a float, which moves f by at most eps of what the whole step does.
        allowed = 4 * (noise + ULPS * ladder.eps * (largest + np.abs(all_f[0] - f0).max(axis=0)))
        ok = bool(np.isfinite(all_f).all() and np.all(left <= allowed))
    return np.maximum(2 * left, ULPS * ladder.eps * largest) if ok else None


def climb(evaluator: Evaluator, structure: Structure, ladder: Ladder, amplitude: Array) -> Found:
    """Return one long forward quotient per colour."""
    x, f0 = evaluator.x, evaluator.f0
    found = Found.nothing(*structure.column.shape)
    block = max(1, BLOCK_VALUES // max(structure.index.shape[1], f0.size))
    for start in range(0, len(structure.index), block):
        index = structure.index[start : start + block]
        slot = structure.slot[start : start + block]
        new, taken = perturbed(x[index], LONG * ladder.scale[index], ladder.domain)
        with np.errstate(all="ignore"):
            f = evaluator(index, new, "steps")
            h = np.take_along_axis(taken, slot, axis=1)
            at = slice(start, start + block)
            found.value[at] = (f - f0) / h
            found.rounding[at] = 2 * amplitude / h
            found.truncation[at] = np.where((h > 0) & np.isfinite(f), 0, np.inf)
            found.step[at] = h
    found.left, found.right = found.value, found.value
    return found
