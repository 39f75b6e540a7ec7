"""Does the assembled Jacobian predict what really happens along random directions? A wrong structure does not.

Nor does a value that stepped over a wave or a kink, or that carries a rounding which no value of f shows: steps along
the directions are finer than those of the entries, and where forward takes long double, free of float64's rounding.
"""

from __future__ import annotations

import math

import numpy as np

from gradcheck.numerical.entries import Entries
from gradcheck.numerical.evaluation import noise
from gradcheck.numerical.evaluation.evaluate import Evaluator
from gradcheck.numerical.evaluation.steps import Domain, moved, relative_steps
from gradcheck.numerical.evaluation.structure import REORDERED, Structure
from gradcheck.numerical.evaluation.surroundings import Surroundings
from gradcheck.problem import Array

FINER = 3, 7, 11  # exponents beyond the step at which the entries themselves were judged
# In long double one direction and two steps do; at the second, what is rounded and what is truncated of a smooth
# function's slope are about the same.
WIDE = np.array([19, 21])
DEEP = np.array([19, 21, 27, 33, 39, 45])  # after whole ladders, which have looked as deep
# Noise is measured at spacings finer by 2^8, and at a coarse one: on the stairs of rounding, finer ones are silent.
SPACINGS = np.array([17, 27, 29])
ULPS = 2  # of f in long double; what is seen to contradict is then held against the noise as it is measured
SURE = 2  # times what noise explains
STAYS = 0.25  # of a gap is left at the finer step: truncation would shrink to 1/16 or less
CLEAR = 4  # times more certain is a finer step that refutes
FARTHEST = 1e3  # one entry is taken to move less than this beside another
SAMPLE = 1024  # entries tell at which steps the others were judged
BLOCK_ENTRIES = 1 << 14  # at a time stay in the cache
EPS = float(np.finfo(np.float64).eps)


def missed(
    around: Surroundings, structure: Structure, found: Entries, heard: Array, deep: bool, rng: np.random.Generator
) -> Array:
    """Return by how much derivatives of outputs along random directions contradict the Jacobian; 0 where they do not.

    `heard (outputs,)`: the noise of f in float64. `deep`: whether whole ladders have looked at all entries.
    """
    domain, wide = around.domain, around.wide
    if wide is None:
        steps = np.ldexp(1.0, -DEEP) if deep else finer(structure, around.scale, found)
        least = np.maximum(heard, noise.ULPS * around.evaluator.eps * np.abs(around.evaluator.f0))
        return contradiction(around.evaluator, structure, found, around.directions, steps, least, domain)
    line, steps = around.directions[:1], np.ldexp(1.0, -WIDE)
    gap = contradiction(wide, structure, found, line, steps, around.inexact, domain)
    if gap.any():
        loud, _ = noise.along(wide, noise.direction(around.scale, rng), SPACINGS, len(structure.index), domain)
        gap = contradiction(wide, structure, found, line, steps, np.maximum(loud[0], around.inexact), domain)
    return gap


def reach(around: Surroundings, structure: Structure, gap: Array) -> Array:
    """Return what has to be added to the bounds of entries, any of which may contradict by `gap (outputs,)`."""
    moves = np.abs(structure.spread(around.directions[0][structure.index]))
    return np.asarray(2 * gap / np.maximum(moves, moves.max() / FARTHEST))


