"""Normalization over the batch or over the features."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import floating, floating_dtype, number_between, whole_number
from beras.core import Diffable, Upstream, as_gradient
from beras.initializers import claim
from beras.modes import TrainingMode
from beras.signatures import shown_as_required
from beras.tensor import Tensor, wrap
from beras.variable import Variable


class Normalization(Diffable):
    """`gamma · x̂ + beta` with `x̂ = (x − μ) / σ` and `σ = √(variance + epsilon)`, `x (batch, …, size)`.

    A subclass says over which axes the mean and the (biased) variance are taken. Without a `size`, that of the first
    input counts.

    Raises `ValueError` for input of another size or an empty batch, `TypeError` for input that is not numeric.
    """

    def __init__(self, size: int | None, epsilon: float, dtype: npt.DTypeLike) -> None:
        self.epsilon = number_between(epsilon, type(self).__name__, "epsilon", 0.0, np.inf)
        self.dtype = floating_dtype(dtype, type(self).__name__)
        self.size, self.built = size, False
        if size is not None:
            self.build((1, whole_number(size, type(self).__name__, "size")))

    def build(self, *input_shapes: tuple[int, ...]) -> None:
        """Make the weights for input of this shape."""
        self.size = input_shapes[0][-1] if input_shapes[0] else 1
        claim(2 * self.size)
        self.gamma = Variable(np.ones(self.size, self.dtype))
        self.beta = Variable(np.zeros(self.size, self.dtype))
        self.built = True

    @property
    def weights(self) -> Sequence[Tensor]:
        """`[gamma, beta]`, each `(size,)`."""
        return [self.gamma, self.beta] if self.built else []

    @abstractmethod
    def axes(self, x: Array) -> tuple[int, ...]:
        """Return the axes of `x` that mean and variance are taken over."""

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `gamma · x̂ + beta`, of the shape of `x`."""
        values = self._checked(x)
        axes = self.axes(values)
        mean = values.mean(axis=axes, keepdims=True)
        variance = np.square(values - mean).mean(axis=axes, keepdims=True)
        return self._scaled(values, mean, variance)

    def _checked(self, x: npt.ArrayLike) -> Array:
        who = type(self).__name__
        values = floating(x, who)
        if values.ndim < 2 or values.shape[-1] != self.size:
            raise ValueError(f"{who} expects input of shape (batch, …, {self.size}), got shape {values.shape}")
        return values

    def _scaled(self, x: Array, mean: Array, variance: Array, fixed: bool = False) -> Tensor:
        sigma = np.sqrt(variance + x.real.dtype.type(self.epsilon))
        normal = (x - mean) / sigma
        self._saving = normal, sigma, mean, variance, fixed  # what the derivatives need again
        return wrap(np.asarray(self.gamma) * normal + np.asarray(self.beta))

    def get_input_gradients(self) -> list[Tensor]:
        """Return the whole Jacobian, `(batch, …, size, batch, …, size)`: entries of one mean depend on each other."""
        self._require_call()
        x = self.inputs[0]
        basis = np.eye(x.size).reshape(x.size, *x.shape)
        rows = [np.asarray(self.compose_input_gradients([e])[0]) for e in basis]
        return [as_gradient(np.stack(rows).reshape(x.shape + x.shape), x)]

    def get_weight_gradients(self) -> list[Tensor]:
        """Return by `gamma` `x̂`, of the shape of `x`; by `beta` ones, `(size,)`."""
        self._require_call()
        normal, *_ = self.saved
        return [as_gradient(normal.copy(), self.gamma), as_gradient(np.ones(self.size), self.beta)]

    def compose_input_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return `(h − mean(h) − x̂ · mean(h · x̂)) / σ` with `h = J · gamma`: the mean and σ depend on `x` too."""
        upstream = self.upstream(J)
        if upstream is None:
            return self.get_input_gradients()
        normal, sigma, *_ = self.saved
        axes = self.axes(normal)
        h = upstream[0] * np.asarray(self.gamma)
        through_mean = h.mean(axis=axes, keepdims=True)
        through_sigma = normal * (h * normal).mean(axis=axes, keepdims=True)
        return [as_gradient((h - through_mean - through_sigma) / sigma, self.inputs[0])]

    def compose_weight_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return `[Σ J · x̂, Σ J]`, `(size,)` each, summed over all axes but the last."""
        upstream = self.upstream(J)
        if upstream is None:
            return self.get_weight_gradients()
        [g], (normal, *_) = upstream, self.saved
        rows = tuple(range(g.ndim - 1))
        return [as_gradient((g * normal).sum(axis=rows), self.gamma), as_gradient(g.sum(axis=rows), self.beta)]


class LayerNormalization(Normalization):
    """Normalizes each sample over its features: `gamma · (x − μ) / √(variance + epsilon) + beta`.

    `x (batch, …, size)`; mean and variance over the last axis, as in Keras. Ba, Kiros & Hinton 2016.

    >>> LayerNormalization(2, epsilon=0.0)([[1.0, 3.0]])
    Tensor([[-1.,  1.]])
    """

    @shown_as_required("size")
    def __init__(self, size: int | None = None, epsilon: float = 1e-3, *, dtype: npt.DTypeLike = np.float32) -> None:
        super().__init__(size, epsilon, dtype)

    def axes(self, x: Array) -> tuple[int, ...]:
        """The last axis."""
        return (x.ndim - 1,)

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[LayerNormalization, list[Array]]]:
        """Rows in more axes; data in float32 before weights in float64."""
        x = np.random.default_rng(0).normal(size=(2, 3, 4))
        return [(cls(4), [x]), (cls(4, dtype=np.float64), [x[0].astype(np.float32)])]


