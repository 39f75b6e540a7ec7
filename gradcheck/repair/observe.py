"""What a function computes where a claim is asked: the value of every expression, and the names that it could use.

The function is compiled anew so that its expressions tell their values, and every statement the names that it sees. A
value may be moved a little on its way: what the claim says does not change where that value has no say in it.
"""

from __future__ import annotations

import ast
import builtins
import copy
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import CodeType
from typing import Any

import numpy as np

from gradcheck.branches.recompile import as_statement, compiled, in_place
from gradcheck.repair.source import Unit

HOOK = "__gradcheck_repair__"
NUMBER = "gradcheck_number"

# Arrays up to this size are kept as they were; of larger ones, which may change later, only shape and type count.
KEPT = 4096


class Observed:
    """What was heard: by node, the first value that it had, and the first names with their values around it."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.nodes = [node for unit in units for node in ast.walk(unit.node)]
        for number, node in enumerate(self.nodes):
            setattr(node, NUMBER, number)
        self.values: dict[ast.AST, Any] = {}
        self.names: dict[ast.AST, dict[str, Any]] = {}
        self.moved: ast.AST | None = None
        self._ran: set[ast.AST] = set()
        self._told: list[tuple[Unit, CodeType]] = []
        for unit in units:
            code = _telling(unit)
            if code is not None:
                self._told.append((unit, code))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """The functions tell what they compute."""
        setattr(builtins, HOOK, self)
        try:
            with in_place(change for unit, code in self._told for change in unit.with_code(code)):
                yield
        finally:
            delattr(builtins, HOOK)

    def during(self, run: Callable[[], Any], move: ast.AST | None = None) -> Any:
        """Run something while listening; with the value of a node moved."""
        self.moved = move
        try:
            with self.listening():
                return run()
        finally:
            self.moved = None

    def take(self) -> set[ast.AST]:
        """The expressions and statements that ran since this was asked last."""
        found, self._ran = self._ran, set()
        return found

    # What telling code calls.

    def value(self, number: int, value: Any, root: bool = False) -> Any:
        """An expression has a value; a `root` is all there is of a lambda, or of what a comprehension makes."""
        node = self.nodes[number]
        self._ran.add(node)
        if node not in self.values:
            self.values[node] = value.copy() if isinstance(value, np.ndarray) and value.size <= KEPT else value
            if root:
                self.names[node] = dict(sys._getframe(1).f_locals)
        return moved(value) if node is self.moved else value

    def names_at(self, number: int) -> None:
        """A statement begins."""
        node = self.nodes[number]
        self._ran.add(node)
        if node not in self.names:
            self.names[node] = dict(sys._getframe(1).f_locals)


def moved(value: Any) -> Any:
    """A value that differs from another in every entry; the same where it counts, or is no number."""
    if isinstance(value, (bool, np.bool_)):
        return not value
    if isinstance(value, np.ndarray) and value.dtype.kind == "b":
        return ~value
    if isinstance(value, (float, np.floating)) or (isinstance(value, np.ndarray) and value.dtype.kind == "f"):
        shift = np.random.default_rng(0).uniform(0.25, 0.5, np.shape(value)).astype(getattr(value, "dtype", float))
        return (
            type(value)(value + shift) if np.ndim(value) == 0 and not isinstance(value, np.ndarray) else value + shift
        )
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(moved(one) for one in value)
    return {key: moved(one) for key, one in value.items()} if type(value) is dict else value


def moves(value: Any) -> bool:
    """Whether `moved` makes something else of a value, so that its having no say shows."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(moves(one) for one in value)
    if isinstance(value, Mapping):
        return bool(value) and all(moves(one) for one in value.values())
    kind = value.dtype.kind if isinstance(value, (np.ndarray, np.generic)) else ""
    return kind in ("f", "b") or isinstance(value, (float, bool))


def _telling(unit: Unit) -> CodeType | None:
    node = _Teller().function(copy.deepcopy(unit.node))
    return compiled(as_statement(node), unit.code)


class _Teller(ast.NodeTransformer):
    """Puts calls of the hook around expressions, and in front of statements."""

    def function(self, node: Any) -> Any:
        """A definition from inside: its defaults are not run again."""
        node.body = self._root(node.body) if isinstance(node, ast.Lambda) else self._block(node.body)
        return node

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for number, statement in enumerate(body):
            docstring = number == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not docstring and not isinstance(statement, (ast.Global, ast.Nonlocal)):
                found.append(ast.copy_location(ast.Expr(_hook("names_at", statement)), statement))
            found.append(statement if docstring else self.visit(statement))
        return found

    def _root(self, node: ast.expr) -> ast.expr:
        hooked = _hook("value", node, self._plain(node), ast.Constant(True))
        return ast.copy_location(hooked, node)

    def visit(self, node: ast.AST) -> Any:
        """Statements' blocks one by one; of expressions, those that have a value of their own."""
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            return self.function(node)
        if isinstance(node, (ast.ClassDef, ast.AsyncFunctionDef, ast.JoinedStr, ast.Global, ast.Nonlocal)):
            return node
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.match_case)):
            return node
        if tells(node):
            return ast.copy_location(_hook("value", node, self._plain(node)), node)
        return self._plain(node)

    def _plain(self, node: Any) -> Any:
        """A node with its parts visited, itself as it is."""
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "type", "patterns"):
                continue
            if name == "func":
                node.func = self._plain(value) if isinstance(value, ast.Attribute) else self._called(value)
            elif name == "elt":
                node.elt = self._root(value) if tells(value) else self.visit(value)
            elif isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, name, self._block(value))
            elif isinstance(value, list):
                value[:] = [self.visit(one) if isinstance(one, ast.AST) else one for one in value]
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def _called(self, node: ast.expr) -> ast.expr:
        """A function that is called by its name is left alone: `super` looks at who calls it."""
        return node if isinstance(node, ast.Name) else self.visit(node)


def tells(node: ast.AST) -> bool:
    """Whether an expression says what it is worth."""
    if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        return isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float))
    return isinstance(
        node, (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call, ast.IfExp, ast.ListComp, ast.Dict)
    )


def _hook(what: str, node: ast.AST, *arguments: ast.expr) -> ast.Call:
    number = ast.Constant(getattr(node, NUMBER))
    return ast.Call(ast.Attribute(ast.Name(HOOK, ast.Load()), what, ast.Load()), [number, *arguments], [])
