"""Options: arguments with a default, of a constructor, a forward or a function; and the code with another default.

Another default is put into the very functions for the time of a call, and taken out again: so whatever builds or calls
the code, however it is read, meets the setting.
"""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any, Protocol

import numpy as np

from gradcheck.problem import Array, Method, Problem, Sizes, Subject, Values

# What these say is no setting of a derivative: names, types, what is printed, drawn or returned beside the result; nor
# is a switch that asks a function for its derivative.
OTHER = frozenset(
    {"name", "dtype", "seed", "random_state", "rng", "verbose", "debug", "inplace", "lr", "learning_rate", "out"}
    | {"deriv", "derivative", "derive", "derivate", "prime", "grad", "gradient", "der", "isderiv", "is_deriv"}
)

Change = Callable[[Any], AbstractContextManager[None]]

_lock = threading.RLock()


class Setting(Protocol):
    """Something that the code has a value for, and that may be exchanged for a while."""

    @property
    def name(self) -> str: ...
    @property
    def default(self) -> Any: ...
    @property
    def builds(self) -> bool:
        """Whether an object has to be built anew for it."""

    def exchanged(self, value: Any) -> AbstractContextManager[None]:
        """Have another value."""


@dataclass(frozen=True)
class Option:
    """An argument's name, its default, and the functions that have it."""

    name: str
    default: Any
    functions: tuple[FunctionType, ...]

    @property
    def builds(self) -> bool:
        """Whether a constructor takes it."""
        return any(function.__name__ == "__init__" for function in self.functions)

    @contextmanager
    def exchanged(self, value: Any) -> Iterator[None]:
        """Have another default."""
        before = [(function, function.__defaults__, function.__kwdefaults__) for function in self.functions]
        try:
            for function, defaults, keywords in before:
                if keywords and self.name in keywords:
                    function.__kwdefaults__ = {**keywords, self.name: value}
                else:
                    function.__defaults__ = _with(function, defaults or (), self.name, value)
            yield
        finally:
            for function, defaults, keywords in before:
                function.__defaults__, function.__kwdefaults__ = defaults, keywords


def options(code: Sequence[Any]) -> list[Option]:
    """The options of classes and functions, a constructor's first."""
    found: dict[str, tuple[Any, list[FunctionType]]] = {}
    for function in dict.fromkeys(function for thing in code for function in functions(thing)):
        for parameter in inspect.signature(function).parameters.values():
            if parameter.default is not parameter.empty and not is_other(parameter.name):
                found.setdefault(parameter.name, (parameter.default, []))[1].append(function)
    return [Option(name, default, tuple(users)) for name, (default, users) in found.items()]


def is_other(name: str) -> bool:
    """Whether a name says that it is no setting of a derivative."""
    return name.lower() in OTHER or bool(re.match(r"_|return(?!_?seq)", name))


def functions(thing: Any) -> Iterator[FunctionType]:
    """A function; of a class its constructors and its other methods, those of its bases too."""
    if inspect.isroutine(thing):
        inner = inspect.unwrap(thing)
        if isinstance(inner, FunctionType):
            yield inner
        return
    members = [(name, one) for base in inspect.getmro(_class(thing))[:-1] for name, one in vars(base).items()]
    for _, member in sorted(members, key=lambda pair: pair[0] != "__init__"):
        if isinstance(member, (staticmethod, classmethod)):
            member = member.__func__
        inner = inspect.unwrap(member) if callable(member) else member
        if isinstance(inner, FunctionType):
            yield inner


def _class(thing: Any) -> type:
    return thing if inspect.isclass(thing) else type(thing)


def _with(function: FunctionType, defaults: tuple[Any, ...], name: str, value: Any) -> tuple[Any, ...]:
    code = function.__code__
    names = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
    return tuple(value if one == name else default for one, default in zip(names, defaults, strict=True))


@dataclass(frozen=True)
class Within:
    """A function of the checked code, called in another setting."""

    setting: Setting
    value: Any
    function: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        with _lock, self.setting.exchanged(self.value):
            return self.function(*args)


def within(setting: Setting, value: Any, problem: Problem) -> Problem:
    """The problem with everything that runs the checked code in another setting."""
    return replace(
        problem,
        forward=Within(setting, value, problem.forward),
        methods=tuple(replace(method, at=_at(setting, value, method)) for method in problem.methods),
        call=None if problem.call is None else Within(setting, value, problem.call),
    )


def _at(setting: Setting, value: Any, method: Method) -> Callable[[Values], Callable[[list[Array]], list[Any]]]:
    at = Within(setting, value, method.at)
    return lambda values: Within(setting, value, at(values))


def in_setting(setting: Setting, value: Any, subject: Subject) -> Subject:
    """The subject built, asked and explained in another setting."""

    def build(sizes: Sizes, rng: np.random.Generator) -> Problem:
        with _lock, setting.exchanged(value):
            return within(setting, value, subject.build(sizes, rng))

    return replace(subject, build=build, cases=tuple)
