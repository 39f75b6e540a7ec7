"""A function of the checked code with its place in its file, and what it becomes where that text is changed."""

from __future__ import annotations

import ast
import functools
import io
import itertools
import linecache
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType

from gradcheck.branches.recompile import Definition, as_statement, compiled, inside


@dataclass(frozen=True)
class File:
    """The text of a file, its tree, and the codes that Python makes of it. Places are counted in characters."""

    name: str
    text: str
    tree: ast.Module
    starts: tuple[int, ...]
    codes: frozenset[CodeType]

    def place(self, line: int, column: int) -> int:
        """Where a line and column of the tree are; its columns count bytes."""
        start = self.starts[line - 1]
        text = self.text[start : self.starts[line]]
        return start + (column if text.isascii() else len(text.encode()[:column].decode()))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where an expression or statement begins and ends."""
        assert isinstance(node, (ast.expr, ast.stmt, ast.keyword, ast.arg))
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.place(node.lineno, node.col_offset), self.place(node.end_lineno, node.end_col_offset)

    def line(self, place: int) -> int:
        """The number of the line in which a place is."""
        low, high = 0, len(self.starts) - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.starts[middle] <= place else (low, middle)
        return low + 1


@contextmanager
def reading(name: str, text: str) -> Iterator[None]:
    """Python reads this text as the source of a file: what compiles functions anew from it does not undo a change."""
    before = linecache.cache.get(name)
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    try:
        yield
    finally:
        linecache.cache.pop(name, None)
        if before is not None:
            linecache.cache[name] = before


@functools.lru_cache(maxsize=32)
def _file(name: str, text: str) -> File:
    # Not `splitlines`, which ends lines where Python does not.
    starts = itertools.accumulate((len(line) for line in io.StringIO(text)), initial=0)
    codes = inside(compile(text, name, "exec", dont_inherit=True))
    return File(name, text, ast.parse(text), tuple(starts), frozenset(codes))


@dataclass(frozen=True, eq=False)
class Unit:
    """A function that can be changed: its code, the living functions that have it, its definition and its file."""

    code: CodeType
    functions: tuple[FunctionType, ...]
    file: File
    node: Definition

    def changed(self, start: int, end: int, text: str) -> CodeType | None:
        """Its code with other text between two places; None where that is no code that could take its place."""
        first, last = self.bounds
        whole = self.file.text[first:start] + text + self.file.text[end:last]
        node = _parsed(whole, isinstance(self.node, ast.Lambda))
        if node is None:
            return None
        indented = isinstance(node, ast.FunctionDef) and node.col_offset > 0
        return compiled(as_statement(node), self.code, self.node.lineno - 1 - indented)

    @property
    def bounds(self) -> tuple[int, int]:
        """Where its definition stands: from the beginning of the line, for a function's indentation belongs to it."""
        start, end = self.file.span(self.node)
        return start if isinstance(self.node, ast.Lambda) else self.file.place(self.node.lineno, 0), end

    def with_code(self, code: CodeType) -> Iterator[tuple[FunctionType, CodeType]]:
        """What to put in place so that its functions have other code."""
        return ((function, code) for function in self.functions)


def _parsed(text: str, is_lambda: bool) -> Definition | None:
    try:
        if is_lambda:
            body = ast.parse(f"({text})", mode="eval").body
            return body if isinstance(body, ast.Lambda) else None
        (made,) = ast.parse(f"if 1:\n{text}" if text[:1].isspace() else text).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    (made,) = made.body if isinstance(made, ast.If) else [made]
    return made if isinstance(made, ast.FunctionDef) else None


def unit(code: CodeType, functions: Sequence[FunctionType]) -> Unit | None:
    """Find a function in its file; None where its text is not to be had, or is not what runs."""
    text = "".join(linecache.getlines(code.co_filename))
    try:
        file = _file(code.co_filename, text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    if code not in file.codes:
        return None
    for node in ast.walk(file.tree):
        if _is(node, code):
            assert isinstance(node, (ast.FunctionDef, ast.Lambda))
            found = Unit(code, tuple(functions), file, node)
            return found if found.changed(last := found.bounds[1], last, "") is not None else None
    return None


def _is(node: ast.AST, code: CodeType) -> bool:
    """Whether a node is the definition of a code: a lambda may share its line with others."""
    if isinstance(node, ast.FunctionDef):
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        return node.name == code.co_name and first == code.co_firstlineno
    if not isinstance(node, ast.Lambda) or code.co_name != "<lambda>" or node.lineno != code.co_firstlineno:
        return False
    body = node.body
    return (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset) in code.co_positions()
