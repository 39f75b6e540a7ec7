"""Functions that draw random numbers: from NumPy's or Python's generator, or one that is handed over or stands beside.

A derivative is that of f for given random numbers, so f and its derivatives draw the same ones in every call. What
they draw must come in the same order: a derivative that needs f's mask draws it as f does.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gradcheck.adapters.handed.known import Known
from gradcheck.adapters.handed.options import Claims
from gradcheck.adapters.handed.standing import Standing
from gradcheck.adapters.isolated import SEED
from gradcheck.adapters.state import GENERATORS, fingerprint, global_fingerprint, seeded

READING = "random numbers are the same in every call"


@dataclass(frozen=True)
class Pinned(Standing):
    """A function that starts from the same random numbers in every call. `start`: generators, and copies of them."""

    shown: Callable[..., Any]
    start: tuple[tuple[Any, Any], ...] = ()

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self.shown)

    def __call__(self, *arguments: Any, **kwargs: Any) -> Any:
        left = [(generator, copy.deepcopy(generator)) for generator, _ in self.start]
        try:
            for generator, before in self.start:
                _restore(generator, before)
            with seeded(SEED):
                return self.shown(*arguments, **kwargs)
        finally:
            for generator, before in left:
                _restore(generator, before)


def pinned(known: Known, claims: Claims) -> tuple[Known, Claims]:
    """Return a call and its claims with their random numbers pinned, if f draws any at the point; else as they are.

    Calls f, unless that was done. Raises CannotBuild where it raises.
    """
    call = known.call
    found = _generators(call.f, [one.value for one in call.arguments], call.kwargs, claims.functions.values())
    start = tuple((one, copy.deepcopy(one)) for one in found)
    with seeded(SEED):
        before = [fingerprint(one) for one in found], global_fingerprint()
        known.said  # noqa: B018 -- f is called
        draws = before != ([fingerprint(one) for one in found], global_fingerprint())
    for generator, first in start:
        _restore(generator, first)
    if not draws:
        return known, claims
    functions: dict[str, Any] = {name: Pinned(one, start) for name, one in claims.functions.items() if callable(one)}
    again = Known(replace(call, f=Pinned(call.f, start)), known.pair)
    return again, replace(claims, **functions)


def _generators(
    f: Callable[..., Any], arguments: Iterable[Any], kwargs: Mapping[str, Any], claims: Iterable[Any]
) -> list[Any]:
    """The random generators among the arguments, and those that the functions name."""
    found = [*arguments, *kwargs.values()]
    for function in (f, *claims):
        code = inspect.unwrap(getattr(function, "__func__", function)) if callable(function) else None
        if inspect.isfunction(code):
            named = inspect.getclosurevars(code)
            found += [*named.nonlocals.values(), *named.globals.values(), *(code.__defaults__ or ())]
        for owner in (getattr(function, "__self__", None), function):
            found += list(getattr(owner, "__dict__", {}).values())
    return list({id(one): one for one in found if isinstance(one, GENERATORS)}.values())


def _restore(generator: Any, before: Any) -> None:
    """Put the state of `before` into a generator."""
    if hasattr(generator, "bit_generator"):
        generator.bit_generator.state = before.bit_generator.state
    elif hasattr(generator, "set_state"):
        generator.set_state(before.get_state(legacy=False))
    else:
        generator.setstate(before.getstate())
