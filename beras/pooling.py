"""Pooling: the largest or the mean number that a window sees, for each channel by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import real
from beras.jacobians import Composed
from beras.recorder import recordable
from beras.tensor import Tensor, wrap
from beras.windows import Windows


class Pooling(Composed):
    """What is common to both: `x (batch, height, width, channels)` to `(batch, places down, places across, channels)`.

    `pool_size` and `strides` (by default as large as the window): one number or two. Places as in `Conv2D`.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
    ) -> None:
        self.pool_size, self.strides, self.padding = pool_size, strides, padding
        steps = pool_size if strides is None else strides
        self.windows = Windows.of(type(self).__name__, pool_size, steps, padding)

    def _padded(self, x: Array, value: float) -> tuple[Array, tuple[int, int]]:
        places, pads = self.windows.places(x.shape, type(self).__name__)
        return self.windows.padded(x, pads, value), places

    def _spread(self, shares: Iterable[Array], dtype: Any) -> Array:
        """Return images in which each pixel is the sum of what each window gives it: one share for each offset."""
        shape = self.inputs[0].shape
        places, pads = self.windows.places(shape, type(self).__name__)
        by_padded = np.zeros(self.windows.padded_shape(shape, pads), dtype)
        for offset, share in zip(self.windows.offsets(), shares, strict=True):
            pixel = self.windows.at(by_padded, offset, places)
            if self.windows.apart:
                pixel[...] = share
            else:
                pixel += share
        return self.windows.cropped(by_padded, shape, pads)


class MaxPooling2D(Pooling):
    """The largest number in each window. Of equal ones the first gets the gradient, row by row, as in TensorFlow.

    >>> MaxPooling2D()(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    Tensor([[ 5.,  7.],
            [13., 15.]])
    """

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return the maxima."""
        padded, places = self._padded(real(x, "MaxPooling2D"), -np.inf)
        first, *others = [self.windows.at(padded, offset, places) for offset in self.windows.offsets()]
        y = first.copy()
        for other in others:
            np.maximum(y, other, out=y)
        return wrap(y)

    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Array]:
        """Return `J` where the first maximum of each window is, summed where windows overlap."""
        padded, places = self._padded(real(self.inputs[0], "MaxPooling2D"), -np.inf)
        y = np.asarray(self.outputs[0])

        def shares() -> Iterator[Array]:
            left = J[0]  # what no pixel of the window has taken yet
            for offset in list(self.windows.offsets())[:-1]:
                taken = left * (self.windows.at(padded, offset, places) == y)
                left = left - taken
                yield taken
            yield left

        return [self._spread(shares(), J[0].dtype)]

    @classmethod
    def gradcheck_example(cls) -> tuple[MaxPooling2D, list[Array]]:
        """Windows that leave a row out."""
        return cls(2), [np.random.default_rng(0).normal(size=(2, 5, 4, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[MaxPooling2D, list[Array]]]:
        """Windows that overlap and stick out; two and three equal maxima."""
        random = np.random.default_rng(1).normal(size=(2, 4, 3, 2))
        equal = np.array([[1.0, 1.0, 2.0, 0.0], [1.0, 0.0, 2.0, 2.0]]).reshape(1, 2, 4, 1)
        return [(cls((3, 2), (2, 1), "same"), [random]), (cls(2), [equal]), (cls((1, 2), 1), [equal])]


class AveragePooling2D(Pooling):
    """The mean of each window, of the pixels of the image alone where it sticks out.

    >>> AveragePooling2D()(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    Tensor([[ 2.5,  4.5],
            [10.5, 12.5]])
    """

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return the means."""
        x = real(x, "AveragePooling2D")
        padded, places = self._padded(x, 0.0)
        total: Array = np.zeros((len(x), *places, x.shape[-1]), x.dtype)
        for offset in self.windows.offsets():
            total += self.windows.at(padded, offset, places)
        return wrap(total / self._count(x))

    def _count(self, x: Array) -> Array:
        """Return how many pixels of the image each window sees, `(1, *places, 1)`."""
        ones, places = self._padded(np.ones((1, *x.shape[1:3], 1), x.dtype), 0.0)
        return sum((self.windows.at(ones, offset, places) for offset in self.windows.offsets()), x.dtype.type(0))

    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Array]:
        """Return `J / count` at every pixel of each window, summed where windows overlap."""
        share = J[0] / self._count(real(self.inputs[0], "AveragePooling2D"))
        return [self._spread([share] * math.prod(self.windows.size), share.dtype)]

    @classmethod
    def gradcheck_example(cls) -> tuple[AveragePooling2D, list[Array]]:
        """Windows that leave a row out."""
        return cls(2), [np.random.default_rng(0).normal(size=(2, 5, 4, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[AveragePooling2D, list[Array]]]:
        """Windows that overlap and stick out."""
        return [(cls((3, 2), (2, 1), "same"), [np.random.default_rng(1).normal(size=(2, 4, 3, 2))])]


class GlobalAveragePooling2D(Composed):
    """The mean of each channel: `x (batch, height, width, channels)` to `(batch, channels)`. Lin, Chen & Yan 2014.

    `keepdims=True`: to `(batch, 1, 1, channels)`.

    >>> GlobalAveragePooling2D()(np.arange(8.0).reshape(1, 2, 2, 2))
    Tensor([[3., 4.]])
    """

    def __init__(self, keepdims: bool = False) -> None:
        self.keepdims = bool(keepdims)

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return the means."""
        x = real(x, "GlobalAveragePooling2D")
        if x.ndim != 4:
            raise ValueError(
                f"GlobalAveragePooling2D expects images of shape (batch, height, width, channels), got shape {x.shape}"
            )
        return wrap(x.mean(axis=(1, 2), keepdims=self.keepdims))

    @recordable
    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Any]:
        """Return `J / number of pixels` at every pixel."""
        batch, height, width, channels = self.inputs[0].shape
        share = J[0].reshape(batch, 1, 1, channels) * (1 / (height * width))
        return [np.broadcast_to(share, self.inputs[0].shape).copy()]

    @classmethod
    def gradcheck_example(cls) -> tuple[GlobalAveragePooling2D, list[Array]]:
        """Images that are not square."""
        return cls(), [np.random.default_rng(0).normal(size=(2, 3, 4, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[GlobalAveragePooling2D, list[Array]]]:
        """Axes that are kept."""
        return [(cls(keepdims=True), [np.random.default_rng(1).normal(size=(2, 3, 4, 2))])]
