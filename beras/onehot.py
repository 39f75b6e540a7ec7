"""One-hot encoding of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.core import Callable


class OneHotEncoder(Callable):
    """Labels `(n,)` of any sortable type to rows `(n, classes)` with a single 1, and back.

    `forward` before `fit` fits. The columns are the sorted labels, `classes`.

    >>> encoder = OneHotEncoder()
    >>> encoder(["cat", "ant", "cat"])
    array([[0., 1.],
           [1., 0.],
           [0., 1.]], dtype=float32)
    >>> encoder.inverse([[1, 0]])
    array(['ant'], dtype='<U3')
    """

    def __init__(self, dtype: npt.DTypeLike = np.float32) -> None:
        self.dtype = np.dtype(dtype)
        self.classes: Array | None = None

    def fit(self, data: npt.ArrayLike) -> None:
        """Learn the labels in `data (n,)`. Raises `ValueError` if it is empty, of another shape, or has NaN in it."""
        labels = _labels(data)
        if labels.size == 0:
            raise ValueError("OneHotEncoder expects at least one label, got an empty array")
        if labels.dtype.kind in "fc" and np.isnan(labels).any():
            raise ValueError("OneHotEncoder expects labels that equal themselves, got NaN")
        try:
            self.classes = np.unique(labels)
        except TypeError as error:
            raise TypeError(f"OneHotEncoder expects labels that can be sorted: {error}") from None

    def forward(self, data: npt.ArrayLike) -> Array:
        """Return `data (n,)` as rows `(n, classes)`. Raises `ValueError` for a label that was not fitted."""
        labels = _labels(data)
        if self.classes is None:
            self.fit(labels)
        classes: Any = self.classes
        try:
            columns = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
        except TypeError:
            raise ValueError(f"OneHotEncoder was fitted on labels like {classes[0]!r}, got {labels[0]!r}") from None
        unknown = np.asarray(classes[columns] != labels)
        if unknown.any():
            label = labels[unknown].tolist()[0]
            raise ValueError(f"label {label!r} was not fitted; the fitted labels are {_some(classes)}")
        rows = np.zeros((len(labels), len(classes)), dtype=self.dtype)
        rows[np.arange(len(labels)), columns] = 1
        return rows

    def inverse(self, data: npt.ArrayLike) -> Array:
        """Return the labels of one-hot rows `(n, classes)`.

        Raises `RuntimeError` before `fit`, `ValueError` for rows of another length or without a single 1.
        """
        if self.classes is None:
            raise RuntimeError("OneHotEncoder.inverse needs the labels: call fit() or forward() first")
        rows = np.asarray(data)
        if rows.ndim != 2 or rows.shape[1] != len(self.classes):
            raise ValueError(f"OneHotEncoder expects rows of shape (n, {len(self.classes)}), got shape {rows.shape}")
        ones = rows == 1
        if not ((ones | (rows == 0)).all() and (ones.sum(axis=1) == 1).all()):
            raise ValueError(
                "OneHotEncoder.inverse expects rows with a single 1 and zeros (take argmax of probabilities)"
            )
        labels: Array = self.classes[ones.argmax(axis=1)]
        return labels


def to_categorical(x: npt.ArrayLike, num_classes: int | None = None) -> Array:
    """Return one row of `num_classes` numbers for each class index in `x`, float32, with a single 1: Keras' function.

    `num_classes` is one more than the largest index by default. Raises `ValueError` for what is no index of a class.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    indices = np.asarray(x)
    if indices.dtype.kind not in "iub" and not np.array_equal(indices, np.asarray(indices, np.int64)):
        raise ValueError("to_categorical expects whole numbers: OneHotEncoder takes labels of any type")
    indices = indices.astype(np.int64)
    classes = int(indices.max(initial=-1)) + 1 if num_classes is None else num_classes
    if indices.size and not 0 <= indices.min() <= indices.max() < classes:
        raise ValueError(f"to_categorical expects 0 to {classes - 1}, got {indices.min()} to {indices.max()}")
    rows: Array = np.eye(classes, dtype=np.float32)[indices]
    return rows


def _labels(data: npt.ArrayLike) -> Array:
    labels = np.asarray(data)
    if labels.ndim != 1:
        raise ValueError(f"OneHotEncoder expects labels of shape (n,), got shape {labels.shape}")
    return labels


def _some(classes: Array) -> str:
    shown = ", ".join(repr(label) for label in classes[:10].tolist())
    return shown if len(classes) <= 10 else f"{shown}, … ({len(classes)} in all)"
