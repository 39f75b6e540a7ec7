"""Losses: of numbers here, cross-entropies in a file of their own."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import floating, number_between, numeric, same_shape
from beras.cross_entropy import BinaryCrossEntropy, CategoricalCrossEntropy, SoftmaxCrossEntropy
from beras.loss import Loss, Pointwise, SampleWeighted, data_like, scalar
from beras.recorder import operand, recording
from beras.tensor import Tensor

__all__ = [
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "Hinge",
    "Huber",
    "KLDivergence",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Pointwise",
    "Poisson",
    "SampleWeighted",
    "SoftmaxCrossEntropy",
]


class MeanSquaredError(Loss):
    """The mean over the batch of the mean over the features of `(y_pred − y_true)²`.

    >>> MeanSquaredError()([[1.0, 2.0]], [[1.0, 0.0]])
    Tensor(2.)
    """

    input_data = {"y_pred": "real", "y_true": "real"}  # noqa: RUF012 -- read by name, never written

    def forward(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Tensor:
        """Return the mean of the squared differences; both of one shape, real or complex."""
        self._saving = difference = self._difference(y_pred, y_true)
        # What np.mean does, at half its time: half precision is summed in single.
        total = np.square(difference).sum(dtype=np.promote_types(difference.dtype, np.float32))
        return scalar(total / difference.size, difference)

    def per_sample(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Array:
        """Return the mean squared difference of every sample, `(batch,)`."""
        difference = self._difference(y_pred, y_true)
        mean: Array = np.square(difference).reshape(len(difference), -1).mean(axis=1)
        return mean

    def _difference(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Array:
        p = floating(y_pred, "MeanSquaredError", "y_pred")
        t = numeric(y_true, "MeanSquaredError", "y_true")
        same_shape(p, t, "MeanSquaredError", ("y_pred", "y_true"))
        return p - data_like(t, p)

    def by_prediction(self) -> Array:
        """Return `2 (y_pred − y_true) / number of entries`."""
        difference = self.saved
        if recording.tape is not None:
            y_pred, y_true = self.inputs
            difference = operand(y_pred) - np.asarray(y_true)
        gradient: Array = difference * self.saved.dtype.type(2 / difference.size)
        return gradient


class MeanAbsoluteError(Pointwise):
    """The mean over all entries of `|y_pred − y_true|`; the derivative where both are equal is 0.

    >>> MeanAbsoluteError()([[1.0, 2.0]], [[1.0, 0.0]])
    Tensor(1.)
    """

    input_data = {"y_pred": "real", "y_true": "real"}  # noqa: RUF012 -- read by name, never written

    def terms(self, p: Array, t: Array) -> Array:
        """Return `|p − t|`."""
        return cast(Array, np.abs(p - t))

    def slope(self, p: Array, t: Array) -> Any:
        """Return the sign of `p − t`."""
        return np.sign(p - t)


class Huber(Pointwise):
    """The mean over all entries of `e²/2` where `|e| ≤ delta`, else `delta · |e| − delta²/2`.

    `e = y_pred − y_true`. Huber 1964.

    >>> Huber()([[0.5, 3.0]], [[0.0, 0.0]])
    Tensor(1.3125)
    """

    input_data = {"y_pred": "real", "y_true": "real"}  # noqa: RUF012 -- read by name, never written

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = number_between(delta, "Huber", "delta", 0.0, np.inf)

    def terms(self, p: Array, t: Array) -> Array:
        """Return the square near 0 and the straight line beyond, as one: with `c = clip(e)`, `c · (e − c/2)`."""
        e = p - t
        c = np.clip(e, -self.delta, self.delta)
        return cast(Array, c * (e - c / 2))

    def slope(self, p: Array, t: Array) -> Any:
        """Return `e` kept within ±delta."""
        return np.clip(p - t, -self.delta, self.delta)


class KLDivergence(Pointwise):
    """The mean over the batch of `Σ y_true · log(y_true / y_pred)`: what is lost by taking y_pred for y_true.

    Both `(batch, …, classes)`: probabilities, taken for `epsilon` where they are smaller; the derivative there is 0.
    Kullback & Leibler 1951.

    >>> KLDivergence()([[0.5, 0.5]], [[1.0, 0.0]])
    Tensor(0.69314564)
    """

    input_domains = {"y_pred": (0.0, 1.0)}  # noqa: RUF012 -- read by name, never written
    input_data = {"y_pred": "probabilities", "y_true": "probabilities"}  # noqa: RUF012
    sum_over_features = True

    def __init__(self, epsilon: float = 1e-7) -> None:
        self.epsilon = number_between(epsilon, "KLDivergence", "epsilon", 1e-30, 0.5)

    def terms(self, p: Array, t: Array) -> Array:
        """Return `t · log(t / p)`."""
        t = np.maximum(t, self.epsilon)
        return cast(Array, t * np.log(t / np.maximum(p, self.epsilon)))

    def slope(self, p: Array, t: Array) -> Any:
        """Return `−t / p`, and 0 where p is too small."""
        t, inside = np.maximum(t, self.epsilon), p > self.epsilon
        return np.where(inside, -t / np.maximum(p, self.epsilon), p.dtype.type(0))

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[KLDivergence, list[Array]]]:
        """One number, which is its own class."""
        return [(cls(), [np.array(0.25), np.array(0.5)])]


class Poisson(Pointwise):
    """The mean over all entries of `y_pred − y_true · log(y_pred + epsilon)`: counts `y_true` of a rate `y_pred > 0`.

    What does not depend on y_pred is left out, as in Keras.

    >>> Poisson(epsilon=0.0)([[1.0, 1.0]], [[3.0, 0.0]])
    Tensor(1.)
    """

    input_domains = {"y_pred": (0.0, np.inf)}  # noqa: RUF012 -- read by name, never written
    input_data = {"y_pred": "positive", "y_true": "positive"}  # noqa: RUF012

    def __init__(self, epsilon: float = 1e-7) -> None:
        self.epsilon = number_between(epsilon, "Poisson", "epsilon", 0.0, np.inf)

    def terms(self, p: Array, t: Array) -> Array:
        """Return `p − t · log(p + epsilon)`."""
        return cast(Array, p - t * np.log(p + self.epsilon))

    def slope(self, p: Array, t: Array) -> Any:
        """Return `1 − t / (p + epsilon)`."""
        return 1 - t / (p + self.epsilon)


class Hinge(Pointwise):
    """The mean over all entries of `max(1 − y_true · y_pred, 0)`, with labels −1 and 1.

    Labels 0 and 1, if there are no others, count as −1 and 1, as in Keras. The derivative at the margin is 0.
    Cortes & Vapnik 1995.

    >>> Hinge()([[0.5, 2.0, -0.5]], [[1.0, 1.0, -1.0]])
    Tensor(0.33333333)
    """

    input_data = {"y_true": "binary"}  # noqa: RUF012 -- read by name, never written

    def terms(self, p: Array, t: Array) -> Array:
        """Return `max(1 − t · p, 0)`."""
        return cast(Array, np.maximum(1 - self._signed(t) * p, 0))

    def slope(self, p: Array, t: Array) -> Any:
        """Return `−t` within the margin, 0 beyond."""
        t = self._signed(t)
        return t * np.sign(np.minimum(t * p - 1, 0))

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Hinge, list[Array]]]:
        """Labels 0 and 1, as whole numbers."""
        return [(cls(), [np.random.default_rng(0).normal(size=(3, 2)), np.array([[1, 0], [0, 1], [1, 1]])])]

    def _signed(self, t: Array) -> Array:
        return 2 * t - 1 if ((t == 0) | (t == 1)).all() else t
