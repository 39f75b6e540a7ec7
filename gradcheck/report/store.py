"""The files of a report: safe names, and writes that never leave half a report behind.

    reports/index.html                 every component in a row
    reports/<component>.html           one page per component (and tensorflow.html, …, where there is data)
    reports/data/<component>.json      what the pages are painted from

The schema of a component's data is the dataclasses of `gradcheck.results` (`SCHEMA` is its version), that
of the other kinds the ones of `gradcheck.report.others`. A file of another schema is refused by name.

A file is written beside its place and moved there. A report is many files, and its index has to agree
with its pages at every moment, so `publish` takes five steps, each of which leaves a whole report:

1. write the changed pages and data beside the old ones, under names that carry their digest;
2. replace the index by one that links to those;
3. replace the old pages and data, which nothing links to any more;
4. replace the index by one that links to the usual names again;
5. remove what step 1 wrote, and the pages of components whose data is gone.

A lock lets one run at a time read the data, paint and publish. The system drops it when its holder dies.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gradcheck.data import to_json
from gradcheck.results import ComponentResult, from_json

INDEX = "index.html"
EACH = "each.json"
"""The data of `--each`, beside the folders' own reports."""
KINDS = ("tensorflow", "mutation", "arena", "training")
"""Data that is not one component's, each with a page of its own: `data/<kind>.json`, `<kind>.html`."""

FIGURES = ("soak", "soundness")
"""Data of long runs that the README counts, and no page shows."""

MARK = b'<meta name="generator" content="gradcheck">'
"""Stands in the head of every page, so that nobody else's file is ever taken for a stale page of ours."""

_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))}
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.]{0,99}(?<!\.)")
_BESIDE = re.compile(r".*~[0-9a-f]{16}\.(html|json)")
_HALF = re.compile(r"\..*\.gradcheck-new")


@dataclass(frozen=True)
class Stored:
    """What a report's data folder holds: components and their files, other kinds of data, what was refused and why."""

    results: tuple[tuple[ComponentResult, bytes], ...]
    others: Mapping[str, bytes]
    refused: Mapping[str, str]


def stem(name: str) -> str:
    """Return the file name, without ending, of a component: its own name where that is safe anywhere.

    Else a readable rest of it and a digest, so that no name leaves the folder, is too long for a file
    system, or takes the place of another page. A safe name holds no "-", so the two never meet.

    >>> stem("beras.layers.Dense"), stem("../../etc/passwd"), stem("index")
    ('beras.layers.Dense', 'etc_passwd-3754d6cb3a38', 'index-1bc04b5291c2')
    """
    first = name.split(".")[0].lower()
    if _PLAIN.fullmatch(name) and first not in _DEVICES and name.lower() not in ("index", *KINDS, *FIGURES):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:12]
    readable = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:60]
    return f"{readable or 'component'}-{digest}"


def page(name: str) -> str:
    """Return the file name of a component's page.

    >>> page("beras.layers.Dense")
    'beras.layers.Dense.html'
    """
    return f"{stem(name)}.html"


def encode(result: ComponentResult) -> bytes:
    """Return a result as the bytes of its data file (a lone surrogate as the JSON escape that it is)."""
    return to_json(result).encode("utf-8", "backslashreplace")


def digest(content: bytes) -> str:
    """Return what stands in a page and in its row, so that they can be seen to belong together."""
    return hashlib.sha256(content).hexdigest()[:16]


def save(result: ComponentResult, folder: str | os.PathLike[str]) -> Path:
    """Write one component's data, and return where; the pages are painted from it later."""
    target = Path(folder) / "data" / f"{stem(result.name)}.json"
    with locked(Path(folder)):
        replace(target, encode(result))
    return target


def load(folder: str | os.PathLike[str]) -> list[ComponentResult]:
    """Return all components of a report, by name (ValueError, with the file's name, where one is refused)."""
    stored = read(Path(folder))
    for name, why in stored.refused.items():
        raise ValueError(f"data/{name}: {why}")
    return [result for result, _ in stored.results]


def read(folder: Path) -> Stored:
    """Return everything in the data folder; a file of another schema is refused, and its neighbours are not."""
    results: list[tuple[ComponentResult, bytes]] = []
    others: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for path in sorted((folder / "data").glob("*.json")):
        if _BESIDE.fullmatch(path.name) or path.stem in FIGURES:
            continue
        content = path.read_bytes()
        if path.stem in KINDS:
            others[path.stem] = content
            continue
        try:
            result = from_json(content.decode("utf-8"))
            if stem(result.name) != path.stem:
                raise ValueError(f"it describes {result.name[:80]!r}, whose file is {stem(result.name)}.json")
        except ValueError as error:
            refused[path.name] = str(error)
        else:
            results.append((result, content))
    return Stored(tuple(sorted(results, key=lambda one: one[0].name)), others, refused)


def replace(target: Path, content: bytes) -> None:
    """Write `content` beside `target` and move it there: whoever reads `target` sees the old or the new."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.gradcheck-new")
    try:
        half.write_bytes(content)
    except OSError:  # a full disk, say
        half.unlink(missing_ok=True)
        raise
    os.replace(half, target)


def publish(
    folder: Path, files: Mapping[str, bytes], index: Callable[[Callable[[str], str]], bytes], keep: Iterable[str] = ()
) -> None:
    """Put `files` (pages and data, by path inside `folder`) and the index in place, in the five steps above.

    `index` paints the index for a function that says under which name a file is found. `keep` names
    pages that stay although they are not in `files`. Call it with the folder `locked`.
    """
    changed = {name: content for name, content in files.items() if not _holds(folder / name, content)}
    beside = {name: _beside(name, content) for name, content in changed.items()}
    if changed:
        for name, content in changed.items():
            replace(folder / beside[name], content)
        replace(folder / INDEX, index(lambda name: beside.get(name, name)))
        for name, content in changed.items():
            replace(folder / name, content)
    final = index(lambda name: name)
    if not _holds(folder / INDEX, final):
        replace(folder / INDEX, final)
    _clean(folder, {INDEX, *files, *keep})


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the report's lock, waiting for whoever holds it; its file is gone afterwards (not on Windows)."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".gradcheck-lock"
    while True:
        with path.open("a+b") as file:
            _lock(file)
            # The last holder may have removed the file between our opening and our locking it.
            if not _still_at(path, file):
                continue
            try:
                yield
            finally:
                if sys.platform != "win32":  # where a file that is open cannot be removed
                    path.unlink(missing_ok=True)
            return


def _still_at(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _beside(name: str, content: bytes) -> str:
    path = Path(name)
    return path.with_name(f"{path.stem}~{digest(content)}{path.suffix}").as_posix()


def _clean(folder: Path, known: set[str]) -> None:
    """Remove what an interrupted run left, and pages of ours that have no data any more."""
    for path in sorted(folder.glob("*")) + sorted((folder / "data").glob("*")):
        interrupted = _HALF.fullmatch(path.name) or _BESIDE.fullmatch(path.name)
        stale = path.parent == folder and path.suffix == ".html" and path.name not in known
        if interrupted or (stale and _is_ours(path)):
            path.unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return MARK in file.read(1000)
