"""What an optimizer keeps for each parameter, and small parameters that are updated as one."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Never

import numpy as np
import numpy.typing as npt

from beras.arrays import Array, aligned
from beras.variable import Variable

Type = np.dtype[Any]


@cache
def state_type(parameter: npt.DTypeLike) -> Type:
    """Return the type in which parameters of this type are updated: at least float32.

    Squares of a gradient leave float16 at 256 and below 0.0002. Raises `TypeError` where the result cannot be put back.
    """
    kind = np.dtype(parameter)
    if kind.kind in "SUT" or not np.can_cast(np.float32, kind, "same_kind"):
        raise TypeError(
            f"a parameter of type {kind} cannot be updated, for steps are floating: give it a floating type, "
            "as in Variable(values, dtype=np.float32)"
        )
    return np.dtype(np.promote_types(kind, np.float32).type)  # NumPy's own object, which unpickled arrays lack


class Joined(np.lib.mixins.NDArrayOperatorsMixin):
    """Small parameters side by side, as one: it has their state, not their values. `rule` is the optimizer's class."""

    _wrong = ""  # there also before __init__, which `copy` leaves out

    def __init__(self, ids: list[int], rule: type) -> None:
        self.ids = ids
        self.arrays: list[Array] = []
        self._wrong = (
            f"{rule.__name__}.step is marked as @elementwise, but asks the parameter for more than its state, which is "
            "all that several parameters updated as one have: take the mark away"
        )

    def __array_ufunc__(self, *_: Any, **__: Any) -> Never:
        raise TypeError(self._wrong)

    def __array__(self, *_: Any, **__: Any) -> Never:
        raise TypeError(self._wrong)

    def __getattr__(self, name: str) -> Never:
        raise AttributeError(f"{self._wrong} (it asks for {name!r})")


class State:
    """Arrays kept for each parameter, without keeping the parameter alive.

    A deep copy, and what is unpickled, holds the state of the parameters that are copied with it.
    """

    def __init__(self, pairs: Iterable[tuple[Variable, list[Array]]] = ()) -> None:
        self._entries: dict[int, tuple[weakref.ref[Variable], list[Array]]] = {}
        self._joined: Joined | None = None
        for parameter, arrays in pairs:
            self._arrays(parameter).extend([aligned(array) for array in arrays])

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle as parameters with their arrays: `copy` and `pickle` find out which parameters those are."""
        return State, (self.items(),)

    def __len__(self) -> int:
        return len(self._entries)

    def items(self) -> list[tuple[Variable, list[Array]]]:
        """Return the parameters with what is kept for each."""
        found = [(reference(), arrays) for reference, arrays in list(self._entries.values())]
        return [(parameter, arrays) for parameter, arrays in found if parameter is not None]

    def restore(self, parameter: Variable, arrays: Sequence[Array]) -> None:
        """Keep these arrays for a parameter that has none yet."""
        kind = state_type(parameter.dtype)
        self._arrays(parameter)[:] = [aligned(np.asarray(array, kind)) for array in arrays]
        self._joined = None

    def of(self, parameter: Variable | Joined, number: int) -> list[Array]:
        """Return the first `number` arrays that belong to `parameter`, zeros at first, in at least float32."""
        arrays = parameter.arrays if isinstance(parameter, Joined) else self._arrays(parameter)
        while len(arrays) < number:  # at first, and where momentum or amsgrad comes in later
            if isinstance(parameter, Joined):
                arrays.append(self._side_by_side(parameter.ids, len(arrays)))
            else:
                arrays.append(aligned(np.zeros(parameter.shape, state_type(parameter.dtype))))
        return arrays[:number]

    def join(self, parameters: Sequence[Variable], rule: type) -> Joined:
        """Return the parameters, each given once, as one whose arrays hold theirs, for the step of `rule`.

        It is kept until others are joined or one of them is gone. What has been updated meanwhile, alone or together
        with others, is seen: the arrays of each parameter are views of those that it was last joined in.
        """
        ids = [id(parameter) for parameter in parameters]
        if self._joined is None or self._joined.ids != ids:
            self._joined = Joined(ids, rule)
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
