"""Engines: a class of nodes with operations as methods, and a backward pass that leaves gradients in them.

    Value(2.0) * Value(3.0)          micrograd: closures in `_backward`, `.backward()`, `.grad`
    Tensor(a) @ Tensor(b)            the same of arrays; `.backward()` or `.backward(upstream)`
    mul(Tensor(a), Tensor(b))        functions that make nodes

The class itself is asked about paths that meet; every operation is a claim of its own.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from gradcheck.adapters.arguments import Role
from gradcheck.adapters.construct import Made
from gradcheck.adapters.graph import BACKWARDS, Engine, Graph, Meeting, Method, engine_of
from gradcheck.adapters.interfaces.operations import style_of
from gradcheck.adapters.layer import Layer
from gradcheck.adapters.nodes import around, keeps_a_gradient
from gradcheck.adapters.places import VALUES
from gradcheck.adapters.protocol import Interface, Settled
from gradcheck.adapters.seeding import BRIEFLY, settled
from gradcheck.adapters.source import name_in, owner_of
from gradcheck.adapters.ways import Way, methods
from gradcheck.adapters.words import plain
from gradcheck.errors import CannotBuild, TimeLimit
from gradcheck.guarded import in_time
from gradcheck.problem import Problem, Sizes

WAY = Way("forward", ("backward",), ("upstream",))
BINARY = ("add", "sub", "mul", "truediv", "matmul", "pow")
ARITHMETIC = frozenset(
    {*(f"__{name}__" for name in BINARY), *(f"__r{name}__" for name in BINARY), "__neg__", "__abs__", "__div__"}
)
# What is given beside nodes where an operation does not take another node.
RAW: tuple[tuple[Any, ...], ...] = ((), (3,), (2.0,))


def is_engine(thing: Any) -> bool:
    """A class whose instances keep a gradient, with a backward pass and no forward: it is made of nodes."""
    return (
        inspect.isclass(thing)
        and keeps_a_gradient(thing)
        and any(name in methods(thing) for name in BACKWARDS)
        and "forward" not in methods(thing)
    )


@functools.lru_cache(maxsize=8)
def _engine(cls: type) -> Engine | None:
    """How an engine's class is used. Runs its operations."""
    found = engine_of(cls)
    every = [Method(name) for name in _names(cls)]
    return None if found is None else settled(found, [*every, *_beside(cls)])


def _names(cls: type) -> list[str]:
    """The methods of an engine's class that may be operations."""
    names = [name for name in methods(cls).values() if name in ARITHMETIC or not name.startswith("_")]
    return [name for name in names if plain(name) not in BACKWARDS]


def operations(cls: type) -> list[str]:
    """Return the methods of an engine's class that are operations: they make a node that is connected. Runs them."""
    engine = _engine(cls)
    if engine is None:
        return []
    sure = {name for name in _names(cls) if name in ARITHMETIC or _names_a_gradient(engine, name)}
    return [name for name in _names(cls) if _tried(engine, Method(name), name in sure)]


def _names_a_gradient(engine: Engine, name: str) -> bool:
    """Whether a function inside of a method is about gradients: it is an operation, though it may leave none."""
    code = getattr(inspect.getattr_static(engine.nodes.cls, name, None), "__code__", None)
    inner = [one for one in code.co_consts if isinstance(one, CodeType)] if code is not None else []
    return any(engine.gradient in one.co_names for one in inner)


def _beside(cls: type) -> Iterator[Callable[..., Any]]:
    """Operations that are no methods: functions that make nodes, and classes that are called, or applied."""
    for one in list(vars(sys.modules.get(cls.__module__, object)).values()):
        if _names_nodes(one) is cls:
            yield one
        elif inspect.isclass(one) and style_of(one) is not None:
            yield one.apply if hasattr(one, "apply") else _Called(one)


@dataclass(frozen=True)
class _Called:
    """An operation that is made anew for each call."""

    cls: type

    def __call__(self, *nodes: Any) -> Any:
        return self.cls()(*nodes)


def _tried(engine: Engine, operation: Callable[..., Any], surely: bool) -> tuple[int, tuple[Any, ...]] | None:
    """Return with how many nodes and which other arguments an operation makes a node; None where it is none.

    What is not `surely` an operation has to leave a gradient in what it was made of.
    """
    shapes = [()] if engine.nodes.scalar else [(2, 2), ()]
    for shape, (count, raw) in itertools.product(shapes, itertools.product((2, 1), RAW)):
        arrays = [np.full(shape, 0.5), np.full(shape, 0.75)][:count]
        if count == 2 and raw:
            continue
        try:
            with in_time(BRIEFLY), np.errstate(all="ignore"):
                graph = Graph(engine, operation, raw, 1)
                leaves = [engine.nodes(array) for array in arrays]
                made = operation(*leaves, *raw)
                if not isinstance(made, engine.nodes.cls) or any(made is leaf for leaf in leaves):
                    continue
                graph.forward(*arrays)
                left = graph.backward(np.ones(np.shape(engine.nodes.held(made))))
        except (Exception, TimeLimit):  # it takes something else, or is no operation
            if surely and _makes_a_node(engine, operation, arrays, raw):
                return count, raw
            continue
        if surely or any(one is not None and np.any(np.asarray(one) != 0) for one in left):
            return count, raw
    return None


