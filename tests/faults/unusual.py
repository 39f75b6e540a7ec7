"""Correct layers of unusual build: each must be checked right."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.faults.base import Array, Diffable, Elementwise, Fault, upstream
from tests.faults.coupling import BatchNorm
from tests.faults.dense import Affine, ChannelScale


class Noise(Elementwise):
    """x · (1 + noise), the noise drawn anew in every call from a seed that is pinned."""

    def __init__(self, seed: int = 7) -> None:
        super().__init__()
        self.seed = seed

    def factors(self, x: Array) -> Array:
        return 1 + 0.1 * np.random.default_rng(self.seed).normal(size=x.shape)

    def forward(self, x: Array) -> Array:
        return x * self.factors(x)

    def slope(self, x: Array) -> Array:
        return self.factors(x)


class Dropout(Elementwise):
    """Keeps a fair coin's choice of entries; draws from NumPy's global generator and remembers its mask."""

    def __init__(self) -> None:
        super().__init__()
        self.mask: Array = np.ones(())

    def forward(self, x: Array) -> Array:
        self.mask = 2.0 * (np.random.uniform(size=x.shape) < 0.5)  # noqa: NPY002
        return x * self.mask

    def slope(self, x: Array) -> Array:
        return self.mask


class Bilinear(Diffable):
    """Two inputs: x ∘ sin(y)."""

    def forward(self, x: Array, y: Array) -> Array:  # type: ignore[override]
        return x * np.sin(y)

    def get_input_gradients(self) -> list[Any]:
        x, y = self.inputs
        return [np.sin(y), x * np.cos(y)]

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        local = self.get_input_gradients()
        return local if g is None else [g * one for one in local]


class SinCos(Diffable):
    """Two outputs of one input."""

    def forward(self, x: Array) -> tuple[Array, Array]:
        return np.sin(x), np.cos(x)

    def get_input_gradients(self) -> list[Any]:
        raise NotImplementedError("two outputs: compose the upstream gradients instead")

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        if J is None:
            return self.get_input_gradients()
        x = self.inputs[0]
        return [J[0] * np.cos(x) - J[1] * np.sin(x)]


class SinCosSecondIgnored(SinCos):
    """Not correct: the second output's upstream gradient is dropped."""

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        if J is None:
            return self.get_input_gradients()
        return [J[0] * np.cos(self.inputs[0])]


class Polynomial(Diffable):
    """No batch axis: a vector of coefficients in, the value of a polynomial at 2 out."""

    def gradcheck_example(self) -> tuple[Array]:
        return (np.array([0.5, -1.0, 0.25, 2.0]),)

    def powers(self, x: Array) -> Array:
        return 2.0 ** np.arange(len(x))

    def forward(self, x: Array) -> Any:
        return np.sum(x**2 * self.powers(x))

    def get_input_gradients(self) -> list[Any]:
        x = self.inputs[0]
        return [(2 * x * self.powers(x)).astype(x.dtype)]

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        local = self.get_input_gradients()
        return local if g is None else [g * one for one in local]


UNUSUAL = {
    "couples samples": BatchNorm,
    "noise with a pinned seed": Noise,
    "two inputs": Bilinear,
    "three weights": Affine,
    "two outputs": SinCos,
    "4-d input": ChannelScale,
    "no batch axis": Polynomial,
}

FAULTS = [
    Fault("second output ignored", SinCosSecondIgnored, SinCos, "one output ignored", "compose_input_gradients"),
]
