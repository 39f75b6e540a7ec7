"""When memory was last written to, so that a tape can tell whether the values of a call still stand."""

from __future__ import annotations

import weakref

from beras.arrays import Array, memory


class _Writes:
    """When memory was last written to through tensors, on a clock that counts all writes.

    Nothing is kept about memory that was never written to, or is gone. Where no write happened at all since a call,
    which is the usual case, one look at the clock tells that its values still stand.
    """

    def __init__(self) -> None:
        self.clock = 0
        self._last: dict[int, int] = {}
        self._owners: dict[int, weakref.ref[Array]] = {}

    def last(self, array: Array) -> int:
        """Return when the memory of `array` was last written to (0: never)."""
        return self._last.get(id(memory(array)), 0)

    def note(self, array: Array) -> None:
        """Note a write to the memory of `array`."""
        self.clock += 1
        owner = memory(array)
        key = id(owner)
        if key not in self._last:
            self._owners[key] = weakref.ref(owner, lambda _: self._forget(key))
        self._last[key] = self.clock

    def _forget(self, key: int) -> None:
        del self._last[key], self._owners[key]


writes = _Writes()
