"""Models as graphs: `Input` stands for data, layers are called on it, `Model(inputs, outputs)` is what lies between.

inputs = Input((784,))
h = Dense(64, activation="relu")(inputs)
model = Model(inputs, Dense(10)(h) + Dense(10)(inputs))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from beras.activations import Tanh
from beras.arrays import Array
from beras.layers import Dense
from beras.model import Model
from beras.symbol import Input, Node, NumPyCall, Symbol, replaced, symbols_in


class FunctionalModel(Model):
    """The function of `inputs` that `outputs` are: each a Symbol, or a list of these.

    With several inputs it takes a list of arrays, with several outputs it returns a list. A layer that was called
    several times shares its weights.

    Raises `TypeError` for what is no Symbol, `ValueError` where the outputs need an Input that is not among the inputs.
    """

    not_parts: ClassVar[frozenset[str]] = Model.not_parts | {"inputs", "outputs", "nodes"}

    def __init__(
        self, inputs: Symbol | Sequence[Symbol], outputs: Symbol | Sequence[Symbol], name: str | None = None
    ) -> None:
        self.inputs, self.outputs = _symbols(inputs, "inputs"), _symbols(outputs, "outputs")
        self.single = isinstance(outputs, Symbol)
        self.number_of_inputs = len(self.inputs)
        self.nodes = _in_order(self.inputs, self.outputs)
        functions = [node.function for node in self.nodes if not isinstance(node.function, NumPyCall)]
        super().__init__({id(function): function for function in functions}.values())
        self.name = name

    @classmethod
    def gradcheck_example(cls) -> tuple[FunctionalModel, list[Array]]:
        """A shortcut around a layer that is called twice."""
        inputs, random = Input((3,), dtype="float64"), np.random.default_rng(0)
        shared = Dense(3, 3, "xavier", dtype=np.float64, seed=0)
        model = cls(inputs, shared(Tanh()(shared(inputs))) + inputs * 2.0)
        model.compile("sgd", "mse")
        return model, [random.normal(size=(2, 3)), random.normal(size=(2, 3))]

    def forward(self, x: Any) -> Any:
        """Pass `x` (a list of them, where there are several inputs) through the graph."""
        given = [x] if self.number_of_inputs == 1 and not isinstance(x, (list, tuple)) else list(x)
        if len(given) != len(self.inputs):
            raise ValueError(f"the model has {len(self.inputs)} input(s), got {len(given)}")
        values: dict[int, Any] = {id(symbol): value for symbol, value in zip(self.inputs, given, strict=True)}

        def value(symbol: Symbol) -> Any:
            return values[id(symbol)]

        for node in self.nodes:
            found = node.function(*replaced(node.args, value), **replaced(node.kwargs, value))
            for symbol, part in zip(node.outputs, found if len(node.outputs) > 1 else [found], strict=True):
                values[id(symbol)] = part
        found = [value(symbol) for symbol in self.outputs]
        return found[0] if self.single else found


Model.functional = FunctionalModel


def _symbols(given: Any, what: str) -> list[Symbol]:
    found = [given] if isinstance(given, Symbol) else list(given) if isinstance(given, (list, tuple)) else [given]
    for one in found:
        if not isinstance(one, Symbol):
            raise TypeError(f"Model expects {what} that come from Input(…), got a {type(one).__name__}")
    return found


def _in_order(inputs: list[Symbol], outputs: list[Symbol]) -> list[Node]:
    """Return the steps from the inputs to the outputs, each after those that it needs."""
    known = {id(symbol) for symbol in inputs}
    order: list[Node] = []
    waiting = list(reversed(outputs))
    while waiting:  # not by recursion: a graph may be deep
        symbol = waiting[-1]
        if id(symbol) in known:
            waiting.pop()
            continue
        node = symbol.node
        if node is None:
            raise ValueError(f"the outputs depend on an Input of shape {symbol.shape} that is not among the inputs")
        missing = [s for s in symbols_in([list(node.args), node.kwargs]) if id(s) not in known]
        if missing:
            waiting += reversed(missing)
            continue
        order.append(node)
        known |= {id(output) for output in node.outputs}
    return order
