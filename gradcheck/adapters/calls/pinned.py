"""Random numbers that are the same in every call: NumPy's and Python's generators, and those that code makes itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck.adapters.state import GENERATORS, seeded

SEED = 20240607
MAKERS = ("default_rng", "RandomState")


class Pins:
    """The generators that some functions may draw from, at one start: global ones, those of their modules, new ones."""

    def __init__(self, functions: Sequence[Callable[..., Any]]) -> None:
        self.spaces: list[dict[str, Any]] = []
        for function in functions:
            space = getattr(function, "__globals__", None)
            if space is not None and all(space is not one for one in self.spaces):
                self.spaces.append(space)
        held = [value for space in self.spaces for value in space.values() if isinstance(value, GENERATORS)]
        self.held = [(one, copy.deepcopy(_state(one))) for one in held]

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Within this, every draw is what it was the last time."""
        kept = [(one, copy.deepcopy(_state(one))) for one, _ in self.held]
        made = {name: getattr(np.random, name) for name in MAKERS}
        places: list[tuple[Any, str, Any]] = [(np.random, name, maker) for name, maker in made.items()]
        for space in self.spaces:
            places += [
                (space, key, maker) for key, maker in list(space.items()) for one in made.values() if maker is one
            ]
        for one, state in self.held:
            _set_state(one, state)
        for place, name, maker in places:
            _put(place, name, _from_a_seed(maker))
        try:
            with seeded(SEED):
                yield
        finally:
            for place, name, maker in places:
                _put(place, name, maker)
            for one, state in kept:
                _set_state(one, state)


class _Stands(type):
    """The type of a class that stands for the one it is derived from: also what is of that one is of it."""

    def __instancecheck__(cls, one: Any) -> bool:
        return isinstance(one, cls.__mro__[1])


def _from_a_seed(maker: Callable[..., Any]) -> Callable[..., Any]:
    """A maker of generators that starts at a seed where its caller gives none; of a class, a class.

    Code that runs meanwhile asks what is an instance of it, and modules that are imported meanwhile keep it.
    """
    if isinstance(maker, type):
        kind: Any = maker

        class Made(kind, metaclass=_Stands):  # type: ignore[misc]
            def __init__(self, seed: Any = None, *more: Any, **named: Any) -> None:
                super().__init__(SEED if seed is None else seed, *more, **named)

        return Made

    def make(seed: Any = None, *more: Any, **named: Any) -> Any:
        return maker(SEED if seed is None else seed, *more, **named)

    return make


def _put(place: Any, name: str, value: Any) -> None:
    if isinstance(place, dict):
        place[name] = value
    else:
        setattr(place, name, value)


def _state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.get_state() if isinstance(generator, np.random.RandomState) else generator.getstate()


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = copy.deepcopy(state)
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        generator.setstate(state)
