"""Whole networks: their loss by every weight, as the code's own backward pass, or its value-and-gradient, says it.

    loss(X, y) → (loss, grads)                                      params in a dict or attributes
    loss(x, t) → loss                 gradient(x, t) → grads        also cost and cost_prime
    forward(x) → output               backprop(x, y) → grads, or left behind, or applied to the weights at once
    feedforward()                     backprop()                    data in the constructor

Where no loss is written, the one that most of what is written fits is assumed, and named.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters import examples, weights
from gradcheck.adapters.arguments import Role
from gradcheck.adapters.construct import Made, duplicate
from gradcheck.adapters.layer import Layer
from gradcheck.adapters.net import PENALTIES, PENALTY, Net
from gradcheck.adapters.plans import Plan, plans
from gradcheck.adapters.protocol import Interface, Settled
from gradcheck.adapters.unwritten import TABLE, Assumed, candidates, fitting
from gradcheck.adapters.ways import Way, called_on
from gradcheck.adapters.words import plain
from gradcheck.errors import CannotBuild, told
from gradcheck.problem import Array, Problem, Sizes

ROLES = [Role("x"), Role("y", True, "one-hot")]
TRIES = 200


def recognises(thing: Any) -> bool:
    """A loss with gradients, or a forward and a backward pass that is told the labels."""
    return any(True for _ in plans(thing))


def settle(made: Made, rng: np.random.Generator) -> Settled:
    """Take the first plan in which the network answers, with the loss that is written or assumed."""
    plan, assumed, usual = _usual(made, rng)
    return Settled(
        lambda other, sizes, draws: _posed(_layer(other, plan, assumed, sizes, draws, usual), assumed), usual.fits()
    )


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that the network poses. Raises CannotBuild where it cannot be called."""
    _, assumed, layer = _usual(made, rng)
    return _posed(layer, assumed)


def _usual(made: Made, rng: np.random.Generator) -> tuple[Plan, Assumed | None, Layer]:
    error: CannotBuild | None = None
    for plan in plans(made.obj):
        try:
            if plan.loss is not None or plan.backward is None:
                return plan, None, _answering(_layer(made, plan, None, Sizes(), rng))
            assumed, layer = _assuming(made, plan, rng)
            return plan, assumed, layer
        except CannotBuild as problem:
            error = error or problem
    raise error or CannotBuild("nothing is known about the arguments of its methods")


def _answering(layer: Layer) -> Layer:
    if isinstance(layer.study.said, Exception):
        raise CannotBuild(f"its gradients cannot be asked for: {told(layer.study.said)}") from layer.study.said
    if not layer.pairs:
        raise CannotBuild("no gradient of a weight was found in what it returns or leaves")
    return layer


def _assuming(made: Made, plan: Plan, rng: np.random.Generator) -> tuple[Assumed, Layer]:
    """The loss that is not written: the one of the table that most gradients fit."""
    best: tuple[int, Assumed, Layer] | None = None
    error: CannotBuild | None = None
    for assumed in candidates():
        try:
            layer = _answering(_layer(made, plan, assumed, Sizes(), rng))
            with np.errstate(all="ignore"):
                fits = fitting(layer.problem(), np.random.default_rng(0))
        except CannotBuild as problem:
            error = error or problem
            continue
        if best is None or fits > best[0]:
            best = fits, assumed, layer
        if fits == len(layer.pairs):
            break
    if best is None:
        raise error or CannotBuild("it cannot be asked")
    if not best[0]:
        names = ", ".join(TABLE)
        raise CannotBuild(f"its loss is not written, and none of its gradients fits {names}: give it a method `loss`")
    return best[1], best[2]


