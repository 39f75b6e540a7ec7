"""Graphs through which the tape takes gradients: shared weights, diamonds, several targets, aliases, powers of 0.

Everything looks Beras up when it is called, so that it meets the mutant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
X, Y = np.random.default_rng(7).normal(size=(2, 3, 2))
W = np.random.default_rng(9).normal(size=(2, 2))


@dataclass(frozen=True)
class Graph:
    """A function, the point, and the tape's gradient of it: `grad(*args)`, or `vjp(*args, *cotangents)`."""

    name: str
    f: Callable[..., Any]
    args: tuple[Array, ...]
    grad: Callable[..., Any] | None = None
    vjp: Callable[..., Any] | None = None


def by_tape(f: Callable[..., Any], *arrays: Array, output_gradients: Any = None) -> list[Any]:
    """Return the tape's gradients of `f(*arrays)` by each of its arguments."""
    from beras.core import Tensor
    from beras.gradient_tape import GradientTape

    sources = [Tensor(np.array(a)) for a in arrays]
    with GradientTape() as tape:
        target = f(*sources)
    return list(tape.gradient(target, sources, output_gradients=output_gradients))


def graphs() -> Iterator[Graph]:
    """Shared weights, diamonds, residuals, several targets, sources on the way, weights, frozen ones, aliases."""
    from beras.activations import Sin, Tanh
    from beras.core import Tensor, Variable
    from beras.gradient_tape import GradientTape
    from beras.layers import Dense
    from beras.losses import MeanSquaredError

    def dense(w: Array) -> Any:
        layer = Dense(2, 2, dtype=w.dtype)
        layer.w = Variable(w)
        return layer

    def twice(x: Array, w: Array) -> list[Any]:
        layer, source = dense(w), Tensor(np.array(x))
        with GradientTape() as tape:
            y = layer(layer(source))
        return list(tape.gradient(y, [source, layer.w]))

    yield Graph("a layer called twice", lambda x, w: x @ w @ w, (X, W), grad=twice)

    def broadcast(x: Any, row: Any, column: Any, one: Any) -> Any:
        return x * row + np.sin(column) * one

    parts = (np.stack([X, Y]), Y[0], Y[:, :1], Y[0, :1])
    yield Graph("broadcasting", broadcast, parts, vjp=lambda *xs: by_tape(broadcast, *xs[:4], output_gradients=xs[4]))

    def diamond(x: Any) -> Any:
        h = Sin()(x)
        return np.add(Tanh()(h), np.multiply(h, Sin()(h)))

    yield Graph("a diamond", diamond, (X,), grad=lambda x: by_tape(diamond, x))

    def residual(x: Any) -> Any:
        return np.add(x, Tanh()(np.add(x, Sin()(x))))

    yield Graph("residual blocks", residual, (X,), grad=lambda x: by_tape(residual, x))

    def two(x: Any, y: Any) -> list[Any]:
        return [Sin()(np.multiply(x, y)), np.add(x, Tanh()(y))]

    yield Graph(
        "two targets",
        lambda x, y: tuple(np.asarray(part) for part in two(x, y)),
        (X, Y),
        vjp=lambda x, y, g, h: by_tape(two, x, y, output_gradients=[g, h]),
    )
    yield Graph(
        "two targets in a tuple",
        lambda x, y: tuple(np.asarray(part) for part in two(x, y)),
        (X, Y),
        vjp=lambda x, y, g, h: by_tape(lambda a, b: tuple(two(a, b)), x, y, output_gradients=(g, h)),
    )

    def with_numbers(x: Any) -> Any:
        return np.stack([np.sum(x), 1.0, np.sum(Sin()(x))])

    yield Graph(
        "numbers among tensors", with_numbers, (X,), vjp=lambda x, g: by_tape(with_numbers, x, output_gradients=g)
    )

    yield Graph(
        "two targets, not weighed",
        lambda x, y: tuple(np.asarray(part) for part in two(x, y)),
        (X, Y),
        grad=lambda x, y: by_tape(two, x, y),
    )

    def network(x: Array, w: Array, g: Array) -> list[Any]:
        layer, source = dense(w), Tensor(np.array(x))
        with GradientTape() as tape:
            y = Tanh()(layer(source))
        return list(tape.gradient(y, [source, layer.w], output_gradients=g))

    yield Graph("a weighed target", lambda x, w: np.tanh(x @ w), (X, W), vjp=network)

    def one_source(x: Array) -> Any:
        source = Tensor(np.array(x))
        with GradientTape() as tape:
            y = Sin()(source)
        return 1.0 * tape.gradient([y, y], source)  # an array, no list of one

    yield Graph("one target twice, one source", lambda x: 2 * np.sin(x), (X,), grad=one_source)

    def source_on_the_way(x: Array) -> Any:
        source = Tensor(np.array(x))
        with GradientTape() as tape:
            h = Sin()(source)
            y = Tanh()(h)
        return tape.gradient(y, [h, source])[1]

    yield Graph("behind another source", lambda x: np.tanh(np.sin(x)), (X,), grad=source_on_the_way)

    def on_the_way(x: Array) -> Any:
        source = Tensor(np.array(x))
        with GradientTape() as tape:
            h = np.multiply(source, 1.0)
            y = np.add(Tanh()(h), Sin()(h))
        return tape.gradient(y, [source, h])[1]

    yield Graph("on the way to another source", lambda x: np.tanh(x) + np.sin(x), (X,), grad=on_the_way)

    def loss(x: Array, w: Array) -> Any:
        return np.mean(np.tanh(x @ w) ** 2)

    def loss_by_tape(x: Array, w: Array) -> list[Any]:
        layer, source, unrelated = dense(w), Tensor(np.array(x)), Variable(np.ones(3))
        layer.b.trainable = False
        with GradientTape() as tape:
            value = MeanSquaredError()(Tanh()(layer(source)), np.zeros(X.shape))
        by_x, by_w, *nothing = tape.gradient(value, [source, layer.w, layer.b, unrelated])
        nothing += tape.gradient(layer.b, [layer.b])
        if any(g is not None for g in nothing):
            raise AssertionError("a frozen weight, and a source that the target does not depend on, must give None")
        return [by_x, by_w]

    yield Graph("a loss, a frozen weight, an unrelated source", loss, (X, W), grad=loss_by_tape)

    # What is a power of 0 has a derivative by the base where that is 0, and by the exponent where that is positive.
    exponents, bases = np.array([[0.0, 1.0], [2.0, 3.0], [0.0, 1.5]]), np.array([[0.0, 0.0], [1.0, 0.5], [1.0, 2.0]])
    yield Graph(
        "powers of 0",
        lambda x: np.power(x, exponents.astype(x.dtype)),
        (np.array([[0.0, 0.0], [0.0, 0.0], [0.5, 2.0]]),),
        vjp=lambda x, g: by_tape(lambda a: np.power(a, exponents.astype(x.dtype)), x, output_gradients=g),
    )
    yield Graph(
        "0 to a power",
        lambda y: np.where(bases == 0, 0, np.power(np.where(bases == 0, 1, bases), y)),  # smooth below y = 0, too
        (np.array([[0.75, 1.5], [-0.5, 0.0], [0.5, -2.0]]),),
        vjp=lambda y, g: by_tape(lambda a: np.power(bases.astype(y.dtype), a), y, output_gradients=g),
    )

    far = np.array([[1e30, 1e35], [1e32, 1e30]])
    yield Graph(
        "powers that underflow",
        lambda y: np.power(far.astype(y.dtype), y),
        (np.array([[-12.0, -11.0], [-12.5, -11.5]]),),
        vjp=lambda y, g: by_tape(lambda a: np.power(far.astype(y.dtype), a), y, output_gradients=g),
    )

    def beside_the_way(x: Array) -> Any:
        source, other = Tensor(np.array(x)), Tensor(np.ones(x.shape))
        with GradientTape() as tape:
            y = np.add(Sin()(source), np.cumsum(np.add(other, 1.0)).reshape(x.shape))  # np.cumsum has no rule
        return tape.gradient(y, source)

    yield Graph("an operation without a rule beside the way", lambda x: np.sin(x), (X,), grad=beside_the_way)

    def scaled_in_place(x: Array, y: Array, g: Array | None = None) -> list[Any]:
        by_x, by_y = by_tape(lambda a, b: np.add(a, b), x, y, output_gradients=g)
        by_x *= 2  # the caller's own array: nothing else may change
        return [by_x / 2, by_y]

    yield Graph("gradients that the caller scales in place", lambda x, y: x + y, (X, Y), vjp=scaled_in_place)
    yield Graph("one gradient twice, scaled in place", lambda x, y: x + y, (X, Y), grad=scaled_in_place)

    def listed_in_place(x: Array, g: Array) -> Any:
        for weights in ([g], (g,)):
            [by_x] = by_tape(lambda a: [np.add(a, 0.0)], x, output_gradients=weights)
            by_x *= 2  # and g stays as it is
        return by_x / 2

    yield Graph("weights in a list, and the gradient scaled in place", lambda x: 1.0 * x, (X,), vjp=listed_in_place)

    def reduced_in_place(x: Array) -> Any:
        [by_x] = by_tape(lambda a: np.sum(a), x)
        by_x *= 1  # read-only gradients are of no use to an optimizer
        return by_x

    yield Graph("a gradient that is spread and written to", np.sum, (X,), grad=reduced_in_place)

    def one_tape_after_another(x: Array) -> Any:
        by_tape(lambda a: Sin()(a), x)
        first, second = GradientTape(), GradientTape()
        source = Tensor(np.array(x))
        with first:
            Tanh()(source)
        with second:
            y = Sin()(source)
        first.gradient(y, [source])
        return second.gradient(y, [source])[0]

    yield Graph("one tape after another", np.sin, (X,), grad=one_tape_after_another)

    def inside_the_scope(x: Array) -> Any:
        source = Tensor(np.array(x))
        with GradientTape() as tape:
            h = Sin()(source)
            tape.gradient(h, [source])
            y = Tanh()(h)
        return tape.gradient(y, source)

    yield Graph("a gradient asked for while recording", lambda x: np.tanh(np.sin(x)), (X,), grad=inside_the_scope)
