"""Functions that stand in dicts, with derivatives: `{"relu": (relu, drelu)}`, or two dicts with the same keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from gradcheck.adapters.calls import words
from gradcheck.compiled import is_function

Function = Callable[..., Any]
FUNCTION_KEYS = ("f", "fn", "func", "function", "forward", "activation", "value", "act", "fun", "loss")


def held(space: Mapping[str, Any]) -> Iterator[tuple[str, Function, str, Function]]:
    """Yield (path, function, name of its derivative, derivative) for what stands in the containers of a module."""
    dicts = {name: one for name, one in list(space.items()) if isinstance(one, Mapping) and not name.startswith("__")}
    for name, one in list(space.items()):
        if (pair := pair_in(one)) is not None:
            yield name, pair[0], f"{name}[1]", pair[1]
    for name, entries in dicts.items():
        for key, value in list(entries.items()):
            path = f"{name}.{key}"
            if not isinstance(key, str) or not key.isidentifier():
                continue
            if (pair := pair_in(value)) is not None:
                yield path, pair[0], f"{path}'", pair[1]
            elif _takes_an_array(value) and (found := _beside(name, key, dicts)) is not None:
                other = f"{found[0]}.{key}"
                yield other if isinstance(value, np.ufunc) else path, value, other, found[1]


def subject_in(value: Any) -> Function | None:
    """What a pair is called by: its function, or the derivative where the function is NumPy's; `None` of no pair."""
    pair = pair_in(value)
    return None if pair is None else pair[1] if isinstance(pair[0], np.ufunc) else pair[0]


def pair_in(value: Any) -> tuple[Function, Function] | None:
    """A function and its derivative: the first two of a tuple, or the entries of a dict that are called so."""
    if isinstance(value, (tuple, list)) and len(value) == 2 and _takes_an_array(value[0]) and is_function(value[1]):
        return value[0], value[1]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        plain = [one for key, one in value.items() if key in FUNCTION_KEYS and _takes_an_array(one)]
        derived = [one for key, one in value.items() if is_derivative(key) and is_function(one)]
        if len(plain) == len(derived) == 1:
            return plain[0], derived[0]
    return None


def _takes_an_array(one: Any) -> bool:
    """Whether something is a function, or one of NumPy's of one argument."""
    return is_function(one) or (isinstance(one, np.ufunc) and one.nin == one.nout == 1)


def _beside(name: str, key: str, dicts: Mapping[str, Any]) -> tuple[str, Function] | None:
    """The derivative under the same key in a dict that is named as the derivatives of the dict `name`."""
    if is_derivative(name):
        return None
    for other, entries in dicts.items():
        if is_derivative(other) and is_function(entries.get(key)):
            bases = words.derivative_bases(other)
            if len([one for one in dicts if is_derivative(one)]) == 1 or any(
                words.distance(b, name) is not None for b in bases
            ):
                return other, entries[key]
    return None


def is_derivative(name: str) -> bool:
    """Whether a key or a name says that derivatives are held here."""
    return bool(words.derivative_bases(name)) or name in ("df", "derivatives", "gradients", "primes")
