"""Layers that write vector-Jacobian products, and get everything else from these."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from beras.arrays import Array
from beras.core import Diffable, Upstream, as_gradient
from beras.tensor import Tensor


class Composed(Diffable):
    """A layer that says how an upstream gradient flows through it; its local derivatives are whole Jacobians.

    A subclass writes `forward`, `input_gradients_for(J, wanted)` and, if it has weights, `weight_gradients_for(J)`:
    what flows back, as plain arrays of the inputs' and weights' shapes, from plain arrays `J` of the outputs' shapes.
    It has one output.
    """

    _products_by_input: Callable[..., Sequence[Any]]
    _products_by_weight: Callable[..., Sequence[Any]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # As somebody wrote them: where a subclass writes compose_*, the methods of these names go by that.
        cls._products_by_input = _written(cls, "input_gradients_for")
        cls._products_by_weight = _written(cls, "weight_gradients_for")

    @abstractmethod
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> Sequence[Any]:
        """Return the vector-Jacobian product by each input that is wanted."""

    def once(self, J: list[Array], derivative: Callable[[list[Array]], Any]) -> Any:
        """Return `derivative(J)`, computed once where a tape asks twice: for gradients by inputs, and by weights."""
        own = self.__dict__
        kept = own.get("_once")
        if kept is not None and kept[0] is J:
            return kept[1]
        found = derivative(J)
        if "outputs" in own:  # a call, not the layer itself
            own["_once"] = J, found
        return found

    def get_input_gradients(self) -> list[Tensor]:
        """Return the whole Jacobian by each input, `(*output, *input)`."""
        self._require_call()
        return _whole(self.outputs[0], self.inputs, self.compose_input_gradients)

    def get_weight_gradients(self) -> list[Tensor]:
        """Return the whole Jacobian by each weight, `(*output, *weight)`."""
        self._require_call()
        return _whole(self.outputs[0], self.weights, self.compose_weight_gradients) if self.weights else []

    def compose_input_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return the vector-Jacobian product by each input, of that input's shape and type."""
        upstream = self.upstream(J)
        if upstream is None:
            return self.get_input_gradients()
        found = self._products_by_input(upstream, [True] * len(self.inputs))
        return [as_gradient(g, x) for g, x in zip(found, self.inputs, strict=True)]

    def compose_weight_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return the vector-Jacobian product by each weight, of that weight's shape and type."""
        upstream = self.upstream(J)
        if upstream is None or not self.weights:
            return self.get_weight_gradients()
        return [as_gradient(g, w) for g, w in zip(self._products_by_weight(upstream), self.weights, strict=True)]


def _written(cls: type, name: str) -> Callable[..., Sequence[Any]]:
    """Return the latest function of this name that is not the default of all Diffables."""
    default = vars(Diffable)[name]
    found: list[Callable[..., Sequence[Any]]]
    found = [vars(c)[name] for c in cls.__mro__ if vars(c).get(name, default) is not default]
    return found[0] if found else cast(Callable[..., Sequence[Any]], default)


def _whole(output: Array, variables: Sequence[Array], compose: Any) -> list[Tensor]:
    """Return Jacobians from one product for each entry of the output."""
    basis = np.eye(output.size).reshape(output.size, *output.shape)
    rows = [compose([e]) for e in basis]
    return [
        as_gradient(np.stack([np.asarray(row[k]) for row in rows]).reshape(output.shape + x.shape), x)
        for k, x in enumerate(variables)
    ]
