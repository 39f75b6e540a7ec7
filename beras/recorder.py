"""What an open tape is to the tensors and layers that it watches, so that these need not know what a tape is."""

from __future__ import annotations

import threading
from typing import Any, Protocol, TypeVar

import numpy as np

F = TypeVar("F")


class Recorder(Protocol):
    """What is told of every call of a layer, and of everything that NumPy does with a Tensor, in its scope."""

    def record_call(self, call: Any, layer: Any, inputs: Any, outputs: Any) -> None: ...
    def record_operation(self, operation: Any) -> None: ...
    def numpy_ufunc(self, function: Any, method: str, inputs: Any, kwargs: Any) -> Any: ...
    def numpy_function(self, tensor: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any: ...
    def numpy_method(self, name: str, inherited: Any, args: Any, kwargs: Any) -> Any: ...
    def numpy_item(self, tensor: Any, index: Any) -> Any: ...
    def numpy_unseen(self, source: Any, made: Any) -> None: ...
    def require_writable(self, tensor: Any) -> None: ...
    def operand(self, array: Any) -> Any: ...


class _Recording(threading.local):
    """The innermost tape that is open in this thread, if any."""

    tape: Recorder | None = None


recording = _Recording()


def recordable(derivative: F) -> F:
    """Mark a derivative that is written in NumPy's operations on `operand`s: a tape can record it."""
    derivative.recordable = True  # type: ignore[attr-defined]
    return derivative


def times(upstream: Any, local: Any) -> Any:
    """Return upstream · local, entry by entry; plain where `local` is, though a tape records.

    Then the tape has not seen how `local` came about, and must not take it for a constant.
    """
    return np.asarray(upstream) * local if type(local) is np.ndarray else upstream * local


def operand(array: Any) -> Any:
    """Return an array for a derivative to compute with: plain, or, where a tape is open, as a tensor that it knows."""
    if recording.tape is None:
        return np.asarray(array)
    return array if hasattr(array, "trainable") else recording.tape.operand(array)
