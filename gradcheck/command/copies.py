"""Submissions run on copies, each with a home of its own; what they change is noticed.

What is compared is a file's size, and when it was last changed, which its owner cannot choose.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

LEFT_OUT = ("__pycache__", ".git")

State = Mapping[str, tuple[int, int, int]]
"""Of every file in a folder, by its path in there: its size, and when it and its entry were changed."""


class Copy:
    """A copy of a submission's `folder` beside a home for it, in a temporary folder. A context manager."""

    def __init__(self, folder: str) -> None:
        self.original = os.path.abspath(folder)
        self._temporary = tempfile.TemporaryDirectory(prefix="gradcheck-", ignore_cleanup_errors=True)
        self.root = os.path.realpath(self._temporary.name)
        self.home = os.path.join(self.root, "home")
        self.folder = os.path.join(self.root, "work", os.path.basename(self.original) or "submission")
        self.refused = ""
        try:
            os.makedirs(os.path.join(self.home, "tmp"))
            shutil.copytree(self.original, self.folder, ignore=_left_out, ignore_dangling_symlinks=True)
        except OSError as error:
            self.refused = f"it cannot be copied: {error}"
        self._state = state_of(self.folder)

    def __getstate__(self) -> dict[str, Any]:
        """Whoever it is handed to works in it, and leaves it for its maker to remove."""
        return {name: value for name, value in vars(self).items() if name != "_temporary"}

    def __enter__(self) -> Copy:
        return self

    def __exit__(self, *_: object) -> None:
        self._temporary.cleanup()

    @property
    def changes(self) -> list[str]:
        """What has changed in the copy since it was made."""
        return changes(self._state, state_of(self.folder))

    @property
    def environment(self) -> dict[str, str]:
        """The environment of whoever works in the copy: nothing leads to the user's own folders."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        for name in ("PWD", "OLDPWD"):
            kept.pop(name, None)
        inner = os.path.join(self.home, "tmp")
        return {**kept, "HOME": self.home, "USERPROFILE": self.home, "TMPDIR": inner, "TEMP": inner, "TMP": inner}


def state_of(folder: str) -> State:
    """Return the state of every file in a folder, links included, but for what is left out of copies."""
    found: dict[str, tuple[int, int, int]] = {}
    for root, folders, files in os.walk(folder):
        left_out = _left_out(root, folders)
        folders[:] = [name for name in folders if name not in left_out]
        for name in files:
            path = os.path.join(root, name)
            try:
                known = os.lstat(path)
            except OSError:  # it went away meanwhile
                continue
            found[os.path.relpath(path, folder)] = known.st_size, known.st_mtime_ns, known.st_ctime_ns
    return found


def states_of(folders: Iterable[str]) -> dict[str, State]:
    """Return the states of several folders."""
    return {folder: state_of(folder) for folder in folders}


def changes(before: State, after: State) -> list[str]:
    """Say what is new, changed and gone.

    >>> changes({"a": (1, 0, 0), "b": (1, 0, 0)}, {"b": (2, 5, 5), "c": (0, 5, 5)})
    ['a (deleted)', 'b (changed)', 'c (new)']
    """
    return list(_changes(before, after))


def _changes(before: State, after: State) -> Iterator[str]:
    for path in sorted({*before, *after}):
        if path not in after:
            yield f"{path} (deleted)"
        elif path not in before:
            yield f"{path} (new)"
        elif before[path] != after[path]:
            yield f"{path} (changed)"


def _left_out(root: str, names: Iterable[str]) -> set[str]:
    """What is no part of a submission: caches, histories, and virtual environments."""
    found = {name for name in names if name in LEFT_OUT}
    return found | {name for name in names if os.path.exists(os.path.join(root, name, "pyvenv.cfg"))}
