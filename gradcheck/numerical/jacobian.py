"""The Jacobian of a function by one variable, each entry with a bound. Reads top to bottom as the story."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor

import numpy as np

from gradcheck.numerical import affine, certificate, judge, second_look, short, tails, vouch
from gradcheck.numerical.estimate import Estimate, TooLarge, largest_known, size_of_derivative
from gradcheck.numerical.evaluate import Evaluator, Forward
from gradcheck.numerical.extended import Extended
from gradcheck.numerical.found import Found
from gradcheck.numerical.ladder import ULPS, Ladder
from gradcheck.numerical.structure import Structure, dense, find, stack
from gradcheck.problem import Array

# Where the bound of a short ladder stays above eps^ENOUGH of the scale (float64: 8e-10), the whole one is climbed.
ENOUGH = 0.58
# Features of f whose slope is below this share of the largest derivative hide in its rounding: no bound is below that.
# Where whole ladders were needed, what f rounds inside shows more of itself.
FLOOR, WHOLE_FLOOR = 2.0**-40, 2.0**-39


def estimate(
    forward: Forward,
    values: Mapping[str, Array],
    wrt: str,
    *,
    domain: tuple[float, float] | None = None,
    seed: int = 0,
    executor: Executor | None = None,
    most: int | None = None,
    accuracy: float = 0.0,
) -> Estimate:
    """Return the Jacobian of `forward` by `values[wrt]`, with a bound for every entry.

    `forward(values)` must be pure. `domain`: the open interval in which the variable stays.
    `executor`: any `concurrent.futures.Executor`; forward must be picklable where it crosses processes.
    `accuracy`: the relative error at which forward stops (a solver's tolerance), as far as its values may be off.
    An entry that cannot be estimated has an infinite bound and the result a `reason`. Raises TooLarge where more than
    `most` entries would be estimated: those of a structure, or all where none is found.
    """
    rng = np.random.default_rng(seed)
    evaluator = Evaluator(forward, values, wrt, executor)
    x, outputs = evaluator.x, evaluator.f0.size
    if x.size == 0 or outputs == 0:
        return _result(evaluator, dense(x.size, outputs), Found.nothing(x.size, outputs), np.zeros(outputs))
    ladder = Ladder.of(evaluator, domain)
    structure = find(evaluator, ladder.scale, domain, rng)
    _limit(len(structure.index) * outputs, most)
    evaluator.worker.stacked = stack(evaluator, structure, ladder.scale, domain)
    ladder.listen(evaluator, rng, together=len(structure.index))
    ladder.hear(accuracy * np.abs(evaluator.f0))
    extended = Extended(evaluator, domain)
    found, agrees = climb(evaluator, structure, ladder, extended, rng)
    if not agrees:
        # Either the structure is wrong or a short ladder was misled: the whole ladder, first as structured, then
        # densely.
        found = climb_all(evaluator, structure, ladder, extended)
        if structure.name != "dense" and not foretells(evaluator, structure, ladder, extended, found, rng):
            _limit(x.size * outputs, most)
            structure = dense(x.size, outputs)
            evaluator.worker.stacked = ()
            found, agrees = climb(evaluator, structure, ladder, extended, rng)
            if not agrees:
                found = climb_all(evaluator, structure, ladder, extended)
    found = vouch.widen(extended, structure, second_look.look(extended, structure, found))
    # Outputs did not move by a bit when what a certified structure calls zero was moved by about the scale.
    zero = ULPS * ladder.eps * np.abs(evaluator.f0) / ladder.scale.min()
    if accuracy:
        with np.errstate(all="ignore"):  # a step that is not known
            found.rounding = np.fmax(found.rounding, 2 * accuracy * np.abs(evaluator.f0) / found.step)
    return _result(evaluator, structure, found, zero)


def _limit(entries: int, most: int | None) -> None:
    if most is not None and entries > most:
        raise TooLarge(f"{entries:,} entries, of which at most {most:,} may be estimated")


def foretells(
    evaluator: Evaluator,
    structure: Structure,
    ladder: Ladder,
    extended: Extended,
    found: Found,
    rng: np.random.Generator,
) -> bool:
    """Return whether every output follows the Jacobian along random directions."""
    if evaluator.x.size == 1 or vouch.agrees(extended, structure, found):
        return True
    return not certificate.disagreement(evaluator, structure, ladder, found, rng).any()


def climb(
    evaluator: Evaluator, structure: Structure, ladder: Ladder, extended: Extended, rng: np.random.Generator
) -> tuple[Found, bool]:
    """Return what one long step (affine functions), a short ladder or, where these do not do, a whole one finds.

    And whether it foretells what happens along random directions.
    """
    if not ladder.ordinary(evaluator):
        found = climb_all(evaluator, structure, ladder, extended)
        return found, foretells(evaluator, structure, ladder, extended, found, rng)
    line = affine.probe(evaluator, ladder, rng)
    if line is not None:
        found = affine.climb(evaluator, structure, ladder, line.noise)
        agrees = vouch.agrees(extended, structure, found)
        return found, agrees or affine.foretold(line, evaluator, structure, ladder, found)
    # Long double is the better witness.
    witnesses = short.WITNESSES if extended.slope is None else short.WITNESSES[1:]
    found = short.climb(evaluator, structure, ladder, short.BRIEF, witnesses)
    for plan in (short.LONGER, short.FINER, None):
        if not (poor := _poor(evaluator, ladder, found)).size:
            break
        part, found = structure.part(poor), found.own()
        again = short.climb(evaluator, part, ladder, plan) if plan else climb_all(evaluator, part, ladder, extended)
        found.put(poor, again)
    found = tails.widen(evaluator, structure, ladder, found)
    return found, foretells(evaluator, structure, ladder, extended, found, rng)


def climb_all(evaluator: Evaluator, structure: Structure, ladder: Ladder, extended: Extended) -> Found:
    """Return what whole ladders find."""
    ladder.hear(extended.lost)
    return _floored(judge.climb(evaluator, structure, ladder, extended.lost), WHOLE_FLOOR)


def _floored(found: Found, share: float) -> Found:
    np.maximum(found.rounding, share * largest_known(found.value, found.bound), out=found.rounding)
    return found


def _poor(evaluator: Evaluator, ladder: Ladder, found: Found) -> Array:
    """Return the colours with an entry that is not resolved well enough."""
    bound = found.bound
    size = size_of_derivative(found.value, bound, evaluator.f0, evaluator.x)
    return np.flatnonzero(~(bound <= ladder.eps**ENOUGH * size).all(axis=1))


def _result(evaluator: Evaluator, structure: Structure, found: Found, zero: Array) -> Estimate:
    bound = _floored(found, FLOOR).bound
    reason = None
    if not np.isfinite(bound).all():
        reason = "f is not finite at the point" if not np.isfinite(evaluator.f0).all() else None
        reason = reason or ("f jumps at the point" if found.jump.any() else evaluator.worker.error)
        reason = reason or "no two steps agree: f is not finite or not smooth near the point"
    bent = found.bent
    return Estimate(
        wrt=evaluator.worker.wrt,
        variable_shape=evaluator.worker.values[evaluator.worker.wrt].shape,
        output_shapes=evaluator.shapes,
        structure=structure.name,
        value=found.value,
        bound=bound,
        truncation=found.truncation,
        rounding=found.rounding,
        step=found.step,
        column=structure.column,
        zero_bound=zero,
        kink=found.kink if bent else None,
        jump=found.jump if bent else None,
        left=found.left if bent else None,
        right=found.right if bent else None,
        reason=reason,
        cost=evaluator.cost,
    )
