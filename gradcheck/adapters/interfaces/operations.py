"""Operations of engines, each a class with a function and its gradient, on arrays or on the nodes of a graph.

    forward(ctx, *arrays)      backward(ctx, upstream)          static: PyTorch's autograd.Function, minitorch
    forward(*nodes)            backward(*nodes, upstream)       static
    compute(*arrays)           gradient(upstream, node)         called on nodes: needle
    __call__(*nodes)           backward_var(upstream, index)    MyGrad
    __call__(*nodes)           backward(upstream)               on what the call has kept: dezero

The class of the nodes is found beside the operation.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck.adapters import arguments, usage
from gradcheck.adapters.construct import Made
from gradcheck.adapters.generations import has
from gradcheck.adapters.layer import Layer
from gradcheck.adapters.nodes import Nodes, around, nodes_of
from gradcheck.adapters.operation import BareArray, Context, Operation, Style
from gradcheck.adapters.protocol import Interface, Settled
from gradcheck.adapters.ways import Way, methods, parameters
from gradcheck.adapters.words import CACHES, plain
from gradcheck.errors import CannotBuild
from gradcheck.problem import Problem, Sizes

# What an argument that is no node may be: an axis, a part of the array, a number.
RAW: tuple[Any, ...] = (1, 0, slice(0, 2), 2.0, None)
# What forward is called, and how the gradient is asked for.
WORDS: dict[Style, tuple[str, str]] = {
    "context": ("forward", "backward(ctx, upstream)"),
    "nodes": ("forward", "backward(inputs, upstream)"),
    "node": ("compute", "gradient(upstream, node)"),
    "index": ("__call__", "backward_var(upstream, index)"),
    "itself": ("forward", "backward(upstream)"),
}
WAY = Way("forward", ("backward",), ("upstream",))


def style_of(thing: Any) -> Style | None:
    """Return how an operation is asked; None where `thing` is none."""
    if has(thing, "backward_var") and _is_called(thing):
        return "index"
    told = _names(thing, "gradient") if has(thing, "compute") and has(thing, "gradient") else []
    if len(told) == 2 and (_is_called(thing) or plain(told[1]) == "node"):
        return "node"
    if not (has(thing, "forward") and has(thing, "backward")):
        return None
    forward, backward = _names(thing, "forward"), _names(thing, "backward")
    if forward and backward and plain(forward[0]) in CACHES and plain(backward[0]) in CACHES:
        return "context"
    if inspect.isfunction(inspect.getattr_static(thing, "forward")):
        return "itself" if _is_called(thing) and len(backward) == 1 and _has_nodes(thing) else None
    return "nodes" if forward and len(backward) == len(forward) + 1 and backward[: len(forward)] == forward else None


def _is_called(thing: Any) -> bool:
    return "__call__" in methods(thing)


def _names(thing: Any, method: str) -> list[str]:
    starred = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters(thing, method) if p.default is p.empty and p.kind not in starred]


def _has_nodes(thing: Any) -> bool:
    return any(True for _ in around(thing if inspect.isclass(thing) else type(thing)))


def recognises(thing: Any) -> bool:
    """A function and its gradient, in one of the styles."""
    return style_of(thing) is not None


@dataclass(frozen=True)
class Plan:
    """How an operation is asked: on nodes of this class or on arrays, with so many settings at the end."""

    style: Style
    nodes: Nodes | None
    wrapped: bool
    raw: tuple[Any, ...]


def _plans(obj: Any, style: Style) -> Iterator[Plan]:
    names = _inputs(obj, style)
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters(obj, _function(style)))
    kinds: list[Nodes | None] = [nodes for cls in around(type(obj)) if (nodes := nodes_of(cls)) is not None]
    kinds = [None, *kinds] if style == "context" else [*kinds, None] if style == "node" else kinds
    settings = sum(
        plain(name) in ("axis", "dim", "axes", "shape", "order", "index", "indices", "key") for name in names
    )
    counts = dict.fromkeys((settings, *range(len(names)))) if names and not variadic else (0,)
    for nodes, wrapped in itertools.product(kinds, (True, False)):
        if nodes is None and wrapped:
            continue
        for count in counts:
            for raw in itertools.product(RAW, repeat=count) if count < 3 else ():
                yield Plan(style, nodes, wrapped, raw)


def _function(style: Style) -> str:
    return WORDS[style][0]


def _inputs(obj: Any, style: Style) -> list[str]:
    names = _names(obj, _function(style))
    return names[1:] if style == "context" else names


def settle(made: Made, rng: np.random.Generator) -> Settled:
    """Take the first plan in which the operation answers."""
    plan, usual = _usual(made, rng)
    return Settled(lambda other, sizes, draws: _posed(plan, _layer(other, plan, sizes, draws, usual)), usual.fits())


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that the operation poses. Raises CannotBuild where it cannot be called."""
    return _posed(*_usual(made, rng, sizes))


