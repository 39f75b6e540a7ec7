"""Planted mistakes in losses: means, factors, clips, signs, shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.faults.base import Array, Fault, Loss, upstream


class MeanSquaredError(Loss):
    """Mean over the batch of the mean over the features of (p − y)²."""

    def forward(self, y_pred: Array, y_true: Array) -> Any:  # type: ignore[override]
        return np.mean((y_pred - y_true) ** 2)

    def gradient(self, p: Array, y: Array) -> Array:
        return 2 * (p - y) / p.size


class MseFeatures(MeanSquaredError):
    def gradient(self, p: Array, y: Array) -> Array:
        return 2 * (p - y) / len(p)


class MseBatch(MeanSquaredError):
    def gradient(self, p: Array, y: Array) -> Array:
        return 2 * (p - y) / p.shape[-1]


class MseNoMeans(MeanSquaredError):
    def gradient(self, p: Array, y: Array) -> Array:
        return 2 * (p - y)


class MseHalf(MeanSquaredError):
    def gradient(self, p: Array, y: Array) -> Array:
        return (p - y) / p.size


class MseNothing(MeanSquaredError):
    """Factor 2 and both means missing."""

    def gradient(self, p: Array, y: Array) -> Array:
        return p - y


class MseSign(MeanSquaredError):
    def gradient(self, p: Array, y: Array) -> Array:
        return 2 * (y - p) / p.size


class MseNumber(MeanSquaredError):
    """A scalar where an array belongs."""

    def gradient(self, p: Array, y: Array) -> Array:
        return np.asarray(np.sum(2 * (p - y) / p.size))


class CategoricalCrossEntropy(Loss):
    """−mean over the batch of Σ y·log(max(p, ε))."""

    epsilon = 1e-12

    def forward(self, y_pred: Array, y_true: Array) -> Any:  # type: ignore[override]
        return -np.mean(np.sum(y_true * np.log(np.maximum(y_pred, self.epsilon)), axis=-1))

    def gradient(self, p: Array, y: Array) -> Array:
        clipped = p <= self.epsilon
        return np.where(clipped, 0, -y / np.where(clipped, 1, p)) / len(p)


class CceBatch(CategoricalCrossEntropy):
    def gradient(self, p: Array, y: Array) -> Array:
        return super().gradient(p, y) * len(p)


class CceClasses(CategoricalCrossEntropy):
    def gradient(self, p: Array, y: Array) -> Array:
        return super().gradient(p, y) / p.shape[-1]


class CceSign(CategoricalCrossEntropy):
    def gradient(self, p: Array, y: Array) -> Array:
        return -super().gradient(p, y)


class CceNotFinite(CategoricalCrossEntropy):
    """−y/p, whatever p is: infinite or 0/0 at p = 0."""

    def gradient(self, p: Array, y: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return -y / p / len(p)


class CceClipIgnored(CategoricalCrossEntropy):
    """The slope of the logarithm at the clipped value, where the loss is flat."""

    epsilon = 1e-3

    def gradient(self, p: Array, y: Array) -> Array:
        return -y / np.maximum(p, self.epsilon) / len(p)


class CceClipped(CategoricalCrossEntropy):
    epsilon = 1e-3


class CceAdded(CategoricalCrossEntropy):
    """−mean Σ y·log(p + ε)."""

    epsilon = 1e-4

    def forward(self, y_pred: Array, y_true: Array) -> Any:  # type: ignore[override]
        return -np.mean(np.sum(y_true * np.log(y_pred + self.epsilon), axis=-1))

    def gradient(self, p: Array, y: Array) -> Array:
        return -y / (p + self.epsilon) / len(p)


class CceAddedForgotten(CceAdded):
    def gradient(self, p: Array, y: Array) -> Array:
        return -y / np.where(p == 0, np.inf, p) / len(p)


class CceBareArray(CategoricalCrossEntropy):
    """A bare array where a list of two gradients is expected."""

    def compose_input_gradients(self, J: Any = None) -> Any:
        g = upstream(J)
        return self.gradient(*self.inputs) * (1 if g is None else g)


FAULTS = [
    Fault("squared error: 1/features missing", MseFeatures, MeanSquaredError, "1/features missing"),
    Fault("squared error: 1/batch missing", MseBatch, MeanSquaredError, "1/batch missing"),
    Fault("squared error: both means missing", MseNoMeans, MeanSquaredError, "both means missing"),
    Fault("squared error: factor 2 missing", MseHalf, MeanSquaredError, "factor 2 missing"),
    Fault("squared error: 2 and both means missing", MseNothing, MeanSquaredError, "factor 2 and both means missing"),
    Fault("squared error: sign", MseSign, MeanSquaredError, "sign flipped"),
    Fault("squared error: a number", MseNumber, MeanSquaredError, "number instead of an array"),
    Fault("cross-entropy: 1/batch missing", CceBatch, CategoricalCrossEntropy, "1/batch missing"),
    Fault("cross-entropy: extra 1/classes", CceClasses, CategoricalCrossEntropy, "extra 1/features"),
    Fault("cross-entropy: sign", CceSign, CategoricalCrossEntropy, "sign flipped"),
    Fault("cross-entropy: −y/p at p = 0", CceNotFinite, CategoricalCrossEntropy, "not finite"),
    Fault("cross-entropy: clip ignored", CceClipIgnored, CceClipped, "wrong where clipped"),
    Fault("cross-entropy: ε forgotten", CceAddedForgotten, CceAdded, "missing epsilon"),
    Fault(
        "cross-entropy: a bare array",
        CceBareArray,
        CategoricalCrossEntropy,
        "array instead of a list",
        "compose_input_gradients",
    ),
]
