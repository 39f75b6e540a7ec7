"""Optimizers: gradient descent and RMSProp here, Adam and its relatives in a file of their own."""

from __future__ import annotations

import numpy as np

from beras.adam import Adam, AdamW, Nadam
from beras.arrays import Array
from beras.checks import number_between
from beras.optimizer_state import Joined
from beras.schedules import Schedule
from beras.update_rule import SMALL, Optimizer, elementwise
from beras.variable import Variable

__all__ = ["SMALL", "Adam", "AdamW", "BasicOptimizer", "Nadam", "Optimizer", "RMSProp", "elementwise"]


class BasicOptimizer(Optimizer):
    """Gradient descent, with momentum if wanted (Polyak 1964, in the form of Keras).

    `v ← momentum · v + learning_rate · g`, then `w ← w − v`. Without momentum: `w ← w − learning_rate · g`. With
    `nesterov=True` (Nesterov 1983; Sutskever et al. 2013): `w ← w − momentum · v − learning_rate · g`, with the new v.
    Options of every optimizer: see `Optimizer`.

    >>> w = Variable([1.0])
    >>> BasicOptimizer(0.1).apply_gradients([w], [[2.0]])
    >>> w
    Variable([0.8])
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **options: float | None,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.nesterov = bool(nesterov)
        self.momentum = number_between(momentum, "BasicOptimizer", "momentum", 0.0, 1.0)

    @elementwise
    def step(self, parameter: Variable | Joined, g: Array) -> Array:
        """Return the velocity after this gradient; with `nesterov`, a part of it and the gradient's own."""
        # Kept from step to step: an array of a big parameter's size that is made and freed each time costs more than
        # the arithmetic, since its memory goes back to the system and comes anew.
        scaled, *velocity = self.state.of(parameter, 2 if self.momentum else 1)
        np.multiply(g, self.learning_rate, out=scaled)
        if not self.momentum:
            return scaled
        [v] = velocity
        v *= self.momentum
        v += scaled
        if not self.nesterov:
            return v
        scaled += self.momentum * v
        return scaled


class RMSProp(Optimizer):
    """Steps scaled by a running mean of squared gradients (Hinton, Coursera lecture 6e, 2012).

    `v ← beta · v + (1 − beta) · g²`, then `w ← w − learning_rate · g / (√v + epsilon)`.
    Keras 3 adds epsilon inside the root.
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        beta: float = 0.9,
        epsilon: float = 1e-6,
        **options: float | None,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta = number_between(beta, "RMSProp", "beta", 0.0, 1.0)
        self.epsilon = number_between(epsilon, "RMSProp", "epsilon", 0.0, np.inf)

    @elementwise
    def step(self, parameter: Variable | Joined, g: Array) -> Array:
        """Return `learning_rate · g / (√v + epsilon)`."""
        [v] = self.state.of(parameter, 1)
        v *= self.beta
        v += (1 - self.beta) * np.square(g)
        step: Array = self.learning_rate * g / (np.sqrt(v) + self.epsilon)
        return step
