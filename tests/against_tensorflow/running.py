"""Running error bounds for whole formulas, forward and backward: write the formula once, in numbers that carry a bound.

`Bounded` is a value with how far two sides that compute it may be apart. Its arithmetic adds, at every operation, what
`rounding.py` says of one: eps of the result for two sides, n·eps of the sum of the magnitudes for n terms, 8 · eps for
an elementary function. `Node` is the same on a tape, whose adjoints are `Bounded` as well: the bound of a gradient
comes from the formula of the forward pass alone, by reverse accumulation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .rounding import ELEMENTARY, Array, Machine


@dataclass(frozen=True)
class Bounded:
    """A value and how far two sides that compute it may be apart, entry by entry."""

    value: Array
    error: Array
    at: Machine

    def _own(self, value: Any, error: Any, own: Any) -> Bounded:
        value = np.asarray(value, np.float64)
        return Bounded(value, np.asarray(error + self.at.eps * own + self.at.tiny) + np.zeros_like(value), self.at)

    def _other(self, other: Any) -> Bounded:
        if isinstance(other, Bounded):
            return other
        value = np.asarray(other, np.float64)
        return Bounded(value, np.zeros_like(value), self.at)

    def __add__(self, other: Any) -> Bounded:
        o = self._other(other)
        v = self.value + o.value
        return self._own(v, self.error + o.error, np.abs(v))

    __radd__ = __add__

    def __neg__(self) -> Bounded:
        return Bounded(-self.value, self.error, self.at)

    def __sub__(self, other: Any) -> Bounded:
        return self + -self._other(other)

    def __rsub__(self, other: Any) -> Bounded:
        return self._other(other) + -self

    def __mul__(self, other: Any) -> Bounded:
        o = self._other(other)
        v = self.value * o.value
        spread = np.abs(self.value) * o.error + self.error * np.abs(o.value) + self.error * o.error
        return self._own(v, spread, np.abs(v))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Bounded:
        o = self._other(other)
        v = self.value / o.value
        return self._own(v, (self.error + np.abs(v) * o.error) / np.abs(o.value), np.abs(v))

    def __matmul__(self, other: Any) -> Bounded:
        o = self._other(other)
        a, b = np.abs(self.value), np.abs(o.value)
        n = self.value.shape[-1]
        return self._own(self.value @ o.value, a @ o.error + self.error @ b + self.error @ o.error, n * (a @ b))

    def sum(self, axis: Any = None, keepdims: bool = False) -> Bounded:
        """Σ over some axes."""
        v = self.value.sum(axis=axis, keepdims=keepdims)
        n = self.value.size / max(np.size(v), 1)
        magnitude = np.abs(self.value).sum(axis=axis, keepdims=keepdims)
        return self._own(v, self.error.sum(axis=axis, keepdims=keepdims), n * magnitude)

    def moved(self, move: Callable[[Array], Array]) -> Bounded:
        """The same numbers elsewhere: no rounding."""
        return Bounded(np.asarray(move(self.value)), np.asarray(move(self.error)), self.at)

    def apply(self, f: Any, slope: Any, own: Any = None) -> Bounded:
        """f of every entry, with a bound of |f'| near it; `own`: the largest term that f is computed from."""
        v = f(self.value)
        size = np.abs(v) if own is None else own(self.value)
        return self._own(v, np.abs(slope(self.value)) * self.error, ELEMENTARY * size)

    def to(self, shape: tuple[int, ...]) -> Bounded:
        """Summed over the axes along which an array of `shape` was broadcast."""
        extra = self.value.ndim - len(shape)
        axes = (*range(extra), *[extra + k for k, n in enumerate(shape) if n == 1 and self.value.shape[extra + k] != 1])
        return (self.sum(axis=axes) if axes else self).moved(lambda a: a.reshape(shape))


def given(x: Any, at: Machine) -> Bounded:
    """A value that both sides are given."""
    value = np.asarray(x, np.float64)
    return Bounded(value, np.zeros_like(value), at)


Pull = Callable[[Bounded], Bounded]


