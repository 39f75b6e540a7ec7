"""Models that are not a chain: a shortcut around layers, and branches side by side.

Both are layers like any other, so that they nest and mix with the rest in a SequentialModel:

    SequentialModel([Residual([Dense(8, 8), Tanh()]), Branches([Dense(8, 5), Dense(8, 5)]), Softmax()])

Anything else is a `forward` written by hand in a Model subclass.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from beras.core import Callable
from beras.model import Model, SequentialModel


class Residual(SequentialModel):
    """y = x + layers(x), which must have the shape of `x`. He et al. 2016, "Deep Residual Learning"."""

    def forward(self, x: Any) -> Any:
        """Return `x` plus what the layers make of it. Raises ValueError if that has another shape."""
        change = super().forward(x)
        if np.shape(change) != np.shape(x):
            raise ValueError(f"Residual adds its layers' output to x {np.shape(x)}, but it is {np.shape(change)}")
        return x + change


class Branches(Model):
    """y = [layers[0](x), layers[1](x), …]: every layer sees `x`, and their outputs stand side by side.

    `x (batch, in)` becomes `(batch, sum of the outputs)`; more axes are kept, the last one is joined.
    """

    def forward(self, x: Any) -> Any:
        """Return the outputs of all layers, joined along the last axis."""
        return np.concatenate([layer(x) for layer in self.layers], axis=-1)


class Concatenate(Callable):
    """Arrays side by side along an axis, the last one by default: `Concatenate()([x, y])`, as in Keras."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Return the arrays of the list `x`, joined."""
        return np.concatenate(x, axis=self.axis)


class Add(Callable):
    """The sum of arrays: `Add()([x, y])`, as in Keras."""

    def forward(self, x: Any) -> Any:
        """Return the sum of the arrays of the list `x`."""
        first, *others = x
        for other in others:
            first = first + other
        return first
