"""Metrics: what is measured but not trained on, `metric(y_pred, y_true)` in the order of the losses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import matrix, number_between, numeric, same_shape, whole_number
from beras.core import Callable
from beras.tensor import Tensor


class CategoricalAccuracy(Callable):
    """The share of samples whose most probable class is the true one.

    >>> CategoricalAccuracy()([[0.9, 0.1], [0.6, 0.4]], [[1, 0], [0, 1]])
    Tensor(0.5)
    """

    def forward(self, probs: npt.ArrayLike, labels: npt.ArrayLike) -> Tensor:
        """Compare `probs (batch, classes)` with one-hot `labels` of the same shape, or with class indices `(batch,)`.

        A tie counts as the first of the tied classes, as in Keras. Raises `ValueError` for other shapes and an empty
        batch, `TypeError` for input that is not numeric.
        """
        p, truth = _classes(probs, labels, "CategoricalAccuracy")
        return _share(p.argmax(axis=1) == truth)


class SparseCategoricalAccuracy(CategoricalAccuracy):
    """`CategoricalAccuracy`, which takes class indices too, by Keras' name for it."""


class TopKCategoricalAccuracy(Callable):
    """The share of samples whose true class is among the `k` most probable ones.

    Classes that tie for the last place all count, as in TensorFlow.

    >>> TopKCategoricalAccuracy(2)([[0.1, 0.2, 0.7], [0.1, 0.2, 0.7]], [1, 0])
    Tensor(0.5)
    """

    def __init__(self, k: int = 5) -> None:
        self.k = whole_number(k, "TopKCategoricalAccuracy", "k")

    def forward(self, probs: npt.ArrayLike, labels: npt.ArrayLike) -> Tensor:
        """Compare `probs (batch, classes)` with one-hot `labels` of that shape, or with class indices `(batch,)`."""
        p, truth = _classes(probs, labels, "TopKCategoricalAccuracy")
        indices = np.asarray(truth).astype(np.intp)
        if (indices != truth).any() or indices.min() < 0 or indices.max() >= p.shape[1]:
            raise ValueError(
                f"TopKCategoricalAccuracy expects class indices 0 … {p.shape[1] - 1} in labels, got values "
                f"{np.min(truth)} … {np.max(truth)}"
            )
        chosen = np.take_along_axis(p, indices[:, None], axis=1)
        return _share((p > chosen).sum(axis=1) < self.k)


class BinaryAccuracy(Callable):
    """The share of entries on the right side: `y_pred > threshold` where `y_true` is 1, not where it is 0.

    >>> BinaryAccuracy()([[0.9, 0.5]], [[1, 1]])
    Tensor(0.5)
    """

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = number_between(threshold, "BinaryAccuracy", "threshold", -np.inf, np.inf)

    def forward(self, probs: npt.ArrayLike, labels: npt.ArrayLike) -> Tensor:
        """Compare `probs` and `labels` of one shape."""
        p, t = numeric(probs, "BinaryAccuracy", "probs"), numeric(labels, "BinaryAccuracy", "labels")
        same_shape(p, t, "BinaryAccuracy", ("probs", "labels"))
        return _share((p > self.threshold) == (t != 0))


class Accuracy(Callable):
    """The accuracy that fits the labels, which is what Keras means by "accuracy".

    Class indices, or one-hot rows of several classes: `CategoricalAccuracy`. One column, or labels of the predictions'
    shape that are no one-hot rows: `BinaryAccuracy`.
    """

    def forward(self, probs: npt.ArrayLike, labels: npt.ArrayLike) -> Tensor:
        """Compare `probs (batch, …)` with `labels`."""
        p, t = numeric(probs, "Accuracy", "probs"), numeric(labels, "Accuracy", "labels")
        if p.shape == t.shape and (p.ndim == 1 or p.shape[-1] == 1):
            return BinaryAccuracy().forward(p, t)
        if p.ndim == 2 == t.ndim and p.shape == t.shape and not (t.sum(axis=1) == 1).all():
            return BinaryAccuracy().forward(p, t)
        if p.ndim > 2:
            p, t = p.reshape(-1, p.shape[-1]), t.reshape(-1, *t.shape[p.ndim - 1 :])
        return CategoricalAccuracy().forward(p, t)


def _classes(probs: npt.ArrayLike, labels: npt.ArrayLike, who: str) -> tuple[Array, Array]:
    p = matrix(numeric(probs, who, "probs"), who, "probs")
    t = numeric(labels, who, "labels")
    if t.ndim == 1 and len(t) == len(p):
        return p, t
    same_shape(p, t, who, ("probs", "labels"))
    return p, t.argmax(axis=1)


def _share(right: Array) -> Tensor:
    return np.asarray(np.mean(right)).view(Tensor)
