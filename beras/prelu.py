"""PReLU: a leaky ReLU that learns its slope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import broadcasts_to, floating_dtype, real, whole_number
from beras.initializers import Initializer, Seed, initialize
from beras.jacobians import Composed
from beras.ops import sum_to
from beras.recorder import operand, recordable
from beras.tensor import Tensor, wrap
from beras.variable import Variable


class PReLU(Composed):
    """`x` where `x > 0`, else `alpha · x`, with one learned `alpha` for each entry of a sample. He et al. 2015.

    `x (batch, …)`; `alpha (…)`, of length 1 along `shared_axes` (counted as in `x`: `[1, 2]` shares it among the pixels
    of images), drawn by `alpha_initializer`, zeros by default, as in Keras. It is made at the first call, or at once
    where `shape`, that of a sample, is given. The derivative by `x` is 0 at 0.

    >>> layer = PReLU("ones", shape=(2,))
    >>> layer([[-3.0, 2.0]])
    Tensor([[-3.,  2.]])
    >>> layer.compose_weight_gradients([[[1.0, 1.0]]])
    [Tensor([-3.,  0.], dtype=float32)]
    """

    def __init__(
        self,
        alpha_initializer: str | Initializer = "zero",
        shared_axes: Sequence[int] | None = None,
        *,
        shape: Sequence[int] | None = None,
        dtype: npt.DTypeLike = np.float32,
        seed: Seed = None,
    ) -> None:
        self.alpha_initializer, self.seed = alpha_initializer, seed
        self.shared_axes = [whole_number(axis, "PReLU", "an axis in shared_axes") for axis in shared_axes or ()]
        self.dtype = floating_dtype(dtype, "PReLU")
        self.built = False
        if shape is not None:
            self.build((1, *shape))

    def build(self, *input_shapes: tuple[int, ...]) -> None:
        """Make `alpha` for samples of this shape."""
        self.built_for = input_shapes
        shape = [1 if axis in self.shared_axes else n for axis, n in enumerate(input_shapes[0])][1:]
        draw = initialize(self.alpha_initializer, 1, 1, dtype=self.dtype, seed=self.seed, shape=tuple(shape))
        self.alpha = Variable(draw)
        self.built = True

    @property
    def weights(self) -> list[Tensor]:
        """`[alpha]`."""
        return [self.alpha] if self.built else []

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return `x` or `alpha · x`."""
        x = real(x, "PReLU")
        if x.ndim != self.alpha.ndim + 1 or not broadcasts_to(self.alpha.shape, x.shape[1:]):
            raise ValueError(f"PReLU was made for samples of shape {self.alpha.shape}, got input of shape {x.shape}")
        return wrap(np.where(x > 0, x, np.asarray(self.alpha) * x))

    @recordable
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Any]:
        """Return `J` where `x > 0`, `J · alpha` where `x < 0`."""
        x = operand(self.inputs[0])
        return [J[0] * (x > 0) + J[0] * operand(self.alpha) * (x < 0)]

    @recordable
    def weight_gradients_for(self, J: list[Array]) -> list[Any]:
        """Return `Σ J · min(x, 0)`, over the batch and the shared axes."""
        return [sum_to(J[0] * np.minimum(operand(self.inputs[0]), 0), self.alpha.shape)]

    @classmethod
    def gradcheck_example(cls) -> tuple[PReLU, list[Array]]:
        """A slope for each feature."""
        return cls("normal", shape=(4,), dtype=np.float64, seed=0), [np.random.default_rng(0).normal(size=(3, 4))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[PReLU, list[Array]]]:
        """Images that share their slopes among pixels; data in float32 before a weight in float64."""
        x = np.random.default_rng(0).normal(size=(2, 3, 2, 4))
        shared = cls("normal", [1, 2], shape=(3, 2, 4), dtype=np.float64, seed=0)
        return [(shared, [x]), (cls("normal", shape=(4,), dtype=np.float64, seed=0), [x[0, :, 0].astype(np.float32)])]
