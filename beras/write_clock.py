"""When memory was last written to, so that a tape can tell whether the values of a call still stand."""

from __future__ import annotations

import threading
import weakref

from beras.arrays import Array, memory


class WriteClock:
    """When memory was last written to through tensors, on a clock that counts all writes.

    Nothing is kept about memory that was never written to, or is gone. Where no write happened at all since a call,
    which is the usual case, one look at the clock tells that its values still stand.
    """

    def __init__(self) -> None:
        self.now = 0
        self._last: dict[int, int] = {}
        self._owners: dict[int, weakref.ref[Array]] = {}
        self._lock = threading.RLock()  # reentrant: memory may be freed, and forgotten, while a write is noted

    def last_write(self, array: Array) -> int:
        """Return when the memory of `array` was last written to (0: never)."""
        return self._last.get(id(memory(array)), 0)

    def note_write(self, array: Array) -> None:
        """Note a write to the memory of `array`."""
        owner = memory(array)
        key = id(owner)
        with self._lock:
            self.now += 1
            if key not in self._last:
                self._owners[key] = weakref.ref(owner, lambda gone: self._forget(key, gone))
            self._last[key] = self.now

    def _forget(self, key: int, gone: weakref.ref[Array]) -> None:
        with self._lock:
            if self._owners.get(key) is gone:  # else its id has been given to other memory meanwhile
                del self._last[key], self._owners[key]


write_clock = WriteClock()
