"""Layers of gradcheck's own on a package's base class: what its tape is tried with, so that only the tape can err.

They have the method names of the package's generation, compose by themselves, and know nothing of its layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.convention import averages
from gradcheck.adapters.generations import Generation, forward_name
from gradcheck.problem import Array

VJP = Callable[[Any, Array], list[Array]]


@dataclass(frozen=True)
class Kit:
    """Makes layers for one package. `bare`: its methods exchange arrays, not lists of them (the oldest tapes)."""

    base: type
    generation: Generation
    tensor: Callable[[Array], Any]
    bare: bool = False

    @property
    def averaged(self) -> bool:
        """Whether weight gradients are averaged over the batch, and losses leave the mean out."""
        return averages(self.base, self.generation)

    def affine(self, w: Any, b: Any) -> Any:
        """y = x · w + b"""
        averaged = self.averaged

        def by_weights(layer: Any, g: Array) -> list[Array]:
            share = 1.0 / len(g) if averaged else 1.0
            return [layer.kept[0].T @ g * share, g.sum(axis=0).reshape(b.shape) * share]

        return self.make(
            "Affine",
            lambda layer, x: x @ w + b,
            lambda layer, g: [g @ np.asarray(w).T],
            by_weights,
            lambda layer: [np.asarray(w)],
            lambda layer: [layer.kept[0][:, :, None] + np.zeros(w.shape), np.ones(b.shape)],
            [w, b],
        )

    def squash(self) -> Any:
        """y = x / √(1 + x²), well-conditioned at any scale in any precision: dy/dx = (1 + x²)^(−3/2)"""
        return self.make(
            "Squash",
            lambda layer, x: x / np.hypot(1, x),
            lambda layer, g: [(1 / np.hypot(1, layer.kept[0])) ** 3 * g],
            local=lambda layer: [(1 / np.hypot(1, layer.kept[0])) ** 3],
        )

    def add(self) -> Any:
        """y = x₁ + x₂"""
        return self.make(
            "Add",
            lambda layer, x, y: x + y,
            lambda layer, g: [g, g],
            local=lambda layer: [np.ones(layer.kept[0].shape), np.ones(layer.kept[1].shape)],
        )

    def half_square(self) -> Any:
        """L = Σ x² / (2 · batch)"""
        averaged = self.averaged

        def slope(layer: Any) -> Array:
            x = layer.kept[0]
            return np.asarray(x if averaged else x / len(x))

        return self.make(
            "HalfSquare",
            lambda layer, x: np.sum(x * x) / (2 * len(x)),
            lambda layer, g: [slope(layer) * (g.reshape(()) if g.size == 1 else g)],
            local=lambda layer: [slope(layer)],
        )

    def make(
        self,
        name: str,
        forward: Callable[..., Any],
        vjp: VJP,
        weight_vjp: VJP | None = None,
        local: Callable[[Any], list[Array]] = lambda layer: [],
        weight_local: Callable[[Any], list[Array]] = lambda layer: [],
        weights: Sequence[Any] = (),
    ) -> Any:
        """Return an instance of a new class on the package's base class."""
        tensor, generation = self.tensor, self.generation

        def run(layer: Any, arrays: tuple[Any, ...]) -> Any:
            layer.kept = [np.asarray(array) for array in arrays]
            return tensor(np.asarray(forward(layer, *layer.kept)))

        def one(self: Any, x: Any) -> Any:
            return run(self, (x,))

        def two(self: Any, x: Any, y: Any) -> Any:
            return run(self, (x, y))

        def composed(layer: Any, upstream: Any, by: VJP, otherwise: Callable[[Any], list[Array]]) -> Any:
            g = _upstream(upstream)
            return self._shaped(otherwise(layer) if g is None else by(layer, g))

        weighted = weight_vjp or (lambda layer, g: [])
        members: Mapping[str, Any] = {
            **{missing: lambda layer, *_: [] for missing in getattr(self.base, "__abstractmethods__", ())},
            forward_name(self.base) or "forward": two if forward.__code__.co_argcount == 3 else one,
            generation.input_gradients: lambda layer: self._shaped(local(layer)),
            generation.weight_gradients: lambda layer: weight_local(layer),
            generation.compose_input: lambda layer, J=None: composed(layer, J, vjp, local),
            generation.compose_weight: lambda layer, J=None: _weights_of(layer, J, weighted, weight_local),
            "weights": property(lambda layer: list(weights)),
            "trainable_variables": property(lambda layer: list(weights)),
            "trainable": True,
        }
        return type(name, (self.base,), dict(members))()

    def _shaped(self, gradients: list[Array]) -> Any:
        return gradients[0] if self.bare else gradients


def _weights_of(layer: Any, upstream: Any, by: VJP, otherwise: Callable[[Any], list[Array]]) -> list[Array]:
    g = _upstream(upstream)
    return otherwise(layer) if g is None else by(layer, g)


def _upstream(given: Any) -> Array | None:
    """The one upstream gradient, from a list, a tuple or an array with a leading axis too many; None for nothing."""
    if given is None:
        return None
    if isinstance(given, (list, tuple)):
        return None if not given or given[0] is None else np.asarray(given[0])
    array = np.asarray(given)
    return array[0] if array.ndim == 3 and len(array) == 1 else array