class Node:
    """A bounded value on a tape: where it came from, and how an adjoint flows back."""

    def __init__(self, now: Bounded, parents: Sequence[tuple[Node, Pull]] = ()) -> None:
        self.now, self.parents = now, parents

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self.now.value.shape

    def _other(self, other: Any) -> Node:
        return other if isinstance(other, Node) else Node(given(other, self.now.at))

    def __add__(self, other: Any) -> Node:
        o = self._other(other)
        return Node(self.now + o.now, [(self, lambda g: g.to(self.shape)), (o, lambda g: g.to(o.shape))])

    __radd__ = __add__

    def __neg__(self) -> Node:
        return Node(-self.now, [(self, lambda g: -g)])

    def __sub__(self, other: Any) -> Node:
        return self + -self._other(other)

    def __rsub__(self, other: Any) -> Node:
        return self._other(other) + -self

    def __mul__(self, other: Any) -> Node:
        o = self._other(other)
        back = [(self, lambda g: (g * o.now).to(self.shape)), (o, lambda g: (g * self.now).to(o.shape))]
        return Node(self.now * o.now, back)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Node:
        o = self._other(other)
        z = self.now / o.now
        back = [(self, lambda g: (g / o.now).to(self.shape)), (o, lambda g: (-(g * (z / o.now))).to(o.shape))]
        return Node(z, back)

    def __matmul__(self, other: Any) -> Node:
        o = self._other(other)

        def turned(b: Bounded) -> Bounded:
            return b.moved(lambda a: a.swapaxes(-1, -2))

        back = [
            (self, lambda g: (g @ turned(o.now)).to(self.shape)),
            (o, lambda g: (turned(self.now) @ g).to(o.shape)),
        ]
        return Node(self.now @ o.now, back)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Node:
        """Σ over some axes."""

        def spread(g: Bounded) -> Bounded:
            def move(a: Array) -> Array:
                if axis is not None and not keepdims:
                    a = np.expand_dims(a, axis)
                return np.broadcast_to(a, self.shape)

            return g.moved(move)

        return Node(self.now.sum(axis, keepdims), [(self, spread)])

    def mean(self, axis: Any = None) -> Node:
        """The mean over some axes."""
        total = self.sum(axis)
        return total * (total.now.value.size / self.now.value.size)

    def reshape(self, *shape: int) -> Node:
        """The same numbers in another shape."""
        return Node(
            self.now.moved(lambda a: a.reshape(shape)), [(self, lambda g: g.moved(lambda a: a.reshape(self.shape)))]
        )

    def transpose(self, *axes: int) -> Node:
        """The axes in another order."""
        inverse = np.argsort(axes)
        back: Pull = lambda g: g.moved(lambda a: a.transpose(inverse))  # noqa: E731
        return Node(self.now.moved(lambda a: a.transpose(axes)), [(self, back)])

    def __getitem__(self, index: Any) -> Node:
        """Entries, which may be taken several times: their adjoints are summed."""

        def scatter(g: Bounded) -> Bounded:
            value, error, size, times = (np.zeros(self.shape) for _ in range(4))
            np.add.at(value, index, g.value)
            np.add.at(error, index, g.error)
            np.add.at(size, index, np.abs(g.value))
            np.add.at(times, index, 1.0)
            return Bounded(value, error + np.maximum(times - 1, 0) * g.at.eps * size, g.at)

        return Node(self.now.moved(lambda a: a[index]), [(self, scatter)])

    def apply(self, f: Any, slope: Any, curvature: Any, own: Any = None, terms: Any = None) -> Node:
        """f of every entry; its derivative with a bound of |f''|; `own`, `terms`: what f and f' are computed from."""

        def back(g: Bounded) -> Bounded:
            d = slope(self.now.value)
            size = np.abs(d) if terms is None else terms(self.now.value)
            error = np.abs(curvature(self.now.value)) * self.now.error + (ELEMENTARY + 2) * self.now.at.eps * size
            return g * Bounded(d, error + self.now.at.tiny, self.now.at)

        return Node(self.now.apply(f, slope, own), [(self, back)])

    def tanh(self) -> Node:
        """The hyperbolic tangent; 1 − y² carries eps of 1."""
        return self.apply(
            np.tanh,
            lambda x: 1 - np.tanh(x) ** 2,
            lambda x: 2 * np.tanh(x) * (1 - np.tanh(x) ** 2),
            terms=np.ones_like,
        )

    def sigmoid(self) -> Node:
        """The logistic function, as good as eps of 1 (it may come from a tanh); y (1 − y) carries eps of y."""

        def s(x: Array) -> Array:
            return np.asarray(1 / (1 + np.exp(-x)))

        return self.apply(
            s, lambda x: s(x) * s(-x), lambda x: s(x) * s(-x) * (1 - 2 * s(x)), own=np.ones_like, terms=np.ones_like
        )

    def exp(self) -> Node:
        """The exponential function."""
        return self.apply(np.exp, np.exp, np.exp)

    def log(self) -> Node:
        """The logarithm, which is good relative to itself where its argument is exact."""
        return self.apply(np.log, lambda x: 1 / x, lambda x: -1 / x**2)

    def softmax(self) -> Node:
        """By the last axis. The shift by the maximum cancels, but it is rounded: eps · |x − max| in the exponent."""
        e = (self - self.now.value.max(axis=-1, keepdims=True)).exp()
        return e / e.sum(axis=-1, keepdims=True)


def stack(nodes: Sequence[Node], axis: int = 0) -> Node:
    """Nodes of one shape along a new axis."""
    at = nodes[0].now.at
    value, error = (np.stack([getattr(n.now, part) for n in nodes], axis) for part in ("value", "error"))

    def piece(k: int) -> Pull:
        return lambda g: g.moved(lambda a: np.take(a, k, axis))

    return Node(Bounded(value, error, at), [(node, piece(k)) for k, node in enumerate(nodes)])


def bounds(output: Node, upstream: Any, leaves: Sequence[Node]) -> tuple[Array, list[Array]]:
    """Return the error bounds of the output, and of the gradients by the leaves for this upstream gradient."""
    order: list[Node] = []
    seen: set[int] = set()

    def visit(node: Node) -> None:
        if id(node) not in seen:
            seen.add(id(node))
            for parent, _ in node.parents:
                visit(parent)
            order.append(node)

    visit(output)
    adjoints: dict[int, Bounded] = {id(output): given(upstream, output.now.at)}
    for node in reversed(order):
        g = adjoints.get(id(node))
        if g is None:
            continue
        for parent, pull in node.parents:
            flow = pull(g)
            adjoints[id(parent)] = adjoints[id(parent)] + flow if id(parent) in adjoints else flow
    return output.now.error, [adjoints[id(leaf)].error for leaf in leaves]


def leaves_of(arrays: Sequence[Any], at: Machine) -> list[Node]:
    """Return given arrays as leaves of a tape."""
    return [Node(given(array, at)) for array in arrays]
