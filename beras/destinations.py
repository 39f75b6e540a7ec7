"""Which arrays a call of NumPy writes into: its `out`, by name or by position, or what it changes in place."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

_DESTINATIONS = {
    np.copyto: "dst",
    np.put: "a",
    np.place: "arr",
    np.putmask: "a",
    np.fill_diagonal: "a",
    np.put_along_axis: "arr",
}
IN_PLACE = frozenset(_DESTINATIONS)
"""The functions that write into their first argument, here with its name."""

# Where `out` stands among the arguments after the array itself.
_OUT_OF_METHODS = {
    **dict.fromkeys(("all", "any", "argmax", "argmin", "choose", "dot", "max", "min", "ptp", "round"), 1),
    **dict.fromkeys(("clip", "compress", "cumprod", "cumsum", "mean", "prod", "std", "sum", "take", "var"), 2),
    "trace": 4,
}


def by_function(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
    """Return what `function(*args, **kwargs)` writes into.

    >>> a, b = np.zeros(2), np.ones(2)
    >>> by_function(np.sum, (b, None, None, a), {}), by_function(np.sum, (b,), {}), by_function(np.put, (), {"a": b})
    ([array([0., 0.])], [], [array([1., 1.])])
    """
    if function in _DESTINATIONS:
        return [args[0] if args else kwargs[_DESTINATIONS[function]]]
    if function is np.nan_to_num:
        copies = args[1] if len(args) > 1 else kwargs.get("copy", True)
        return [] if copies else [args[0] if args else kwargs["x"]]
    return _out(_position(function), args, kwargs)


def by_method(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
    """Return what `array.name(*args, **kwargs)` writes into besides the array itself."""
    position = _OUT_OF_METHODS.get(name)
    return [] if position is None else _out(position, args, kwargs)  # at every method of a tensor


def _out(position: int | None, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
    given = args[position] if position is not None and position < len(args) else kwargs.get("out")
    return [array for array in (given if isinstance(given, tuple) else (given,)) if array is not None]


@functools.cache
def _position(function: Callable[..., Any]) -> int | None:
    """Return which of the positional arguments `out` is."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # written in C, in an older NumPy
        return {"dot": 2, "concatenate": 2}.get(function.__name__)
    for k, parameter in enumerate(parameters):
        if parameter.name == "out":
            return None if parameter.kind is parameter.KEYWORD_ONLY else k
    return None
