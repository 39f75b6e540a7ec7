"""The two simplest things: what can be called, and what has weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from beras.tensor import Tensor


class Callable(ABC):
    """Something with a `forward`; `thing(x)` and `thing.forward(x)` are the same."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    @abstractmethod
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output."""


class Weighted(ABC):
    """Something that has weights."""

    @property
    @abstractmethod
    def weights(self) -> Sequence[Tensor]:
        """All weights, trained or not."""

    @property
    def trainable_variables(self) -> list[Tensor]:
        """The weights that are trained."""
        return [weight for weight in self.weights if getattr(weight, "trainable", True)]

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
