"""Planted mistakes in elementwise functions: signs, constants, branches, caches, products."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.faults.base import Array, Elementwise, Fault


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ), without overflow on either side."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


class Sigmoid(Elementwise):
    def forward(self, x: Array) -> Array:
        return sigmoid(x)

    def slope(self, x: Array) -> Array:
        y = sigmoid(x)
        return y * (1 - y)


class SigmoidSign(Sigmoid):
    def slope(self, x: Array) -> Array:
        return -super().slope(x)


class SigmoidAtItsOutput(Sigmoid):
    def slope(self, x: Array) -> Array:
        return super().slope(self.outputs[0])


class SigmoidAppliedToInput(Sigmoid):
    def slope(self, x: Array) -> Array:
        return x * (1 - x)


class SigmoidConstant(Sigmoid):
    def slope(self, x: Array) -> Array:
        return np.full(x.shape, 0.25)


class SigmoidStale(Sigmoid):
    """Keeps the derivative of an earlier call for the next one of the same shape."""

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[tuple[int, ...], Array] = {}

    def __call__(self, *inputs: Any) -> Any:
        before = self.inputs[0] if self.inputs else None
        result = super().__call__(*inputs)
        self.before = before if before is not None and before.shape == self.inputs[0].shape else self.inputs[0]
        return result

    def slope(self, x: Array) -> Array:
        return super().slope(self.before)


class SigmoidUpstreamIgnored(Sigmoid):
    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        return self.get_input_gradients()


class SigmoidAppliedTwice(Sigmoid):
    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        return [self.get_input_gradients()[0] * super().compose_input_gradients(J)[0]]


class SigmoidAccumulates(Sigmoid):
    """Adds every composed gradient to the one before instead of starting anew."""

    def __init__(self) -> None:
        super().__init__()
        self.total: Array | None = None

    def __call__(self, *inputs: Any) -> Any:
        self.total = None
        return super().__call__(*inputs)

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        (fresh,) = super().compose_input_gradients(J)
        self.total = fresh if self.total is None else self.total + fresh
        return [self.total]


class Sine(Elementwise):
    def forward(self, x: Array) -> Array:
        return np.sin(x)

    def slope(self, x: Array) -> Array:
        return np.cos(x)


class SineScaled(Sine):
    def slope(self, x: Array) -> Array:
        return 1.0009 * np.cos(x)


class SineZero(Sine):
    def slope(self, x: Array) -> Array:
        return np.zeros(x.shape)


class SineItself(Sine):
    def slope(self, x: Array) -> Array:
        return np.sin(x)


class SineLowPrecision(Sine):
    def slope(self, x: Array) -> Array:
        return np.cos(x).astype(np.float32).astype(x.dtype)


class SineLastSample(Sine):
    def slope(self, x: Array) -> Array:
        slope = np.cos(x)
        slope[-1] *= 2
        return slope


class SineLastColumn(Sine):
    def slope(self, x: Array) -> Array:
        slope = np.cos(x)
        slope[..., -1] = 0
        return slope


class SineReversed(Sine):
    def slope(self, x: Array) -> Array:
        return np.cos(x)[::-1]


class SineNotAtZero(Sine):
    """cos written as sin·cot, with the 0/0 replaced by 0."""

    def slope(self, x: Array) -> Array:
        return np.where(x == 0, 0.0, np.cos(x))


class Tanh(Elementwise):
    def forward(self, x: Array) -> Array:
        return np.tanh(x)

    def slope(self, x: Array) -> Array:
        return 1 - np.tanh(x) ** 2


class TanhFromInput(Tanh):
    def slope(self, x: Array) -> Array:
        return 1 - x**2


class LeakyReLU(Elementwise):
    alpha = 0.3

    def forward(self, x: Array) -> Array:
        return np.where(x > 0, x, self.alpha * x)

    def slope(self, x: Array) -> Array:
        return np.where(x > 0, 1.0, self.alpha)


class LeakyReLUNegative(LeakyReLU):
    def slope(self, x: Array) -> Array:
        return np.where(x > 0, 1.0, -self.alpha)


class LeakyReLUOne(LeakyReLU):
    def slope(self, x: Array) -> Array:
        return np.ones(x.shape)


class LeakyReLUOtherSlope(LeakyReLU):
    def slope(self, x: Array) -> Array:
        return np.where(x > 0, 1.0, 0.01)


class LeakyReLUSinglePrecision(LeakyReLU):
    """1 is a float32 number, α is none: all positive inputs are right."""

    def slope(self, x: Array) -> Array:
        return super().slope(x).astype(np.float32).astype(x.dtype)


class LeakyReLUAtZero(LeakyReLU):
    """0 is a kink: anything between α and 1 would be a convention, and so would 0; 7 is none."""

    def slope(self, x: Array) -> Array:
        return np.where(x == 0, 7.0, super().slope(x))


class HardTanh(Elementwise):
    """x clipped to (−1, 1)."""

    def forward(self, x: Array) -> Array:
        return np.clip(x, -1, 1)

    def slope(self, x: Array) -> Array:
        return np.where(np.abs(x) < 1, 1.0, 0.0)


class HardTanhClipIgnored(HardTanh):
    """Knows that the lower side is flat, forgets the upper one."""

    def slope(self, x: Array) -> Array:
        return np.where(x > -1, 1.0, 0.0)


class Softplus(Elementwise):
    """log(1 + eˣ)."""

    def forward(self, x: Array) -> Array:
        return np.logaddexp(0, x)

    def slope(self, x: Array) -> Array:
        return sigmoid(x)


class SoftplusOverflow(Softplus):
    def slope(self, x: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.exp(x) / (1 + np.exp(x))


class SoftplusSaturation(Softplus):
    """Keeps its exponential in range by clipping the input, which shows in the tail."""

    def slope(self, x: Array) -> Array:
        return sigmoid(np.clip(x, -5, 5))


class Swish(Elementwise):
    """x·σ(x); derivative σ + x·σ·(1 − σ)."""

    def forward(self, x: Array) -> Array:
        return x * sigmoid(x)

    def slope(self, x: Array) -> Array:
        s = sigmoid(x)
        return s + x * s * (1 - s)


class SwishMissingTerm(Swish):
    def slope(self, x: Array) -> Array:
        s = sigmoid(x)
        return x * s * (1 - s)


class SwishDoubledTerm(Swish):
    def slope(self, x: Array) -> Array:
        s = sigmoid(x)
        return 2 * s + x * s * (1 - s)


class Residual(Elementwise):
    """x + sin x."""

    def forward(self, x: Array) -> Array:
        return x + np.sin(x)

    def slope(self, x: Array) -> Array:
        return 1 + np.cos(x)


class ResidualWithoutSkip(Residual):
    def slope(self, x: Array) -> Array:
        return np.cos(x)


class ResidualSkipTwice(Residual):
    def slope(self, x: Array) -> Array:
        return 2 + np.cos(x)


class SteepSine(Elementwise):
    """arsinh(x/ε) = log(x/ε + √(x²/ε² + 1)) with ε = 0.01; derivative 1/√(x² + ε²)."""

    epsilon = 0.01

    def forward(self, x: Array) -> Array:
        return np.arcsinh(x / self.epsilon)

    def slope(self, x: Array) -> Array:
        return 1 / np.sqrt(x**2 + self.epsilon**2)


class SteepSineWithoutEpsilon(SteepSine):
    def slope(self, x: Array) -> Array:
        return 1 / np.where(x == 0, self.epsilon, np.abs(x))


class BinaryLog(Elementwise):
    """log₂(1 + x²)."""

    def forward(self, x: Array) -> Array:
        return np.log1p(x**2) / np.log(2)

    def slope(self, x: Array) -> Array:
        return 2 * x / (1 + x**2) / np.log(2)


class BinaryLogNaturalSlope(BinaryLog):
    def slope(self, x: Array) -> Array:
        return 2 * x / (1 + x**2)


class SineAxisGone(Sine):
    """Its composed gradient is summed over the features."""

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        return [super().compose_input_gradients(J)[0].sum(axis=-1)]


FAULTS = [
    Fault("sigmoid with the sign flipped", SigmoidSign, Sigmoid, "sign flipped"),
    Fault("sigmoid′ of σ(x)", SigmoidAtItsOutput, Sigmoid, "evaluated at the output"),
    Fault("x(1 − x) for y(1 − y)", SigmoidAppliedToInput, Sigmoid, "evaluated at the input"),
    Fault("tanh: 1 − x² for 1 − y²", TanhFromInput, Tanh, "evaluated at the input"),
    Fault("sigmoid′ = ¼ everywhere", SigmoidConstant, Sigmoid, "constant"),
    Fault("sigmoid′ of the call before", SigmoidStale, Sigmoid, "stale"),
    Fault("compose ignores J", SigmoidUpstreamIgnored, Sigmoid, "upstream gradient ignored", "compose_input_gradients"),
    Fault("compose applies σ′ twice", SigmoidAppliedTwice, Sigmoid, "applied twice", "compose_input_gradients"),
    Fault("compose accumulates", SigmoidAccumulates, Sigmoid, "accumulated", "compose_input_gradients"),
    Fault("sine′ 0.09 % too large", SineScaled, Sine, "times a constant"),
    Fault("sine′ = 0", SineZero, Sine, "zero"),
    Fault("sine′ = sine", SineItself, Sine, "output instead of its derivative"),
    Fault("sine′ rounded to float32", SineLowPrecision, Sine, "lost precision"),
    Fault("last sample counted twice", SineLastSample, Sine, "one sample wrong"),
    Fault("last column forgotten", SineLastColumn, Sine, "one column wrong"),
    Fault("samples reversed", SineReversed, Sine, "permuted"),
    Fault("sine′ = 0 at 0", SineNotAtZero, Sine, "wrong only at zeros"),
    Fault("leaky slope −α", LeakyReLUNegative, LeakyReLU, "slope −α"),
    Fault("leaky slope rounded to float32", LeakyReLUSinglePrecision, LeakyReLU, "lost precision"),
    Fault("leaky slope 1", LeakyReLUOne, LeakyReLU, "slope 1 everywhere"),
    Fault("another leaky slope", LeakyReLUOtherSlope, LeakyReLU, "wrong for negative inputs"),
    Fault("leaky slope 7 at the kink", LeakyReLUAtZero, LeakyReLU, "wrong only at zeros"),
    Fault("upper clip ignored", HardTanhClipIgnored, HardTanh, "wrong where clipped"),
    Fault("softplus′ overflows", SoftplusOverflow, Softplus, "not finite"),
    Fault("softplus′ clipped in the tail", SoftplusSaturation, Softplus, "wrong in saturation"),
    Fault("swish without σ", SwishMissingTerm, Swish, "missing term"),
    Fault("swish with 2σ", SwishDoubledTerm, Swish, "doubled term"),
    Fault("residual without its skip", ResidualWithoutSkip, Residual, "missing term"),
    Fault("residual with its skip twice", ResidualSkipTwice, Residual, "doubled term"),
    Fault("1/|x| for 1/√(x² + ε²)", SteepSineWithoutEpsilon, SteepSine, "missing epsilon"),
    Fault("log₂ with the slope of log", BinaryLogNaturalSlope, BinaryLog, "times a constant"),
    Fault("last axis summed away", SineAxisGone, Sine, "an axis summed away", "compose_input_gradients"),
]
