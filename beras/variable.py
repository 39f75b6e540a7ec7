"""Variable: a tensor that is given new values in place, as weights are."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt

from beras.arrays import Array, aligned
from beras.tensor import Tensor
from beras.write_clock import write_clock


class Variable(Tensor):
    """A tensor that owns its data and can be given new values, in place, by `assign`.

    >>> v = Variable([1.0, 2.0])
    >>> v.assign([3.0, 4.0])
    Variable([3., 4.])
    """

    def __new__(cls, data: npt.ArrayLike, dtype: npt.DTypeLike | None = None, trainable: bool | None = None) -> Self:
        """Copy `data`, so that assigning never writes into somebody else's array."""
        variable = aligned(np.asarray(data, dtype=dtype)).view(cls)
        variable.trainable = bool(getattr(data, "trainable", True)) if trainable is None else trainable
        return variable

    def assign(self, value: npt.ArrayLike) -> Self:
        """Overwrite the values in place with `value`, broadcast to this variable's shape; return the variable.

        Raises `ValueError` where the shapes do not fit, `TypeError` where the type does not (complex into real,
        floating into integer, anything that is not a number).
        """
        new, mine = np.asarray(value), np.asarray(self)
        if new.shape != mine.shape:
            try:
                new = np.broadcast_to(new, self.shape)
            except ValueError:
                message = f"cannot assign a value of shape {new.shape} to a variable of shape {self.shape}"
                raise ValueError(message) from None
        if new.dtype != mine.dtype and not np.can_cast(new.dtype, mine.dtype, casting="same_kind"):
            raise TypeError(f"cannot assign values of type {new.dtype} to a variable of type {mine.dtype}")
        np.copyto(mine, new, casting="same_kind")
        write_clock.note_write(self)
        return self

    def assign_sub(self, value: Array) -> Self:
        """Subtract `value`, an array of this variable's shape, in place; return the variable."""
        mine = np.asarray(self)
        np.subtract(mine, value, out=mine)
        write_clock.note_write(self)
        return self
