"""The code in the current folder comes first, and is not mixed with an installed copy of the same name.

Two things stand in the way if somebody else's `beras` is in the current folder and ours is installed. The import hook
of an editable install answers for every submodule of its packages, and would supply our `beras.gradient_tape` to
a `beras` without one. And a `beras` without `__init__.py` yields, in Python, to an installed package of that name.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from gradcheck.command.discover import find

OURS = ("beras", "gradcheck")
"""The packages of this distribution."""

_STANDARD = (BuiltinImporter, FrozenImporter, PathFinder)


def put_first(folder: str, path: Sequence[str] | None = None) -> None:
    """Make `sys.path` be `folder` and then `path` (default: what it is), and shut out hooks that know copies."""
    importlib.invalidate_caches()
    for name in {*(found.name for found in pkgutil.iter_modules([folder])), *OURS}:
        if find(name, [folder], anywhere=False) is not None:
            shut_out_copies(name, folder)  # before the folder is on the path: hooks import modules of Python's
    sys.path[:] = [folder, *(entry for entry in (sys.path if path is None else path) if entry != folder)]
    if not any(isinstance(finder, _First) and finder.folder == folder for finder in sys.meta_path):
        sys.meta_path.insert(0, _First(folder))


def shut_out_copies(name: str, folder: str) -> None:
    """Let no import hook answer for the top-level module `name` and what is below it, if it knows another copy."""
    for i, finder in enumerate(sys.meta_path):
        if finder in _STANDARD:
            continue
        spec = finder.find_spec(name, None)
        if spec is not None and not (spec.origin or "").startswith(folder):
            sys.meta_path[i] = _Without(finder, name)


class _First:
    """Finds what is called like a package of this distribution in one folder, before any other finder does."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in OURS:
            return None
        spec = find(name, [self.folder], anywhere=False)
        return None if spec is None or spec.origin is not None else spec  # with __init__.py, sys.path is enough


class _Without:
    """An import hook that does not know one top-level module."""

    def __init__(self, finder: Any, name: str) -> None:
        self._finder, self._name = finder, name

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name.partition(".")[0] == self._name:
            return None
        spec: ModuleSpec | None = self._finder.find_spec(name, path, target)
        return spec

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._finder, attribute)
