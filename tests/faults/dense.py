"""Planted mistakes in layers with weights: transposes, sums over the batch, single entries, swapped weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.faults.base import Array, Diffable, Elementwise, Fault, like, upstream


class Dense(Diffable):
    """y = x·w + b with w `(in, out)` and b `(1, out)`."""

    def __init__(self, input_size: int = 4, output_size: int = 3) -> None:
        super().__init__()
        rng = np.random.default_rng(1)
        self.w = rng.normal(size=(input_size, output_size)).round(2)
        self.b = rng.normal(size=(1, output_size)).round(2)

    @property
    def weights(self) -> list[Array]:  # type: ignore[override]
        return [self.w, self.b]

    @weights.setter
    def weights(self, arrays: list[Array]) -> None:
        if arrays:
            self.w, self.b = arrays

    def forward(self, x: Array) -> Array:
        return x @ self.w + self.b

    def get_input_gradients(self) -> list[Any]:
        return [self.w]

    def get_weight_gradients(self) -> list[Any]:
        x = self.inputs[0]
        local = np.broadcast_to(x[:, :, None], (*x.shape, self.w.shape[1]))
        return [like(local, self.w), like(np.ones(self.outputs[0].shape), self.b)]

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        return self.get_input_gradients() if g is None else [g @ self.w.T]

    def compose_weight_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        return self.get_weight_gradients() if g is None else self.summed(self.inputs[0], g)

    def summed(self, x: Array, g: Array) -> list[Any]:
        """Return dw and db: sums over the batch."""
        return [x.T @ g, g.sum(axis=0, keepdims=True)]


class DenseTransposedLocal(Dense):
    def get_input_gradients(self) -> list[Any]:
        return [self.w.T]


class DenseSquareTransposed(Dense):
    """With as many outputs as inputs, w for wᵀ raises no error."""

    def __init__(self) -> None:
        super().__init__(4, 4)

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        return self.get_input_gradients() if g is None else [g @ self.w]


class DenseSquare(Dense):
    def __init__(self) -> None:
        super().__init__(4, 4)


class DenseAveraged(Dense):
    def summed(self, x: Array, g: Array) -> list[Any]:
        return [x.T @ g / len(x), g.sum(axis=0, keepdims=True)]


class DenseBiasUnsummed(Dense):
    def summed(self, x: Array, g: Array) -> list[Any]:
        return [x.T @ g, g]


class DenseBiasColumn(Dense):
    """The bias is (1, out); its gradient is not."""

    def summed(self, x: Array, g: Array) -> list[Any]:
        return [x.T @ g, g.sum(axis=0)[:, None]]


class DenseBiasScalar(Dense):
    def summed(self, x: Array, g: Array) -> list[Any]:
        return [x.T @ g, g.sum()]


class DenseWeightsTransposed(Dense):
    def summed(self, x: Array, g: Array) -> list[Any]:
        return [g.T @ x, g.sum(axis=0, keepdims=True)]


class DenseOneWeight(Dense):
    def summed(self, x: Array, g: Array) -> list[Any]:
        dw = x.T @ g
        dw[1, 2] *= -1
        return [dw, g.sum(axis=0, keepdims=True)]


class DenseOneRow(Dense):
    """An off-by-one loop: the last input feature teaches nothing."""

    def summed(self, x: Array, g: Array) -> list[Any]:
        dw = x.T @ g
        dw[-1] = 0
        return [dw, g.sum(axis=0, keepdims=True)]


class DensePermuted(Dense):
    def summed(self, x: Array, g: Array) -> list[Any]:
        return [np.roll(x.T @ g, 1, axis=0), g.sum(axis=0, keepdims=True)]


class DenseLastSampleOnly(Dense):
    """The gradient of each sample overwrites the one before."""

    def summed(self, x: Array, g: Array) -> list[Any]:
        return [x[-1:].T @ g[-1:], g.sum(axis=0, keepdims=True)]


class DenseReshaped(Dense):
    """A reshape where a transpose belongs: right shape, entries in another order."""

    def summed(self, x: Array, g: Array) -> list[Any]:
        return [(g.T @ x).reshape(self.w.shape), g.sum(axis=0, keepdims=True)]


class DenseBiasForgotten(Dense):
    def summed(self, x: Array, g: Array) -> list[Any]:
        return [x.T @ g, np.zeros(self.b.shape)]


class DenseBiasSpread(Dense):
    """Every bias gets the sum over all outputs."""

    def summed(self, x: Array, g: Array) -> list[Any]:
        return [x.T @ g, np.full(self.b.shape, g.sum())]


class Decayed(Dense):
    """A penalty that is added to every output: y = x·w + b + 0.05·Σw²."""

    def forward(self, x: Array) -> Array:
        return super().forward(x) + 0.05 * np.sum(self.w**2)

    def summed(self, x: Array, g: Array) -> list[Any]:
        return [x.T @ g + 0.1 * g.sum() * self.w, g.sum(axis=0, keepdims=True)]

    def get_weight_gradients(self) -> list[Any]:
        raise NotImplementedError("the penalty's gradient has no compact layout")


class DecayForgotten(Decayed):
    def summed(self, x: Array, g: Array) -> list[Any]:
        return [x.T @ g, g.sum(axis=0, keepdims=True)]


class Affine(Diffable):
    """Three weights on one input: y = scale · x + shift + gate · x², each `(features,)`."""

    def __init__(self, features: int) -> None:
        super().__init__()
        rng = np.random.default_rng(2)
        self.scale, self.shift, self.gate = rng.normal(size=(3, features)).round(2)

    @property
    def weights(self) -> list[Array]:  # type: ignore[override]
        return [self.scale, self.shift, self.gate]

    @weights.setter
    def weights(self, arrays: list[Array]) -> None:
        if arrays:
            self.scale, self.shift, self.gate = arrays

    def forward(self, x: Array) -> Array:
        return self.scale * x + self.shift + self.gate * x**2

    def get_input_gradients(self) -> list[Any]:
        return [self.scale + 2 * self.gate * self.inputs[0]]

    def get_weight_gradients(self) -> list[Any]:
        x = self.inputs[0]
        return [like(one, self.scale) for one in (x, np.ones(x.shape), x**2)]

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        return self.get_input_gradients() if g is None else [g * self.get_input_gradients()[0]]

    def compose_weight_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        local = self.get_weight_gradients()
        return local if g is None else [(g * one).sum(axis=0) for one in local]


class AffineSwapped(Affine):
    def get_weight_gradients(self) -> list[Any]:
        scale, shift, gate = super().get_weight_gradients()
        return [gate, shift, scale]


class AffineOneMissing(Affine):
    """Three weights, two gradients."""

    def compose_weight_gradients(self, J: Any = None) -> list[Any]:
        return super().compose_weight_gradients(J)[:2]


class ChannelScale(Diffable):
    """y[n, h, w, c] = scale[c] · x[n, h, w, c] on images."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.scale = np.linspace(0.5, 1.5, channels).round(2)

    def gradcheck_example(self) -> tuple[Array]:
        return (np.random.default_rng(3).normal(size=(2, 3, 4, len(self.scale))).round(2),)

    @property
    def weights(self) -> list[Array]:  # type: ignore[override]
        return [self.scale]

    @weights.setter
    def weights(self, arrays: list[Array]) -> None:
        if arrays:
            (self.scale,) = arrays

    def forward(self, x: Array) -> Array:
        return self.scale * x

    def get_input_gradients(self) -> list[Any]:
        return [np.broadcast_to(self.scale, self.inputs[0].shape)]

    def get_weight_gradients(self) -> list[Any]:
        return [self.inputs[0]]

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        return self.get_input_gradients() if g is None else [g * self.scale]

    def compose_weight_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        return self.get_weight_gradients() if g is None else [(g * self.inputs[0]).sum(axis=(0, 1, 2))]


