"""A function that was handed over, as a function of named arrays: objects, so that other processes can have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.adapters import returned
from gradcheck.adapters.handed import trees
from gradcheck.adapters.handed.given import Function
from gradcheck.adapters.handed.spaces import Space
from gradcheck.adapters.handed.trees import Path
from gradcheck.problem import Array, Values


@dataclass(frozen=True)
class Forward:
    """A function of named arrays. `pick` takes the output out of what the function returns."""

    f: Function
    names: tuple[str, ...]
    pick: Callable[[Any], Any] | None = None

    def __call__(self, values: Values) -> list[Array]:
        # Copies: a function that writes into its argument must not change the point at which it is checked.
        said = self.f(*(np.array(values[name]) for name in self.names))
        return returned.outputs(said if self.pick is None else self.pick(said))


@dataclass(frozen=True)
class Argument:
    """One argument of a call, with the arrays in it that vary; all else in it stays as it was handed over."""

    value: Any
    spaces: Mapping[Path, Space] = field(default_factory=dict)

    def at(self, values: Values) -> Any:
        """Return the argument at some values of its variables."""
        if not self.spaces:
            return self.value
        return self.filled({path: space.array(values) for path, space in self.spaces.items()})

    def filled(self, arrays: Mapping[Path, Any]) -> Any:
        """Return the argument with other arrays in the place of those that vary."""
        return trees.mapped(self.value, lambda path, leaf: arrays.get(path, leaf))


@dataclass(frozen=True)
class Whole:
    """`f(*arguments, **kwargs)` at values of the variables in its arguments; complex outputs as two, their parts.

    `pair`: f returns (value, derivative, …), and the value is its output.
    """

    f: Function
    arguments: tuple[Argument, ...]
    kwargs: Mapping[str, Any]
    pair: bool = False

    def __call__(self, values: Values) -> list[Array]:
        said = self.said({name: np.array(value) for name, value in values.items()})
        return split(returned.outputs(said[0] if self.pair else said))

    def said(self, values: Values) -> Any:
        """Return whatever f returns, given the very arrays in `values`."""
        return self.f(*(one.at(values) for one in self.arguments), **self.kwargs)


def split(outputs: Sequence[Array]) -> list[Array]:
    """Return outputs with each complex one as its real and its imaginary part.

    >>> split([np.array(1 + 2j), np.array(3.0)])
    [array(1.), array(2.), array(3.)]
    """
    return [part for one in outputs for part in ((one.real, one.imag) if one.dtype.kind == "c" else (one,))]


def joined(cotangents: Sequence[Array], are_complex: Sequence[bool], bar: bool) -> list[Array]:
    """Return a cotangent for each output of f, complex where that is: c with dL = Re(c·dy), or Re(c̄·dy) with `bar`.

    >>> [complex(one) for one in joined([np.array(1.0), np.array(2.0)], [True], bar=False)]
    [(1-2j)]
    """
    parts = iter(cotangents)
    sign = 1j if bar else -1j
    return [next(parts) + sign * next(parts) if is_complex else next(parts) for is_complex in are_complex]
