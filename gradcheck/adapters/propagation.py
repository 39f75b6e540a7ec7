"""Layers that learn while they go back: `forward_propagation(x)`, `backward_propagation(dy, learning_rate)`.

The update is w ← w − learning_rate · dL/dw. With a learning rate of 1 the weight's gradient is what it lost. It is
measured from a weight that is exactly representable beside its gradient: w = 0 would change the layer, so that the
difference of two learning rates is not needed, but its rounding is that of w.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.adapters import answers, probe, roles, weights
from gradcheck.adapters.construct import Made, duplicate
from gradcheck.adapters.generations import has
from gradcheck.adapters.live import Live
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


def recognises(thing: Any) -> bool:
    """A forward and a backward method of one of the pairs; plain `backward` only where it takes a learning rate."""
    return _pair(thing) is not None


def _pair(thing: Any) -> tuple[str, str] | None:
    for forward, backward in PAIRS:
        if has(thing, forward) and has(thing, backward):
            if backward == "backward" and _rate(getattr(thing, backward)) is None:
                continue
            return forward, backward
    return None


def _rate(backward: Callable[..., Any]) -> str | None:
    """Return the name of the argument that is a learning rate."""
    try:
        names = list(inspect.signature(backward).parameters)
    except (TypeError, ValueError):  # no signature, no learning rate
        return None
    return next((name for name in names if name.lower() in RATES), None)


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that `made` poses. Raises CannotBuild where it cannot be called."""
    pair = _pair(made.obj)
    assert pair is not None
    forward, backward = pair
    obj = made.obj
    rate = _rate(getattr(obj, backward))
    signature = roles.signature_of(getattr(obj, forward), obj)
    if made.inputs is not None:
        meanings, given = list(signature.roles), [np.asarray(array) for array in made.inputs]
    else:
        meanings, given = _probed(obj, forward, backward, rate, signature, sizes, rng)
    slots = _updated(obj, forward, backward, rate, given)
    live = Live(obj, slots, [role.name for role in meanings], getattr(obj, forward))
    inputs = [Variable(r.name, "input", a, r.constant, r.domain, r.data) for r, a in zip(meanings, given, strict=True)]
    by_weight = [Variable(slot.name, "weight", np.array(slot.array)) for slot in slots]
    names = [v.name for v in inputs]
    shapes = [v.example.shape for v in inputs]

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        # Weights are changed in place or rebound by the update: each question is asked of a fresh call.
        copies = {name: np.array(array) for name, array in values.items()}

        def ask(cotangents: list[Array]) -> list[Any]:
            live.at({name: array.copy() for name, array in copies.items()})
            said = _ask(obj, backward, rate, cotangents[0])
            mine = answers.listed(said, names, shapes, backward)
            return [*mine, *(copies[slot.name] - _current(slot) for slot in slots)]

        return ask

    method = Method(backward, "vjp", (*names, *(slot.name for slot in slots)), at)
    return Problem((*inputs, *by_weight), live.forward, (method,))


def _ask(obj: Any, backward: str, rate: str | None, cotangent: Array) -> Any:
    fixed = {rate: 1.0} if rate is not None else {}
    return getattr(obj, backward)(cotangent, **fixed)


def _current(slot: Slot) -> Array:
    """The weight as the update left it."""
    found = answers.plain(slot.places[0].holder[slot.places[0].key])
    assert found is not None
    return found


def _probed(
    obj: Any,
    forward: str,
    backward: str,
    rate: str | None,
    signature: roles.Signature,
    sizes: Sizes,
    rng: np.random.Generator,
) -> tuple[list[roles.Role], list[Array]]:
    if not signature.roles:
        raise CannotBuild("its forward takes no array")

    def runs(arrays: list[Array]) -> None:
        answers.outputs(getattr(duplicate(obj), forward)(*arrays))

    def both(arrays: list[Array]) -> None:
        twin = duplicate(obj)
        output = answers.outputs(getattr(twin, forward)(*arrays))[0]
        said = answers.plain(_ask(twin, backward, rate, np.ones_like(output, dtype=float)))
        if said is not None and said.shape != arrays[0].shape:
            raise ValueError("another shape than the input's")
        after = {place.path: np.shape(value) for value, place in weights.places(twin)}
        if any(after.get(path) != shape for path, shape in before.items()):
            raise ValueError("another shape than the weight's")

    before = {place.path: np.shape(value) for value, place in weights.places(obj)}
    shapes = [value.shape for value, _ in weights.places(obj) if isinstance(value, np.ndarray) and value.ndim]
    return probe.find(list(signature.roles), sizes, shapes, rng, runs, both)


def _updated(obj: Any, forward: str, backward: str, rate: str | None, given: list[Array]) -> list[Slot]:
    """Find the weights: what a backward with a learning rate changes, and a forward alone does not."""
    twin = duplicate(obj)
    around = [(value, place) for value, place in weights.places(twin) if isinstance(value, np.ndarray)]
    mine = {place.path: (value, place) for value, place in weights.places(obj)}
    with np.errstate(all="ignore"):
        output = answers.outputs(getattr(twin, forward)(*[array.copy() for array in given]))[0]
        before = [
            (place, np.array(place.holder[place.key])) for _, place in around if isinstance(place.holder, (dict, list))
        ]
        try:
            _ask(twin, backward, rate, np.ones_like(output, dtype=float))
        except Exception:  # said again when the claim is asked; until then, what looks like a weight is one
            return [_slot(path, mine) for path in _likely(mine, given)]
    changed = [place.path for place, old in before if not np.array_equal(old, place.holder[place.key], equal_nan=True)]
    return [_slot(path, mine) for path in changed if path in mine]


def _likely(mine: dict[str, tuple[Any, Any]], given: list[Array]) -> list[str]:
    return [
        path
        for path, (value, _) in mine.items()
        if isinstance(value, np.ndarray) and value.ndim and path not in weights.TRACES
    ]


def _slot(path: str, mine: dict[str, tuple[Any, Any]]) -> Slot:
    value, place = mine[path]
    return Slot(path.lstrip("_"), value, (place,))
