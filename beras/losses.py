"""Losses: one scalar for a batch, and its gradient by the prediction."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import floating, gradient_dtype, matrix, number, numeric, real, same_shape
from beras.core import Diffable, Upstream, as_gradient, on_plain_arrays
from beras.recorder import operand, recordable, recording, times
from beras.tensor import Tensor, wrap


class Loss(Diffable):
    """The mean over the batch of a loss per sample: `(y_pred, y_true)` to a scalar of y_pred's type.

    `y_true` is data: it is taken in y_pred's precision and held constant, its gradient is zeros. A subclass writes
    `forward` and `by_prediction`.

    Raises `ValueError` for shapes that do not fit, batches that differ in size or are empty, `TypeError` for input
    that is not numeric.
    """

    constant_inputs = ("y_true",)

    @abstractmethod
    def forward(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Tensor:
        """Return the mean loss, of shape `()`."""

    @abstractmethod
    def by_prediction(self) -> Array:
        """Return the gradient of the scalar by `y_pred`, of its shape, the `1/batch` included."""

    def get_input_gradients(self) -> list[Tensor]:
        """Return the gradients of the scalar by `y_pred` and by `y_true` (zeros), each of its input's shape."""
        self._require_call()
        y_pred, y_true = self.inputs
        return [as_gradient(self.by_prediction(), y_pred), wrap(np.zeros(y_true.shape, gradient_dtype(y_true)))]

    def compose_input_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return the gradients by `y_pred` and `y_true` times the upstream scalar."""
        local = self.get_input_gradients()
        upstream = self.upstream(J)
        if upstream is None:
            return local
        by_pred, by_true = local
        return [as_gradient(by_pred * upstream[0], by_pred), by_true]

    @recordable
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Array | None]:
        """The tape's way: nothing is computed for `y_true` unless somebody asks for it."""
        y_true = self.inputs[1]
        by_pred = times(J[0], self.by_prediction()) if wanted[0] else None
        return [by_pred, np.zeros(y_true.shape, gradient_dtype(y_true)) if wanted[1] else None]


