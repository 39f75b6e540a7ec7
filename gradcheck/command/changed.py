"""`--changed BASE`: which modules a git diff touches, themselves or in what they import."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from gradcheck.command.discover import Module
from gradcheck.command.imports import Imports
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
        self._imports = Imports()
        self._files = {os.path.realpath(self._root / name) for name in f"{diff}{new}".split("\0") if name}
        self._everything = bool(options) and os.path.realpath(options) in self._files

    def touches(self, module: Module) -> bool:
        """Whether a module, or anything that it imports, has changed."""
        return self._everything or any(os.path.realpath(file) in self._files for file in self._imports.behind(module))


HINT = "; does {!r} name a commit? A shallow clone lacks history: fetch-depth: 0"


def _git(*words: str, hint: str = "") -> str:
    try:
        done = subprocess.run(["git", *words], capture_output=True, check=False)
    except (OSError, ValueError) as error:  # ValueError: characters that no argument has
        raise UsageError(f"--changed needs git, which cannot be run: {error}") from error
    if done.returncode:
        raise UsageError(f"--changed: {one_line(os.fsdecode(done.stderr))}{hint}")
    return os.fsdecode(done.stdout)
