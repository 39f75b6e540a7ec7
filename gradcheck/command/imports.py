"""Which files a module's behaviour may come from: its own, those that it imports, and those that these import.

Imports are read from the source, those inside of functions too, and followed as far as they stay below the folder that
a module is imported from. What is imported by a name that is computed, and files that are no Python, are not followed.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gradcheck.command.discover import Module


class Imports:
    """What files import; each is parsed once."""

    def __init__(self) -> None:
        self._of = cache(_imported)

    def behind(self, module: Module) -> Iterator[Path]:
        """Yield the files, those too that would be imported if they were there."""
        todo, seen = [_file_of(module)], set[Path]()
        while todo:
            file = todo.pop()
            if file not in seen:
                seen.add(file)
                yield file
                todo += self._of(file, Path(module.root))


def _file_of(module: Module) -> Path:
    path = Path(os.path.abspath(module.file))
    return path / "__init__.py" if path.is_dir() else path


def _imported(file: Path, root: Path) -> tuple[Path, ...]:
    """Return the files below `root` that a file imports, the packages that they stand in included.

    A file that is gone, or is no Python, imports nothing. What does not exist is returned too: it may be what is gone.
    """
    try:
        tree = ast.parse(file.read_bytes())
        here = file.relative_to(root).with_suffix("").parts
    except (OSError, SyntaxError, ValueError):
        return ()
    package = here[:-1]
    names = {(*here[:i],) for i in range(1, len(here))}  # the packages around it are imported before it
    for node in ast.walk(tree):
        names |= set(_names(node, package))
    parts = {name[:i] for name in names for i in range(1, len(name) + 1)}
    found = [(root.joinpath(*name, "__init__.py"), root.joinpath(*name).with_suffix(".py")) for name in parts]
    return tuple(path for both in found for path in both)


def _names(node: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the modules that a statement may import, as parts of their names."""
    if isinstance(node, ast.Import):
        yield from (tuple(alias.name.split(".")) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        around = package[: len(package) - node.level + 1] if node.level else ()
        inside = (*around, *(node.module.split(".") if node.module else ()))
        yield inside
        yield from ((*inside, alias.name) for alias in node.names if alias.name != "*")
