"""Operations that move entries around. `g` is the upstream gradient, `z` the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.ops.operation import Operation, evaluate


class Reshape(Operation):
    """The same entries in another shape, in C order."""

    def __init__(self, shape: int | Sequence[int] = (-1,)) -> None:
        self.shape = shape

    def forward(self, x: Array) -> Array:
        return np.reshape(x, self.shape)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g.reshape(x.shape)


class Transpose(Operation):
    """The axes in the order `axes`, reversed by default."""

    def __init__(self, axes: Sequence[int] | None = None) -> None:
        self.axes = axes

    def forward(self, x: Array) -> Array:
        return np.transpose(x, self.axes)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g.transpose(None if self.axes is None else np.argsort(np.asarray(self.axes) % x.ndim))

    @classmethod
    def gradcheck_example(cls) -> tuple[Transpose, list[Array]]:
        """A rotation of three axes, which is not its own inverse."""
        return cls((1, 2, 0)), [np.random.default_rng(0).normal(size=(2, 3, 4))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Transpose, list[Array]]]:
        """Axes reversed, and counted from the end."""
        random = np.random.default_rng(1)
        return [
            (cls(), [random.normal(size=(2, 3))]),
            (cls((0, -1, 1)), [random.normal(size=(2, 3, 4))]),
        ]


class GetItem(Operation):
    """`x[index]`: integers, slices, masks, arrays of integers. An entry taken twice gets both gradients."""

    def __init__(self, index: Any = 0) -> None:
        # Copies: whoever goes on to change an index must not change which entries were taken.
        self.index = tuple(_own(part) for part in index) if isinstance(index, tuple) else _own(index)

    def forward(self, x: Array) -> Array:
        return np.asarray(x[self.index])

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return cast(Array, evaluate(Scatter(self.index, x.shape), g))

    @classmethod
    def gradcheck_example(cls) -> tuple[GetItem, list[Array]]:
        """Rows picked by number, one of them twice."""
        return cls((np.array([0, 2, 0]), slice(1, None))), [np.random.default_rng(0).normal(size=(3, 4))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[GetItem, list[Array]]]:
        """A row (of integers too), slices, new axes, rows by number alone, a mask."""
        random = np.random.default_rng(1)
        return [
            (cls(1), [random.integers(-9, 9, size=(3, 4))]),
            (cls((slice(None, None, 2), 1)), [random.normal(size=(3, 4))]),
            (cls((None, Ellipsis, np.int64(1))), [random.normal(size=(3, 4))]),
            (cls(np.array([0, 2, 0])), [random.normal(size=(3, 4))]),
            (cls(np.array([True, False, True])), [random.normal(size=(3, 4))]),
        ]


def _own(part: Any) -> Any:
    if isinstance(part, list) and not part:
        return np.array(part, np.intp)
    return np.array(part) if isinstance(part, (np.ndarray, list)) else part


def _takes_each_once(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or isinstance(part, (int, slice, np.integer)) for part in parts)


class Scatter(Operation):
    """An array of zeros of `shape` to which `x` is added at `index`: what an entry of `GetItem`'s gradient is."""

    def __init__(self, index: Any = 0, shape: Sequence[int] = (3,)) -> None:
        self.index, self.shape = index, tuple(shape)

    def forward(self, x: Array) -> Array:
        whole = np.zeros(self.shape, x.dtype)
        if _takes_each_once(self.index):
            whole[self.index] = x
        else:
            np.add.at(whole, self.index, x)
        return whole

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        taken: Array = g[self.index]
        return taken

    @classmethod
    def gradcheck_example(cls) -> tuple[Scatter, list[Array]]:
        """Rows, one of which goes where another one does."""
        return cls((np.array([0, 2, 0]), slice(1, None)), (5, 4)), [np.random.default_rng(0).normal(size=(3, 3))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Scatter, list[Array]]]:
        """A single row."""
        return [(cls(1, (3, 4)), [np.random.default_rng(1).normal(size=4)])]


class BroadcastTo(Operation):
    """`x` repeated to `shape` by the rules of broadcasting."""

    def __init__(self, shape: Sequence[int] = (2, 3, 4)) -> None:
        self.shape = tuple(shape)

    def forward(self, x: Array) -> Array:
        return np.broadcast_to(x, self.shape).copy()

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g

    @classmethod
    def gradcheck_example(cls) -> tuple[BroadcastTo, list[Array]]:
        """One axis added, one stretched."""
        return cls((2, 3, 4)), [np.random.default_rng(0).normal(size=(3, 1))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[BroadcastTo, list[Array]]]:
        """Each of two axes stretched alone, and none."""
        random = np.random.default_rng(1)
        return [
            (cls((1, 2, 4)), [random.normal(size=(1, 1))]),
            (cls((2, 1, 4)), [random.normal(size=(1, 1))]),
            (cls((2, 3)), [random.normal(size=(2, 3))]),
        ]


