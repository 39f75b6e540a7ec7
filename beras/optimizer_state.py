"""What an optimizer keeps for each parameter, and small parameters that are updated as one."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np

from beras.tensor import Array, Variable, aligned


class Joined:
    """Small parameters of one type side by side, as one: it has their state, not their values."""

    def __init__(self, ids: list[int]) -> None:
        self.ids = ids
        self.arrays: list[Array] = []


class State:
    """Arrays kept for each parameter, without keeping the parameter alive."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[weakref.ref[Variable], list[Array]]] = {}
        self._joined: Joined | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def of(self, parameter: Variable | Joined, number: int) -> list[Array]:
        """Return the first `number` arrays that belong to `parameter`, zeros at first, in at least float32."""
        arrays = parameter.arrays if isinstance(parameter, Joined) else self._arrays(parameter)
        while len(arrays) < number:  # at first, and where momentum or amsgrad comes in later
            if isinstance(parameter, Joined):
                arrays.append(self._side_by_side(parameter.ids, len(arrays)))
            else:
                arrays.append(aligned(np.zeros(parameter.shape, np.promote_types(parameter.dtype, np.float32))))
        return arrays[:number]

    def join(self, parameters: Sequence[Variable]) -> Joined:
        """Return the parameters, each given once, as one whose arrays hold theirs.

        It is kept until others are joined or one of them is gone. What has been updated meanwhile, alone or together
        with others, is seen: the arrays of each parameter are views of those that it was last joined in.
        """
        ids = [id(parameter) for parameter in parameters]
        if self._joined is None or self._joined.ids != ids:
            self._joined = Joined(ids)
            for parameter in parameters:
                self._arrays(parameter)
        return self._joined

    def _arrays(self, parameter: Variable) -> list[Array]:
        key = id(parameter)
        if key not in self._entries:
            self._entries[key] = weakref.ref(parameter, lambda _: self._forget(key)), []
        return self._entries[key][1]

    def _forget(self, key: int) -> None:
        del self._entries[key]
        self._joined = None  # the next parameter may have this one's id

    def _side_by_side(self, ids: Sequence[int], k: int) -> Array:
        """Return the parameters' arrays number `k` as one, of which theirs become views."""
        owners = [self._entries[i] for i in ids]
        for reference, _ in owners:
            if (parameter := reference()) is not None:
                self.of(parameter, k + 1)
        whole = aligned(np.concatenate([arrays[k] for _, arrays in owners], axis=None))
        start = 0
        for _, arrays in owners:
            part = arrays[k]
            arrays[k] = whole[start : start + part.size].reshape(part.shape)
            start += part.size
        return whole
