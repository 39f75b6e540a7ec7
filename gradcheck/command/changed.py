"""`--changed BASE`: which modules a git diff touches, themselves or in what they import.

Imports are read from the source, those inside of functions too, and followed as far as they stay below the folder that
a module is imported from. What is imported by a name that is computed, and files that are no Python, are not followed.
"""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gradcheck.command.discover import Module
from gradcheck.errors import UsageError
from gradcheck.report.words import one_line


class Changed:
    """What has changed between the commit at which BASE and HEAD part, and the files as they are now.

    A change of `options`, the file that they stand in, touches everything.
    """

    def __init__(self, base: str, options: str = "") -> None:
        self._root = Path(_git("rev-parse", "--show-toplevel").rstrip("\n"))
        commit = _git("rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}", hint=HINT.format(base)).strip()
        diff = _git("diff", "--merge-base", "--name-only", "--no-renames", "-z", commit, "--", hint=HINT.format(base))
        new = _git("ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/")
        self._imported = cache(_imported)
        self._files = {os.path.realpath(self._root / name) for name in f"{diff}{new}".split("\0") if name}
        self._everything = bool(options) and os.path.realpath(options) in self._files

    def touches(self, module: Module) -> bool:
        """Whether a module, or anything that it imports, has changed."""
        if self._everything:
            return True
        todo, seen = [_file_of(module)], set[Path]()
        while todo:
            file = todo.pop()
            if file in seen:
                continue
            if os.path.realpath(file) in self._files:
                return True
            seen.add(file)
            todo += self._imported(file, Path(module.root))
        return False


HINT = "; does {!r} name a commit? A shallow clone lacks history: fetch-depth: 0"


def _git(*words: str, hint: str = "") -> str:
    try:
        done = subprocess.run(["git", *words], capture_output=True, check=False)
    except (OSError, ValueError) as error:  # ValueError: characters that no argument has
        raise UsageError(f"--changed needs git, which cannot be run: {error}") from error
    if done.returncode:
        raise UsageError(f"--changed: {one_line(os.fsdecode(done.stderr))}{hint}")
    return os.fsdecode(done.stdout)


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
