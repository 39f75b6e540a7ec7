"""Models that are not a chain: a shortcut around layers, and branches side by side.

Both are layers like any other, so that they nest and mix with the rest in a SequentialModel:

    SequentialModel([Residual([Dense(8, 8), Tanh()]), Branches([Dense(8, 5), Dense(8, 5)]), Softmax()])

Anything else is a `forward` written by hand in a Model subclass.
"""

from __future__ import annotations

from typing import Any

import numpy as np

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
