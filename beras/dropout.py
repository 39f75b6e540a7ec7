"""Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from beras.activations import Activation
from beras.arrays import Array
from beras.checks import floating, number_between
from beras.core import as_gradient
from beras.initializers import Seed
from beras.modes import TrainingMode
from beras.tensor import Tensor, wrap


class Dropout(Activation):
    """In training, `x · m / (1 − rate)` with a random mask m: 0 with probability `rate`, else 1. In evaluation, `x`.

    The expectation is `x` in both modes. `training` (true at first) picks the mode; `Model` sets it. `seed`, a number
    or a generator, makes the masks repeatable; each call draws its own. Srivastava et al. 2014.

    >>> layer = Dropout(0.5, seed=1)
    >>> layer([[1.0, 2.0, 3.0, 4.0]])
    Tensor([[2., 4., 0., 8.]])
    >>> layer.training = False
    >>> layer([[1.0, 2.0, 3.0, 4.0]])
    Tensor([[1., 2., 3., 4.]])
    """

    training: Any = TrainingMode()

    def __init__(self, rate: float, seed: Seed = None) -> None:
        self.rate = number_between(rate, "Dropout", "rate", 0.0, 1.0)
        self.random = np.random.default_rng(seed)
        self.training = True

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `x` with a share `rate` of its entries set to 0 and the others enlarged, or `x` itself."""
        values = floating(x, "Dropout")
        if not self.training or self.rate == 0:
            self._saving = np.ones(values.shape, values.real.dtype)
            return x if isinstance(x, Tensor) and x.dtype == values.dtype else wrap(values)
        kept = self.random.random(values.shape) >= self.rate
        self._saving = kept * values.real.dtype.type(1 / (1 - self.rate))  # what the derivative needs again
        return wrap(values * self._saving)

    def get_input_gradients(self) -> list[Tensor]:
        """Return `m / (1 − rate)` at each entry, with the mask of the last call; ones in evaluation."""
        self._require_call()
        return [as_gradient(self.saved.copy(), self.inputs[0])]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Dropout, list[Array]]]:
        """Evaluation."""
        evaluated = cls(0.5)
        evaluated.training = False
        return [(evaluated, [np.random.default_rng(0).normal(size=(3, 4))])]
