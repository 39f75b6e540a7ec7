"""What a claim loses in float32 is rounding only where the same code loses as many eps in float64."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck.problem import Array
from gradcheck.report.terminal import explain


class Tanh:
    """One number for all of float32, which is 1 where it is right."""

    factor = 1.0

    def forward(self, x: Array) -> Array:
        self.y = np.tanh(x)
        return self.y

    def backward(self, g: Array) -> Array:
        found: Array = g * (1 - self.y**2)
        return found * np.float32(self.factor) if g.dtype == np.float32 else found


class TanhOffInFloat32(Tanh):
    factor = 1.0002


class TanhFartherOffInFloat32(Tanh):
    factor = 0.998


class Twice:
    """Exact in every type."""

    def forward(self, x: Array) -> Array:
        return 2 * x

    def backward(self, g: Array) -> Array:
        return 2 * g


class TwiceOffInFloat32(Twice):
    def backward(self, g: Array) -> Array:
        return g * np.float32(2.001) if g.dtype == np.float32 else 2 * g


class Cancels:
    """Its derivative is what little is left of two large numbers, in any type."""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.log(1 + np.exp(x))

    def backward(self, g: Array) -> Array:
        large = 300 + np.sin(self.x)
        return g * ((large + 1 / (1 + np.exp(-self.x))) - large)


@pytest.mark.parametrize("wrong", [TanhOffInFloat32, TanhFartherOffInFloat32, TwiceOffInFloat32])
def test_a_factor_in_float32_alone_is_wrong(wrong: type) -> None:
    found = gradcheck.check(wrong)
    assert (found.verdict, found.where) == ("wrong", "in float32"), explain(found)


@pytest.mark.parametrize("right", [Tanh, Twice, Cancels])
def test_what_cancels_in_any_type_is_rounding(right: type) -> None:
    found = gradcheck.check(right)
    assert found.verdict == "correct", explain(found)
