"""Code run statement by statement: what raises is passed over, and hides only what needs it.

So a notebook is read, and a script whose data, windows or arguments are not there.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from gradcheck.errors import TimeLimit, shown, told
from gradcheck.guarded import Watch

# Statements that train a network are not waited for.
SECONDS = 10.0
FAILED = "__gradcheck_statements__"


@dataclass(frozen=True)
class Failure:
    """A statement that raised: where it is, the functions and classes in it, and the reason.

    `follows`: it only needs what an earlier one has not defined.
    """

    where: str
    names: tuple[str, ...]
    reason: str
    follows: bool = False


def run(module: ModuleType, tree: ast.Module, title: str, where: str, lost: set[str]) -> Iterator[Failure]:
    """Run the statements of a text in a module; names that are not bound because one raises are `lost`.

    `title` is the file, or what stands for it; `where` says in a word or two which part of it this is ("" for all: then
    each statement by its line). After one that takes too long, no more are run.
    """
    flags = [one for one in tree.body if isinstance(one, ast.ImportFrom) and one.module == "__future__"]
    watch = Watch(time.monotonic() + SECONDS)
    for statement in tree.body:
        at = where or f"line {statement.lineno}"
        try:
            with watch.interrupting():
                watch.tick()
                exec(compile(ast.Module([*flags, statement], []), title, "exec"), vars(module))
        except TimeLimit:
            lost.update(name for one in tree.body for name in _bound(one) if name not in vars(module))
            reason = f"it takes longer than {SECONDS:g} s ({shown(title)}, line {statement.lineno})"
            yield Failure(at, tuple(_defined(statement)), reason)
            return
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # what a statement does may end the program, too
            follows = isinstance(error, NameError) and error.name in lost
            lost.update(name for name in _bound(statement) if name not in vars(module))
            yield Failure(at, tuple(_defined(statement)), one_line(error), follows)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement would give a value."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]


def one_line(error: BaseException) -> str:
    """Return an exception as a report tells it, in one line."""
    return " ".join(told(error).split())


def _defined(statement: ast.stmt) -> Iterator[str]:
    """The functions and classes that a statement defines."""
    for node in ast.walk(statement):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name


def keep(module: ModuleType, failed: list[Failure]) -> None:
    """Keep with a module what of it raised."""
    vars(module)[FAILED] = failed


def hidden(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield what statements that raised hide, and why: the functions and classes that are not there, or else where."""
    for failure in vars(module).get(FAILED, []):
        missing = [name for name in failure.names if name not in vars(module)]
        for name in missing:
            yield name, f"it is not defined: {failure.reason}"
        if not missing and not failure.follows:
            yield failure.where, f"{failure.reason}; what needs it is not there"
