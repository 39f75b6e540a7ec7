"""Frozen dataclasses as data: equal where their numbers are (NaN is NaN), JSON out and in."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Literal


class Data:
    """A dataclass that compares by what it holds.

    Python's own comparison takes two NaN for the same only where they are one object, and from 3.13 on not even then.
    Use it with `@dataclass(frozen=True, eq=False)`.
    """

    def __eq__(self, other: object) -> bool:
        return _key(self) == _key(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(_key(self))


def _key(value: Any) -> Any:
    """What a value is compared by: for NaN, which is not equal to itself, something that is."""
    if isinstance(value, float):
        return _NAN if math.isnan(value) else value
    if isinstance(value, tuple):
        return tuple(map(_key, value))
    if isinstance(value, Data):
        every = fields(typing.cast(Any, value))
        return type(value), *(_key(getattr(value, field.name)) for field in every)
    return value


_NAN = "nan"


def to_json(value: Any) -> str:
    """Return a dataclass as JSON text; infinities and NaN are the strings "inf", "-inf" and "nan"."""
    return json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """Return a dataclass as dicts, lists, numbers and text, as JSON holds them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    # Not asdict, which takes four times as long to copy what nobody changes.
    items = value if isinstance(value, dict) else {field.name: getattr(value, field.name) for field in fields(value)}
    return {key: plain(item) for key, item in items.items()}


def typed(value: Any, kind: Any) -> Any:
    """Return JSON data as the type `kind` asks for: dataclasses, tuples, Literals (TypeError where it does not fit)."""
    return _reader(kind)(value)


# Asking a type what it is takes longer than reading the data that it describes.
@functools.cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """What reads data of one type."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        there = _reader(next(arg for arg in args if arg is not type(None)))
        return lambda value: None if value is None else there(value)
    if origin is tuple:
        return _reader_of_tuples(args)
    if dataclasses.is_dataclass(kind):
        every = {name: _reader(hint) for name, hint in typing.get_type_hints(kind).items()}
        made = typing.cast(Callable[..., Any], kind)
        return lambda value: made(**{key: every[key](item) for key, item in value.items()})
    if kind is float:
        return float

    def read(value: Any) -> Any:
        if not (value in args if origin is Literal else isinstance(value, kind)):
            raise TypeError(f"expected {kind}, but found {str(value)[:80]!r}")
        return value

    return read


def _reader_of_tuples(args: tuple[Any, ...]) -> Callable[[Any], Any]:
    alike = len(args) == 2 and args[1] is Ellipsis
    readers = [_reader(arg) for arg in args if arg is not Ellipsis]

    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise TypeError(f"expected a list, but found {str(value)[:80]!r}")
        if alike:
            return tuple(map(readers[0], value))
        return tuple(reader(item) for item, reader in zip(value, readers, strict=True))

    return read
