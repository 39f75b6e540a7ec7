"""What is known at the point before anything is claimed: what f returns there, and how its derivatives are called."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np

from gradcheck.adapters import returned
from gradcheck.adapters.handed import answers, trees
from gradcheck.adapters.handed.given import Call, Function, Given, Part
from gradcheck.errors import CannotBuild, told
from gradcheck.guarded import Guarded
from gradcheck.problem import Array


@dataclass
class Known:
    """A call at its point. `pair`: f returns (value, derivative).

    `notes` and `unjudged` grow while derivatives are looked at: pairs of a name and what is to be said of it.
    """

    call: Call
    pair: bool = False
    notes: list[tuple[str, str]] = field(default_factory=list)
    unjudged: list[tuple[str, str]] = field(default_factory=list)

    def point(self) -> list[Any]:
        """Return the arguments as f is called with them, made anew."""
        return [self.argument(one) for one in self.call.arguments]

    def argument(self, one: Given, replaced: Part | None = None, array: Array | None = None) -> Any:
        """Return one argument made anew, with another array in the place of one of its parts."""
        parts = one.parts if one in self.call.floats else ()
        arrays = {part.path: array if part is replaced else np.array(part.array) for part in parts}
        return trees.mapped(one.value, lambda path, leaf: arrays.get(path, leaf))

    @cached_property
    def said(self) -> Any:
        """What f returns at the point. Raises CannotBuild where it raises."""
        try:
            with np.errstate(all="ignore"):
                return Guarded(partial(self.call.f, **self.call.kwargs))(*self.point())
        except Exception as error:  # somebody else's code
            raise CannotBuild(f"forward raised {told(error)}") from error

    @cached_property
    def outputs(self) -> list[Array]:
        """The outputs of f at the point. Raises CannotBuild where they are no numbers."""
        said = self.said
        if self.pair:
            if not isinstance(said, (tuple, list)) or len(said) < 2:
                raise CannotBuild(
                    f"jac=True: expected f to return (value, derivative), but got {type(said).__name__}: give the "
                    "derivative as a function, jac=df"
                )
            said = said[0]
        try:
            return returned.outputs(said)
        except Exception as error:  # text, None, ragged lists
            raise CannotBuild(told(error)) from error

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the outputs."""
        return [one.shape for one in self.outputs]

    @property
    def is_complex(self) -> bool:
        """Whether f returns complex numbers."""
        return any(one.dtype.kind == "c" for one in self.outputs)

    def answer(self, name: str, function: Function, *more: Any) -> Any:
        """What a derivative returns at the point; None where it raises, which is said when it is asked as a claim."""
        arguments = self.called(function, self.point(), list(more))
        self.hold_signature(name, function, arguments)
        try:
            with np.errstate(all="ignore"):
                return Guarded(partial(function, **self.call.kwargs))(*arguments)
        except Exception:  # somebody else's code
            return None

    def hold_signature(self, name: str, function: Function, arguments: Sequence[Any]) -> None:
        """Raise CannotBuild where a derivative cannot be called with these arguments."""
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):  # a built-in function, or a ufunc
            return
        try:
            signature.bind(*arguments, **self.call.kwargs)
        except TypeError as error:
            more = len(arguments) - len(self.call.arguments)
            called = [one.name for one in self.call.arguments] + ["…"] * more + [f"{key}=" for key in self.call.kwargs]
            raise CannotBuild(
                f"expected {name} to be called like f, {name}({', '.join(called)}), but it takes {signature} "
                f"({error}): wrap it in a function of these arguments"
            ) from error

    def called(self, function: Function, arguments: list[Any], more: list[Any], after_point: bool = False) -> list[Any]:
        """Return the arguments with more of them, cotangents or tangents.

        They come last, or with `after_point` before what was handed over as `args=`; the names in the function's
        signature say it where they are f's.
        """
        point = sum(one.point for one in self.call.arguments)
        fixed = [one.name for one in self.call.arguments[point:]]
        names = positional(function) if more and fixed else []
        if names[point : point + len(fixed)] == fixed:
            after_point = False
        elif names[point + len(more) : point + len(more) + len(fixed)] == fixed:
            after_point = True
        return [*arguments[:point], *more, *arguments[point:]] if after_point else [*arguments, *more]

    def about(self, name: str, answer: Any, fits: answers.Fits) -> tuple[Given, ...]:
        """Return the arguments that a derivative is about: those that somebody names, else by its answer at the point.

        Without an answer it is the first.
        """
        known = self.call.wrt or (self.call.floats[:1] if answer is None else ())
        found = known or answers.about(answer, self.call, fits, name)
        if len(found) == 1 and found[0].nested and answer is not None:
            extra = trees.strangers(answer, found[0].value, found[0].name)
            self.unjudged += [(f"{name}: {who}", f"{found[0].name} has no such array") for who in extra]
        return found

    @property
    def is_plain(self) -> bool:
        """Whether there is one array that a derivative can be about, so that its answer need not be looked at."""
        return len(self.call.candidates) == 1 and not self.call.candidates[0].nested


def positional(function: Function) -> list[str]:
    """Return the names of the positional arguments of a function; none where it has `*args`, or no signature."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return []
    return [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