def _layer(
    made: Made, plan: Plan, assumed: Assumed | None, sizes: Sizes, rng: np.random.Generator, usual: Layer | None = None
) -> Layer:
    names = [name for name in (plan.loss, plan.forward, plan.backward) if name is not None]
    obj = duplicate(called_on(made.obj, names))
    for name in [name for name in getattr(obj, "__dict__", {}) if plain(name) in PENALTIES]:
        if isinstance(vars(obj)[name], (int, float)) and vars(obj)[name] == 0:
            setattr(obj, name, PENALTY)
    net = Net(obj, plan, assumed)
    way = Way("loss", ("gradients",), ())
    error: Exception | None = None
    first: Layer | None = None
    given = made.inputs or net.data_of_its_own()
    for roles, arrays in [(ROLES, given)] if given is not None else _data(net, sizes, rng):
        try:
            layer = Layer(Made(net, tuple(arrays)), way, sizes, rng, usual, roles, "net")
            layer.certain = made.inputs is not None
            if made.inputs is None and not layer.fits():
                raise layer.study.said if isinstance(layer.study.said, Exception) else ValueError("another shape")
        except Exception as problem:  # data of another shape are tried
            error = error or problem
            continue
        if not layer.study.silent and not layer.study.unpaired:
            return layer
        first = first or layer
    if first is not None:
        return first
    raise CannotBuild(f"no data were found that it accepts: {told(error)}") from error


def _data(net: Net, sizes: Sizes, rng: np.random.Generator) -> Iterator[tuple[list[Role], list[Array]]]:
    """Yield data and labels that a network may take: rows, columns, class numbers, or one-hot rows like its output."""
    shapes = [slot.array.shape for slot in weights.every(net) if slot.array.ndim]
    tried = 0
    for shape in [*_images(net), *examples.shapes(sizes, shapes)]:
        x = examples.draw(ROLES[0], shape, rng)
        for role, y in _labels(net, x, sizes, shapes, rng):
            try:
                with np.errstate(all="ignore"):
                    duplicate(net).loss(x.copy(), y.copy())
            except Exception:  # somebody else's network
                tried += 1
                if tried > TRIES:
                    return
                continue
            yield [ROLES[0], role], [x, y]


def _images(net: Net) -> list[tuple[int, ...]]:
    """What a network takes that says by default how large its images are."""
    try:
        defaults = [p.default for p in inspect.signature(type(net.net)).parameters.values() if "in" in p.name]
    except ValueError:  # a class without a readable signature
        return []
    sized = [
        one for one in defaults if isinstance(one, tuple) and len(one) in (2, 3) and all(type(n) is int for n in one)
    ]
    return [(2, *one) for one in sized]


def _labels(
    net: Net, x: Array, sizes: Sizes, shapes: Sequence[tuple[int, ...]], rng: np.random.Generator
) -> Iterator[tuple[Role, Array]]:
    hot, numbers = Role("y", True, "one-hot"), Role("y", True, "class-indices")
    try:
        with np.errstate(all="ignore"):
            output = np.shape(duplicate(net).output(x.copy()))
        widths = [output] if output else []
    except Exception:  # somebody else's network, which does not take this x
        return
    if not widths:
        narrow = [w[axis] for w in shapes if len(w) == 2 for axis in (1, 0)] + [sizes.outputs]
        widths = [(len(x), n) for n in dict.fromkeys(reversed(narrow))] if x.ndim else []
    for wide in widths:
        yield hot, examples.draw(hot, wide, rng) if wide[-1:] != (1,) else np.round(rng.uniform(size=wide))
        if len(wide) == 2:
            yield numbers, examples.draw(numbers, wide, rng)
            yield numbers, examples.draw(numbers, wide[::-1], rng)


def _posed(layer: Layer, assumed: Assumed | None) -> Problem:
    plan: Plan = layer.obj.plan
    asked = f"{plan.backward}({', '.join(plan.kinds)})" if plan.backward is not None else "its second value"
    loss = f"{plan.loss}(x, y)" if assumed is None else f"{assumed.shown} of {plan.forward}(x), which is assumed"
    found = layer.problem()
    rest = "; ".join(found.reading.split("; ")[1:])
    reading = f"the loss is {loss}; its gradients are {asked}"
    method = replace(found.methods[0], name=plan.backward or plan.loss or "gradients")
    return replace(found, methods=(method,), reading=f"{reading}; {rest}" if rest else reading)


INTERFACE = Interface(
    "loss(x, y) with gradients, or forward(x) and a backward pass that is told the labels",
    recognises,
    build,
    settle=settle,
)
