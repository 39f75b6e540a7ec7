"""What losses are derived from: one scalar for a batch, and its gradient by the prediction."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import floating, gradient_dtype, numeric, real, same_shape
from beras.core import Diffable, Upstream, as_gradient
from beras.recorder import operand, recordable, times
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

    def per_sample(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Array:
        """Return the loss of every sample, `(batch,)`, whose mean is the loss: each as a batch of one."""
        p, t = np.asarray(y_pred), np.asarray(y_true)
        return np.array([np.asarray(self.forward(p[i : i + 1], t[i : i + 1])) for i in range(len(p))])

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
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Any]:
        """The tape's way: nothing is computed for `y_true` unless somebody asks for it."""
        y_true = self.inputs[1]
        by_true = np.zeros(y_true.shape, gradient_dtype(y_true)) if wanted[1] else None
        return [times(J[0], self.by_prediction()), by_true]


class Pointwise(Loss):
    """A loss made of a term for each entry: `y_pred` and `y_true` of one shape `(batch, …, features)`.

    A subclass writes `terms(p, t)` and, beside it, `slope(p, t)`, its derivative by `p`, in NumPy's functions on `p` as
    it is given, a plain array or a tensor. The loss is the mean over the batch (and whatever is between) of the mean
    over the features, or of the `sum` over them.
    """

    sum_over_features: ClassVar[bool] = False

    @abstractmethod
    def terms(self, p: Array, t: Array) -> Array:
        """Return the term of each entry."""

    @abstractmethod
    def slope(self, p: Array, t: Array) -> Any:
        """Return the derivative of each term by `p`."""

    def forward(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Tensor:
        """Return the mean of the terms."""
        p, t = self._pair(y_pred, y_true)
        return scalar(self.terms(p, t).sum() / p.dtype.type(self._count(p)), np.asarray(y_pred))

    def per_sample(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> Array:
        """Return the loss of every sample, `(batch,)`."""
        p, t = self._pair(y_pred, y_true)
        total: Array = self.terms(p, t).reshape(len(p), -1).sum(axis=1)
        mean: Array = total / p.dtype.type(self._count(p) / len(p))
        return mean

    def by_prediction(self) -> Array:
        """Return `slope / number of terms that the mean is over`."""
        y_pred, y_true = self.inputs
        p, t = self._pair(y_pred, y_true)
        slope = self.slope(operand(y_pred).astype(p.dtype, copy=False), t)
        gradient: Array = slope * p.dtype.type(1 / self._count(p))
        return gradient

    def _count(self, p: Array) -> int:
        return p.size // p.shape[-1] if self.sum_over_features and p.ndim else p.size

    def _pair(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike) -> tuple[Array, Array]:
        """Return both as arrays of one shape and type; float16 is computed in float32."""
        who = type(self).__name__
        p = real(y_pred, who, "y_pred")
        t = numeric(y_true, who, "y_true")
        same_shape(p, t, who, ("y_pred", "y_true"))
        p = p.astype(np.promote_types(p.dtype, np.float32), copy=False)
        return p, data_like(t, p)


class SampleWeighted(Diffable):
    """The mean over the batch of `weight · loss of the sample`, for any `Loss`: what `fit(sample_weight=…)` trains on.

    >>> from beras.losses import MeanSquaredError
    >>> SampleWeighted(MeanSquaredError())([[1.0], [2.0]], [[0.0], [0.0]], [1.0, 0.5])
    Tensor(1.5)
    """

    constant_inputs = ("y_true", "sample_weight")
    input_data = {"y_pred": "real", "y_true": "real", "sample_weight": "positive"}  # noqa: RUF012 -- read by name

    def __init__(self, loss: Loss) -> None:
        self.loss = loss

    def forward(self, y_pred: npt.ArrayLike, y_true: npt.ArrayLike, sample_weight: npt.ArrayLike) -> Tensor:
        """Return the weighted mean."""
        weight = real(sample_weight, "SampleWeighted", "sample_weight")
        if weight.shape != np.shape(y_pred)[:1]:
            raise ValueError(
                f"sample_weight must hold one number for each of {len(np.asarray(y_pred))} samples, got shape "
                f"{weight.shape}"
            )
        call = self.loss.snapshot()
        call(y_pred, y_true)
        self._saving = call._last.call
        each = self.loss.per_sample(y_pred, y_true)
        return scalar((each * weight.astype(each.dtype)).mean(), floating(y_pred, "SampleWeighted", "y_pred"))

    def by_prediction(self) -> Any:
        """Return the gradient of the loss, each sample's times its weight."""
        local = self.saved.by_prediction()
        weight = np.asarray(self.inputs[2], local.dtype).reshape(-1, *[1] * (local.ndim - 1))
        return local * weight

    def get_input_gradients(self) -> list[Tensor]:
        """Return the gradient by `y_pred`, and zeros for the data."""
        self._require_call()
        y_pred, *data = self.inputs
        return [as_gradient(self.by_prediction(), y_pred), *[wrap(np.zeros(x.shape, gradient_dtype(x))) for x in data]]

    def compose_input_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return the same times the upstream scalar."""
        upstream = self.upstream(J)
        by_pred, *by_data = self.get_input_gradients()
        return [by_pred if upstream is None else as_gradient(by_pred * upstream[0], by_pred), *by_data]

    @recordable
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Any]:
        """Return the gradient by `y_pred`, and zeros for the data."""
        by_data = [np.zeros(x.shape, gradient_dtype(x)) for x in self.inputs[1:]]
        return [times(J[0], self.by_prediction()), *by_data]

    @classmethod
    def gradcheck_example(cls) -> tuple[SampleWeighted, list[Array]]:
        """Three samples, one of which does not count."""
        return cls(_Square()), [*np.random.default_rng(0).normal(size=(2, 3, 2)), np.array([0.5, 0.0, 2.0])]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[SampleWeighted, list[Array]]]:
        """Samples that are numbers, and sequences."""
        random = np.random.default_rng(0)
        return [
            (cls(_Square()), [*random.normal(size=(2, 3, *shape)), np.array([0.5, 1.0, 2.0])]) for shape in ((), (2, 2))
        ]


class _Square(Pointwise):
    """An example of a loss."""

    def terms(self, p: Array, t: Array) -> Array:
        return cast(Array, (p - t) ** 2)

    def slope(self, p: Array, t: Array) -> Any:
        return 2 * (p - t)


def scalar(value: Any, like: Array) -> Tensor:
    """Return `value` as a tensor of shape (), of the floating type of `like`."""
    return wrap(np.asarray(value, dtype=gradient_dtype(like)))


def data_like(t: Array, p: Array) -> Array:
    """Return the data `t` in the precision of `p`: labels never widen a computation."""
    if t.dtype == p.dtype:
        return t
    if t.dtype.kind == "c" and p.dtype.kind != "c":
        raise TypeError(f"y_true of type {t.dtype} does not fit y_pred of type {p.dtype}")
    return t.astype(p.dtype)
