"""The two simplest things: what can be called, and what has weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.constructing import Constructing
from beras.tensor import Tensor


class Callable(metaclass=Constructing):
    """Something with a `forward`; `thing(x)` and `thing.forward(x)` are the same."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    @abstractmethod
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output."""


class Weighted(metaclass=Constructing):
    """Something that has weights."""

    @property
    @abstractmethod
    def weights(self) -> Sequence[Tensor]:
        """All weights, trained or not."""

    def get_weights(self) -> list[Array]:
        """Return copies of all weights, as plain arrays."""
        return [np.array(weight) for weight in self.weights]

    def set_weights(self, weights: Sequence[npt.ArrayLike]) -> None:
        """Set all weights, in the order of `get_weights`. Raises `ValueError`, and changes none, if they do not fit."""
        mine, given = self.weights, [np.asarray(value) for value in weights]
        shapes, theirs = [weight.shape for weight in mine], [value.shape for value in given]
        if shapes != theirs:
            raise ValueError(f"{type(self).__name__} has weights of shapes {shapes}, but set_weights got {theirs}")
        for weight, value in zip(mine, given, strict=True):
            weight[...] = value

    @property
    def trainable_variables(self) -> list[Tensor]:
        """The weights that are trained."""
        return [weight for weight in self.weights if getattr(weight, "trainable", True)]

    @property
    def trainable_weights(self) -> list[Tensor]:
        """The same by another name of Keras'."""
        return self.trainable_variables

    def count_params(self) -> int:
        """Return how many numbers all weights are."""
        return sum(weight.size for weight in self.weights)

    @property
    def non_trainable_variables(self) -> list[Tensor]:
        """The weights that are not trained."""
        return [weight for weight in self.weights if not getattr(weight, "trainable", True)]

    @property
    def trainable(self) -> bool:
        """Whether any weight is trained. Setting it sets every weight but the `never_trained`."""
        return bool(self.trainable_variables)

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        never = {id(weight) for part in self._all_parts() for weight in getattr(part, "never_trained", ())}
        for weight in self.weights:
            if id(weight) not in never:
                weight.trainable = trainable

    @property
    def never_trained(self) -> Sequence[Tensor]:
        """The weights of its own, not those of its parts, that setting `trainable` spares: running means, say."""
        return []

    def _all_parts(self) -> Sequence[Any]:
        """This object, and whatever else that has weights it is made of."""
        return [self]
