"""One operation of somebody's engine as an object that is run forward on arrays and asked back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from gradcheck.adapters.nodes import Nodes
from gradcheck.problem import Array

# How the gradient is asked for: what it is given.
Style = Literal["context", "nodes", "node", "index", "itself"]


class BareArray(ValueError):
    """Where the engine unpacks one gradient for each input."""


class Context:
    """What a static forward saves for its backward."""

    needs_input_grad = (True,) * 16

    def save_for_backward(self, *things: Any) -> None:
        """Keep, under the names that engines use."""
        self.saved_tensors = self.saved_values = self.saved = things


class Node:
    """What `gradient(upstream, node)` is told where no class of nodes is known: inputs and output of the operation."""

    def __init__(self, op: Any, inputs: Sequence[Any], output: Any) -> None:
        self.op = op
        self.inputs = self.parents = self.children = list(inputs)
        self.cached_data = self.data = self.value = self.output = output

    def realize_cached_data(self) -> Any:
        """The output, as needle asks for it."""
        return self.output


class Operation:
    """`op` with some of its arguments fixed.

    `style`: "context", static `backward(ctx, upstream)`; "nodes", `backward(*nodes, upstream)`; "node",
    `gradient(upstream, node)`; "index", `backward_var(upstream, index)`; "itself", `backward(upstream)` of the object
    that was called. `wrapped`: the upstream gradient is a node as well. `bare`: the engine takes an array that comes
    alone for the gradient of the only input.
    """

    def __init__(
        self,
        op: Any,
        style: Style,
        nodes: Nodes | None,
        raw: Sequence[Any] = (),
        wrapped: bool = False,
        context: Callable[[], Any] = Context,
        bare: bool = False,
    ) -> None:
        self.op = op
        self.style = style
        self.nodes = nodes
        self.raw = tuple(raw)
        self.wrapped = wrapped
        self.context = context
        self.bare = bare

    def forward(self, *arrays: Any) -> Any:
        """The output."""
        made = arrays if self.nodes is None else [self.nodes(np.asarray(array)) for array in arrays]
        given = [*made, *self.raw]
        if self.style == "context":
            self.kept = self.context()
            said = self.op.forward(self.kept, *given)
        elif self.style == "nodes":
            said = self.op(*given) if callable(self.op) else self.op.forward(*given)
        elif self.style == "node" and self.nodes is None:
            said = self.op.compute(*given)
            self.given, self.said = given, Node(self.op, given, said)
            return said
        else:
            said = self.op(*given)
        self.given, self.said = given, said
        return self._held(said)

    def backward(self, *upstream: Array) -> Any:
        """One gradient for each input that is no setting."""
        flow = (
            [self.nodes(np.asarray(g)) for g in upstream] if self.wrapped and self.nodes is not None else list(upstream)
        )
        count = len(self.given) - len(self.raw)
        if self.style == "context":
            said = self.op.backward(self.kept, *flow)
        elif self.style == "nodes":
            said = self.op.backward(*self.given, *flow)
        elif self.style == "node":
            said = self.op.gradient(*flow, self.said)
        elif self.style == "index":
            return [self._held(self.op.backward_var(*flow, number)) for number in range(count)]
        else:
            said = self.op.backward(*flow)
        least = len(self.given) if not self.bare else count
        if self.style == "nodes" and isinstance(said, np.ndarray) and least > 1:
            each = "the gradient of the one input" if count == 1 else f"one gradient for each of {count} inputs"
            raise BareArray(
                f"expected backward to return a tuple with {each}, but got a bare array of shape {said.shape}"
            )
        found = list(said) if isinstance(said, (tuple, list)) else [said]
        return [self._held(one) for one in found[:count]]

    def _held(self, said: Any) -> Any:
        if self.nodes is None:
            return said
        return [self.nodes.held(one) for one in said] if isinstance(said, (tuple, list)) else self.nodes.held(said)
