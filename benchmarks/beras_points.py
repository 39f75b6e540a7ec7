"""Beras' own functions at a random point: what a case is, and what its formulas have in common.

`forward` runs the very code of Beras, in float64. The formula beside it is the textbook's, on arrays of duals
(`truth.py`), where neither overflow nor rounding needs a trick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from truth import Exact, jacobian, lift

Array = np.ndarray[Any, np.dtype[Any]]
Random = np.random.Generator
Values = dict[str, Any]
Function = Callable[[Values], Any]
POSITIVE = (0.0, np.inf)


@dataclass(frozen=True)
class Case:
    """A function of Beras with its point. `formula` is the same function of exact `values`."""

    program: tuple[str, ...]
    function: Function
    formula: Function
    values: dict[str, Array]
    wrt: str
    structure: str = "dense"
    domain: tuple[float, float] | None = None

    def forward(self, values: dict[str, Array]) -> list[Array]:
        """The function under test."""
        return [np.asarray(self.function(values))]

    def truth(self) -> tuple[Array, Array]:
        """Return the dense Jacobian, to twice a double's precision."""
        exact = {name: lift(value) for name, value in self.values.items()}
        return jacobian(lambda x: self.formula({**exact, self.wrt: x}), self.values[self.wrt], self.structure)


def normal(rng: Random, *shape: int, scale: float | None = None) -> Array:
    """Draw numbers of one size, which is drawn too, around 0 or beside it."""
    size = 10 ** rng.uniform(-2, 1.5) if scale is None else scale
    return size * rng.normal(size=shape) + rng.choice([0.0, size])


def sizes(rng: Random) -> tuple[int, int]:
    """Draw how many rows and columns."""
    return int(rng.integers(2, 11)), int(rng.integers(2, 11))


def by(layer: Any, **renamed: str) -> Function:
    """Return a function that puts values into the attributes of a layer and runs its forward on `x`."""

    def function(v: Values) -> Any:
        for name, attribute in renamed.items():
            setattr(layer, attribute, v[name])
        return layer.forward(v["x"])

    return function


def softmax(x: Any) -> Any:
    """Return the softmax of rows of duals."""
    e = Exact.exp(x)
    return e / Exact.sum(e, axis=-1, keepdims=True)


def sigmoid(x: Any) -> Any:
    """Return the logistic function of duals."""
    return 1 / (1 + Exact.exp(-x))
