"""What an open tape is to the tensors and layers that it watches, so that these need not know what a tape is."""

from __future__ import annotations

import threading
from typing import Any, Protocol


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


class _Recording(threading.local):
    """The innermost tape that is open in this thread, if any."""

    tape: Recorder | None = None


recording = _Recording()
