"""Windows that slide over images `(batch, height, width, channels)`: which places they take, and what they see.

With `padding="same"` there is a window for every `stride`-th pixel, and what sticks out is padded, one more below and
on the right where it cannot be halved; with "valid" windows stay inside. Both are TensorFlow's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from beras.arrays import Array
from beras.checks import whole_number

Pair = tuple[int, int]


def pair(value: Any, who: str, what: str) -> Pair:
    """Return an option that is one whole number for both directions, or two."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(f"{who} expects {what} to be one number or two, got {value}")
        return whole_number(value[0], who, what), whole_number(value[1], who, what)
    number = whole_number(value, who, what)
    return number, number


@dataclass(frozen=True)
class Windows:
    """Windows of `size`, `strides` apart, whose entries are `dilation` apart."""

    size: Pair
    strides: Pair
    dilation: Pair
    same: bool

    @classmethod
    def of(cls, who: str, size: Any, strides: Any, padding: str, dilation: Any = 1) -> Windows:
        """Read the options of a layer. Raises `TypeError`, `ValueError`."""
        if padding not in ("valid", "same"):
            raise ValueError(f"{who} expects padding to be 'valid' or 'same', got {padding!r}")
        names = ("kernel_size" if who == "Conv2D" else "pool_size", "strides", "dilation_rate")
        options = zip((size, strides, dilation), names, strict=True)
        sizes, steps, apart = (pair(value, who, name) for value, name in options)
        return cls(sizes, steps, apart, padding == "same")

    def places(self, shape: tuple[int, ...], who: str) -> tuple[Pair, tuple[Pair, Pair]]:
        """Return how many windows there are in each direction, and how much is padded before and after.

        Raises `ValueError` for input that is no batch of images, or images that are smaller than a window.
        """
        if len(shape) != 4:
            raise ValueError(f"{who} expects images of shape (batch, height, width, channels), got shape {shape}")
        numbers, pads = [], []
        for n, size, stride, dilation in zip(shape[1:3], self.size, self.strides, self.dilation, strict=True):
            span = (size - 1) * dilation + 1
            number = -(-n // stride) if self.same else (n - span) // stride + 1
            if number < 1:
                raise ValueError(
                    f"{who} expects images of at least {span} pixels in either direction of its windows, got "
                    f"{shape[1]} × {shape[2]}: padding='same' makes room"
                )
            missing = max((number - 1) * stride + span - n, 0) if self.same else 0
            numbers.append(number)
            pads.append((missing // 2, missing - missing // 2))
        return (numbers[0], numbers[1]), (pads[0], pads[1])

    @property
    def apart(self) -> bool:
        """Whether no pixel is seen by two windows."""
        spans = ((size - 1) * dilation + 1 for size, dilation in zip(self.size, self.dilation, strict=True))
        return all(span <= stride for span, stride in zip(spans, self.strides, strict=True))

    def padded(self, x: Array, pads: tuple[Pair, Pair], value: float = 0.0) -> Array:
        """Return the images with a border of `value`; themselves where there is none."""
        shape = self.padded_shape(x.shape, pads)
        if shape == x.shape:
            return x
        wide = np.full(shape, value, x.dtype)
        self.cropped(wide, x.shape, pads)[...] = x
        return wide

    def padded_shape(self, shape: tuple[int, ...], pads: tuple[Pair, Pair]) -> tuple[int, ...]:
        """Return the shape that images of this shape have with their border."""
        (top, bottom), (left, right) = pads
        batch, height, width, channels = shape
        return batch, top + height + bottom, left + width + right, channels

    def cropped(self, padded: Array, shape: tuple[int, ...], pads: tuple[Pair, Pair]) -> Array:
        """Return the images, of this shape, without their border: a view."""
        (top, _), (left, _) = pads
        return padded[:, top : top + shape[1], left : left + shape[2]]

    def offsets(self) -> Iterator[Pair]:
        """Yield every place in a window, row by row."""
        return ((i, j) for i in range(self.size[0]) for j in range(self.size[1]))

    def at(self, padded: Array, offset: Pair, places: Pair) -> Array:
        """Return the pixel at one place in each window, `(batch, *places, channels)`: a view."""
        (i, j), (height, width), (down, across) = offset, places, self.strides
        i, j = i * self.dilation[0], j * self.dilation[1]
        return padded[:, i : i + (height - 1) * down + 1 : down, j : j + (width - 1) * across + 1 : across]

    def all_of(self, padded: Array, places: Pair) -> Array:
        """Return what each window sees, `(batch, *places, *size, channels)`: a view that repeats pixels."""
        batch, down, across, channel = padded.strides
        between = down * self.strides[0], across * self.strides[1]
        inside = down * self.dilation[0], across * self.dilation[1]
        strides = (batch, *between, *inside, channel)
        shape = (len(padded), *places, *self.size, padded.shape[-1])
        return np.lib.stride_tricks.as_strided(padded, shape, strides, writeable=False)
