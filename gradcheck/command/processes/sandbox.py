"""Bubblewrap around a process, where it is installed and may make namespaces: https://github.com/containers/bubblewrap.

Inside, everything can be read but other people's temporary files, nothing can be written but one folder, there is no
network, and whatever is started ends with the process.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable

SECONDS = 10.0
"""How long the trial may take."""


@functools.cache
def why_not() -> str:
    """Return why no sandbox is used here, `""` where one is; it is tried, since a container may forbid namespaces."""
    if shutil.which("bwrap") is None:
        return "bwrap is not installed"
    with tempfile.TemporaryDirectory() as folder:
        words = [*inside(folder, ()), sys.executable, "-S", "-c", ""]
        try:
            tried = subprocess.run(words, capture_output=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"bwrap does not run here ({error})"
    said = tried.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"bwrap does not run here ({said[-1] if said else tried.returncode})" if tried.returncode else ""


def inside(folder: str, needed: Iterable[str]) -> list[str]:
    """Return the words before a command that can write into `folder` alone; `needed` must be there to be read."""
    temporary = os.path.realpath(tempfile.gettempdir())
    hidden = [sys.prefix, sys.base_prefix, *needed]
    shown = [path for path in map(os.path.realpath, hidden) if path.startswith(temporary + os.sep)]
    words = ["bwrap", "--die-with-parent", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    words += ["--tmpfs", temporary]
    for path in dict.fromkeys(filter(os.path.exists, shown)):
        words += ["--ro-bind", path, path]
    return [*words, "--bind", folder, folder, "--"]


def status(code: int) -> int:
    """Return how a process in the sandbox ended, as `subprocess` says it of others: signals are negative."""
    return 128 - code if code > 128 else code