class MeanSquaredError(Loss):
    """The mean over the batch of the mean over the features of `(y_pred − y_true)²`.

    >>> MeanSquaredError()([[1.0, 2.0]], [[1.0, 0.0]])
    Tensor(2.)
    """

    input_data = {"y_pred": "real", "y_true": "real"}  # noqa: RUF012 -- read by name, never written

    def forward(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Tensor:
        """Return the mean of the squared differences; both of one shape, real or complex."""
        p = floating(y_pred, "MeanSquaredError", "y_pred")
        t = numeric(y_true, "MeanSquaredError", "y_true")
        same_shape(p, t, "MeanSquaredError", ("y_pred", "y_true"))
        self._saving = difference = p - _data_like(t, p)
        # What np.mean does, at half its time: half precision is summed in single.
        total = np.square(difference).sum(dtype=np.promote_types(difference.dtype, np.float32))
        return _scalar(total / difference.size, difference)

    def by_prediction(self) -> Array:
        """Return `2 (y_pred − y_true) / number of entries`."""
        difference = self.saved
        if recording.tape is not None:
            y_pred, y_true = self.inputs
            difference = operand(y_pred) - np.asarray(y_true)
        gradient: Array = difference * self.saved.dtype.type(2 / difference.size)
        return gradient


class CategoricalCrossEntropy(Loss):
    """The mean over the batch of `−Σ y_true · log(max(y_pred, epsilon))`.

    `y_pred (batch, classes)`: probabilities. `y_true (batch, classes)`: one-hot rows, or soft ones. Probabilities are
    clipped from below only (1 − 1e-12 would be 1 in float32) and not rescaled to sum 1, both unlike Keras.

    >>> CategoricalCrossEntropy()([[0.5, 0.5]], [[1.0, 0.0]])
    Tensor(0.69314718)
    """

    input_domains = {"y_pred": (0.0, 1.0)}  # noqa: RUF012 -- read by name, never written
    input_data = {"y_pred": "probabilities", "y_true": "one-hot"}  # noqa: RUF012

    def __init__(self, epsilon: float = 1e-12) -> None:
        self.epsilon = _epsilon(epsilon, type(self).__name__)

    def forward(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Tensor:
        """Return the mean cross-entropy."""
        p, t = self._arguments(y_pred, y_true)
        return _scalar(-(t * np.log(np.maximum(p, p.dtype.type(self.epsilon)))).sum() / len(p), np.asarray(y_pred))

    def by_prediction(self) -> Array:
        """Return `−y_true / y_pred / batch`, and 0 where the clip is active."""
        p, t = self._arguments(*self.inputs)
        inside = p > p.dtype.type(self.epsilon)
        return np.where(inside, -t / np.where(inside, p, p.dtype.type(1)), p.dtype.type(0)) / len(p)

    def _arguments(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> tuple[Array, Array]:
        return _probabilities(y_pred, y_true, "CategoricalCrossEntropy")


class BinaryCrossEntropy(Loss):
    """The mean over all entries of `−y_true · log(clip(y_pred)) − (1 − y_true) · log(clip(1 − y_pred))`.

    `clip` keeps its argument in `[epsilon, 1 − epsilon]`. Both arguments `(batch, labels)`, the first probabilities,
    the second 0, 1 or soft.

    >>> BinaryCrossEntropy()([[0.5]], [[1.0]])
    Tensor(0.69314718)
    """

    input_domains = {"y_pred": (0.0, 1.0)}  # noqa: RUF012 -- read by name, never written
    input_data = {"y_pred": "probabilities", "y_true": "one-hot"}  # noqa: RUF012

    def __init__(self, epsilon: float = 1e-6) -> None:
        self.epsilon = _epsilon(epsilon, type(self).__name__)

    def forward(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Tensor:
        """Return the mean cross-entropy."""
        p, t = _probabilities(y_pred, y_true, "BinaryCrossEntropy")
        return _scalar(-np.mean(t * np.log(self._clip(p)) + (1 - t) * np.log(self._clip(1 - p))), np.asarray(y_pred))

    def by_prediction(self) -> Array:
        """Return `(y_pred − y_true) / (y_pred (1 − y_pred)) / number of entries`, and 0 where the clip is active."""
        y_pred, y_true = self.inputs
        p, t = _probabilities(y_pred, y_true, "BinaryCrossEntropy")
        gradient: Array = ((1 - t) * self._by_log(1 - p) - t * self._by_log(p)) / p.dtype.type(p.size)
        return gradient

    def _by_log(self, p: Array) -> Array:
        """Return the derivative of `log(clip(p))`: `1 / p` inside, 0 where the clip is active."""
        inside = (p > p.dtype.type(self.epsilon)) & (p < p.dtype.type(1 - self.epsilon))
        slope: Array = inside / np.where(inside, p, p.dtype.type(1))
        return slope

    def _clip(self, p: Array) -> Array:
        return np.clip(p, p.dtype.type(self.epsilon), p.dtype.type(1 - self.epsilon))


class SoftmaxCrossEntropy(Loss):
    """The mean over the batch of `−Σ y_true · log softmax(logits)`, as `log Σ exp(logits) − logits[class]`.

    `y_pred (batch, classes)`: logits. `y_true`: class indices `(batch,)`, or one-hot or soft rows `(batch, classes)`.
    Stable at any logits; its gradient `(softmax(logits) − y_true) / batch` saturates at neither end.

    >>> SoftmaxCrossEntropy()([[0.0, 0.0]], [1])
    Tensor(0.69314718)
    """

    input_data = {"y_true": "one-hot"}  # noqa: RUF012 -- read by name, never written

    @on_plain_arrays
    def forward(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Tensor:
        """Return the mean cross-entropy."""
        logits = matrix(real(y_pred, "SoftmaxCrossEntropy", "y_pred"), "SoftmaxCrossEntropy", "y_pred")
        # Classes by samples: over its first axis NumPy reduces all samples at once, over the last one after the other.
        x, t = np.ascontiguousarray(logits.T), np.ascontiguousarray(self._truth(y_true, logits).T)
        shifted = x - x.max(axis=0)
        e = np.exp(shifted)
        total = e.sum(axis=0)
        self._saving = e / total, t  # the softmax, which the gradient needs again
        if t.ndim == 1:
            return _scalar(np.mean(np.log(total) - shifted[t, np.arange(len(t))]), logits)
        return _scalar((t * (np.log(total) - shifted)).sum() / len(logits), logits)

    def by_prediction(self) -> Array:
        """Return `(softmax(logits) · Σ y_true − y_true) / batch` (Σ y_true is 1 for one-hot rows)."""
        softmax, t = self.saved
        batch = softmax.shape[1]
        if recording.tape is not None:
            return self._recorded_by_prediction(np.eye(len(softmax), dtype=softmax.dtype)[t] if t.ndim == 1 else t.T)
        if t.ndim == 1:
            gradient: Array = softmax.copy()
            gradient[t, np.arange(batch)] -= 1
        else:
            gradient = softmax * t.sum(axis=0) - t
        gradient *= softmax.dtype.type(1 / batch)
        return np.ascontiguousarray(gradient.T)

    def _recorded_by_prediction(self, t: Array) -> Array:
        """Return the gradient as computed from the logits anew, in operations that a tape knows."""
        x = operand(self.inputs[0])
        e = np.exp(x - np.asarray(x).max(axis=1, keepdims=True))
        softmax: Any = e / e.sum(axis=1, keepdims=True)
        return cast(Array, (softmax * t.sum(axis=1, keepdims=True) - t) * t.dtype.type(1 / len(t)))

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[SoftmaxCrossEntropy, list[Array]]]:
        """Class indices, and rows that do not sum to 1."""
        logits = np.random.default_rng(0).normal(size=(3, 4))
        return [(cls(), [logits, np.array([2, 0, 3])]), (cls(), [logits, np.linspace(0.25, 3, 12).reshape(3, 4)])]

    def _truth(self, y_true: npt.ArrayLike, x: Array) -> Array:
        """Return class indices as integers, rows in the type of `x`."""
        who, (batch, classes) = "SoftmaxCrossEntropy", x.shape
        t = numeric(y_true, who, "y_true")
        if t.ndim != 1:
            same_shape(x, t, who, ("y_pred", "y_true"))
            return _data_like(t, x)
        if len(t) != batch:
            raise ValueError(f"{who} expects as many samples in y_pred as in y_true, got {batch} and {len(t)}")
        indices = t.astype(np.intp)
        if (indices != t).any() or indices.min() < 0 or indices.max() >= classes:
            raise ValueError(
                f"{who} expects class indices 0 … {classes - 1} in y_true, got values {t.min()} … {t.max()}"
            )
        return indices


def _scalar(value: Any, like: Array | None = None) -> Tensor:
    """Return `value` as a tensor of shape (), of the floating type of `like`."""
    return wrap(np.asarray(value, dtype=None if like is None else gradient_dtype(like)))


def _data_like(t: Array, p: Array) -> Array:
    """Return the data `t` in the precision of `p`: labels never widen a computation."""
    if t.dtype == p.dtype:
        return t
    if t.dtype.kind == "c" and p.dtype.kind != "c":
        raise TypeError(f"y_true of type {t.dtype} does not fit y_pred of type {p.dtype}")
    return t.astype(p.dtype)


def _probabilities(y_pred: npt.ArrayLike, y_true: npt.ArrayLike, who: str) -> tuple[Array, Array]:
    """Return both as matrices of one shape; float16 is computed in float32, where epsilon is not 0."""
    p = matrix(real(y_pred, who, "y_pred"), who, "y_pred")
    t = numeric(y_true, who, "y_true")
    same_shape(p, t, who, ("y_pred", "y_true"))
    p = p.astype(np.promote_types(p.dtype, np.float32), copy=False)
    return p, _data_like(t, p)


def _epsilon(epsilon: float, who: str) -> float:
    if not 0 < number(epsilon, who, "epsilon") < 0.5:
        raise ValueError(f"{who} expects 0 < epsilon < 0.5, got {epsilon}")
    return epsilon
