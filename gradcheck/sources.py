"""The code that is checked is what stands in its source files, never what Python has kept of an earlier state.

Python takes the bytecode in `__pycache__` for current if the source has the size and the time, in whole seconds, that
are written in it. A sign that is mended within a second of the last run, a patch or an archive that keeps times
leaves both as they were, and the verdict would be about code that is not there.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path


def compile_what_is_checked() -> None:
    """Import all but installed modules from their sources from now on; nothing is written beside them either."""
    known = SourceFileLoader.path_stats

    def path_stats(self: SourceFileLoader, path: str) -> Mapping[str, float]:
        if is_installed(path):
            return known(self, path)
        raise OSError(f"the bytecode of {path} may be old")  # the import protocol's way to have a source compiled

    SourceFileLoader.path_stats = path_stats  # type: ignore[method-assign]


def is_installed(file: str) -> bool:
    """Whether a file belongs to Python or to an installed distribution, which nobody changes between two runs.

    >>> is_installed(os.__file__), is_installed("layers.py")
    (True, False)
    """
    return file.startswith(_STANDARD) or not _INSTALLED.isdisjoint(Path(file).parts)


_STANDARD = os.path.join(sysconfig.get_path("stdlib"), "")
_INSTALLED = {"site-packages", "dist-packages"}
