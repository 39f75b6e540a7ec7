"""Shapes: inputs with more or fewer axes, with one entry more along each axis, of other sizes, and broadcast ones.

Forward decides: a shape that it takes, of which it makes finite numbers, is one that the claim is about.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from gradcheck.adapters import widths
from gradcheck.errors import CannotBuild
from gradcheck.problem import Sizes, Variable
from gradcheck.variants.axes import counts_axes, names_axes, transposes
from gradcheck.variants.offer import Offer, Usual
from gradcheck.variants.screen import outputs
from gradcheck.variants.variant import Kind, Variant

Shape = tuple[int, ...]
COUNTED = ("no axis", "one axis", "two axes", "three axes", "four axes", "five axes")

# More features than a loop was written for, a batch smaller than the features, all sizes the same, an odd batch.
SIZES = (Sizes(4, 12, 9), Sizes(2, 4, 3), Sizes(4, 4, 4), Sizes(9, 3, 4), Sizes(40, 4, 3))


def shapes(usual: Usual) -> Iterator[Offer]:
    """Offer other shapes, those of the very same object first."""
    inputs = {v.name: np.shape(v.example) for v in usual.inputs}
    weighted = any(v.role == "weight" for v in usual.problem.variables)
    for rank, found in _ranks(inputs):
        if weighted and rank < len(_first(inputs)):
            continue  # one sample alone: gradients of weights are sums over samples
        where = f"for inputs of {COUNTED[rank]}"
        yield Offer("rank", where, partial(_reranked, usual, where, found), "ranks")
    for found in _broadcast(usual.inputs):
        name, shape = next(iter(found.items()))
        where = f"where inputs are broadcast ({name} of shape {shape})"
        yield Offer("shape", where, partial(_broadcasting, usual, where, found), "broadcast")
    larger = {v.name: np.shape(v.example) for v in usual.with_room.variables if v.name in inputs}
    fixed = widths.declared(usual.subject.code[0]) if usual.subject.code else []
    for found in (*([larger] if larger != inputs else []), *_longer(inputs, 1, fixed)):
        where = f"for inputs of shape {_first(found)}"
        yield Offer("shape", where, partial(_afresh, usual, where, found))
    for sizes in SIZES:
        where = f"for a batch of {sizes.batch} with {sizes.inputs} features"
        yield Offer("shape", where, partial(_resized, usual, where, sizes))
    for found in itertools.islice(_longer(inputs, 2), 1):
        where = f"in a later call of the same object, with {_first(found)[0]} for {_first(inputs)[0]} rows"
        yield Offer("state", where, partial(_reshaped, usual, "state", where, found))


def _first(found: Mapping[str, Shape]) -> Shape:
    return next(iter(found.values()))


def _reshaped(usual: Usual, kind: Kind, where: str, found: Mapping[str, Shape]) -> Variant | None:
    problem = usual.reshaped(found)
    values = usual.filled(problem)
    return None if outputs(problem, values) is None else usual.variant(kind, where, values, problem)


def _reranked(usual: Usual, where: str, found: Mapping[str, Shape]) -> Variant | None:
    """A forward that counts its axes from the front, or averages a loss over samples, means the axes that it has."""
    made = _reshaped(usual, "rank", where, found)
    if made is None:
        return None
    of_samples = any(v.constant for v in usual.inputs) and not _is_of_entries(usual, made)
    fixed = of_samples or counts_axes(usual.subject.code)
    return replace(made, noted=fixed or _turns_a_vector(usual, found))


def _is_of_entries(usual: Usual, made: Variant) -> bool:
    """Whether a loss is one of entries, along whichever axes they stand: it names none, and is the same in two axes."""
    if names_axes(usual.subject.code):
        return False
    inputs = [v.name for v in usual.inputs]
    flat = {name: value.reshape(len(value), -1) for name, value in made.values.items() if name in inputs and value.ndim}
    problem = usual.reshaped({name: value.shape for name, value in flat.items()}, made.problem)
    before, after = outputs(made.problem, made.values), outputs(problem, {**made.values, **flat})
    if before is None or after is None or [one.size for one in (*before, *after)] != [1, 1]:
        return False
    return bool(np.allclose(before[0].ravel(), after[0].ravel(), rtol=1e-12, atol=0.0))


def _broadcasting(usual: Usual, where: str, found: Mapping[str, Shape]) -> Variant | None:
    made = _reshaped(usual, "shape", where, found)
    return made and replace(made, noted=_turns_a_vector(usual, found))


def _turns_a_vector(usual: Usual, found: Mapping[str, Shape]) -> bool:
    return any(len(shape) == 1 for shape in found.values()) and transposes(usual.subject.code)


def _afresh(usual: Usual, where: str, found: Mapping[str, Shape]) -> Variant | None:
    """On a new object: what an earlier call may have left behind is another matter."""
    try:
        problem = usual.reshaped(found, usual.subject.build(Sizes(), np.random.default_rng([usual.seed, 0, 0])))
    except CannotBuild:
        return None
    values = usual.filled(problem)
    return None if outputs(problem, values) is None else usual.variant("shape", where, values, problem)


def _resized(usual: Usual, where: str, sizes: Sizes) -> Variant | None:
    try:
        problem = usual.subject.build(sizes, np.random.default_rng([usual.seed, 13]))
    except CannotBuild:
        return None
    return usual.variant("shape", where, usual.filled(problem), problem)


def _ranks(inputs: Mapping[str, Shape]) -> Iterator[tuple[int, dict[str, Shape]]]:
    """All inputs with more axes after the first, then without their first one."""
    ranks = {len(shape) for shape in inputs.values()}
    if len(ranks) != 1:
        return
    (rank,) = ranks
    for more in ((3,), (3, 2)):
        if rank > 1 and rank + len(more) <= 4:
            yield rank + len(more), {name: (s[0], *more, *s[1:]) for name, s in inputs.items()}
    if rank > 1:
        yield rank - 1, {name: s[1:] for name, s in inputs.items()}
    if rank == 1:
        yield 2, {name: (3, *s) for name, s in inputs.items()}


def _longer(inputs: Mapping[str, Shape], more: int, fixed: Sequence[int] = ()) -> Iterator[dict[str, Shape]]:
    """So many entries more along each axis, of all inputs that are as long along it; samples aside, none is `fixed`."""
    first = _first(inputs) if inputs else ()
    for axis, length in enumerate(first):
        if length < 2 or (axis and length in fixed):
            continue
        found = {
            name: (*s[:axis], length + more, *s[axis + 1 :])
            for name, s in inputs.items()
            if len(s) > axis and s[axis] == length
        }
        yield {name: found.get(name, shape) for name, shape in inputs.items()}


def _broadcast(inputs: list[Variable]) -> Iterator[dict[str, Shape]]:
    """Two inputs of the same shape, the second (the first) a row or a column."""
    free = [v for v in inputs if not v.constant and v.data == "real"]
    if len(inputs) != 2 or len(free) != 2 or len({np.shape(v.example) for v in free}) != 1:
        return
    shape = np.shape(free[0].example)
    if len(shape) != 2 or min(shape) < 2:
        return
    for v in reversed(free):
        yield {v.name: shape[1:]}
        yield {v.name: (shape[0], 1)}
