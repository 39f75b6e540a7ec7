"""What one forward and one backward of an object tell: its weights, where the gradients are, what nobody can pair."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.adapters import gradients, weights
from gradcheck.adapters.answered import Answered, answered
from gradcheck.adapters.gradients import Offer, Paired
from gradcheck.adapters.pairing import is_gradient, names_fit, pair
from gradcheck.adapters.places import follow, label
from gradcheck.adapters.traces import Traces, traces
from gradcheck.adapters.weights import Slot, same
from gradcheck.problem import Array

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Inputs:
    """Names and shapes of the inputs, and which of them are constant; `flow`: what backward was told flows back."""

    names: Sequence[str]
    shapes: Sequence[Shape]
    constants: Sequence[str]
    flow: list[Array] = field(default_factory=list)


@dataclass(frozen=True)
class Study:
    """What is known after one backward.

    `said`: what it returned, or raised. `pairs`: weights with their gradients. `updated`: weights that it changes.
    `unpaired`: gradients that no weight is known for. `silent`: weights that no gradient is known for.
    """

    said: Any
    answered: Answered
    pairs: list[Paired]
    updated: list[Slot]
    unpaired: list[Offer]
    silent: list[Slot]


def study(
    obj: Any,
    twin: Any,
    run: Callable[[Any], object],
    ask: Callable[[Any], Any],
    inputs: Inputs,
    moving: Callable[[Sequence[Slot]], list[Slot]],
    rate: Callable[[], float],
    what: str,
    methods: Collection[str],
    part: str,
) -> Study:
    """Run and ask `twin`, and tell what that says about `obj`.

    `moving(slots)`: those that forward depends on. `what`: the method that goes back; `methods`: all that are called.
    `part`: of the object, whose methods may hand out gradients.
    """
    told = traces(twin, lambda: run(twin), lambda: ask(twin))
    held = [slot for slot in weights.every(obj) if not told.written & set(slot.paths)]
    touched = [slot for slot in held if set(slot.paths) & told.changed.keys()]
    updated = moving(touched) if touched else []
    # What backward changes and forward does not depend on is a gradient that there was room for.
    candidates = [slot for slot in held if slot not in touched or slot in updated]
    depends = _Once(lambda: moving(candidates))
    if isinstance(told.said, Exception):
        return Study(told.said, Answered(), [], updated, [], [])
    several = isinstance(told.said, (list, tuple)) or set(inputs.names) <= set(inputs.constants)
    shapes = [slot.array.shape for slot in depends()] if several else []
    split = answered(told.said, told.changed, inputs.names, inputs.shapes, inputs.constants, shapes)
    own = {path for slot in updated for path in slot.paths} | set(split.left.values())
    left = {path: value for path, value in told.changed.items() if path not in own}
    offers = [*gradients.left_behind(left), *split.rest(told.said, what), *gradients.handed_out(twin, part, methods)]
    known = [slot.original for slot in weights.every(twin) if slot.name in {one.name for one in candidates}]
    offers = [one for one in offers if not _is_of_input(one, told.said, split) and not _is_one_of(one, known)]
    pairs = pair(candidates, offers, depends)
    taken = {one.slot.name for one in pairs}
    by_update = [Paired(slot, gradients.applied(slot, rate())) for slot in updated if slot.name not in taken]
    order = [slot.name for slot in held]
    pairs = sorted([*pairs, *by_update], key=lambda one: order.index(one.slot.name))
    taken = {one.slot.name for one in pairs}
    return Study(
        told.said,
        split,
        pairs,
        updated,
        list(
            _unpaired(
                [one for one in offers if not _is_of_a_part_made_on_the_way(one, told)], pairs, inputs, told.written
            )
        ),
        [slot for slot in depends() if slot.name not in taken and slot.array.ndim],
    )


class _Once:
    """A list that is made when it is first wanted."""

    def __init__(self, make: Callable[[], list[Slot]]) -> None:
        self.make = make
        self.made: list[Slot] | None = None

    def __call__(self) -> list[Slot]:
        if self.made is None:
            self.made = self.make()
        return self.made


def _is_of_input(offer: Offer, said: Any, split: Answered) -> bool:
    """Whether this is the very array that came back as the gradient by an input."""
    if "()" in offer.path or not isinstance(offer.array, np.ndarray):
        return False
    mine = said if not isinstance(said, (list, tuple)) else said if split.whole else said[split.first : split.last]
    return any(same(one, offer.array) for one in (mine if isinstance(mine, (list, tuple)) else [mine]))


def _is_one_of(offer: Offer, known: Sequence[Any]) -> bool:
    """Whether this is a weight, handed out beside its gradient."""
    return "()" in offer.path and any(same(offer.array, one) for one in known)


def _is_of_a_part_made_on_the_way(offer: Offer, told: Traces) -> bool:
    """Whether this hangs on a part that forward makes anew: one layer for each step in time, say."""
    owner = label(offer.path).owner
    return bool(owner) and "()" not in offer.path and all(label(path).owner != owner for path in told.before)


def _unpaired(
    offers: Sequence[Offer], pairs: Sequence[Paired], inputs: Inputs, written: frozenset[str]
) -> Sequence[Offer]:
    """Gradients of nothing that is known: not of a weight, nor of an input or what forward computes on the way."""
    taken = [one.offer for one in pairs if one.offer is not None]
    on_the_way = [label(path).name for path in written] + [name.lower() for name in inputs.names]
    return [
        one
        for one in offers
        if is_gradient(one.path)
        and not any(one.path == other.path or same(one.array, other.array) for other in taken)
        and not any(names_fit(name, label(one.path).name) for name in on_the_way)
        and not any(np.array_equal(one.array, flow) for flow in inputs.flow)
    ]


def require_shapes(found: Study, arrays: Sequence[Array], twin: Any) -> None:
    """Raise ValueError where a gradient has another shape than what it is by, or holds objects instead of numbers:
    these inputs may not be meant, or not in this form."""
    asked = gradients.Asked(twin, found.said, {})
    first = found.said[0] if isinstance(found.said, (list, tuple)) and found.said else found.said
    about_inputs = not found.answered.keys and not found.answered.is_about_weights
    if isinstance(first, np.ndarray) and about_inputs and first.shape != arrays[0].shape:
        raise ValueError("another shape than the input's")
    if isinstance(first, np.ndarray) and first.dtype == object:
        raise ValueError("no numbers")
    if any("()" in one.path for one in found.unpaired):
        raise ValueError("a gradient that fits no weight")
    for one in found.pairs:
        read: Any = follow(twin, one.slot.paths[0]) if one.slot in found.updated else one.read(asked)
        if np.shape(read) != one.slot.array.shape:
            raise ValueError("another shape than the weight's")
