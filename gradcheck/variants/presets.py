"""Settings that no argument sets: class attributes, entries of dicts, and what a constructor writes down.

    class Conv: stride = 1                                    the class' attribute is exchanged
    def __init__(self, config={"stride": 1})                  an entry of a dict that lives as long as the code
    def __init__(self): self.params = {"mode": "mean"}        a constant in the source, whose function is compiled anew
    def forward(self, x, **more): more.get("k", 1.0)

What code goes on writing to is its state and no setting. Nor is a number where derivatives read one of their own that
follows from it (`power_minus_one` beside `power`, 3a beside a): they fit each other, and nobody sets one alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from inspect import getmro, isclass
from types import FunctionType
from typing import Any

from gradcheck.branches.constants import with_constant
from gradcheck.branches.recompile import in_place
from gradcheck.syntax import tree, walked
from gradcheck.variants.calls import going_back, going_forward
from gradcheck.variants.options import Change, functions, is_other

PLAIN = (bool, int, float, str)
GETTERS = ("get", "pop", "setdefault")
Place = tuple[FunctionType, int, int]


@dataclass(frozen=True)
class Preset:
    """A setting with its value in the code, and how it is exchanged for a while.

    `builds`: a constructor may have read it. `alone`: forward alone reads it, and nothing says that anybody sets it.
    """

    name: str
    default: Any
    change: Change
    builds: bool = True
    alone: bool = False

    def exchanged(self, value: Any) -> AbstractContextManager[None]:
        """Have another value."""
        return self.change(value)


def presets(code: Sequence[Any]) -> list[Preset]:
    """The settings of classes and functions that are not arguments, each name once."""
    every = list(dict.fromkeys(function for thing in code for function in functions(thing)))
    used = _Used(every)
    classes = [thing for thing in code if isclass(thing)]
    found: dict[str, Preset] = {}
    for one in (*_attributes(classes, used, every), *_entries(classes, every, used), *_written(every, used)):
        if not is_other(one.name):
            found.setdefault(one.name, one)
    others = {name for name, one in found.items() if type(one.default) in (bool, str)}
    written = {name for function in every for name, _ in _constants(function, used) if not is_other(name)}
    numbers = (found.keys() | written) - others
    follows = numbers & _read(going_back(every)) - _read(going_forward(every))
    return [one for name, one in found.items() if name in others or not follows]


def in_dicts(held: Sequence[dict[str, Any]]) -> list[Preset]:
    """The settings in dicts that a function is given: `conv_param["stride"]`."""
    return [
        Preset(key, value, partial(_entry, entries, key), builds=False)
        for entries in held
        for key, value in entries.items()
        if type(value) in PLAIN and not is_other(key)
    ]


def _read(some: Sequence[FunctionType]) -> set[str]:
    """The names of attributes that functions read, and the keys that they look up."""
    used = _Used(some)
    return used.read | used.keys


class _Used:
    """Names of attributes that functions read and write, and keys that they look up."""

    def __init__(self, every: Sequence[FunctionType]) -> None:
        self.read: set[str] = set()
        self.kept: set[str] = set()
        self.changed: set[str] = set()
        self.keys: set[str] = set()
        for function in every:
            if (root := tree(function)) is None:
                continue
            read, written, keys, changed = _uses(root)
            self.read |= read
            (self.kept if function.__name__ == "__init__" else self.changed).update(written)
            self.keys |= keys
            self.changed |= changed
        self.keys -= self.changed


@lru_cache(maxsize=1000)
def _uses(root: ast.AST) -> tuple[set[str], set[str], set[str], set[str]]:
    """The attributes that a function reads and writes, and the keys that it looks up and writes."""
    read, written, keys, changed = set[str](), set[str](), set[str](), set[str]()
    for node in walked(root):
        if isinstance(node, ast.Attribute):
            (read if isinstance(node.ctx, ast.Load) else written).add(node.attr)
        elif isinstance(node, ast.Subscript) and (key := _string(node.slice)) is not None:
            (keys if isinstance(node.ctx, ast.Load) else changed).add(key)
        elif (key := _got(node)) is not None:
            keys.add(key)
    return read, written, keys, changed


def _attributes(classes: Sequence[type], used: _Used, every: Sequence[FunctionType]) -> Iterator[Preset]:
    """What stands in the body of a class and is read, and no method keeps or changes.

    No fraction: constants of a formula stand there, and others may be computed from them.
    """
    looked_at = _read(going_back(every))
    looked_at |= {read for kept, read in _made_of(every) if kept in looked_at}
    for cls in classes:
        for base in getmro(cls)[:-1]:
            for name, value in vars(base).items():
                if type(value) in (bool, int, str) and name in used.read - used.kept - used.changed:
                    yield Preset(name, value, partial(_attribute, base, name), alone=name not in looked_at)


def _made_of(every: Sequence[FunctionType]) -> Iterator[tuple[str, str]]:
    """Pairs of attributes: one that is set, and one that is read for it; what is computed by a call is a result."""
    for root in filter(None, map(tree, every)):
        yield from _follows(root)


@lru_cache(maxsize=1000)
def _follows(root: ast.AST) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for node in walked(root):
        if isinstance(node, ast.Assign) and not any(isinstance(one, ast.Call) for one in ast.walk(node.value)):
            attributes = [one for one in ast.walk(node) if isinstance(one, ast.Attribute)]
            kept = [one.attr for one in attributes if isinstance(one.ctx, ast.Store)]
            found += [(one, other.attr) for one in kept for other in attributes if isinstance(other.ctx, ast.Load)]
    return tuple(found)


def _entries(classes: Sequence[type], every: Sequence[FunctionType], used: _Used) -> Iterator[Preset]:
    """Entries of dicts that are attributes of classes, defaults of arguments or names of a module."""
    dicts: list[Any] = [value for cls in classes for base in getmro(cls)[:-1] for value in vars(base).values()]
    for function in every:
        dicts += [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        dicts += [function.__globals__.get(name) for name in function.__code__.co_names]
    for entries in {id(one): one for one in dicts if type(one) is dict}.values():
        for key, value in entries.items():
            if type(value) in PLAIN and key in used.keys:
                yield Preset(key, value, partial(_entry, entries, key))


def _written(every: Sequence[FunctionType], used: _Used) -> Iterator[Preset]:
    """Constants that a constructor puts into dicts and attributes, and what `.get` takes where nothing is given."""
    places: dict[tuple[str, Any], list[Place]] = {}
    for function in every:
        for name, node in _constants(function, used):
            value = _value(node)
            if type(value) in PLAIN:
                places.setdefault((name, value), []).append((function, node.lineno, node.col_offset))
    for (name, value), found in places.items():
        yield Preset(name, value, partial(_constant, found))


def _constants(function: FunctionType, used: _Used) -> Iterator[tuple[str, ast.expr]]:
    root = tree(function)
    if root is None:
        return
    constants = _constants_in(root)
    yield from constants.fallbacks
    if function.__name__ == "__init__":
        yield from ((key, node) for key, node in constants.entries if key in used.keys)
        yield from ((key, node) for key, node in constants.attributes if key in used.read - used.changed)


@dataclass(frozen=True)
class _Constants:
    """What stands in a tree for names: what `.get` takes where nothing is given, entries of dicts, attributes."""

    fallbacks: list[tuple[str, ast.expr]]
    entries: list[tuple[str, ast.expr]]
    attributes: list[tuple[str, ast.expr]]


@lru_cache(maxsize=1000)
def _constants_in(root: ast.AST) -> _Constants:
    found = _Constants([], [], [])
    for node in walked(root):
        if (key := _got(node)) is not None and isinstance(node, ast.Call) and len(node.args) == 2:
            found.fallbacks.append((key, node.args[1]))
        if isinstance(node, ast.Dict):
            pairs = zip(map(_key, node.keys), node.values, strict=True)
            found.entries.extend((name, item) for name, item in pairs if name is not None)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
            found.entries.extend((one.arg, one.value) for one in node.keywords if one.arg is not None)
        elif isinstance(node, ast.Assign) and isinstance(_value(node.value), (bool, str)):
            found.attributes.extend((one.attr, node.value) for one in node.targets if isinstance(one, ast.Attribute))
    return found


def _key(node: ast.expr | None) -> str | None:
    return None if node is None else _string(node)


def _got(node: ast.AST) -> str | None:
    """The key of `options.get("key", …)`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in GETTERS and node.args:
        return _string(node.args[0])
    return None


def _string(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _value(node: ast.expr) -> Any:
    """What a constant is; None for anything else."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None


@contextmanager
def _attribute(owner: type, name: str, value: Any) -> Iterator[None]:
    before = vars(owner)[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def _entry(entries: MutableMapping[str, Any], key: str, value: Any) -> Iterator[None]:
    before = entries[key]
    entries[key] = value
    try:
        yield
    finally:
        entries[key] = before


@contextmanager
def _constant(places: Sequence[Place], value: Any) -> Iterator[None]:
    by_function: dict[FunctionType, set[tuple[int, int]]] = {}
    for function, line, column in places:
        by_function.setdefault(function, set()).add((line, column))
    changes = [(function, with_constant(function, at, value)) for function, at in by_function.items()]
    with in_place([(function, code) for function, code in changes if code is not None]):
        yield
