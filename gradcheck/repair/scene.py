"""Where edits are made: a function with what its expressions were worth, and what else its source could name there."""

from __future__ import annotations

import ast
import builtins
import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from gradcheck.repair.observe import Observed
from gradcheck.repair.pieces import LOOSEST, Piece, binding, needed
from gradcheck.repair.source import Unit

# Things that an expression may be replaced by or multiplied with, at one place.
NAMES, SIZES = 24, 8


@dataclass(frozen=True)
class Edit:
    """One change of a file's text between two places.

    `what` says it in words ("the other sign of"). `cost`: the likelier, the smaller. `scale`: what the changed value is
    as a multiple of what it was, where that is one number. `kind`: the module of `edits/` that makes it.
    """

    unit: Unit
    start: int
    end: int
    text: str
    what: str
    cost: float
    scale: float = math.nan
    kind: str = ""


@dataclass(frozen=True)
class Named:
    """Something that source could say at a place, and its value there."""

    text: str
    value: Any


@dataclass(frozen=True)
class Donor:
    """An expression that the code has somewhere: its source, the names in it, and what it was worth."""

    text: str
    binds: int
    names: frozenset[str]
    value: Any


@dataclass(frozen=True)
class Material:
    """What forward and the function computed with: numbers as they are written, and expressions."""

    constants: tuple[float, ...] = ()
    expressions: tuple[Donor, ...] = ()


@dataclass(eq=False)
class Scene:
    """One function, to be edited.

    `material`: what forward and the function are made of.
    """

    unit: Unit
    seen: Observed
    material: Material
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    _by_place: dict[ast.AST, Sequence[Named]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for parent in ast.walk(self.unit.node):
            for child in ast.iter_child_nodes(parent):
                self.parents[child] = parent

    # The text.

    def inner(self, node: ast.AST) -> tuple[int, int]:
        """Where a node stands, without parentheses around it."""
        return self.unit.file.span(node)

    def outer(self, node: ast.AST) -> tuple[int, int]:
        """Where a node stands, with the parentheses that are there only to hold it together."""
        start, end = self.inner(node)
        text, parent = self.unit.file.text, self.parents.get(node)
        before, after = len(text[:start].rstrip()) - 1, end + len(text[end:]) - len(text[end:].lstrip())
        held = isinstance(parent, (ast.Call, ast.Tuple, ast.GeneratorExp, ast.ClassDef)) and not (
            isinstance(parent, ast.Call) and node is parent.func
        )
        if held or not isinstance(node, ast.expr) or isinstance(node, ast.Slice):
            return start, end
        return (before, after + 1) if text[before] == "(" and text[after : after + 1] == ")" else (start, end)

    def text(self, node: ast.AST) -> str:
        """The source of a node."""
        start, end = self.inner(node)
        return self.unit.file.text[start:end]

    def piece(self, node: ast.AST) -> Piece:
        """The source of an expression, to be put together with others."""
        return Piece(self.text(node), binding(node))

    def gap(self, left: ast.AST, right: ast.AST) -> str:
        """What stands between two expressions."""
        return self.unit.file.text[self.outer(left)[1] : self.outer(right)[0]]

    def put(self, node: ast.AST, piece: Piece, what: str, cost: float, scale: float = math.nan) -> Edit:
        """The edit that puts a piece where an expression stands."""
        parent = self.parents.get(node)
        start, end = self.outer(node)
        text = piece.within(LOOSEST if parent is None else needed(parent, node))
        return Edit(self.unit, start, end, text, what, cost, scale)

    def rewrite(self, start: int, end: int, text: str, what: str, cost: float, scale: float = math.nan) -> Edit:
        """The edit that puts a text between two places."""
        return Edit(self.unit, start, end, text, what, cost, scale)

    def through(self, node: ast.AST, ratio: float) -> float:
        """How many times itself a product is where a factor is `ratio` times itself; NaN for what is no factor."""
        parent = self.parents.get(node)
        if not isinstance(parent, ast.BinOp) or not isinstance(parent.op, (ast.Mult, ast.Div)):
            return math.nan
        divides = isinstance(parent.op, ast.Div) and node is parent.right
        return ratio if not divides else 1 / ratio if ratio else math.nan

    # The values.

    def value(self, node: ast.AST) -> Any:
        """What an expression was worth when it first ran; None where it did not, or nobody heard it."""
        return self.seen.values.get(node)

    def array(self, node: ast.AST) -> np.ndarray[Any, Any] | None:
        """The same, where it is a number or an array of them."""
        value = self.value(node)
        return np.asarray(value) if is_number(value) else None

    def statement(self, node: ast.AST) -> ast.AST:
        """The statement that a node stands in."""
        while not isinstance(node, ast.stmt) and node in self.parents:
            node = self.parents[node]
        return node

    def line_of(self, node: ast.stmt) -> int:
        """The line in which a statement begins."""
        return node.lineno

    def is_term(self, node: ast.AST) -> bool:
        """Whether an expression is a whole product, and no factor of one: what is multiplied here is said once."""
        parent = self.parents.get(node)
        factor = isinstance(parent, ast.BinOp) and isinstance(parent.op, (ast.Mult, ast.Div))
        return not factor and not (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub))

    def names(self, node: ast.AST) -> Sequence[Named]:
        """Numbers and arrays that have a name where a node stands, those of the function's own text first."""
        around = node
        inner: Mapping[str, Any] = {}
        while around not in self.seen.names and around in self.parents:
            around = self.parents[around]
        found = self.seen.names.get(around, {})
        if not isinstance(around, ast.stmt):  # a lambda's body or what a comprehension makes: the statement's, too
            inner, found = found, self.seen.names.get(self.statement(around), {})
        return self._named(around, {**found, **inner})

    def _named(self, around: ast.AST, names: Mapping[str, Any]) -> Sequence[Named]:
        if around not in self._by_place:
            found = [one for name, value in names.items() for one in _parts(name, value)]
            own = self.unit.file.text[slice(*self.unit.bounds)]
            found += [one for one in self._globals if one.text not in names]
            found.sort(key=lambda one: one.text not in own)
            self._by_place[around] = found[: 4 * NAMES]
        return self._by_place[around]

    @functools.cached_property
    def numpy(self) -> str:
        """What the module calls NumPy; "" where it does not."""
        own = self.unit.functions[0].__globals__
        return next((name for name in ("np", "numpy", *own) if own.get(name) is np), "")

    @functools.cached_property
    def _globals(self) -> list[Named]:
        used = self.unit.functions[0].__globals__
        words = {node.id for node in self.seen.nodes if isinstance(node, ast.Name)}
        return [Named(name, used[name]) for name in sorted(words) if name in used and is_number(used[name])]

    def knows(self, names: frozenset[str], node: ast.AST) -> bool:
        """Whether all of these names have a value where a node stands."""
        around = node
        while around not in self.seen.names and around in self.parents:
            around = self.parents[around]
        here = {**self.unit.functions[0].__globals__, **vars(builtins), **self.seen.names.get(around, {})}
        return names <= here.keys()

    def sizes(self, node: ast.AST) -> list[Named]:
        """Numbers of rows, columns and entries that can be named where a node stands, each number a few times."""
        found: dict[int, list[Named]] = {}
        for one in self.names(node):
            for size in _sizes(one):
                group = found.setdefault(size.value, [])
                if size.value > 1 and len(group) < 2:
                    group.append(size)
        return [one for group in found.values() for one in group][: 2 * SIZES]


