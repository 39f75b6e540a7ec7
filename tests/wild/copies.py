"""Copies of the packages, altered by text and loaded under a name of their own."""

from __future__ import annotations

import importlib
import itertools
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

PACKAGES = Path(__file__).parent / "packages"
_numbers = itertools.count()


@dataclass(frozen=True)
class Change:
    """`old` in `file` is replaced by `new`."""

    file: str
    old: str
    new: str


def write(generation: str, folder: Path, changes: tuple[Change, ...] = (), name: str = "beras") -> Path:
    """Copy a package to `folder / name`, with its changes, and return the copy's folder."""
    target = folder / name
    shutil.copytree(PACKAGES / generation / "beras", target, ignore=shutil.ignore_patterns("__pycache__"))
    for change in changes:
        files = sorted(target.glob("*.py")) if change.file == "*" else [target / change.file]
        texts = {file: file.read_text() for file in files}
        assert any(change.old in text for text in texts.values()), f"{change.file} does not contain {change.old!r}"
        for file, text in texts.items():
            file.write_text(text.replace(change.old, change.new))
    if name != "beras":
        for file in target.glob("*.py"):
            file.write_text(file.read_text().replace("from beras", f"from {name}"))
    return target


def load(generation: str, folder: Path, changes: tuple[Change, ...] = ()) -> str:
    """Copy a package under a new name that can be imported from `folder`, and return the name."""
    name = f"wild{next(_numbers)}"
    write(generation, folder, changes, name)
    return name


def module(name: str, part: str) -> ModuleType:
    """Import one module of a loaded package."""
    return importlib.import_module(f"{name}.{part}")


def importable(folder: Path) -> Iterator[None]:
    """Put `folder` on the path, and afterwards forget what was imported from it."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0].startswith("wild")]:
            del sys.modules[name]
