"""`--cache`: the verdict that was found before, where nothing that it follows from has changed.

It follows from the options, the versions of Python and of all that is installed, gradcheck's own source, an example
that `gradcheck fuzz` keeps, and the files that a module's behaviour may come from (`gradcheck.command.imports` says
which). Data that the code reads, and packages that are installed to be edited, do not count. What was not judged is
asked again.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import gradcheck
from gradcheck.command.discover import Module
from gradcheck.command.imports import Imports
from gradcheck.command.outcome import Outcome
from gradcheck.data import plain
from gradcheck.report.store import replace, stem
from gradcheck.results import ComponentResult, from_data

JUDGED = ("correct", "wrong", "convention", "waived", "not implemented")


class Cache:
    """Results in `folder`, a file for each component."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._imports = Imports()

    def asked(self, task: Mapping[str, Any], ask: Callable[[], Outcome]) -> Outcome:
        """Return what was found for this task of a worker; ask where anything has changed, and keep the answer."""
        key = self._key(task)
        if known := self._known(task, key):
            return Outcome(known, kept=True)
        outcome = ask()
        if outcome.result.verdict in JUDGED and self._key(task) == key:  # nobody saved a file meanwhile
            text = json.dumps({"key": key, "result": plain(outcome.result)}, ensure_ascii=False)
            replace(self._file(task), text.encode("utf-8", "backslashreplace"))
        return outcome

    def _known(self, task: Mapping[str, Any], key: str) -> ComponentResult | None:
        try:
            data = json.loads(self._file(task).read_bytes())
            return from_data(data["result"]) if data["key"] == key else None
        except (OSError, ValueError, KeyError, TypeError):  # there is none, or it is of another schema
            return None

    def _file(self, task: Mapping[str, Any]) -> Path:
        return self._folder / "cache" / f"{stem(task['name'])}.json"

    def _key(self, task: Mapping[str, Any]) -> str:
        example = self._folder / "examples" / f"{stem(task['name'])}.json"
        files = [example, *self._imports.behind(Module(task["module"], task["file"]))]
        return _digest([_installed(), json.dumps(task, sort_keys=True), *_contents(files)])


@cache
def _installed() -> str:
    """What a result follows from beside the checked code."""
    versions = sorted(f"{one.metadata['Name']} {one.version}" for one in distributions())
    own = Path(gradcheck.__file__).parent.rglob("*.py")
    return _digest([sys.version, platform.machine(), *versions, *_contents(own)])


def _contents(files: Iterable[Path]) -> Iterable[str]:
    for file in sorted(files):
        yield f"{file} {sha256(file.read_bytes()).hexdigest() if file.is_file() else 'missing'}"


def _digest(parts: Iterable[str]) -> str:
    return sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
