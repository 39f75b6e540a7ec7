"""An object that is called with given inputs and weights, without a trace or with its state kept apart per call.

`forward` puts everything back, whatever happens. `at` leaves the object as a user's call would leave it, so that a
stale cache shows; but each call keeps its own attributes, and a later call or forward in between changes nothing.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters import returned
from gradcheck.adapters.places import holders
from gradcheck.adapters.state import (
    GENERATORS,
    Store,
    entries,
    fingerprint,
    generators,
    global_fingerprint,
    put_back,
    refill,
    seeded,
    taken,
)
from gradcheck.adapters.weights import Slot, on
from gradcheck.problem import Array, Values

SEED = 20240607


@dataclass(frozen=True)
class Habits:
    """What a call does beside its result, found out on a twin of the object.

    `random`: it draws random numbers. `mutable`: attributes that it changes in place (number of the attribute dict,
    name). `growing`: lists that each call makes longer, put back before the next: a stack of caches. `counting`: the
    same call again gives another result, so that each call starts from the beginning.
    """

    random: bool = False
    mutable: tuple[tuple[int, str], ...] = ()
    growing: tuple[tuple[int, str], ...] = ()
    counting: bool = False


class Live:
    """An object with its weights (`slots`) and the names of its inputs.

    `run` gives the outputs from one array per input; `call` is what a user calls before asking for derivatives
    (`run` where they are the same); `wrap` makes an input what the object wants (the package's tensor); with `floats`
    a call gets integers as floats.
    """

    def __init__(
        self,
        obj: Any,
        slots: Sequence[Slot],
        inputs: Sequence[str],
        run: Callable[..., Any],
        call: Callable[..., Any] | None = None,
        wrap: Callable[[Array], Any] | None = None,
        habits: Habits | None = None,
        floats: bool = False,
    ) -> None:
        self.obj = obj
        self.slots = tuple(slots)
        self.inputs = tuple(inputs)
        self.run = run
        self.call = call or run
        self.wrap = wrap
        self.habits = habits or Habits()
        self.floats = floats
        self.owner: Call | None = None
        self.dicts = holders(obj)
        self.stores: list[Store] = list(self.dicts)
        for slot in self.slots:
            for place in slot.places:
                if isinstance(place.holder, (list, dict)) and all(place.holder is not one for one in self.stores):
                    self.stores.append(place.holder)
        self._generators = generators(self.dicts) if self.habits.random else []
        self._start = self._deep() if self.habits.counting else None
        self._short = [(n, name, copied_deep(self.dicts[n].get(name))) for n, name in self.habits.growing]
        self._puts = [(slot.name, slot.putter()) for slot in self.slots]
        self._lock = threading.RLock()

    def __reduce__(self) -> Any:
        """Travel to another process as the object and the paths of its weights, to be put together again there."""
        slots = [(slot.name, slot.paths) for slot in self.slots]
        start = self._generators, self._start, self._short
        return _revive, (self.obj, slots, self.inputs, self.run, self.call, self.wrap, self.habits, self.floats, start)

    def forward(self, values: Values) -> list[Array]:
        """Run on `values` and put everything back: attributes, containers, random generators. Threads take turns."""
        with self._lock:
            return self._forward(values)

    def _forward(self, values: Values) -> list[Array]:
        saved = [taken(store) for store in self.stores]
        changed = [(self.dicts[n], name, copy.deepcopy(self.dicts[n].get(name))) for n, name in self.habits.mutable]
        try:
            self._restart()
            for name, put in self._puts:
                put(np.array(values[name]))
            # Copies: a forward that writes into its input must not change the point at which it is checked.
            said = self.pinned(self.run, self._wrapped([np.array(values[name]) for name in self.inputs]))
            return said if type(said) is returned.Outputs else returned.outputs(said)
        finally:
            for store, before in zip(self.stores, saved, strict=True):
                refill(store, before)
            for own, name, value in changed:
                put_back(own, name, value)

    def at(self, values: Values) -> Call:
        """Call the object on `values` and return the call, which can be asked as often as wanted."""
        return self.prepare(values).run()

    def prepare(self, values: Values) -> Call:
        """Put the weights into the object and return a call that has not run yet."""
        call = Call(self)
        call.enter()
        self._restart()
        call.weights = {slot.name: slot.put(np.asarray(values[slot.name])) for slot in self.slots}
        call.given = self._wrapped([self._accepted(np.asarray(values[name])) for name in self.inputs])
        return call

    def learn(self, values: Values) -> Habits:
        """Find out what a call does beside its result. Leaves its traces: meant for a twin of the object."""
        for slot in self.slots:
            slot.put(np.array(values[slot.name]))
        given = self._wrapped([np.array(values[name]) for name in self.inputs])
        self._generators = generators(self.dicts)
        before = [{name: (id(value), fingerprint(value)) for name, value in own.items()} for own in self.dicts]
        drawn = global_fingerprint()
        self.run(*given)
        random = global_fingerprint() != drawn
        sizes = self._sizes()
        mutable = []
        for number, (own, was) in enumerate(zip(self.dicts, before, strict=True)):
            for name, (identity, content) in was.items():
                if name in own and id(own[name]) == identity and fingerprint(own[name]) != content:
                    random |= isinstance(own[name], GENERATORS)
                    mutable += [(number, name)] if not isinstance(own[name], GENERATORS) else []
        self.habits = Habits(random, tuple(mutable))
        first, second = (returned.outputs(self.pinned(self.run, given)) for _ in range(2))
        counting = any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))
        growing = tuple(place for place, size in self._sizes().items() if size > sizes.get(place, size))
        return Habits(random, tuple(mutable), growing, counting)

    def _sizes(self) -> dict[tuple[int, str], int]:
        """How many entries the containers have that are attributes."""
        return {
            (number, name): entries(value)
            for number, own in enumerate(self.dicts)
            for name, value in own.items()
            if isinstance(value, (list, dict))
        }

    def snapshot(self) -> list[Store]:
        """The content of everything that holds attributes or entries."""
        return [taken(store) for store in self.stores]

    def load(self, state: list[Store]) -> None:
        for store, saved in zip(self.stores, state, strict=True):
            refill(store, saved)

    def _accepted(self, array: Array) -> Array:
        return array.astype(float) if self.floats and array.dtype.kind in "iu" else array

    def _wrapped(self, arrays: list[Array]) -> list[Any]:
        return arrays if self.wrap is None else [self.wrap(array) for array in arrays]

    def pinned(self, run: Callable[..., Any], given: list[Any]) -> Any:
        """Run with global and own random generators at the same start in every call."""
        if not self.habits.random:
            return run(*given)
        for number, name, generator in self._generators:
            self.dicts[number][name] = copy.deepcopy(generator)
        with seeded(SEED):
            return run(*given)

    def _deep(self) -> list[dict[str, Any]]:
        """A copy of all attributes that are not shared between calls by being objects of their own."""
        return [{name: self._kept(value) for name, value in own.items()} for own in self.dicts]

    def _kept(self, value: Any) -> Any:
        """A copy; a container in which weights stand is remembered as well, since they are put into that one."""
        if type(value) not in (list, dict):
            return copied_deep(value)
        items = dict(enumerate(value)) if isinstance(value, list) else value
        held = value if any(value is one for one in self.stores) else None
        return Kept(type(value), held, {key: self._kept(item) for key, item in items.items()})

    def _restart(self) -> None:
        for number, name, value in self._short:
            put_back(self.dicts[number], name, copied_deep(value))
        if self._start is not None:
            for own, saved in zip(self.dicts, self._start, strict=True):
                refill(own, {name: again(value) for name, value in saved.items()})


def _revive(obj: Any, slots: list[tuple[str, tuple[str, ...]]], *rest: Any) -> Live:
    inputs, run, call, wrap, habits, floats, start = rest
    live = Live(obj, [on(obj, name, paths) for name, paths in slots], inputs, run, call, wrap, habits, floats)
    live._generators, live._start, live._short = start
    return live


@dataclass(frozen=True)
class Kept:
    """What a list or a dict held: copies of its entries by place or key; `held`: itself, where weights stand in it."""

    kind: type
    held: Any
    items: dict[Any, Any]


def again(kept: Any) -> Any:
    """What an attribute was, as a copy; weights stand in the container in which they stood."""
    if not isinstance(kept, Kept):
        return copied_deep(kept)
    items = {key: again(one) for key, one in kept.items.items()}
    content: Any = items if kept.kind is dict else list(items.values())
    if kept.held is None:
        return content
    refill(kept.held, content)
    return kept.held


def copied_deep(value: Any) -> Any:
    """Copy what a call may change in place; the parts of an object have attribute dicts of their own."""
    if isinstance(value, (np.ndarray, *GENERATORS)):
        return copy.deepcopy(value)
    if isinstance(value, dict):
        found = copy.copy(value)  # of its own kind: a defaultdict knows what its default is
        found.update({key: copied_deep(item) for key, item in value.items()})
        return found
    return [copied_deep(item) for item in value] if type(value) is list else value


class Call:
    """One call of a live object: what went in, what came out, and the attributes that it left."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.weights: dict[str, Any] = {}
        self.given: list[Any] = []
        self.said: Any = None
        self._state: list[Store] | None = None

    def run(self) -> Call:
        """Make the call."""
        self.said = self.live.pinned(self.live.call, self.given)
        return self

    def enter(self) -> None:
        """Make the object's attributes those of this call, as it or its derivatives left them."""
        owner = self.live.owner
        if owner is self:
            return
        if owner is not None:
            owner._state = self.live.snapshot()
        if self._state is not None:
            self.live.load(self._state)
        self.live.owner = self
