"""The code in the current folder comes first, and is not mixed with an installed copy of the same name.

An editable install adds an import hook that answers for every submodule of its packages. If somebody else's
`beras` stands in the current folder and lacks `beras.gradient_tape`, that hook would supply ours.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_STANDARD = (BuiltinImporter, FrozenImporter, PathFinder)


def put_first(folder: str, path: Sequence[str] | None = None) -> None:
    """Make `sys.path` be `folder` and then `path` (default: what it is), and shut out hooks that know copies."""
    sys.path[:] = [folder, *(entry for entry in (sys.path if path is None else path) if entry != folder)]
    importlib.invalidate_caches()
    for found in pkgutil.iter_modules([folder]):
        shut_out_copies(found.name, folder)


def shut_out_copies(name: str, folder: str) -> None:
    """Let no import hook answer for the top-level module `name` and what is below it, if it knows another copy."""
    for i, finder in enumerate(sys.meta_path):
        if finder in _STANDARD:
            continue
        spec = finder.find_spec(name, None)
        if spec is not None and not (spec.origin or "").startswith(folder):
            sys.meta_path[i] = _Without(finder, name)


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
