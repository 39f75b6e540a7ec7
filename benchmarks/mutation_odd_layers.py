"""Layers as others write them, on the tape's way: they return their input, their weight, lists, nothing.

Everything looks Beras up when it is called, so that it meets the mutant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from mutation_graphs import Array, Graph, X, Y, by_tape


def graphs() -> Iterator[Graph]:
    """Each odd layer between layers of Beras."""
    from beras.activations import Sin, Tanh
    from beras.core import Diffable, Variable
    from beras.gradient_tape import GradientTape

    class Identity(Diffable):
        """Returns its very input, as dropout does when it evaluates."""

        def forward(self, x: Any) -> Any:
            return x

        def get_input_gradients(self) -> list[Any]:
            return [np.ones(self.inputs[0].shape)]

        def compose_input_gradients(self, J: Any = None) -> list[Any]:
            return [np.asarray(J[0])]

    yield Graph(
        "a layer that returns its input",
        lambda x: np.sin(x),
        (X,),
        grad=lambda x: by_tape(lambda a: Sin()(Identity()(a)), x),
    )
    yield Graph(
        "a layer that returns its input, between two",
        lambda x: np.tanh(np.sin(x)),
        (X,),
        grad=lambda x: by_tape(lambda a: Tanh()(Identity()(Identity()(Sin()(a)))), x),
    )

    class Keeps(Diffable):
        """Returns a tensor that it was given when it was made, whatever comes in."""

        def __init__(self, kept: Any) -> None:
            self.kept = kept

        def forward(self, x: Any) -> Any:
            return self.kept

        def get_input_gradients(self) -> list[Any]:
            return [np.zeros(self.inputs[0].shape)]

        def compose_input_gradients(self, J: Any = None) -> list[Any]:
            return self.get_input_gradients()

    def somebody_elses(make: Callable[[Any], Any]) -> Callable[..., Any]:
        def target(x: Any, y: Any) -> Any:
            h = make(x)
            kept = Keeps(h)(y)  # before the other use of h, so that its record is the first to take what is upstream
            return np.add(Tanh()(h), kept)

        return lambda x, y: by_tape(target, x, y)

    for name, make in (("a layer", lambda x: Sin()(x)), ("an operation", lambda x: np.sin(x))):
        yield Graph(
            f"a layer that returns what {name} has made",
            lambda x, y: np.tanh(np.sin(x)) + 0 * y,
            (X, Y),
            grad=somebody_elses(make),
        )

    class Bias(Diffable):
        """Returns its very weight."""

        def __init__(self, w: Any) -> None:
            self.w = w

        @property
        def weights(self) -> list[Any]:
            return [self.w]

        def forward(self, x: Any) -> Any:
            return self.w

        def get_input_gradients(self) -> list[Any]:
            return [np.zeros(self.inputs[0].shape)]

        def get_weight_gradients(self) -> list[Any]:
            return [np.ones(self.w.shape)]

        def compose_input_gradients(self, J: Any = None) -> list[Any]:
            return self.get_input_gradients()

        def compose_weight_gradients(self, J: Any = None) -> list[Any]:
            return [np.asarray(J[0])]

    class Untrained(Bias):
        """Adds a weight by which it has no derivative."""

        def forward(self, x: Any) -> Any:
            return np.asarray(x) + np.asarray(self.w)

        def compose_input_gradients(self, J: Any = None) -> list[Any]:
            return [np.asarray(J[0])]

        def compose_weight_gradients(self, J: Any = None) -> list[Any]:
            raise NotImplementedError("nobody asks for it")

    yield Graph(
        "a weight that nobody asks for",
        lambda x: np.sin(x + 1),
        (X,),
        grad=lambda x: by_tape(lambda a: Sin()(Untrained(Variable(np.ones(2, x.dtype)))(a)), x),
    )

    class Listing(Identity):
        """Answers in lists."""

        def compose_input_gradients(self, J: Any = None) -> list[Any]:
            return [np.asarray(J[0]).tolist()]

    yield Graph("a layer that answers in lists", np.sin, (X,), grad=lambda x: by_tape(lambda a: Sin()(Listing()(a)), x))

    class ReadOnly(Identity):
        """Answers with an array that cannot be written to."""

        def compose_input_gradients(self, J: Any = None) -> list[Any]:
            return [np.broadcast_to(np.asarray(J[0]), np.shape(J[0]))]

    def written_to(x: Array) -> Any:
        [by_x] = by_tape(lambda a: ReadOnly()(a), x)
        by_x *= 1
        return by_x

    yield Graph("a layer whose answer is read-only", lambda x: 1.0 * x, (X,), grad=written_to)

    class Constant(Identity):
        """Ones, whatever comes in: it says nothing about its input."""

        def forward(self, x: Any) -> Any:
            return np.ones_like(np.asarray(x))

        def compose_input_gradients(self, J: Any = None) -> list[Any]:
            return [None]

    def with_constant(x: Any) -> Any:
        return np.add(Sin()(x), Constant()(x))

    yield Graph("a layer that says nothing", lambda x: np.sin(x) + 1, (X,), grad=lambda x: by_tape(with_constant, x))

    class Embedding(Bias):
        """Adds its weight; by what comes in it has no derivative."""

        def forward(self, x: Any) -> Any:
            return np.asarray(self.w) + 0 * np.asarray(x)

        def compose_input_gradients(self, J: Any = None) -> list[Any]:
            raise NotImplementedError("nobody asks for it")

    def by_embedding(w: Array) -> Any:
        layer = Embedding(Variable(np.array(w)))
        with GradientTape() as tape:
            y = Sin()(layer(np.zeros(w.shape, w.dtype)))
        return tape.gradient(y, layer.w)

    yield Graph("an input that nobody asks for", lambda x: np.sin(x), (X,), grad=by_embedding)

    def by_weight(w: Array) -> Any:
        layer = Bias(Variable(np.array(w)))
        with GradientTape() as tape:
            y = Sin()(layer(np.zeros(1)))
        return tape.gradient(y, layer.w)

    yield Graph("a layer that returns its weight", lambda x: np.sin(x), (X,), grad=by_weight)

    class Pair(Diffable):
        """Sine and cosine."""

        def forward(self, x: Any) -> Any:
            return [np.sin(np.asarray(x)), np.cos(np.asarray(x))]

        def get_input_gradients(self) -> list[Any]:
            raise NotImplementedError("it has two outputs")

        def compose_input_gradients(self, J: Any = None) -> list[Any]:
            x, (by_sin, by_cos) = np.asarray(self.inputs[0]), self.upstream(J)
            return [by_sin * np.cos(x) - by_cos * np.sin(x)]

    yield Graph(
        "one output of two",
        lambda x: np.sin(np.sin(x)),
        (X,),
        grad=lambda x: by_tape(lambda source: Sin()(Pair()(source)[0]), x),
    )

    class Handing(Pair):
        """The sine, and twice its very input."""

        def forward(self, x: Any) -> Any:
            return [np.sin(np.asarray(x)), x, x]

        def compose_input_gradients(self, J: Any = None) -> list[Any]:
            by_sin, by_one, by_other = self.upstream(J)
            return [by_sin * np.cos(np.asarray(self.inputs[0])) + by_one + by_other]

    def of_three(x: Any) -> Any:
        first, second, third = Handing()(x)
        return np.add(Sin()(first), np.add(Tanh()(second), np.multiply(third, third)))

    yield Graph(
        "several outputs that are the input",
        lambda x: np.sin(np.sin(x)) + np.tanh(x) + x * x,
        (X,),
        grad=lambda x: by_tape(of_three, x),
    )
