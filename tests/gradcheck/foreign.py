"""Somebody else's code for the tests to check: a small package called beras with its own core, and files beside it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from gradcheck.command.cli import main

ROOT = Path(__file__).resolve().parents[2]

CORE = """
from abc import ABC, abstractmethod

class Diffable(ABC):
    weights = []

    def __call__(self, x):
        return self.forward(x)

    @abstractmethod
    def forward(self, x): ...

    @abstractmethod
    def get_input_gradients(self): ...

    def compose_input_gradients(self, J):
        return [J[0] * self.get_input_gradients()[0]]

    def get_weight_gradients(self):
        return []

    def compose_weight_gradients(self, J):
        return []
"""

LAYERS = '''
import numpy as np
from .core import Diffable

print("imported")

class Tanh(Diffable):
    """y = tanh(x)"""

    def forward(self, x):
        print("forward")
        self.y = np.tanh(x)
        return self.y

    def get_input_gradients(self):
        return [1 - self.y**2]

class Flipped(Tanh):
    """Its gradient has the wrong sign."""

    def get_input_gradients(self):
        return [self.y**2 - 1]
'''


def package(folder: Path, layers: str = LAYERS, **modules: str) -> Path:
    """Write a package `beras` into `folder` and return the folder."""
    beras = folder / "beras"
    beras.mkdir(parents=True)
    for name, text in {"__init__": "", "core": CORE, "layers": layers, **modules}.items():
        (beras / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def environment() -> dict[str, str]:
    """Return an environment in which a child finds gradcheck, whether or not it is installed."""
    path = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path)), "COLUMNS": "120", "NO_COLOR": "1"}


def python(*arguments: str, folder: Path, timeout: float = 120.0, **more: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in `folder`, with `more` in its environment."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment(), **more},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def command(*arguments: str, folder: Path, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
    """Run `python -m gradcheck` in `folder`."""
    return python("-m", "gradcheck", *arguments, folder=folder, timeout=timeout)


def main_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in `folder` as `command` does, in this process, which saves a start for each."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(arguments)
    return subprocess.CompletedProcess(["gradcheck", *arguments], status, out.getvalue(), err.getvalue())


def document(folder: Path, name: str = "out.json") -> dict[str, Any]:
    """Read the JSON that a command wrote."""
    data: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return data


def is_running(pid: int) -> bool:
    """Whether a process is alive (one that has ended and was not waited for is not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
