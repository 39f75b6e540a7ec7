"""Repairs written into the files that were checked: only where these are what they were when the repairs were found."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from gradcheck.report.store import replace
from gradcheck.results import Repair

_HUNK = re.compile(r"@@ -(\d+),")


def apply(repairs: Iterable[Repair]) -> list[str]:
    """Write repairs into their files, each once; return what was done, and what was not and why, a line each.

    Encoding, line ends and permissions of a file stay as they are. Of repairs that change the same line, the first
    counts. Raises OSError where a file cannot be written.
    """
    by_file: dict[str, dict[str, Repair]] = {}
    for one in repairs:
        by_file.setdefault(one.file, {}).setdefault(one.diff, one)
    return [line for file, some in by_file.items() for line in _apply(file, list(some.values()))]


def _apply(name: str, repairs: Sequence[Repair]) -> list[str]:
    path = Path(name).resolve()
    content = path.read_bytes() if path.is_file() else b""
    if any(hashlib.sha256(content).hexdigest() != one.checksum for one in repairs):
        return [f"not applied: {name} is no file, or has changed since it was loaded: check it again"]
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", content.decode("utf-8"))
    said: list[str] = []
    taken: dict[int, list[str]] = {}
    for one in repairs:
        change = _lines_of(one.diff)
        if taken.keys() & change.keys():
            said.append(f"not applied: {name}, line {one.line} ({one.what}): another repair changes it, too")
            continue
        taken |= change
        said.append(f"applied: {name}, line {one.line} ({one.what})")
    for number, new in taken.items():
        old = lines[number]
        end = old[len(old.rstrip("\r\n")) :]
        lines[number] = (end or "\n").join(new) + end if new else ""
    mode = path.stat().st_mode
    replace(path, "".join(lines).encode("utf-8"))
    path.chmod(mode)
    return said


def _lines_of(diff: str) -> dict[int, list[str]]:
    """What becomes of lines of the old file, by their index from 0: what is added stands at the first one removed."""
    _, _, head, *body = diff.split("\n")
    hunk = _HUNK.match(head)
    assert hunk is not None
    changed: dict[int, list[str]] = {}
    at, first = int(hunk[1]) - 1, -1
    for line in body:
        if line.startswith("+"):
            changed[first].append(line[1:])
            continue
        if line.startswith("-"):
            changed[at] = []
            first = at if first < 0 else first
        at += 1
    return changed
