"""Embedding: a learned vector for each number of a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import floating_dtype, numeric, whole_number
from beras.initializers import Initializer, Seed, initialize
from beras.jacobians import Composed
from beras.ops import Scatter, evaluate
from beras.recorder import recordable
from beras.tensor import Tensor, wrap
from beras.variable import Variable


class Embedding(Composed):
    """`y = w[x]`: whole numbers `x (…)` from 0 to `input_dim − 1` to vectors `(…, output_dim)`.

    Weight: `w (input_dim, output_dim)`, uniform on ±0.05 by default, as in Keras. A number that occurs several times
    gets the sum of the gradients of its places. `x` is data and held constant.

    Raises `ValueError` for numbers that are not whole or outside of the vocabulary. Bengio et al. 2003.

    >>> Embedding(3, 2, "one")([2, 0])
    Tensor([[1., 1.],
            [1., 1.]], dtype=float32)
    """

    constant_inputs = ("x",)

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: str | Initializer = "uniform",
        *,
        dtype: npt.DTypeLike = np.float32,
        seed: Seed = None,
    ) -> None:
        self.input_dim = whole_number(input_dim, "Embedding", "input_dim")
        self.output_dim = whole_number(output_dim, "Embedding", "output_dim")
        self.embeddings_initializer, self.seed = embeddings_initializer, seed
        self.dtype = floating_dtype(dtype, "Embedding")
        self.w = Variable(initialize(embeddings_initializer, input_dim, output_dim, dtype=self.dtype, seed=seed))

    @property
    def weights(self) -> list[Tensor]:
        """`[w]`."""
        return [self.w]

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return the vectors of the numbers."""
        self._saving = self._numbers(x)
        return wrap(np.asarray(self.w)[self._saving])

    def _numbers(self, x: npt.ArrayLike) -> Array:
        given = numeric(x, "Embedding")
        numbers = given.real.astype(np.intp)
        if (numbers != given).any() or numbers.min() < 0 or numbers.max() >= self.input_dim:
            raise ValueError(
                f"Embedding expects whole numbers from 0 to {self.input_dim - 1}, got values from {given.min()} to "
                f"{given.max()}"
            )
        return numbers

    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Array]:
        """Return zeros: the numbers are data."""
        return [np.zeros(self.inputs[0].shape)]

    @recordable
    def weight_gradients_for(self, J: list[Array]) -> list[Any]:
        """Return the sum of the upstream vectors at each number."""
        return [evaluate(Scatter(self.saved, self.w.shape), J[0])]

    @classmethod
    def gradcheck_example(cls) -> tuple[Embedding, list[Array]]:
        """A number that occurs three times, and one that does not."""
        return cls(4, 3, "normal", dtype=np.float64, seed=0), [np.array([[1, 3], [1, 0], [1, 3]])]
