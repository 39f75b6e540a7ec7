"""Tensor and Variable: NumPy arrays that know whether they are trained, and how often they were written to."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from beras.gradient_tape import GradientTape

Array = np.ndarray[Any, np.dtype[Any]]


class _Recording(threading.local):
    """The tape that is open in this thread, if any."""

    tape: GradientTape | None = None


recording = _Recording()


class Tensor(np.ndarray[Any, np.dtype[Any]]):
    """An `np.ndarray` with one more attribute, `trainable`, which survives views, slices and ufuncs.

    `Tensor(t)` of a `Tensor` returns `t`; of anything else it wraps `np.asarray(data)` without a copy.

    >>> t = Tensor([[1.0, 2.0]])
    >>> t.trainable, t[0].trainable, Tensor(t) is t
    (True, True, True)
    """

    # Defaults on the class: a tensor stores only what differs from them, so that wrapping stays cheap.
    trainable: bool = True
    _version: int = 0

    def __new__(cls, data: npt.ArrayLike, dtype: npt.DTypeLike | None = None, trainable: bool | None = None) -> Self:
        """Wrap `data`. `trainable=None` keeps what `data` says (true where it says nothing)."""
        array = np.asanyarray(data, dtype=dtype)
        tensor = array if isinstance(array, cls) else np.asarray(array).view(cls)
        if array is not tensor and not getattr(data, "trainable", True):
            tensor.trainable = False
        if trainable is not None and tensor.trainable != trainable:
            tensor = tensor.view()
            tensor.trainable = trainable
        return tensor

    def __array_finalize__(self, source: object) -> None:
        if not getattr(source, "trainable", True):
            self.trainable = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the flag along with the data (ndarray's own state would drop it)."""
        pickled: tuple[Any, ...] = super().__reduce__()  # type: ignore[assignment]
        rebuild, arguments, state = pickled[:3]
        return rebuild, arguments, (state, self.trainable)

    def __setstate__(self, state: tuple[Any, bool]) -> None:  # type: ignore[override]
        array_state, self.trainable = state
        super().__setstate__(array_state)


class Variable(Tensor):
    """A tensor that owns its data and can be given new values, in place, by `assign`.

    >>> v = Variable([1.0, 2.0])
    >>> v.assign([3.0, 4.0])
    Variable([3., 4.])
    """

    def __new__(cls, data: npt.ArrayLike, dtype: npt.DTypeLike | None = None, trainable: bool | None = None) -> Self:
        """Copy `data`, so that assigning never writes into somebody else's array."""
        variable = np.array(data, dtype=dtype).view(cls)
        variable.trainable = bool(getattr(data, "trainable", True)) if trainable is None else trainable
        return variable

    def assign(self, value: npt.ArrayLike) -> Self:
        """Overwrite the values in place with `value`, broadcast to this variable's shape; return the variable.

        Raises `ValueError` where the shapes do not fit, `TypeError` where the type does not (complex into real,
        floating into integer, anything that is not a number).
        """
        new = np.asarray(value)
        if new.shape != self.shape:
            try:
                new = np.broadcast_to(new, self.shape)
            except ValueError:
                message = f"cannot assign a value of shape {new.shape} to a variable of shape {self.shape}"
                raise ValueError(message) from None
        if new.dtype != self.dtype and not np.can_cast(new.dtype, self.dtype, casting="same_kind"):
            raise TypeError(f"cannot assign values of type {new.dtype} to a variable of type {self.dtype}")
        np.copyto(np.asarray(self), new, casting="same_kind")
        mark_written(self)
        return self


def wrap(array: Any) -> Tensor:
    """Return a plain array, or a NumPy scalar, as a tensor."""
    return np.asarray(array).view(Tensor)


def owner(tensor: Tensor) -> Tensor:
    """Return the tensor that `tensor` is a view of (itself if of none): all views of it share one version."""
    base = tensor.base
    while isinstance(base, Tensor):
        tensor, base = base, base.base
    return tensor


def mark_written(tensor: Tensor) -> None:
    """Note that the values of `tensor`, and so of all views of the same data, have changed."""
    root = owner(tensor)
    root._version += 1
