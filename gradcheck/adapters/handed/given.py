"""The arguments of a function as they are handed over: which of them are numbers, and which can be differentiated."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.adapters.handed import trees
from gradcheck.adapters.handed.trees import Path
from gradcheck.errors import UsageError, message
from gradcheck.problem import Array

Function = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Part:
    """One array in an argument: its name, the keys that lead to it, and its values in a floating (complex) type."""

    name: str
    path: Path
    array: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's."""
        return tuple(self.array.shape)


@dataclass(frozen=True, eq=False)
class Given:
    """One argument. `parts`: its arrays of numbers, none where it is held fixed as it is.

    `point`: it is part of the point, not one of `args=`. `whole`: it holds whole numbers (a size, labels), which are
    differentiated only where nothing else is. `nested`: it is a dict or a list of arrays.
    """

    name: str
    value: Any
    point: bool = True
    parts: tuple[Part, ...] = ()
    whole: bool = False
    nested: bool = False


@dataclass(frozen=True, eq=False)
class Call:
    """`f(*arguments, **kwargs)`, of which some are the point and the others were handed over as `args=`.

    `wrt`: the arguments that are differentiated, where somebody says so.
    """

    f: Function
    arguments: tuple[Given, ...]
    kwargs: Mapping[str, Any]
    wrt: tuple[Given, ...] = ()

    @classmethod
    def of(
        cls,
        f: Function,
        point: Sequence[Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any] | None,
        names: Sequence[str] | None = None,
        wrt: Any = None,
    ) -> Call:
        """Return the call. Raises UsageError where it makes no sense or there is nothing to differentiate by."""
        every = [*point, *args]
        called = list(names) if names is not None else argument_names(f, len(every))
        if len(called) != len(every) or len(set(called)) != len(called) or not all(isinstance(n, str) for n in called):
            raise UsageError(f"expected {len(every)} different names, one for each argument, but got {called}")
        pairs = enumerate(zip(called, every, strict=True))
        arguments = tuple(_given(value, name, n < len(point)) for n, (name, value) in pairs)
        call = cls(f, arguments, dict(kwargs or {}))
        if wrt is not None:
            call = replace(call, wrt=call.chosen(wrt, "wrt"))
        if not any(part.array.size for one in call.candidates for part in one.parts):
            names = " and ".join(one.name for one in call.candidates)
            raise UsageError(f"nothing to differentiate by: {names} holds no numbers")
        return call

    @cached_property
    def candidates(self) -> tuple[Given, ...]:
        """The arguments that can be differentiated: those that somebody names, else all numbers of the point."""
        if self.wrt:
            return self.wrt
        found = tuple(one for one in self.arguments if one.point and one.parts)
        if not found:
            got = "; ".join(f"{one.name} is {_described(one.value)}" for one in self.arguments if one.point)
            raise UsageError(
                "nothing to differentiate by: expected the point to be real or complex numbers, arrays, or dicts or "
                f"lists of arrays, but {got or 'there is none'}"
            )
        return found

    @cached_property
    def floats(self) -> tuple[Given, ...]:
        """Those of them that are not whole numbers; all where somebody names them, or there are no others."""
        return self.wrt or tuple(one for one in self.candidates if not one.whole) or self.candidates

    def chosen(self, keys: Any, what: str) -> tuple[Given, ...]:
        """Return the arguments that `keys` (a name, a number, or several) are."""
        several = [keys] if isinstance(keys, str) or not isinstance(keys, Iterable) else list(keys)
        found = tuple(self.arguments[self.number(key, what)] for key in several)
        for one in found:
            if not one.parts:
                raise UsageError(f"expected {what} to name numbers, but {one.name} is {_described(one.value)}")
        if not found:
            raise UsageError(f"expected {what} to name an argument, but it is empty: leave it out")
        return tuple(dict.fromkeys(found))

    def number(self, key: Any, what: str) -> int:
        """Return the number of the argument that has a name or a number."""
        names = [one.name for one in self.arguments]
        if isinstance(key, str) and key in names:
            return names.index(key)
        if isinstance(key, (int, np.integer)) and not isinstance(key, bool) and 0 <= key < len(names):
            return int(key)
        raise UsageError(
            f"{what} {key!r} is none of the arguments, which are {', '.join(names)} (0 to {len(names) - 1})"
        )


