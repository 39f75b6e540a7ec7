"""Layers that learn while they go back: `backward_propagation(dy, learning_rate)`, `backward(x, dy)`, and their like.

The update is w ← w − learning_rate · dL/dw. With a learning rate of 1, the gradient is what the weight lost; its
rounding is that of the weight. The learning rate is an argument, or an attribute of the layer.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters import arguments, examples, returned, weights
from gradcheck.adapters.construct import Made, duplicate
from gradcheck.adapters.generations import has
from gradcheck.adapters.isolated import Live
from gradcheck.adapters.protocol import Interface
from gradcheck.adapters.weights import Slot
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array, Method, Problem, Sizes, Values, Variable

PAIRS = (
    ("forward_propagation", "backward_propagation"),
    ("forward_prop", "backward_prop"),
    ("forward_pass", "backward_pass"),
    ("feedforward", "backpropagate"),
    ("forward", "backward_propagation"),
    ("forward", "backward"),
)
RATES = frozenset({"learning_rate", "lr", "eta", "rate", "learningrate", "step_size"})


@dataclass(frozen=True)
class Style:
    """How one class is called. `rate`: the name of the learning rate; `again`: backward takes the inputs once more."""

    forward: str
    backward: str
    rate: str | None
    again: bool

    def ask(self, obj: Any, inputs: list[Array], cotangent: Array) -> Any:
        """Ask for the input gradient, with a learning rate of 1."""
        fixed = {self.rate: 1.0} if self.rate is not None else {}
        for name in RATES & set(vars(obj)):
            setattr(obj, name, 1.0)
        return getattr(obj, self.backward)(*(inputs if self.again else ()), cotangent, **fixed)


def style_of(thing: Any) -> Style | None:
    """Return how `thing` is called; plain `backward` only with a learning rate, or with the inputs once more."""
    for forward, backward in PAIRS:
        if has(thing, forward) and has(thing, backward):
            before, after = _names(thing, forward), _names(thing, backward)
            rate = next((name for name in after if name.lower() in RATES), None)
            again = (
                bool(before) and after[: len(before)] == before and len(after) - (rate is not None) == len(before) + 1
            )
            if backward != "backward" or rate is not None or again:
                return Style(forward, backward, rate, again)
    return None


def _names(thing: Any, method: str) -> list[str]:
    try:
        names = list(inspect.signature(getattr(thing, method)).parameters)
    except (TypeError, ValueError):  # no signature, no names
        return []
    return names[1:] if inspect.isclass(thing) and inspect.isfunction(inspect.getattr_static(thing, method)) else names


def recognises(thing: Any) -> bool:
    """A forward and a backward method of one of the pairs."""
    return style_of(thing) is not None


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that `made` poses. Raises CannotBuild where it cannot be called."""
    style = style_of(made.obj)
    assert style is not None
    obj = made.obj
    meanings = list(arguments.signature_of(getattr(obj, style.forward), obj).roles)
    if made.inputs is not None:
        given = [np.asarray(array) for array in made.inputs]
        meanings = [arguments.fitting(r, a) for r, a in zip(meanings, given, strict=True)]
    else:
        meanings, given = _probed(obj, style, meanings, sizes, rng)
    slots = weights.apart(_updated(obj, style, given), [role.name for role in meanings])
    live = Live(obj, slots, [role.name for role in meanings], getattr(obj, style.forward))
    inputs = [Variable(r.name, "input", a, r.constant, r.domain, r.data) for r, a in zip(meanings, given, strict=True)]
    by_weight = [Variable(slot.name, "weight", np.array(slot.array)) for slot in slots]
    names = [v.name for v in inputs]
    shapes = [v.example.shape for v in inputs]

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        # Weights are changed in place or rebound by the update: each question is asked of a fresh call.
        copies = {name: np.array(array) for name, array in values.items()}

        def ask(cotangents: list[Array]) -> list[Any]:
            call = live.at({name: array.copy() for name, array in copies.items()})
            mine = returned.listed(style.ask(obj, call.given, cotangents[0]), names, shapes, style.backward)
            return [*mine, *(copies[slot.name] - _current(slot) for slot in slots)]

        return ask

    method = Method(style.backward, "vjp", (*names, *(slot.name for slot in slots)), at)
    return Problem((*inputs, *by_weight), live.forward, (method,), live.habits.random)


def _current(slot: Slot) -> Array:
    """The weight as the update left it."""
    found = returned.plain(slot.places[0].holder[slot.places[0].key])
    assert found is not None
    return found


def _probed(
    obj: Any, style: Style, meanings: list[arguments.Role], sizes: Sizes, rng: np.random.Generator
) -> tuple[list[arguments.Role], list[Array]]:
    if not meanings:
        raise CannotBuild("its forward takes no array")
    before = {place.path: np.shape(value) for value, place in weights.places(obj)}

    def runs(arrays: list[Array]) -> None:
        returned.filled(getattr(duplicate(obj), style.forward)(*arrays))

    def both(arrays: list[Array]) -> None:
        twin = duplicate(obj)
        output = returned.outputs(getattr(twin, style.forward)(*arrays))[0]
        said = returned.plain(style.ask(twin, arrays, np.ones_like(output, dtype=float)))
        if said is not None and said.shape != arrays[0].shape:
            raise ValueError("another shape than the input's")
        after = {place.path: np.shape(value) for value, place in weights.places(twin)}
        if any(after.get(path) != shape for path, shape in before.items()):
            raise ValueError("another shape than the weight's")

    shapes = [value.shape for value, _ in weights.places(obj) if isinstance(value, np.ndarray) and value.ndim]
    return examples.find(meanings, sizes, shapes, rng, runs, both)


def _updated(obj: Any, style: Style, given: list[Array]) -> list[Slot]:
    """Find the weights: what a backward changes, and a forward alone does not."""
    twin = duplicate(obj)
    mine = {place.path: (value, place) for value, place in weights.places(obj)}
    around = [place for value, place in weights.places(twin) if isinstance(value, np.ndarray)]
    with np.errstate(all="ignore"):
        arrays = [array.copy() for array in given]
        output = returned.outputs(getattr(twin, style.forward)(*arrays))[0]
        before = [(p, np.array(p.holder[p.key])) for p in around if isinstance(p.holder, (dict, list))]
        try:
            style.ask(twin, arrays, np.ones_like(output, dtype=float))
        except Exception:  # said again when the claim is asked; until then, what looks like a weight is one
            return [
                _slot(path, mine) for path, (value, _) in mine.items() if isinstance(value, np.ndarray) and value.ndim
            ]
    changed = [p.path for p, old in before if not np.array_equal(old, p.holder[p.key], equal_nan=True)]
    return [_slot(path, mine) for path in changed if path in mine]


def _slot(path: str, mine: dict[str, tuple[Any, Any]]) -> Slot:
    value, place = mine[path]
    return Slot(path.lstrip("_"), value, (place,))


INTERFACE = Interface(
    "backward_propagation(upstream, learning_rate) or the like, which updates the weights", recognises, build
)
