"""Convolution of images, as one matrix product for what all windows see.

What the windows see is laid out for a few images at a time, so that it stays in the processor's cache: laid out for a
whole batch it would be read from and written to memory, which takes longer than the product.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from beras.activated import Activating, activation_of
from beras.arrays import Array, sum_of_rows
from beras.checks import floating_dtype, real, whole_number
from beras.initializers import Initializer, Seed, initialize
from beras.tensor import Tensor
from beras.variable import Variable
from beras.windows import Windows


class Conv2D(Activating):
    """`y[n, p, q, f] = activation(Σ x[n, s·p + d·i, s·q + d·j, c] · w[i, j, c, f] + b[f])`, stride s, dilation d.

    `x (batch, height, width, channels)` to `(batch, places down, places across, filters)`. `kernel_size`, `strides` and
    `dilation_rate`: one number or two. With `padding="valid"` windows stay inside, `(height − span) // s + 1` of them
    with `span = (kernel − 1)·d + 1`; with "same" there are `⌈height / s⌉`, and zeros where they stick out.

    Weights: `w (*kernel_size, channels, filters)`, "xavier uniform" by default as in Keras, and `b (filters,)`, zeros.
    They are made at the first call, or at once where `input_channels` is given. LeCun et al. 1989.

    >>> layer = Conv2D(1, 2, kernel_initializer="one", input_channels=1)
    >>> layer(np.arange(9.0).reshape(1, 3, 3, 1))[0, :, :, 0]
    Tensor([[ 8., 12.],
            [20., 24.]])
    """

    cached: ClassVar[int] = 2**18  # how many numbers are laid out at a time

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: str | Initializer = "xavier uniform",
        *,
        input_channels: int | None = None,
        dtype: npt.DTypeLike = np.float32,
        seed: Seed = None,
    ) -> None:
        self.filters = whole_number(filters, "Conv2D", "filters")
        self.kernel_size, self.strides, self.padding, self.dilation_rate = kernel_size, strides, padding, dilation_rate
        self.windows = Windows.of("Conv2D", kernel_size, strides, padding, dilation_rate)
        self.activation, self.use_bias = activation_of(activation, "Conv2D"), bool(use_bias)
        self.kernel_initializer, self.seed = kernel_initializer, seed
        self.dtype = floating_dtype(dtype, "Conv2D")
        self.built = False
        if input_channels is not None:
            self.build((1, 1, 1, whole_number(input_channels, "Conv2D", "input_channels")))

    def build(self, *input_shapes: tuple[int, ...]) -> None:
        """Make `w` and `b` for images of this shape."""
        [shape] = input_shapes
        self.built_for = input_shapes
        self.windows.places((1, 2**31, 2**31, shape[-1]) if len(shape) == 4 else shape, "Conv2D")
        self.input_channels = shape[-1]
        pixels = self.windows.size[0] * self.windows.size[1]
        fans = pixels * self.input_channels, pixels * self.filters
        w = initialize(
            self.kernel_initializer,
            *fans,
            dtype=self.dtype,
            seed=self.seed,
            shape=(*self.windows.size, self.input_channels, self.filters),
        )
        self.w = Variable(w)
        self.b = Variable(np.zeros(self.filters, self.dtype)) if self.use_bias else None
        self.built = True

    @property
    def weights(self) -> list[Tensor]:
        """`[w, b]`."""
        if not self.built:
            return []
        return [self.w] if self.b is None else [self.w, self.b]

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return the convolution of the images with every filter."""
        x, w = real(x, "Conv2D"), np.asarray(self.w)
        places, pads = self.windows.places(x.shape, "Conv2D")
        if x.shape[-1] != w.shape[2]:
            raise ValueError(f"Conv2D expects images of {w.shape[2]} channels, got shape {x.shape}")
        padded = self.windows.padded(x, pads)
        y = np.empty((len(x), *places, self.filters), np.result_type(x, w))
        matrix = w.reshape(-1, self.filters).astype(y.dtype, copy=False)
        # As long as an image: a short row of biases costs a loop of its own at every place.
        biases = None if self.b is None else np.tile(np.asarray(self.b).astype(y.dtype, copy=False), math.prod(places))
        for part, seen in self._seen(padded.astype(y.dtype, copy=False), places):
            np.matmul(seen, matrix, out=y[part].reshape(-1, self.filters))
            if biases is not None:
                images = y[part].reshape(-1, len(biases))
                images += biases
        return self.activated(y)

    def _at_once(self, shape: tuple[int, ...]) -> int:
        """Return how many images to do at a time, for windows that see `shape` numbers: any number gives the same."""
        return min(max(self.cached // math.prod(shape[1:]), 1), shape[0])

    def _seen(self, padded: Array, places: tuple[int, int]) -> Iterator[tuple[slice, Array]]:
        """Yield some of the images at a time, and what all windows see of these as rows of one matrix.

        The matrix lies in memory by rows or by columns: so that what is copied at a time, the line of a window or one
        pixel of a line of windows, is long.
        """
        views = self.windows.all_of(padded, places)
        step = self._at_once(views.shape)
        of_places, of_window = (step, *places), views.shape[3:]
        if math.prod(of_window[1:]) < places[1]:
            room = np.empty((*of_window, *of_places), padded.dtype).transpose(3, 4, 5, 0, 1, 2)
        else:
            room = np.empty((*of_places, *of_window), padded.dtype)
        for start in range(0, len(padded), step):
            part = slice(start, start + step)
            seen = room[: len(padded) - start]
            np.copyto(seen, views[part])
            yield part, seen.reshape(-1, math.prod(of_window))

    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Array]:
        """Return, for each pixel, the sum over the windows that see it of `J · wᵀ` at its place."""
        g, x, w = self.before_activation(J), self.inputs[0], np.asarray(self.w)
        places, pads = self.windows.places(x.shape, "Conv2D")
        by_padded = np.zeros(self.windows.padded_shape(x.shape, pads), g.dtype)
        offsets = list(self.windows.offsets())
        turned = w.reshape(len(offsets), -1, self.filters).swapaxes(1, 2).astype(g.dtype, copy=False)
        channels = turned.shape[-1]
        step = self._at_once((len(x), *places, len(offsets), channels))
        room = np.empty((len(offsets), step * math.prod(places), channels), g.dtype)
        for start in range(0, len(x), step):
            part = slice(start, start + step)
            rows = g[part].reshape(-1, self.filters)
            seen = np.matmul(rows, turned, out=room[:, : len(rows)])
            for offset, share in zip(offsets, seen, strict=True):
                pixel = self.windows.at(by_padded[part], offset, places)
                pixel += share.reshape(pixel.shape)
        return [self.windows.cropped(by_padded, x.shape, pads)]

    def weight_gradients_for(self, J: list[Array]) -> list[Array]:
        """Return by `w` the sum over all windows of what they see times `J`, by `b` the sum of `J`."""
        g, x = self.before_activation(J), np.asarray(self.inputs[0])
        places, pads = self.windows.places(x.shape, "Conv2D")
        padded = self.windows.padded(x, pads).astype(g.dtype, copy=False)
        by_w: Array = np.zeros((self.w.size // self.filters, self.filters), g.dtype)
        for part, seen in self._seen(padded, places):
            by_w += np.dot(seen.T, g[part].reshape(-1, self.filters))
        by_w = by_w.reshape(self.w.shape)
        rows = g.reshape(-1, self.filters)
        return [by_w] if self.b is None else [by_w, sum_of_rows(rows)[0]]

    @classmethod
    def gradcheck_example(cls) -> tuple[Conv2D, list[Array]]:
        """Images that are not square under windows that are not square."""
        layer = cls(2, (2, 3), input_channels=2, dtype=np.float64, seed=0)
        return layer, [np.random.default_rng(0).normal(size=(2, 4, 5, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Conv2D, list[Array]]]:
        """Strides, padding, dilation, an activation, no bias; data in float32 before weights in float64."""
        random = np.random.default_rng(1)
        double: Any = {"input_channels": 2, "dtype": np.float64, "seed": 0}
        x = random.normal(size=(2, 5, 4, 2))
        return [
            (cls(2, 3, (2, 1), "same", **double), [x]),
            (cls(1, 2, 1, "same", (1, 2), "tanh", **double), [x]),
            (cls(3, (2, 1), (2, 3), dilation_rate=(2, 1), use_bias=False, **double), [x]),
            (cls(1, 2, **double), [x[:, :3, :3].astype(np.float32)]),
        ]
