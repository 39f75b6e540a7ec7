"""Planted mistakes in functions that couple entries: softmax, layer and batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.faults.base import Array, Diffable, Fault, like, upstream


class PerSample(Diffable):
    """A function of each row alone; a subclass says `jacobian(x)`, `(batch, out, in)`."""

    def jacobian(self, x: Array) -> Array:
        raise NotImplementedError

    def get_input_gradients(self) -> list[Any]:
        return [like(self.jacobian(self.inputs[0]), self.inputs[0])]

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        local = self.get_input_gradients()[0]
        return [local if g is None else np.einsum("no,noi->ni", g, local)]


def diagonal(y: Array) -> Array:
    """Return one diagonal matrix per row of `y`."""
    return y[:, :, None] * np.eye(y.shape[-1])


class Softmax(PerSample):
    """diag(y) − y·yᵀ"""

    def forward(self, x: Array) -> Array:
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def jacobian(self, x: Array) -> Array:
        y = self.forward(x)
        return diagonal(y) - y[:, :, None] * y[:, None, :]


class SoftmaxSignOffDiagonal(Softmax):
    def jacobian(self, x: Array) -> Array:
        y = self.forward(x)
        return diagonal(2 * y * (1 - y)) - super().jacobian(x)


class SoftmaxDiagonalOnly(Softmax):
    """y(1 − y), as if the entries did not interact."""

    def jacobian(self, x: Array) -> Array:
        y = self.forward(x)
        return diagonal(y * (1 - y))


class SoftmaxWithoutProduct(Softmax):
    def jacobian(self, x: Array) -> Array:
        return diagonal(self.forward(x))


class SoftmaxProductTwice(Softmax):
    def jacobian(self, x: Array) -> Array:
        y = self.forward(x)
        return diagonal(y) - 2 * y[:, :, None] * y[:, None, :]


class SoftmaxPlus(Softmax):
    """diag(y) + y·yᵀ: on the diagonal the sign is wrong too."""

    def jacobian(self, x: Array) -> Array:
        y = self.forward(x)
        return diagonal(y) + y[:, :, None] * y[:, None, :]


class LayerNorm(PerSample):
    """(x − mean) / √(var + ε) of each row (Ba, Kiros & Hinton 2016, without scale and shift)."""

    epsilon = 1e-3
    backward_epsilon = 1e-3

    def standardise(self, x: Array, epsilon: float) -> tuple[Array, Array]:
        deviation = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
        return (x - x.mean(axis=-1, keepdims=True)) / deviation, deviation

    def forward(self, x: Array) -> Array:
        return self.standardise(x, self.epsilon)[0]

    def jacobian(self, x: Array) -> Array:
        y, deviation = self.standardise(x, self.backward_epsilon)
        n = x.shape[-1]
        return (np.eye(n) - 1 / n - y[:, :, None] * y[:, None, :] / n) / deviation[:, :, None]


class LayerNormWithoutEpsilon(LayerNorm):
    """1/√var for 1/√(var + ε) in its derivative."""

    backward_epsilon = 1e-30


class LayerNormWithoutVariance(LayerNorm):
    """The variance taken for a constant."""

    def jacobian(self, x: Array) -> Array:
        _, deviation = self.standardise(x, self.epsilon)
        n = x.shape[-1]
        return np.broadcast_to(np.eye(n) - 1 / n, (len(x), n, n)) / deviation[:, :, None]


class LayerNormElementwise(LayerNorm):
    """Mean and variance taken for constants."""

    def jacobian(self, x: Array) -> Array:
        _, deviation = self.standardise(x, self.epsilon)
        return diagonal(np.broadcast_to(1 / deviation, x.shape))


class BatchNorm(Diffable):
    """(x − mean) / √(var + ε) of each column over the batch: the samples are coupled on purpose."""

    epsilon = 1e-3
    variance_term = 1.0

    def forward(self, x: Array) -> Array:
        return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + self.epsilon)

    def get_input_gradients(self) -> list[Any]:
        raise NotImplementedError("the samples are coupled: there is no compact layout")

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        if g is None:
            return self.get_input_gradients()
        x, y = self.inputs[0], self.outputs[0]
        coupled = g.mean(axis=0) + self.variance_term * y * (g * y).mean(axis=0)
        return [(g - coupled) / np.sqrt(x.var(axis=0) + self.epsilon)]


class BatchNormWithoutVariance(BatchNorm):
    variance_term = 0.0


class BatchNormVarianceTwice(BatchNorm):
    variance_term = 2.0


class BatchNormElementwise(BatchNorm):
    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        if g is None:
            return self.get_input_gradients()
        return [g / np.sqrt(self.inputs[0].var(axis=0) + self.epsilon)]


FAULTS = [
    Fault("softmax: sign off the diagonal", SoftmaxSignOffDiagonal, Softmax, "wrong sign off the diagonal"),
    Fault("softmax: + for −", SoftmaxPlus, Softmax, "wrong sign off the diagonal"),
    Fault("softmax: only the diagonal", SoftmaxDiagonalOnly, Softmax, "missing term"),
    Fault("softmax: without y·yᵀ", SoftmaxWithoutProduct, Softmax, "missing term"),
    Fault("softmax: y·yᵀ twice", SoftmaxProductTwice, Softmax, "doubled term"),
    Fault("layer norm without ε", LayerNormWithoutEpsilon, LayerNorm, "missing epsilon"),
    Fault("layer norm: variance constant", LayerNormWithoutVariance, LayerNorm, "missing term"),
    Fault("layer norm: mean and variance constant", LayerNormElementwise, LayerNorm, "missing term"),
    Fault("batch norm: variance constant", BatchNormWithoutVariance, BatchNorm, "missing term"),
    Fault("batch norm: variance counted twice", BatchNormVarianceTwice, BatchNorm, "doubled term"),
    Fault("batch norm: mean and variance constant", BatchNormElementwise, BatchNorm, "missing term"),
]