class ChannelScaleMeanOverPixels(ChannelScale):
    def compose_weight_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        return self.get_weight_gradients() if g is None else [(g * self.inputs[0]).mean(axis=(0, 1, 2))]


class Cumulative(Elementwise):
    """Running sums along the features; each gradient is a running sum from the other end."""

    def forward(self, x: Array) -> Array:
        return np.cumsum(x, axis=-1)

    def get_input_gradients(self) -> list[Any]:
        n = self.inputs[0].shape[-1]
        rows = len(self.inputs[0])
        return [like(np.broadcast_to(np.triu(np.ones((n, n))), (rows, n, n)), self.inputs[0])]

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        return self.get_input_gradients() if g is None else [np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]]


class CumulativeForwards(Cumulative):
    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        return self.get_input_gradients() if g is None else [np.cumsum(g, axis=-1)]


# The contract's item, where the numbers are right and nothing else is wrong.
SHAPE = "gradients have the shape and dtype of what they differentiate"

FAULTS = [
    Fault("Dense's local gradient is wᵀ", DenseTransposedLocal, Dense, "transposed", "get_input_gradients"),
    Fault("square Dense with w for wᵀ", DenseSquareTransposed, DenseSquare, "transposed", "compose_input_gradients"),
    Fault("dw averaged", DenseAveraged, Dense, "averaged instead of summed", "compose_weight_gradients[w]"),
    Fault("db not summed", DenseBiasUnsummed, Dense, "not summed over the batch", "compose_weight_gradients[b]"),
    Fault("db of shape (out, 1)", DenseBiasColumn, Dense, SHAPE),
    Fault("db a number", DenseBiasScalar, Dense, "number instead of an array", "compose_weight_gradients[b]"),
    Fault("dw transposed", DenseWeightsTransposed, Dense, "transposed", "compose_weight_gradients[w]"),
    Fault("one weight's sign", DenseOneWeight, Dense, "one entry wrong", "compose_weight_gradients[w]"),
    Fault("last row of dw missing", DenseOneRow, Dense, "one row wrong", "compose_weight_gradients[w]"),
    Fault("rows of dw rolled", DensePermuted, Dense, "permuted", "compose_weight_gradients[w]"),
    Fault("only the last sample", DenseLastSampleOnly, Dense, "samples left out", "compose_weight_gradients[w]"),
    Fault("dw reshaped, not transposed", DenseReshaped, Dense, "transposed", "compose_weight_gradients[w]"),
    Fault("db forgotten", DenseBiasForgotten, Dense, "zero", "compose_weight_gradients[b]"),
    Fault("db summed over the outputs", DenseBiasSpread, Dense, "spread over an axis", "compose_weight_gradients[b]"),
    Fault("penalty forgotten", DecayForgotten, Decayed, "missing term", "compose_weight_gradients[w]"),
    Fault("two weights swapped", AffineSwapped, Affine, "swapped with another variable", "weight_gradients"),
    Fault("a gradient too few", AffineOneMissing, Affine, "wrong number of gradients", "compose_weight_gradients"),
    Fault("mean over pixels", ChannelScaleMeanOverPixels, ChannelScale, "averaged instead of summed"),
    Fault("cumsum's gradient forwards", CumulativeForwards, Cumulative, "transposed", "compose_input_gradients"),
]
