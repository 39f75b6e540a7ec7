"""Cross-entropies: of classes and of labels, by probabilities and by logits."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from beras.activations import Softmax
from beras.arrays import Array
from beras.checks import number, number_between, numeric, real, same_shape
from beras.core import on_plain_arrays
from beras.loss import Loss, Pointwise, data_like, scalar
from beras.ops import Sigmoid, evaluate
from beras.recorder import operand, recording
from beras.tensor import Tensor


class SoftmaxCrossEntropy(Loss):
    """The mean over the batch of `−Σ y_true · log softmax(logits)`, as `log Σ exp(logits) − logits[class]`.

    `y_pred (batch, …, classes)`: logits. `y_true`: class indices `(batch, …)`, or one-hot or soft rows of y_pred's
    shape; with axes between, the mean is over these too. Stable at any logits; its gradient
    `(softmax(logits) − y_true) / batch` saturates at neither end. `label_smoothing` as in `CategoricalCrossEntropy`.

    >>> SoftmaxCrossEntropy()([[0.0, 0.0]], [1])
    Tensor(0.69314718)
    """

    input_data = {"y_true": "one-hot"}  # noqa: RUF012 -- read by name, never written

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = number_between(label_smoothing, type(self).__name__, "label_smoothing", 0.0, 1.0)

    @on_plain_arrays
    def forward(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Tensor:
        """Return the mean cross-entropy."""
        each, logits, softmax, t = self._each(y_pred, y_true)
        self._saving = softmax, t  # which the gradient needs again
        return scalar(each.sum() / len(each), logits)

    def per_sample(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Array:
        """Return the cross-entropy of every sample, `(batch,)`."""
        each, logits, _, _ = self._each(y_pred, y_true)
        mean: Array = each.reshape(len(logits), -1).mean(axis=1)
        return mean

    def _each(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> tuple[Array, Array, Array, Array]:
        """Return the cross-entropy of every row, the logits, and softmax and truth as classes by rows."""
        logits = rows_of(real(y_pred, type(self).__name__, "y_pred"), type(self).__name__)
        t = truth(y_true, logits, type(self).__name__, self.label_smoothing)
        # Classes by samples: over its first axis NumPy reduces all samples at once, over the last one after the other.
        x, t = np.ascontiguousarray(logits.reshape(-1, logits.shape[-1]).T), np.ascontiguousarray(t.T)
        shifted = x - x.max(axis=0)
        e = np.exp(shifted)
        total = e.sum(axis=0)
        if t.ndim == 1:
            return np.log(total) - shifted[t, np.arange(len(t))], logits, e / total, t
        return (t * (np.log(total) - shifted)).sum(axis=0), logits, e / total, t

    def by_prediction(self) -> Array:
        """Return `(softmax(logits) · Σ y_true − y_true) / batch` (Σ y_true is 1 for one-hot rows)."""
        softmax, t = self.saved
        if recording.tape is not None:
            return self._recorded_by_prediction(np.eye(len(softmax), dtype=softmax.dtype)[t] if t.ndim == 1 else t.T)
        batch = softmax.shape[1]
        if t.ndim == 1:
            gradient: Array = softmax.copy()
            gradient[t, np.arange(batch)] -= 1
        else:
            gradient = softmax * t.sum(axis=0) - t
        gradient *= softmax.dtype.type(1 / batch)
        return np.ascontiguousarray(gradient.T).reshape(self.inputs[0].shape)

    def _recorded_by_prediction(self, t: Array) -> Array:
        """Return the gradient as computed from the logits anew, in operations that a tape knows."""
        softmax = Softmax()(operand(self.inputs[0]))
        gradient = (softmax.reshape(t.shape) * t.sum(axis=1, keepdims=True) - t) * t.dtype.type(1 / len(t))
        return cast(Array, gradient.reshape(softmax.shape))

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[SoftmaxCrossEntropy, list[Array]]]:
        """Class indices, rows that do not sum to 1, smoothed labels, sequences."""
        random = np.random.default_rng(0)
        logits = random.normal(size=(3, 4))
        return [
            (cls(), [logits, np.array([2, 0, 3])]),
            (cls(), [logits, np.linspace(0.25, 3, 12).reshape(3, 4)]),
            (cls(label_smoothing=0.25), [random.normal(size=(2, 2, 3)), np.array([[2, 0], [1, 1]])]),
        ]


class CategoricalCrossEntropy(Loss):
    """The mean over the batch of `−Σ y_true · log(max(y_pred, epsilon))`.

    `y_pred (batch, …, classes)`: probabilities, or logits with `from_logits=True` (then it is `SoftmaxCrossEntropy`,
    and epsilon has no part). `y_true`: one-hot rows of the same shape, soft ones, or class indices `(batch, …)`.
    `label_smoothing` s takes `(1 − s) · y_true + s / classes` for y_true (Szegedy et al. 2016). Probabilities are
    clipped from below only (1 − 1e-12 would be 1 in float32) and not rescaled to sum 1, both unlike Keras.

    >>> CategoricalCrossEntropy()([[0.5, 0.5]], [[1.0, 0.0]]), CategoricalCrossEntropy()([[0.5, 0.5]], [0])
    (Tensor(0.69314718), Tensor(0.69314718))
    """

    input_domains = {"y_pred": (0.0, 1.0)}  # noqa: RUF012 -- read by name, never written
    input_data = {"y_pred": "probabilities", "y_true": "one-hot"}  # noqa: RUF012

    def __init__(self, epsilon: float = 1e-12, from_logits: bool = False, label_smoothing: float = 0.0) -> None:
        self.epsilon = _epsilon(epsilon, type(self).__name__)
        self.from_logits = _flag(from_logits, type(self).__name__)
        self.label_smoothing = number_between(label_smoothing, type(self).__name__, "label_smoothing", 0.0, 1.0)
        self._of_logits = SoftmaxCrossEntropy(label_smoothing)
        if from_logits:
            self.input_domains, self.input_data = {}, SoftmaxCrossEntropy.input_data

    def forward(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Tensor:
        """Return the mean cross-entropy."""
        if self.from_logits:
            call = self._of_logits.snapshot()
            value: Tensor = call(y_pred, y_true)
            self._saving = call._last.call
            return value
        p, t = self._arguments(y_pred, y_true)
        return scalar(-(t * self._log(p)).sum() / len(p), np.asarray(y_pred))

    def per_sample(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Array:
        """Return the cross-entropy of every sample, `(batch,)`."""
        if self.from_logits:
            return self._of_logits.per_sample(y_pred, y_true)
        p, t = self._arguments(y_pred, y_true)
        each: Array = -(t * self._log(p)).sum(axis=1).reshape(len(np.asarray(y_pred)), -1)
        mean: Array = each.mean(axis=1)
        return mean

    def by_prediction(self) -> Array:
        """Return `−y_true / y_pred / batch`, and 0 where the clip is active."""
        if self.from_logits:
            return cast(Array, self.saved.by_prediction())
        p, t = self._arguments(*self.inputs)
        epsilon, seen = p.dtype.type(self.epsilon), operand(self.inputs[0]).astype(p.dtype, copy=False).reshape(p.shape)
        gradient = np.where(p > epsilon, -t / np.maximum(seen, epsilon), p.dtype.type(0)) * p.dtype.type(1 / len(p))
        return cast(Array, gradient.reshape(self.inputs[0].shape))

    def _log(self, p: Array) -> Array:
        return cast(Array, np.log(np.maximum(p, p.dtype.type(self.epsilon))))

    def _arguments(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> tuple[Array, Array]:
        """Return both as rows of classes; float16 is computed in float32, where epsilon is not 0."""
        who = "CategoricalCrossEntropy"
        p = rows_of(real(y_pred, who, "y_pred"), who)
        p = p.astype(np.promote_types(p.dtype, np.float32), copy=False)
        t = truth(y_true, p, who, self.label_smoothing)
        rows = p.reshape(-1, p.shape[-1])
        return rows, np.eye(rows.shape[1], dtype=p.dtype)[t] if t.ndim == 1 else t

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[CategoricalCrossEntropy, list[Array]]]:
        """Logits, class indices of sequences with smoothed labels."""
        random = np.random.default_rng(0)
        p = random.dirichlet(np.ones(3), (2, 2))
        return [
            (cls(from_logits=True), [random.normal(size=(3, 4)), np.array([2, 0, 3])]),
            (cls(label_smoothing=0.25), [p, np.array([[2, 0], [1, 1]])]),
        ]


class BinaryCrossEntropy(Pointwise):
    """The mean over all entries of `−y_true · log(clip(y_pred)) − (1 − y_true) · log(clip(1 − y_pred))`.

    `clip` keeps its argument in `[epsilon, 1 − epsilon]`. Both arguments `(batch, …, labels)`, the first probabilities,
    the second 0, 1 or soft. With `from_logits=True` y_pred holds logits x, and the terms are
    `max(x, 0) − x · y_true + log(1 + exp(−|x|))`. `label_smoothing` s takes `(1 − s) · y_true + s / 2` for y_true.

    >>> BinaryCrossEntropy()([[0.5]], [[1.0]]), BinaryCrossEntropy(from_logits=True)([[-1000.0]], [[1.0]])
    (Tensor(0.69314718), Tensor(1000.))
    """

    input_domains = {"y_pred": (0.0, 1.0)}  # noqa: RUF012 -- read by name, never written
    input_data = {"y_pred": "probabilities", "y_true": "one-hot"}  # noqa: RUF012

    def __init__(self, epsilon: float = 1e-6, from_logits: bool = False, label_smoothing: float = 0.0) -> None:
        self.epsilon = _epsilon(epsilon, type(self).__name__)
        self.from_logits = _flag(from_logits, type(self).__name__)
        self.label_smoothing = number_between(label_smoothing, type(self).__name__, "label_smoothing", 0.0, 1.0)
        if from_logits:
            self.input_domains, self.input_data = {}, SoftmaxCrossEntropy.input_data

    def terms(self, p: Array, t: Array) -> Array:
        """Return the cross-entropy of each label."""
        t = self._smooth(t)
        if self.from_logits:
            return cast(Array, np.maximum(p, 0) - p * t + np.log1p(np.exp(-np.abs(p))))
        return cast(Array, -(t * np.log(self._clip(p)) + (1 - t) * np.log(self._clip(1 - p))))

    def slope(self, p: Array, t: Array) -> Any:
        """Return `(y_pred − y_true) / (y_pred (1 − y_pred))`, 0 where the clip is active; of logits `σ(x) − y_true`."""
        t = self._smooth(t)
        if self.from_logits:
            return evaluate(Sigmoid(), p) - t
        return (1 - t) * self._by_log(1 - p) - t * self._by_log(p)

    def _smooth(self, t: Array) -> Array:
        smooth: Array = t * t.dtype.type(1 - self.label_smoothing) + t.dtype.type(self.label_smoothing / 2)
        return smooth

    def _by_log(self, p: Array) -> Any:
        """Return the derivative of `log(clip(p))`: `1 / p` inside, 0 where the clip is active."""
        inside = (p > p.dtype.type(self.epsilon)) & (p < p.dtype.type(1 - self.epsilon))
        return np.where(inside, 1 / self._clip(p), p.dtype.type(0))

    def _clip(self, p: Array) -> Array:
        return np.clip(p, p.dtype.type(self.epsilon), p.dtype.type(1 - self.epsilon))

    def _pair(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> tuple[Array, Array]:
        p, t = super()._pair(y_pred, y_true)
        return rows_of(p, "BinaryCrossEntropy"), t

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[BinaryCrossEntropy, list[Array]]]:
        """Logits; smoothed labels."""
        random = np.random.default_rng(0)
        t = random.integers(0, 2, (3, 2)).astype(float)
        return [
            (cls(from_logits=True, label_smoothing=0.5), [random.normal(size=(3, 2)), t]),
            (cls(label_smoothing=0.25), [random.uniform(0.1, 0.9, (3, 2)), t]),
        ]


def rows_of(p: Array, who: str) -> Array:
    """Return `p` if it has rows of classes, else raise `ValueError`."""
    if p.ndim < 2:
        raise ValueError(f"{who} expects y_pred of shape (batch, n), got shape {p.shape}")
    return p


def truth(y_true: npt.ArrayLike, p: Array, who: str, smoothing: float) -> Array:
    """Return class indices `(rows,)` as integers, or rows `(rows, classes)` in the type of `p`."""
    t = numeric(y_true, who, "y_true")
    classes = p.shape[-1]
    if t.shape == p.shape:
        rows = data_like(t, p).reshape(-1, classes)
    elif t.ndim != p.ndim - 1:
        same_shape(p, t, who, ("y_pred", "y_true"))
    else:
        if t.shape != p.shape[:-1]:
            raise ValueError(
                f"{who} expects as many samples in y_pred as in y_true, got {len(p)} and {len(t)} "
                f"(shapes {p.shape} and {t.shape})"
            )
        indices = t.real.astype(np.intp)
        if (indices != t).any() or indices.min() < 0 or indices.max() >= classes:
            raise ValueError(
                f"{who} expects class indices 0 … {classes - 1} in y_true, got values {t.min()} … {t.max()}"
            )
        if not smoothing:
            return indices.reshape(-1)
        rows = np.eye(classes, dtype=p.dtype)[indices.reshape(-1)]
    return rows * rows.dtype.type(1 - smoothing) + rows.dtype.type(smoothing / classes) if smoothing else rows


def _epsilon(epsilon: float, who: str) -> float:
    if not 0 < number(epsilon, who, "epsilon") < 0.5:
        raise ValueError(f"{who} expects 0 < epsilon < 0.5, got {epsilon}")
    return epsilon


def _flag(value: bool, who: str) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{who} expects from_logits to be True or False, got {value!r}")
    return bool(value)
