"""What all operations share: a rule per argument, and broadcasting summed back."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from beras.arrays import Array
from beras.core import Diffable, Upstream, as_gradient
from beras.recorder import operand, recordable, recording
from beras.tensor import Tensor


class Operation(Diffable):
    """One operation of NumPy with its derivative: `z = forward(x, y, …)`.

    A subclass writes `forward(x, …)` and, for each argument, `by_x(g, z, x, …)`: the vector-Jacobian product of the
    upstream gradient `g` by that argument. It may be of the shape that `x` was broadcast to: it is summed back here.
    Parameters (an axis, a shape) belong to the constructor. Derivatives are of real numbers only.

    The arguments of `by_x` are plain arrays, or tensors where a tape records the derivative: written in NumPy's
    operations without conversions and without writing into arrays, it can be differentiated in turn.
    """

    _arguments: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._arguments = tuple(inspect.signature(cls.forward).parameters)[1:]

    def products(self, wanted: Sequence[bool], g: Array, z: Array, *xs: Any) -> list[Array | None]:
        """Return the vector-Jacobian product by each argument that is wanted."""
        pairs = zip(wanted, self._arguments, strict=True)
        return [getattr(self, f"by_{name}")(g, z, *xs) if want else None for want, name in pairs]

    def get_input_gradients(self) -> list[Tensor]:
        """Return the whole Jacobian by each input, `(*output, *input)`: one product per entry of the output."""
        self._require_call()
        z = self.outputs[0]
        basis = np.eye(z.size).reshape(z.size, *z.shape)
        xs, wanted = self._operands(), [True] * len(self.inputs)
        rows = [self._summed(wanted, e, xs) for e in basis]
        return [
            as_gradient(np.stack([row[k] for row in rows]).reshape(z.shape + x.shape), x)
            for k, x in enumerate(self.inputs)
        ]

    def compose_input_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return the vector-Jacobian product by each input, of that input's shape and type."""
        upstream = self.upstream(J)
        if upstream is None:
            return self.get_input_gradients()
        return self.input_gradients_for(upstream, [True] * len(self.inputs))

    @recordable
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Any]:
        """Evaluate the rules of the wanted inputs only."""
        xs = self._operands()
        pairs = zip(self._summed(wanted, J[0], xs), xs, strict=True)
        return [None if g is None else as_gradient(g, x) for g, x in pairs]

    def _operands(self) -> list[Any]:
        xs = [x if isinstance(x, (int, float)) else operand(x) for x in self.inputs]
        if any(isinstance(x, np.ndarray) and x.dtype.kind == "c" for x in xs):
            raise TypeError(f"{type(self).__name__} has a derivative by real numbers only, got complex input")
        return xs

    def _summed(self, wanted: Sequence[bool], g: Array, xs: list[Any]) -> list[Any]:
        """The products by what is wanted of the arrays among `xs`, of their shapes."""
        products = self.products(wanted, g, operand(self.outputs[0]), *xs)
        pairs = zip(products, xs, strict=True)
        return [sum_to(g, x.shape) if g is not None and isinstance(x, np.ndarray) else None for g, x in pairs]


def sum_to(g: Array, shape: tuple[int, ...]) -> Array:
    """Sum `g` over the axes along which an array of `shape` was broadcast to it."""
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    stretched = tuple(extra + axis for axis, n in enumerate(shape) if n == 1)
    summed: Array = g.sum(axis=(*range(extra), *stretched))
    return summed.reshape(shape)


def evaluate(operation: Operation, *inputs: Array) -> Any:
    """Return what an operation makes of its inputs, recorded where a tape is open: for use in derivatives."""
    return operation.forward(*inputs) if recording.tape is None else operation(*inputs)
