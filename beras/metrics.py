"""Metrics: what is measured but not trained on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from beras.checks import matrix, numeric, same_shape
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
        who = "CategoricalAccuracy"
        p = matrix(numeric(probs, who, "probs"), who, "probs")
        t = numeric(labels, who, "labels")
        if t.ndim == 1 and len(t) == len(p):
            truth = t
        else:
            same_shape(p, t, who, ("probs", "labels"))
            truth = t.argmax(axis=1)
        return np.asarray(np.mean(p.argmax(axis=1) == truth)).view(Tensor)