class Repeat(Operation):
    """Each entry `repeats` times (a number, or one for each entry) along `axis`, or of the flattened array."""

    def __init__(self, repeats: Any = 2, axis: int | None = None) -> None:
        self.repeats, self.axis = np.array(repeats), axis

    def forward(self, x: Array) -> Array:
        return np.repeat(x, self.repeats, axis=self.axis)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        shape = (x.size,) if self.axis is None else x.shape
        axis = 0 if self.axis is None else self.axis % x.ndim
        source = np.repeat(np.arange(shape[axis]), self.repeats)
        whole = evaluate(Scatter((*[slice(None)] * axis, source), shape), g)
        return cast(Array, whole.reshape(x.shape))

    @classmethod
    def gradcheck_example(cls) -> tuple[Repeat, list[Array]]:
        """Columns, each another number of times."""
        return cls([1, 0, 3, 2], axis=1), [np.random.default_rng(0).normal(size=(3, 4))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Repeat, list[Array]]]:
        """The entries of the flattened array (of integers too), rows, and an axis counted from the last."""
        random = np.random.default_rng(1)
        return [
            (cls(2), [random.normal(size=(2, 3))]),
            (cls(2), [random.integers(-9, 9, size=(2, 3))]),
            (cls(3, axis=0), [random.normal(size=(2, 3))]),
            (cls(2, axis=-1), [random.normal(size=(2, 3))]),
        ]


class Copy(Operation):
    """The same values."""

    def forward(self, x: Array) -> Array:
        return np.array(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g


class Cast(Operation):
    """The same values in another type; to integers, booleans or text it has no derivative."""

    def __init__(self, dtype: npt.DTypeLike = np.float64) -> None:
        self.dtype = np.dtype(dtype)

    def forward(self, x: Array) -> Array:
        return np.asarray(x).astype(self.dtype)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g


class Concatenate(Operation):
    """Arrays joined along an axis that they have."""

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    def forward(self, *parts: Array) -> Array:
        return np.concatenate(parts, axis=self.axis)

    def products(self, wanted: Sequence[bool], g: Array, z: Array, *xs: Array) -> list[Array | None]:
        """Return the piece of `g` that came from each part."""
        ends = np.cumsum([x.shape[self.axis] for x in xs])
        return [*np.split(g, ends[:-1], axis=self.axis)]

    @classmethod
    def gradcheck_example(cls) -> tuple[Concatenate, list[Array]]:
        """Two matrices of different widths, side by side."""
        random = np.random.default_rng(0)
        return cls(axis=1), [random.normal(size=(3, 2)), random.normal(size=(3, 4))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Concatenate, list[Array]]]:
        """Three along the first axis, two along the one in the middle."""
        random = np.random.default_rng(1)
        return [
            (cls(), [random.normal(size=(3, 2)), random.normal(size=(1, 2)), random.normal(size=(2, 2))]),
            (cls(axis=1), [random.normal(size=(2, 3, 4)), random.normal(size=(2, 1, 4))]),
        ]


class Stack(Operation):
    """Arrays of one shape joined along a new axis."""

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    def forward(self, *parts: Array) -> Array:
        return np.stack(parts, axis=self.axis)

    def products(self, wanted: Sequence[bool], g: Array, z: Array, *xs: Array) -> list[Array | None]:
        """Return the slice of `g` that came from each part."""
        return [*np.moveaxis(g, self.axis, 0)]

    @classmethod
    def gradcheck_example(cls) -> tuple[Stack, list[Array]]:
        """Two matrices, interleaved."""
        random = np.random.default_rng(0)
        return cls(axis=-1), [random.normal(size=(3, 2)), random.normal(size=(3, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[Stack, list[Array]]]:
        """Three along a new first axis, two along one in the middle."""
        random = np.random.default_rng(1)
        return [
            (cls(), [random.normal(size=(3, 2)), random.normal(size=(3, 2)), random.normal(size=(3, 2))]),
            (cls(axis=1), [random.normal(size=(3, 2)), random.normal(size=(3, 2))]),
        ]
