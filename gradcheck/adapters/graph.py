"""Operations on the nodes of somebody's engine as an object that is run forward on arrays and asked back.

Every operation is used twice on the same nodes, as its gradients have to be added there. The engine's own backward pass
starts at whatever upstream gradients are asked about: `backward` is told them, or it starts at a node of our own that
hands them to the outputs, or at the sum of the outputs times them, by the engine's own `*` and `+`.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.nodes import Nodes, nodes_of
from gradcheck.adapters.places import stores
from gradcheck.adapters.ways import methods, parameters
from gradcheck.problem import Array

BACKWARDS = (
    *("backward", "backprop", "backpropagate", "backpropagation", "back", "backwards", "calcgradients"),
    "backwardpass",
)
GRADIENTS = ("grad", "gradient", "_grad", "g", "derivative", "_gradient")


@dataclass(frozen=True)
class Engine:
    """A class of nodes with a backward pass: its name, whether it is told an upstream gradient, where gradients are.

    `wrapped`: what it is told is a node. `adds`: what several passes leave adds up. `alone`: it starts at one number.
    """

    nodes: Nodes
    backward: str
    told: bool
    gradient: str
    wrapped: bool = False
    adds: bool = True
    alone: bool = False

    def seed(self, outputs: Sequence[Any], upstream: Sequence[Any]) -> None:
        """Start the backward pass at the outputs with these upstream gradients (1 where it starts at one number)."""
        if self.alone:
            getattr(outputs[0], self.backward)()
            return
        if self.told:
            for output, g in zip(outputs, upstream, strict=True):
                getattr(output, self.backward)(self.nodes(np.asarray(g)) if self.wrapped else g)
            return
        head = self._head(outputs, upstream)
        if head is None:
            parts = [output * self.nodes(np.asarray(g)) for output, g in zip(outputs, upstream, strict=True)]
            parts = [part.sum() if np.ndim(self.nodes.held(part)) else part for part in parts]
            head = parts[0]
            for part in parts[1:]:
                head = head + part
        getattr(head, self.backward)()

    def _head(self, outputs: Sequence[Any], upstream: Sequence[Any]) -> Any:
        """A node whose backward hands the upstream gradients to the outputs; None where nodes are not made so."""
        head = copy.copy(outputs[0])
        for own in stores(head):
            rule = next((name for name, value in own.items() if _is_rule(value)), None)
            children = next((name for name, value in own.items() if self._are_children(value)), None)
            if rule is None or children is None:
                continue
            kind = type(own[children])
            own[children] = kind(outputs)
            own[rule] = lambda: self._hand(outputs, upstream)
            return head
        return None

    def _hand(self, outputs: Sequence[Any], upstream: Sequence[Any]) -> None:
        for output, g in zip(outputs, upstream, strict=True):
            before = getattr(output, self.gradient)
            setattr(output, self.gradient, g if before is None else before + g)

    def _are_children(self, value: Any) -> bool:
        return (
            isinstance(value, (set, list, tuple))
            and bool(value)
            and all(isinstance(one, self.nodes.cls) for one in value)
        )

    def gradient_of(self, leaf: Any) -> Any:
        """The gradient that the backward pass has left in a node."""
        found = getattr(leaf, self.gradient)
        return None if found is None else self.nodes.held(found)


def _is_rule(value: Any) -> bool:
    return inspect.isfunction(value) and not inspect.signature(value).parameters


def engine_of(cls: type) -> Engine | None:
    """Return how an engine's class is used; None where it is none: it has no backward pass, or nodes cannot be made."""
    known = methods(cls)
    backward = next((known[name] for name in BACKWARDS if name in known), None)
    nodes = nodes_of_engine(cls) if backward is not None else None
    if backward is None or nodes is None:
        return None
    node = nodes(np.asarray(0.5) if nodes.scalar else np.array([0.5, 0.25]))
    gradient = next((name for name in GRADIENTS if hasattr(node, name)), None)
    told = [
        p for p in parameters(cls, backward) if p.kind is p.POSITIONAL_OR_KEYWORD and not isinstance(p.default, bool)
    ]
    return None if gradient is None else Engine(nodes, backward, bool(told), gradient)


def nodes_of_engine(cls: type) -> Nodes | None:
    """How nodes with gradients are made; of one number each where they hold a plain number as it is."""
    nodes = nodes_of(cls)
    if nodes is None or nodes.scalar:
        return nodes
    try:
        node = cls(0.5, **nodes.more)
    except Exception:  # it takes arrays only
        return nodes
    began = next((getattr(node, name) for name in GRADIENTS if hasattr(node, name)), None)
    plain = isinstance(getattr(node, nodes.attribute, None), float) and not isinstance(began, np.ndarray)
    return Nodes(nodes.cls, nodes.attribute, plain, nodes.more)


class Graph:
    """Some operation on the nodes of an engine; `times`: how often it is used on the same nodes, where that adds up."""

    def __init__(self, engine: Engine, operation: Callable[..., Any], raw: Sequence[Any] = (), times: int = 2) -> None:
        self.engine = engine
        self.operation = operation
        self.raw = tuple(raw)
        self.times = times if engine.adds else 1

    def forward(self, *arrays: Array) -> list[Any]:
        """The outputs."""
        self.arrays = [np.asarray(array) for array in arrays]
        found = [np.asarray(self.engine.nodes.held(one)) for one in self._run()[1]]
        return [one.reshape(()) for one in found] if self.engine.alone else found

    def _run(self) -> tuple[list[Any], list[Any]]:
        leaves = [self.engine.nodes(array) for array in self.arrays]
        return leaves, [self.operation(*leaves, *self.raw) for _ in range(self.times)]

    def backward(self, *upstream: Array) -> list[Any]:
        """One gradient for each input, on nodes made anew."""
        leaves, outputs = self._run()
        scalar = self.engine.nodes.scalar
        self.engine.seed(outputs, [np.asarray(g)[()] if scalar else np.array(g) for g in upstream])
        found = [self.engine.gradient_of(leaf) for leaf in leaves]
        if self.engine.alone:
            return [None if one is None else np.reshape(one, ()) * upstream[0] for one in found]
        return found


@dataclass(frozen=True)
class Method:
    """A method of nodes as a function of them."""

    name: str

    def __call__(self, node: Any, *others: Any) -> Any:
        said = getattr(node, self.name)(*others)
        if said is NotImplemented:
            raise TypeError(f"{self.name} is not implemented for these")
        return said


@dataclass(frozen=True)
class Meeting:
    """h is used at several depths: its gradients add, and are whole before they are sent on.

    h = a ∘ b,   k = (h ∘ h) + h,   y = (k ∘ a) + h        where ∘ is `first`, + is `second`
    h = a ∘ b,   y = (h ∘ h) ∘ a                           where there is one operation only
    """

    first: Callable[..., Any]
    second: Callable[..., Any] | None = None

    def __call__(self, a: Any, b: Any) -> Any:
        h = self.first(a, b)
        if self.second is None:
            return self.first(self.first(h, h), a)
        k = self.second(self.first(h, h), h)
        return self.second(self.first(k, a), h)
