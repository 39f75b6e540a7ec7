"""A gradient tape as a subject of its own: two small networks of gradcheck's layers, on the package's base class.

    chain:             x → x·w1 + b1 → s → ·w2 + b2 → mean of squares
    paths that meet:   u → u·v + c = h, then s(h) + h → mean of squares     (h is used twice: its gradients add;
                       a third call of u·v + c leads nowhere)

s(x) = x / √(1 + x²). The variables of the two are different, so that each claim is about one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters import package, returned
from gradcheck.adapters.construct import Made
from gradcheck.adapters.generations import names_of
from gradcheck.adapters.protocol import Interface
from gradcheck.adapters.recorded import Kit
from gradcheck.adapters.tape import as_tensor, takes_sources, takes_upstream
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array, Method, Problem, Sizes, Suspect, Values, Variable

# One generic point shows how gradients are wired: sizes and scales do not matter to a tape.

CHAIN = ("w1", "b1", "w2", "b2")
MEET = ("v", "c")


def recognises(thing: Any) -> bool:
    """A class (or an instance of one) that is entered, left and asked for a gradient."""
    return package.is_tape(thing if isinstance(thing, type) else type(thing))


def base_of(tape: type) -> type:
    """Return the base class whose calls `tape` records (CannotBuild where none is found)."""
    found: list[type] = []
    for module in package.modules(tape):
        around = [module, *(package.sibling(module.__name__, name) for name in package.TAPES)]
        for one in around:
            found += [t for t in vars(one).values() if isinstance(t, type) and names_of(t)] if one is not None else []
    for cls in found:
        if cls.__name__ == "Diffable" or "gradient_tape" in vars(cls):
            return cls
    raise CannotBuild("no class was found beside it whose calls it records")


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that the tape poses. Raises CannotBuild where its package has no base class for layers."""
    tape = type(made.obj)
    base = base_of(tape)
    generation = names_of(base)
    assert generation is not None
    tensor = as_tensor(package.tensor_of(base))
    kit = Kit(base, generation, tensor, bare=not takes_sources(tape))
    # A tape wires gradients together and computes none: small networks show all that it can do wrong.
    batch, i, hidden, o = min(sizes.batch, 2), min(sizes.inputs, 2), 3, 1
    shapes = {"x": (batch, i), "w1": (i, hidden), "b1": (1, hidden), "w2": (hidden, o), "b2": (1, o)}
    if takes_sources(tape):
        shapes |= {"u": (batch, i), "v": (i, o), "c": (1, o)}
    variables = tuple(
        Variable(name, "input" if name in "xu" else "weight", np.round(rng.normal(size=shape), 2))
        for name, shape in shapes.items()
    )
    try:
        with np.errstate(all="ignore"):
            _chain(kit, {name: tensor(np.zeros(shape)) for name, shape in shapes.items()})
    except NotImplementedError as error:
        raise CannotBuild(f"its package's layers cannot be called yet: {error}") from error
    methods = [_method("tape.gradient", tape, kit, _chain, "x", CHAIN, variables)]
    if takes_sources(tape):
        methods.append(_method("tape.gradient (paths that meet)", tape, kit, _meet, "u", MEET, variables))
    if takes_upstream(tape):
        methods.append(_method("tape.gradient (weights alone)", tape, kit, _chain, "", CHAIN, variables))
    return Problem(variables, _forward, tuple(methods))


def _forward(values: Values) -> list[Array]:
    """Both losses, computed without the package."""
    v = {name: np.asarray(array) for name, array in values.items()}
    last = _squash(v["x"] @ v["w1"] + v["b1"]) @ v["w2"] + v["b2"]
    losses = [np.asarray(np.sum(last * last) / (2 * len(last)))]
    if "u" in v:
        h = v["u"] @ v["v"] + v["c"]
        meet = _squash(h) + h
        losses.append(np.asarray(np.sum(meet * meet) / (2 * len(meet))))
    return losses


def _squash(x: Array) -> Array:
    return np.asarray(x / np.sqrt(1 + x * x))


def _chain(kit: Kit, v: dict[str, Any]) -> Any:
    first, last = kit.affine(v["w1"], v["b1"]), kit.affine(v["w2"], v["b2"])
    return kit.half_square()(last(kit.squash()(first(v["x"]))))


def _meet(kit: Kit, v: dict[str, Any]) -> Any:
    h = kit.affine(v["v"], v["c"])(v["u"])
    kit.affine(v["v"], v["c"])(v["u"])  # leads nowhere: nothing flows back through it
    return kit.half_square()(kit.add()(kit.squash()(h), h))


def _method(
    name: str,
    tape: type,
    kit: Kit,
    network: Callable[[Kit, dict[str, Any]], Any],
    data: str,
    weights: Sequence[str],
    variables: Sequence[Variable],
) -> Method:
    # The contract of most tapes is about weights; one that takes upstream gradients knows any source, asked or not.
    sources = (data, *weights) if data and takes_upstream(tape) else tuple(weights)
    shapes = [v.example.shape for wanted in sources for v in variables if v.name == wanted]

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        tensors = {v.name: kit.tensor(np.array(values[v.name])) for v in variables}
        recording = tape()
        with recording:
            loss = network(kit, tensors)

        def ask(_: list[Array]) -> list[Any]:
            if takes_sources(tape):
                said = recording.gradient(loss, [tensors[source] for source in sources])
            else:
                said = recording.gradient()
            return list(returned.listed(said, sources, shapes, "tape.gradient"))

        return ask

    return Method(name, "sum", sources, at, _suspects(sources) if data == "u" else (), certain=True)


def _suspects(sources: Sequence[str]) -> tuple[Suspect, ...]:
    """Where paths meet at h, a gradient that is overwritten instead of added is that of one path alone."""

    def along(path: Callable[[Array], Array]) -> Callable[[Values], list[Any]]:
        def at(values: Values) -> list[Any]:
            v = {name: np.asarray(array, dtype=float) for name, array in values.items()}
            h = v["u"] @ v["v"] + v["c"]
            g = (_squash(h) + h) / len(h) * path(h)
            found = {"u": g @ v["v"].T, "v": v["u"].T @ g, "c": g.sum(axis=0, keepdims=True)}
            return [found[name] for name in sources]

        return at

    sentence = "The gradients of two paths meet at a tensor and are not added: only one of them arrives."
    slopes: tuple[Callable[[Array], Array], ...] = (np.ones_like, lambda h: (1 + h * h) ** -1.5)
    return tuple(Suspect("gradients that meet are not added", sentence, along(slope)) for slope in slopes)


INTERFACE = Interface("a GradientTape with gradient(target, sources)", recognises, build, fixed=True)
