"""The Jacobian of a function by one variable, each entry with a bound. Reads top to bottom as the story."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor

import numpy as np

from gradcheck.numerical.entries import Entries
from gradcheck.numerical.estimate import Cost, Estimate, TooLarge, size_of_rows
from gradcheck.numerical.evaluation import certificate, noise
from gradcheck.numerical.evaluation.evaluate import Evaluator, Forward
from gradcheck.numerical.evaluation.steps import LONGEST, Domain, both_sides, scales
from gradcheck.numerical.evaluation.structure import Structure, dense, find, stack
from gradcheck.numerical.evaluation.surroundings import Surroundings
from gradcheck.numerical.ladders import one_step, short, whole
from gradcheck.numerical.rules import floors
from gradcheck.problem import Array

# A bound is small enough at this share of its row's largest derivative; and where several points take one call, so that
# more of them cost little, at eps^ENOUGH of the largest of all (float64: 8e-10).
FINE, ENOUGH = 2.0**-24, 0.58
# Spacings (exponents) at which noise is measured along a direction: at one of them all points may be rounded alike. The
# coarsest one hears the waves that the steps of a short ladder step over; those of a long one take it further out.
SPACINGS, FARTHER = np.array([9.5, 16.0, 21.0]), 3
RESTS = 64  # roundings of its largest value are all that f moves by over a step of the size of x: it is at rest
ASKED = 8  # of the outputs that contradict the Jacobian are asked whether they depend on other entries


def estimate(
    forward: Forward,
    values: Mapping[str, Array],
    wrt: str,
    *,
    domain: Domain = None,
    seed: int = 0,
    executor: Executor | None = None,
    most: int | None = None,
    stackable: bool = True,
    accuracy: float = 0.0,
    progress: Callable[[int], None] | None = None,
) -> Estimate:
    """Return the Jacobian of `forward` by `values[wrt]`, with a bound for every entry.

    `forward(values)` must be pure. `domain`: the open interval in which the variable stays.
    `executor`: any `concurrent.futures.Executor`; forward must be picklable where it crosses processes.
    `stackable`: whether several points may be given to forward at once, along the batch (not where it is random).
    `accuracy`: how inexact f is, relative to itself, where forward stops at a tolerance. `progress(calls)`: called
    after every few calls of forward; what it raises ends the estimate.
    An entry that cannot be estimated has an infinite bound and the result a `reason`. Raises TooLarge where more than
    `most` entries would be estimated: those of a structure, or all where none is found.
    """
    rng = np.random.default_rng(seed)
    evaluator = Evaluator(forward, values, wrt, executor, progress)
    x, outputs = evaluator.x, evaluator.f0.size
    around = Surroundings.of(evaluator, domain, accuracy, rng) if x.size and outputs else None
    if around is None:
        return _result(
            evaluator, dense(x.size, outputs), Entries.nothing(x.size, outputs), np.zeros(outputs), x, evaluator
        )
    structure = find(evaluator, around.scale, domain, rng)
    _limit(structure, most)
    if stackable:
        around.stack(stack(evaluator, structure, around.scale, domain))
    found = _climb(around, structure, rng)
    if found is None:
        structure = dense(x.size, outputs)
        _limit(structure, most)
        around.stack(())
        found = _climb(around, structure, rng)
    assert found is not None
    return _result(evaluator, structure, found, around.variation(structure), around.scale, around.best)


def columns(
    forward: Forward, values: Mapping[str, Array], wrt: str, *, domain: Domain = None, seed: int = 0
) -> tuple[Array, Cost]:
    """Return which entries of `values[wrt]` move which outputs, `(colours, outputs)`, and what that costs."""
    evaluator = Evaluator(forward, values, wrt, None, None)
    return find(evaluator, scales(evaluator.x, domain), domain, np.random.default_rng(seed)).column, evaluator.cost


def _limit(structure: Structure, most: int | None) -> None:
    colours, outputs = structure.shape
    if most is not None and colours * outputs > most:
        raise TooLarge(f"{colours * outputs:,} entries, of which at most {most:,} may be estimated")


def _climb(around: Surroundings, structure: Structure, rng: np.random.Generator) -> Entries | None:
    """Return what one long step (affine functions), a short ladder or, where these do not do, a whole one finds.

    None where f does not have this structure.
    """
    e, scale, domain = around.evaluator, around.scale, around.domain
    together, line = len(structure.index), noise.direction(scale, rng)
    heard, rounding = noise.along(e, line, SPACINGS, together, domain)
    least = np.maximum(around.inexact, noise.borrowed(rounding, around.variation(structure)))
    heard = np.maximum(heard, least)
    affine = one_step.noise(e, around.directions, around.ends, domain)
    if affine is not None:
        found = one_step.climb(e, structure, scale, np.maximum(affine, around.inexact), domain)
        poor = _poor(around, structure, found)
    else:
        found = short.climb(e, structure, scale, heard[0], domain)
        rounded = _poor(around, structure, found, found.rounding > found.truncation)
        if rounded.any():
            some = np.flatnonzero(rounded)
            farther, _ = noise.along(e, line, SPACINGS[:1] - FARTHER, together, domain)
            louder = np.maximum(farther[0], heard[0])
            found.take_surer(some, short.climb(e, structure.part(some), scale, louder, domain, short.LONG))
        poor = _poor(around, structure, found) | _begins_to_move(around, structure, found)
    climbed = np.zeros(len(structure.index), dtype=bool)
    while True:
        if poor.any():
            found, some = found.own(), np.flatnonzero(poor)
            found.put(some, whole.climb(around, structure.part(some), least))
            climbed |= poor
        missed = certificate.missed(around, structure, found, heard[0], deep=bool(climbed.all()), rng=rng)
        off = np.flatnonzero(missed)
        if not off.size:
            return found
        if structure.name != "dense" and certificate.touched_by_others(
            around, structure, off[:: -(-off.size // ASKED)]
        ):
            return None
        poor = ~climbed
        if not poor.any():
            found.truncation += certificate.reach(around, structure, missed)
            return found


def _poor(around: Surroundings, structure: Structure, found: Entries, where: Array | bool = True) -> Array:
    """Return the colours with an entry (among those said) that is not resolved well enough."""
    bound = found.bound
    size = size_of_rows(found.value, bound, around.variation(structure))
    # An output that moves by its last bits only (a saturated softmax) has nothing that a closer look could resolve.
    f0, x = around.evaluator.f0, around.evaluator.x
    largest = float(np.max(np.abs(f0), where=np.isfinite(f0), initial=0.0))
    rests = size <= RESTS * around.evaluator.eps * largest / np.min(around.scale, initial=np.inf)
    size = np.where(rests, largest / max(float(np.abs(x).max(initial=0.0)), 1.0), size)
    enough = FINE * size
    if around.evaluator.perturbed.stacked:
        enough = np.minimum(enough, around.evaluator.eps**ENOUGH * size.max())
    return np.asarray((~(bound <= enough) & where).any(axis=1))


def _begins_to_move(around: Surroundings, structure: Structure, found: Entries) -> Array:
    """Return the colours with an entry of derivative 0 that moves its output at the longest step, if only there."""
    e, moves = around.evaluator, around.variation(structure) > 0
    still = (found.value == 0) & moves
    some = np.flatnonzero(still.any(axis=1))
    begins = np.zeros(len(structure.index), dtype=bool)
    for part in structure.part(some).blocks(short.BLOCK_VALUES // 2):
        index = structure.index[some[part]]
        new, _ = both_sides(e.x[index], LONGEST * around.scale[index], around.domain)
        f = e(index, new.reshape(-1, index.shape[1]), "steps").reshape(2, *still[some[part]].shape)
        begins[some[part]] = ((f != 0).any(axis=0) & still[some[part]]).any(axis=1)
    return begins


def _result(
    evaluator: Evaluator, structure: Structure, found: Entries, variation: Array, scale: Array, best: Evaluator
) -> Estimate:
    bound = found.bound
    if bound.size:
        x = structure.spread(scale[structure.index])
        least = floors.last_bits(evaluator.f0, best.perturbed.base, best.eps, found.value, x)
        if (found.value == 0).any():
            np.fmax(least, floors.lent(evaluator.f0, found.value, found.rounding, x), out=least)
        np.maximum(least, floors.hidden(found.value, bound, variation), out=least)
        np.maximum(found.rounding, least, out=found.rounding)
        bound = found.bound
    smooth, infinite = found.is_smooth, None
    if not smooth:
        infinite = np.stack([np.where(np.isinf(side), np.sign(side), 0) for side in (found.left, found.right)])
        infinite = infinite.astype(np.int8) if infinite.any() else None
    bent = not smooth and (infinite is not None or bool(found.kink.any() or found.jump.any()))
    least_scale = np.min(scale, initial=np.inf)
    return Estimate(
        wrt=evaluator.perturbed.wrt,
        variable_shape=evaluator.shape,
        output_shapes=evaluator.shapes,
        structure=structure.name,
        value=found.value,
        bound=bound,
        truncation=found.truncation,
        rounding=found.rounding,
        step=found.step,
        column=structure.column,
        zero_bound=noise.ULPS * evaluator.eps * np.nan_to_num(np.abs(evaluator.f0), nan=np.inf) / least_scale,
        variation=variation,
        kink=found.kink if bent else None,
        jump=found.jump if bent else None,
        left=found.left if bent else None,
        right=found.right if bent else None,
        infinite=infinite,
        one_sided=found.one_sided if not smooth and found.one_sided.any() else None,
        reason=None if np.isfinite(bound).all() else _reason(evaluator, found),
        cost=evaluator.cost,
    )


def _reason(evaluator: Evaluator, found: Entries) -> str:
    """Return why an entry could not be estimated."""
    if not np.isfinite(evaluator.f0).all():
        return "f is not finite at the point"
    if found.jump.any():
        return "f jumps at the point"
    if not found.is_smooth and np.isinf([found.left, found.right]).any():
        return "f is infinitely steep at the point"
    return evaluator.perturbed.error or "no two steps agree: f is not finite or not smooth near the point"