class BatchNormalization(Normalization):
    """Normalizes each feature over the batch: `gamma · (x − μ) / √(variance + epsilon) + beta`, `x (batch, …, size)`.

    In training (`training`, true at first; `Model` sets it), mean and variance are those of the batch, and each call,
    though not `forward` alone, moves the running ones: `moving ← momentum · moving + (1 − momentum) · batch's`, with
    the biased variance, as in Keras. In evaluation the running ones are used. `moving_mean` and `moving_variance` are
    weights that are never trained, whatever `trainable` is set to. Ioffe & Szegedy 2015.

    >>> layer = BatchNormalization(1, epsilon=0.0)
    >>> layer([[1.0], [3.0]])
    Tensor([[-1.],
            [ 1.]])
    >>> layer.moving_mean, layer.moving_variance
    (Variable([0.02], dtype=float32), Variable([1.], dtype=float32))
    """

    training: Any = TrainingMode()

    @shown_as_required("size")
    def __init__(
        self,
        size: int | None = None,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        *,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        self.momentum = number_between(momentum, "BatchNormalization", "momentum", 0.0, 1.0)
        self.training = True
        super().__init__(size, epsilon, dtype)

    def build(self, *input_shapes: tuple[int, ...]) -> None:
        """Make the weights for input of this shape."""
        super().build(*input_shapes)
        self.moving_mean = Variable(np.zeros_like(self.beta), trainable=False)
        self.moving_variance = Variable(np.ones_like(self.beta), trainable=False)

    @property
    def weights(self) -> Sequence[Tensor]:
        """`[gamma, beta, moving_mean, moving_variance]`, each `(size,)`; the last two are never trained."""
        return [self.gamma, self.beta, self.moving_mean, self.moving_variance] if self.built else []

    @property
    def never_trained(self) -> Sequence[Tensor]:
        """`[moving_mean, moving_variance]`, as in Keras."""
        return [self.moving_mean, self.moving_variance] if self.built else []

    def weights_read(self) -> Sequence[Tensor]:
        """In training the moving ones are written, not read."""
        return self.weights[:2] if self.training else self.weights

    def axes(self, x: Array) -> tuple[int, ...]:
        """All axes but the last."""
        return tuple(range(x.ndim - 1))

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[BatchNormalization, list[Array]]]:
        """Rows in more axes; evaluation; data in float32 before weights in float64."""
        x = np.random.default_rng(0).normal(size=(2, 3, 4))
        evaluated = cls(4)
        evaluated.training = False
        return [(cls(4), [x]), (evaluated, [x]), (cls(4, dtype=np.float64), [x[0].astype(np.float32)])]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call `forward`, record it, and in training move the running mean and variance."""
        y = super().__call__(*args, **kwargs)
        _, _, mean, variance, fixed = self.saved
        if not fixed:
            for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                old = np.asarray(moving)
                moving.assign(old + (1 - self.momentum) * (now.reshape(-1) - old))
        return y

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `gamma · x̂ + beta`, of the shape of `x`."""
        if self.training:
            return super().forward(x)
        return self._scaled(
            self._checked(x), np.asarray(self.moving_mean), np.asarray(self.moving_variance), fixed=True
        )

    def get_weight_gradients(self) -> list[Tensor]:
        """Return, besides those by `gamma` and `beta`, those by the moving mean and variance: zeros in training."""
        by_gamma, by_beta = super().get_weight_gradients()
        normal, sigma, _, _, fixed = self.saved
        if not fixed:
            by_mean, by_variance = np.zeros(normal.shape), np.zeros(normal.shape)
        else:
            scale = np.asarray(self.gamma) / sigma
            by_mean, by_variance = np.broadcast_to(-scale, normal.shape).copy(), -scale * normal / (2 * sigma)
        return [
            by_gamma,
            by_beta,
            as_gradient(by_mean, self.moving_mean),
            as_gradient(by_variance, self.moving_variance),
        ]

    def compose_input_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return the product of `Normalization` in training, `J · gamma / σ` in evaluation, where μ and σ are fixed."""
        upstream = self.upstream(J)
        if upstream is None:
            return self.get_input_gradients()
        _, sigma, _, _, fixed = self.saved
        if not fixed:
            return super().compose_input_gradients(upstream)
        return [as_gradient(upstream[0] * np.asarray(self.gamma) / sigma, self.inputs[0])]

    def compose_weight_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return one product for each weight, `(size,)`, summed over all axes but the last."""
        upstream = self.upstream(J)
        if upstream is None:
            return self.get_weight_gradients()
        rows = self.axes(upstream[0])
        by_moving = [
            as_gradient((upstream[0] * np.asarray(local)).sum(axis=rows), local)
            for local in self.get_weight_gradients()[2:]
        ]
        return [*super().compose_weight_gradients(upstream), *by_moving]