def _given(value: Any, name: str, point: bool) -> Given:
    if point:
        _refuse_foreign(value, name)
    nested = trees.is_tree(value)
    parts = []
    whole = not nested
    for label, path, leaf in trees.leaves(value, name):
        array = _numbers(leaf)
        # A number among nested parameters is a setting.
        if array is None or (nested and (array.dtype.kind not in "fc" or isinstance(leaf, (float, complex)))):
            continue
        whole &= array.dtype.kind in "iub"
        parts.append(Part(label, path, array if array.dtype.kind in "fc" else array.astype(float)))
    return Given(name, value, point, tuple(parts), whole, nested)


def _numbers(value: Any) -> Array | None:
    """The numbers that a value is; None for text, functions, None, and what else is only handed on."""
    known = isinstance(value, (np.ndarray, np.generic, int, float, complex, list, tuple, memoryview))
    if not known and (callable(value) or not hasattr(value, "__array__")):
        return None
    try:
        array = np.asarray(value)
    except Exception:  # a ragged list, or somebody else's __array__
        return None
    return array if array.dtype.kind in "fiubc" else None


def _described(value: Any) -> str:
    """What a value is that holds no numbers."""
    if isinstance(value, np.ndarray):
        return f"an array of dtype {value.dtype}"
    if isinstance(value, (list, tuple)):
        try:
            return f"a {type(value).__name__} of dtype {np.asarray(value).dtype}"
        except ValueError as error:
            return f"a {type(value).__name__} that is no array ({message(error)})"
    return "None" if value is None else f"of type {type(value).__name__}"


# What arrays of a GPU or of a framework have and NumPy's have not, and what makes one of NumPy's out of them.
FOREIGN = {
    "detach": ".detach().cpu().numpy()",
    "cpu": ".cpu().numpy()",
    "__cuda_array_interface__": ".get()",
    "numpy": ".numpy()",
}


def _refuse_foreign(value: Any, name: str) -> None:
    """Raise UsageError for an array that NumPy cannot compute with, saying what to do."""
    for label, _, leaf in trees.leaves(value, name):
        if isinstance(leaf, np.ma.MaskedArray):
            raise UsageError(
                f"expected {label} to be an array without a mask, but it is masked: pass what f is to compute with, "
                f"{label}.data or {label}.filled(...)"
            )
        if isinstance(leaf, (np.ndarray, np.generic)) or callable(leaf):
            continue
        kind = f"{type(leaf).__module__}.{type(leaf).__qualname__}".removeprefix("builtins.")
        way = next((way for mark, way in FOREIGN.items() if _has(leaf, mark)), "")
        if way:
            raise UsageError(
                f"expected {label} to be a NumPy array, but got {kind}: pass {label}{way}, and functions that compute "
                "with NumPy"
            )
        if hasattr(leaf, "__array__"):
            try:
                np.asarray(leaf)
            except Exception as error:  # whatever somebody else's __array__ raises
                raise UsageError(
                    f"expected {label} to be a NumPy array, but got {kind}, which cannot be made one "
                    f"({type(error).__name__}: {message(error)}): convert it first"
                ) from error


def _has(thing: Any, name: str) -> bool:
    """Whether a thing has such a method, or the interface of CUDA's arrays."""
    try:
        found = getattr(thing, name, None)
        return callable(found) or (name.startswith("__") and found is not None)
    except Exception:  # a property of somebody else's
        return False


def argument_names(f: Function, count: int) -> list[str]:
    """Return the names of the first `count` arguments of `f`; `x0`, `x1`, … where it says `*args` or nothing."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):  # built-in functions and ufuncs have no signature
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    if not named and count == 1:
        return ["x"]
    return named + [f"x{n}" for n in range(len(named), count)]