def _makes_a_node(engine: Engine, operation: Callable[..., Any], arrays: list[Any], raw: tuple[Any, ...]) -> bool:
    try:
        with in_time(BRIEFLY):
            return isinstance(operation(*map(engine.nodes, arrays), *raw), engine.nodes.cls)
    except (Exception, TimeLimit):  # it takes something else
        return False


def _names_nodes(thing: Any) -> type | None:
    """The engine's class of which a plain function makes nodes, by its code."""
    if not inspect.isfunction(thing) or "." in thing.__qualname__:
        return None
    called = thing.__code__.co_names
    if not any(name in VALUES for name in called):
        return None  # it does not look into nodes
    return next((cls for cls in around(thing) if is_engine(cls) and cls.__name__ in called), None)


def recognises(thing: Any) -> bool:
    """An engine's class, one of its methods, or a function that makes its nodes."""
    if inspect.isclass(thing):
        return is_engine(thing)
    if not inspect.isfunction(thing):
        return False
    owner = owner_of(thing)
    if owner is not None:
        return is_engine(owner)
    cls = _names_nodes(thing)
    return cls is not None and (_has_a_rule(thing) or _is_operation(thing, cls))


def _has_a_rule(thing: Any) -> bool:
    """Whether a function writes down a rule of its own: a closure for the way back."""
    return any(isinstance(one, CodeType) for one in thing.__code__.co_consts)


def _is_operation(thing: Any, cls: type) -> bool:
    engine = _engine(cls)
    return engine is not None and _tried(engine, thing, True) is not None


def _graph(thing: Any) -> tuple[Graph, list[str]]:
    """What is asked about, and the names of its inputs."""
    owner = thing if inspect.isclass(thing) else owner_of(thing)
    cls = owner or _names_nodes(thing)
    engine = None if cls is None else _engine(cls)
    if cls is None or engine is None:
        raise CannotBuild("no node could be made of an array, or of a number")
    if inspect.isclass(thing):
        return Graph(engine, _meeting(engine, cls), times=1), ["a", "b"]
    operation: Callable[..., Any] = thing if owner is None else Method(name_in(owner, thing))
    found = _tried(engine, operation, True)
    if found is None:
        raise CannotBuild("it makes no node of one or two nodes")
    names = list(inspect.signature(thing).parameters)[: found[0]]
    return Graph(engine, operation, found[1]), names if len(names) == found[0] else ["a", "b"][: found[0]]


def _meeting(engine: Engine, cls: type) -> Meeting:
    """Paths that meet, by what operations there are of two nodes."""
    every: list[Callable[..., Any]] = [
        Method(name) for name in ("__mul__", "__add__", "__sub__") if name in methods(cls).values()
    ]
    known = [
        one for one in [*every, *_beside(cls)] if (found := _tried(engine, one, False)) is not None and found == (2, ())
    ]
    if not known:
        raise CannotBuild("no operation on two of its nodes was found")
    return Meeting(*known[:2])


def settle(made: Made, rng: np.random.Generator) -> Settled:
    """Take the ways of asking that it answers in usual sizes."""
    usual = _layer(made, Sizes(), rng)
    return Settled(lambda other, sizes, draws: _layer(other, sizes, draws, usual).problem(), usual.fits())


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that the operation poses. Raises CannotBuild where no node can be made."""
    return _layer(made, sizes, rng).problem()


def _layer(made: Made, sizes: Sizes, rng: np.random.Generator, usual: Layer | None = None) -> Layer:
    graph, names = _graph(made.obj)
    return Layer(Made(graph), WAY, sizes, rng, usual, [Role(name) for name in names])


def make(thing: Any, sizes: Sizes, rng: np.random.Generator, init: Any = None, variant: int = 0) -> Made:
    """The class or function itself: nodes are made of what is asked about."""
    return Made(thing)


def parts(thing: Any) -> Iterator[str]:
    """The operations of an engine's class, each a claim of its own."""
    if is_engine(thing):
        yield from operations(thing)


INTERFACE = Interface(
    "a class of nodes with operations, backward() and grad, and each of its operations",
    recognises,
    build,
    make,
    settle,
    parts=parts,
)
