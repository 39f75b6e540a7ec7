"""How the backward pass of an engine is started: found out on small graphs, never by what comes out right.

Told an upstream gradient, it takes an array or a node, as the engine itself makes one where it is told none; and what
several calls leave adds up, or is what the last one says. Told none, it starts at 1, from one number.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters.graph import Engine
from gradcheck.adapters.nodes import Nodes
from gradcheck.errors import TimeLimit
from gradcheck.guarded import in_time
from gradcheck.problem import Array

Operation = Callable[..., Any]
# Seconds that an operation on a few numbers may take: a loop of somebody else's may be endless for a node without axes.
BRIEFLY = 0.25


def settled(engine: Engine, operations: Sequence[Operation]) -> Engine:
    """Return `engine` as its backward pass is started."""
    if engine.told:
        started = replace(engine, wrapped=any(_starts_with_a_node(engine, one) for one in operations))
        if any(_starts_anywhere(started, one) for one in operations):
            return replace(started, adds=any(_adds(started, one) for one in operations))
        engine = replace(engine, told=False)  # what it may be told is something else: an order of nodes, say
    if any(_starts_anywhere(engine, one) for one in operations):
        return engine
    for boxed in (True, False):
        nodes = replace(engine.nodes, scalar=True, boxed=boxed)
        alone = replace(engine, nodes=nodes, adds=False, alone=True)
        if any(_starts_at_one_number(alone, one) for one in operations):
            return alone
    return engine


def _leaves(nodes: Nodes) -> Iterator[list[Any]]:
    """Two nodes, then one: of one number, then of several."""
    shapes: list[tuple[int, ...]] = [()] if nodes.scalar else [(), (2, 2)]
    for shape, count in itertools.product(shapes, (2, 1)):
        yield [nodes(array) for array in (np.full(shape, 0.5), np.full(shape, 0.75))[:count]]


def _tried(engine: Engine, ask: Callable[[list[Any]], bool]) -> bool:
    try:
        for leaves in _leaves(engine.nodes):
            try:
                with in_time(BRIEFLY), np.errstate(all="ignore"):
                    if ask(leaves):
                        return True
            except (Exception, TimeLimit):  # it takes something else
                continue
    except Exception:  # no node is made of this
        return False
    return False


def _starts_with_a_node(engine: Engine, operation: Operation) -> bool:
    """Whether the engine, told nothing, starts with a node: then the gradients that it leaves are nodes as well."""

    def ask(leaves: list[Any]) -> bool:
        getattr(operation(*leaves), engine.backward)()
        return isinstance(getattr(leaves[0], engine.gradient), engine.nodes.cls)

    return _tried(engine, ask)


def _adds(engine: Engine, operation: Operation) -> bool:
    """Whether a second backward pass adds to what the first one left in a node that both use."""

    def ask(leaves: list[Any]) -> bool:
        left: list[Array] = []
        for output in [operation(*leaves) for _ in range(2)]:
            engine.seed([output], [np.ones(np.shape(engine.nodes.held(output)))])
            left.append(np.array(engine.gradient_of(leaves[0])))
        return bool(left[0].any()) and not np.array_equal(left[0], left[1])

    return _tried(engine, ask)


def _starts_anywhere(engine: Engine, operation: Operation) -> bool:
    def ask(leaves: list[Any]) -> bool:
        outputs = [operation(*leaves) for _ in range(2)]
        engine.seed(outputs, [np.ones(np.shape(engine.nodes.held(one))) for one in outputs])
        return engine.gradient_of(leaves[0]) is not None

    return _tried(engine, ask)


def _starts_at_one_number(engine: Engine, operation: Operation) -> bool:
    def ask(leaves: list[Any]) -> bool:
        getattr(operation(*leaves), engine.backward)()
        return engine.gradient_of(leaves[0]) is not None

    return _tried(engine, ask)