def contradiction(
    evaluator: Evaluator,
    structure: Structure,
    found: Entries,
    directions: Array,
    steps: Array,
    amplitude: Array,
    domain: Domain,
) -> Array:
    """Return by how much outputs' derivatives along random directions differ from what the Jacobian predicts, else 0.

    An output is contradicted if a quotient misses the prediction by more than bounds and noise explain, by more than
    truncation would leave of what the step before misses, and no finer step that can tell does not miss it (a kink
    nearer than the step). Outputs with a kink, or with an entry of which nothing is known, are left out: they are not
    linear. `amplitude (outputs,)`: of f's noise.
    """
    e = evaluator
    with np.errstate(all="ignore"):
        f, free = e.along(directions, np.concatenate([steps, -steps]), domain, "certificate")
        up, down = f[:, : len(steps)], f[:, len(steps) :]
        central = (up - down) / (2 * steps[:, None])
        central[~(free[:, : len(steps)] & free[:, len(steps) :])] = np.nan
        size = np.abs(e.f0) + np.maximum(np.abs(up), np.abs(down))
        noisy = np.maximum(ULPS * e.eps * size, amplitude) / steps[:, None]
        predicted, size, unsure = predict(structure, found, directions)
        # The sum of the prediction is rounded, and so are points.
        slip = EPS * (8 + len(structure.index)) * size[:, None]
        slip = slip + rounded(e.x, directions, steps)[:, :, None] * size[:, None]
        gap = np.abs(central - predicted[:, None])
        allowed = unsure[:, None] + SURE * (slip + noisy)
        total = np.zeros(e.f0.size)
        for k in range(1, len(steps)):
            wrong = (gap[:, k] > allowed[:, k]) & (gap[:, k] > STAYS * gap[:, k - 1])
            refuted = (CLEAR * allowed[:, k + 1 :] < gap[:, k, None]) & (gap[:, k + 1 :] <= allowed[:, k + 1 :])
            total = np.fmax(total, np.where(wrong & ~refuted.any(axis=1), gap[:, k], 0).max(axis=0))
    if total.any():
        unknown = ~np.isfinite(found.bound)
        total[(unknown if found.is_smooth else unknown | found.kink | found.jump).any(axis=0)] = 0
    return total


def rounded(x: Array, directions: Array, steps: Array) -> Array:
    """Return by which share points x ± step · direction, `(directions, steps)`, are too near to x or too far."""
    moves = steps[:, None] * np.where(directions == 0, 1, directions)[:, None]
    off = np.maximum(np.abs((x + moves) - x - moves), np.abs(x - (x - moves) - moves))
    share: Array = (off / np.abs(moves)).max(axis=-1).astype(np.float64)
    return share


def finer(structure: Structure, scale: Array, found: Entries) -> Array:
    """Return steps finer than those at which the entries (a sample of those with a bound) were judged.

    And finer by √n, because n entries move together.
    """
    some = slice(None, None, 1 + found.step.size // SAMPLE)
    unit = np.broadcast_to(structure.spread(scale[structure.index]), found.step.shape)
    ratio = np.abs(found.step.ravel()[some]) / unit.ravel()[some]
    ratio = ratio[(ratio > 0) & np.isfinite(found.bound.ravel()[some])]
    level = -math.log2(np.partition(ratio, ratio.size // 2)[ratio.size // 2]) if ratio.size else 5.0
    return relative_steps(int(level + math.log2(len(structure.index)) / 2) + np.array(FINER))


def predict(structure: Structure, found: Entries, directions: Array) -> tuple[Array, Array, Array]:
    """Return J · d for each direction d, Σ |J| |d| and Σ bound · |d|: `(directions, outputs)` each."""
    outputs = structure.slot.size
    predicted, size, unsure = np.zeros((3, len(directions), outputs))
    for part in structure.blocks(BLOCK_ENTRIES):
        value, bound = found.value[part], np.add(found.truncation[part], found.rounding[part])
        index = structure.index[part]
        for i, d in enumerate(directions):
            weight = structure.spread(d[index])
            predicted[i] += np.einsum("co,co->o", value, weight)
            weight = np.abs(weight)
            size[i] += np.einsum("co,co->o", np.abs(value), weight)
            unsure[i] += np.einsum("co,co->o", bound, weight)
    return predicted, size, unsure


def touched_by_others(around: Surroundings, structure: Structure, outputs: Array) -> bool:
    """Return whether one of these outputs moves otherwise when all entries move than when its own alone do."""
    e, x = around.evaluator, around.evaluator.x
    everything = moved(x, around.directions[1], around.domain)
    points = np.tile(x, (1 + len(outputs), 1))
    points[0] = everything
    for point, output in zip(points[1:], outputs, strict=True):
        own = structure.index[:, structure.slot[output]]
        point[own] = everything[own]
    f = e(None, points, "certificate")
    together, alone = f[0, outputs], f[np.arange(1, len(f)), outputs]
    with np.errstate(all="ignore"):
        allowed = REORDERED * e.eps * (np.abs(together) + np.abs(e.f0[outputs]))
        return not bool((np.isnan(together) | (np.abs(together - alone) <= allowed)).all())
