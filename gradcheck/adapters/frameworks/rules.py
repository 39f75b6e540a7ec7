"""Functions of a framework's arrays, and their derivatives in it, as functions of NumPy's arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gradcheck.adapters.frameworks.protocol import Framework, Function
from gradcheck.adapters.handed import trees
from gradcheck.adapters.handed.standing import Standing
from gradcheck.adapters.handed.trees import Path

Place = tuple[int, Path]
"""Where an array stands: the number of the argument, and the keys that lead to it."""


@dataclass(frozen=True)
class Held:
    """A value that NumPy has no array for, and that stays as it is: a key of random numbers, a device, a module."""

    value: Any


@dataclass(frozen=True)
class OnArrays(Standing):
    """`function` on NumPy's arrays. `flat`: its outputs as a tuple of those that can be differentiated."""

    framework: Framework
    function: Function
    shown: Function
    flat: bool = False

    def __call__(self, *arguments: Any, **kwargs: Any) -> Any:
        with self.framework.exactly():
            said = self.function(*(to_framework(self.framework, one) for one in arguments), **kwargs)
            if not self.flat:
                return mapped(said, lambda leaf: _numpy(self.framework, leaf))
            found = tuple(_numpy(self.framework, one) for one in outputs(self.framework, said))
            return found[0] if len(found) == 1 else found


@dataclass(frozen=True)
class Derivative(Standing):
    """What the framework says of `function`: `(*arguments, *vectors)` → an item for each argument, or output.

    `places`: of the arrays by which is differentiated; `about`: the numbers of the arguments that hold them; `count`:
    of all arguments. `strict`: these arrays were named, so that about each of them something has to be said.
    """

    framework: Framework
    function: Function
    shown: Function
    places: tuple[Place, ...]
    about: tuple[int, ...]
    count: int
    strict: bool = False

    def run(self, arguments: Sequence[Any], kwargs: Mapping[str, Any]) -> Callable[..., list[Any]]:
        """Return the function of the arrays at `places` alone."""
        others = [to_framework(self.framework, one) for one in arguments]

        def of(*arrays: Any) -> list[Any]:
            now = dict(zip(self.places, arrays, strict=True))
            filled = [_filled(one, number, now) for number, one in enumerate(others)]
            return outputs(self.framework, self.function(*filled, **kwargs))

        return of

    def split(self, called: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the arguments, the arrays in them at `places`, and what was handed over beside them."""
        arguments, more = list(called[: self.count]), list(called[self.count :])
        return arguments, [at(arguments[number], path) for number, path in self.places], more


@dataclass(frozen=True)
class Vjp(Derivative):
    """g · J by each argument, in its form."""

    def __call__(self, *called: Any, **kwargs: Any) -> Any:
        arguments, arrays, cotangents = self.split(called)
        with self.framework.exactly():
            pulled = self.framework.pull(self.run(arguments, kwargs), arrays, cotangents)
        if self.strict:  # to a framework, None is 0
            pulled = [np.zeros_like(a) if one is None else one for a, one in zip(arrays, pulled, strict=True)]
        now = dict(zip(self.places, pulled, strict=True))
        items = [trees.mapped(arguments[n], partial(_pulled, now, n)) for n in self.about]
        silent = all(one is None for one in pulled)
        return None if silent else items[0] if len(items) == 1 else items


@dataclass(frozen=True)
class Jvp(Derivative):
    """J · v, an item for each output."""

    def __call__(self, *called: Any, **kwargs: Any) -> Any:
        arguments, arrays, moves = self.split(called)
        by = dict(zip(self.about, moves, strict=True))
        tangents = [at(by[number], path) for number, path in self.places]
        with self.framework.exactly():
            pushed = self.framework.push(self.run(arguments, kwargs), arrays, tangents)
        return pushed[0] if len(pushed) == 1 else tuple(pushed)


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return the same dicts, lists and tuples with `change(leaf)` in the place of every leaf."""
    if isinstance(value, dict):
        return {key: mapped(one, change) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        items = [mapped(one, change) for one in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return change(value)


def leaves(value: Any) -> list[Any]:
    """Return the leaves of dicts, lists and tuples."""
    found: list[Any] = []
    mapped(value, found.append)
    return found


def at(value: Any, path: Path) -> Any:
    """Return what stands at a path."""
    for key in path:
        value = value[key]
    return value


def outputs(framework: Framework, said: Any) -> list[Any]:
    """Return those of the outputs that can be differentiated; all where none can. Raises TypeError for other things."""
    found = leaves(said)
    strange = next((one for one in found if framework.arrays and not framework.is_array(one)), found)
    if strange is not found:
        raise TypeError(f"expected it to return {framework.arrays}, but got {type(strange).__name__}")
    return [one for one in found if framework.is_moved(one)] or found


def to_framework(framework: Framework, value: Any) -> Any:
    """Return an argument as the framework takes it."""
    return mapped(value, lambda leaf: _leaf(framework, leaf))


def _pulled(now: Mapping[Place, Any], number: int, path: Path, leaf: Any) -> Any:
    return now.get((number, path))


def _leaf(framework: Framework, leaf: Any) -> Any:
    if isinstance(leaf, Held):
        return leaf.value
    return framework.from_numpy(np.asarray(leaf)) if isinstance(leaf, (np.ndarray, np.generic)) else leaf


def _numpy(framework: Framework, leaf: Any) -> Any:
    return framework.to_numpy(leaf) if framework.is_array(leaf) else leaf


def _filled(value: Any, number: int, now: Mapping[Place, Any], path: Path = ()) -> Any:
    """The argument with arrays in the place of those that vary."""
    if (number, path) in now:
        return now[number, path]
    if isinstance(value, dict):
        return {key: _filled(one, number, now, (*path, key)) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_filled(one, number, now, (*path, key)) for key, one in enumerate(value)]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value