def _posed(plan: Plan, layer: Layer) -> Problem:
    """The problem, in the code's own words."""
    found, (forward, asked) = layer.problem(), WORDS[plan.style]
    reading = f"{forward}({', '.join(layer.tried.names)}), then {asked}"
    methods = tuple(replace(one, name=asked.partition("(")[0]) for one in found.methods)
    return replace(found, methods=methods, reading=reading)


def _usual(made: Made, rng: np.random.Generator, sizes: Sizes | None = None) -> tuple[Plan, Layer]:
    style = style_of(made.obj)
    assert style is not None
    error: CannotBuild | None = None
    first: tuple[Plan, Layer] | None = None
    for plan in _plans(made.obj, style):
        try:
            found = _layer(made, plan, sizes or Sizes(), rng)
        except CannotBuild as problem:
            error = error or problem
            continue
        if found.fits():
            return plan, found
        # An array that came alone was answered at least: this is how it is asked, and what it does wrong.
        if first is None or (_is_bare(found) and not _is_bare(first[1])):
            first = plan, found
    if first is not None:
        return first
    raise error or CannotBuild("no class was found beside it that makes a node of an array")


def _is_bare(layer: Layer) -> bool:
    return isinstance(layer.study.said, BareArray)


def _layer(made: Made, plan: Plan, sizes: Sizes, rng: np.random.Generator, usual: Layer | None = None) -> Layer:
    given, raw = made.inputs, plan.raw
    if given is not None:
        raw = tuple(one for one in given if not _is_numeric(one))
        given = tuple(one for one in given if _is_numeric(one))
    names = _inputs(made.obj, plan.style)
    names = names[: len(names) - len(raw)] if names else ["a", "b"]
    operation = Operation(
        made.obj,
        plan.style,
        plan.nodes,
        raw,
        plan.wrapped,
        _context(type(made.obj)),
        plan.nodes is not None and usage.takes_a_bare_array(plan.nodes.cls.__module__),
    )
    found: Layer | None = None
    for count in [len(names)] if _inputs(made.obj, plan.style) else (2, 1):
        roles = arguments.roles_of(names[:count], made.obj)
        try:
            found = Layer(Made(operation, given), WAY, sizes, rng, usual, roles)
        except CannotBuild:
            if count == 1 or (len(names) == count and _inputs(made.obj, plan.style)):
                raise
            continue
        break
    assert found is not None
    return found


def _is_numeric(value: Any) -> bool:
    return isinstance(value, (np.ndarray, float, list, np.floating))


def _context(cls: type) -> Callable[[], Any]:
    """The context class beside the operation, which is to save; one of gradcheck's own where there is none."""
    for base in cls.__mro__[:-1]:
        for one in list(vars(sys.modules.get(base.__module__, object)).values()):
            if inspect.isclass(one) and has(one, "save_for_backward"):
                try:
                    saves = {name: True for name in inspect.signature(one).parameters if plain(name) == "requiresgrad"}
                    one(**saves)
                except Exception:  # one that wants something
                    continue
                return partial(one, **saves)
    return Context


INTERFACE = Interface(
    "forward(ctx, *arrays) and backward(ctx, upstream), or an operation on a graph's nodes with its gradient",
    recognises,
    build,
    settle=settle,
)