def is_number(value: Any) -> bool:
    """Whether a value is a number or an array of them."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fiub"
    return isinstance(value, (bool, int, float, np.number, np.bool_))


def _parts(name: str, value: Any) -> Iterator[Named]:
    """A variable, and what can be named through it: attributes, items of short lists and of dicts."""
    if is_number(value):
        yield Named(name, value)
    elif isinstance(value, (list, tuple)) and len(value) <= 8:
        yield from (Named(f"{name}[{n}]", one) for n, one in enumerate(value) if is_number(one))
    elif isinstance(value, dict):
        items = itertools.islice(value.items(), 40)
        yield from (
            Named(f"{name}[{key!r}]", one) for key, one in items if isinstance(key, (str, int)) and is_number(one)
        )
    elif hasattr(value, "__dict__") and not isinstance(value, (type, ModuleType, FunctionType)):
        yield from _attributes(name, value)


def _attributes(name: str, value: Any) -> Iterator[Named]:
    for key, one in list(vars(value).items()):
        if is_number(one):
            yield Named(f"{name}.{key}", one)
        elif isinstance(one, (list, tuple, dict)):
            yield from _parts(f"{name}.{key}", one)


def _sizes(one: Named) -> Iterator[Named]:
    if isinstance(one.value, (int, np.integer)) and not isinstance(one.value, bool):
        yield Named(one.text, int(one.value))
    shape = np.shape(one.value)
    if shape:
        yield Named(f"len({one.text})", shape[0])
        yield from (Named(f"{one.text}.shape[{k}]", n) for k, n in enumerate(shape) if k)
        yield Named(f"{one.text}.size", int(np.prod(shape)))
        if len(shape) > 2:
            yield Named(f"np.prod({one.text}.shape[1:])", int(np.prod(shape[1:])))


Generator = Callable[[ast.AST, Scene], Iterator[Edit]]
