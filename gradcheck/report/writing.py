"""Writes the files of a report: all of it where the extra `report` is installed, its data where it is not."""

from __future__ import annotations

import contextlib
import os
import queue
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from gradcheck.errors import UsageError, install
from gradcheck.report import store
from gradcheck.results import ComponentResult, from_json


def how_to_paint() -> str:
    """Say how the extra `report` is installed."""
    return f"for the HTML report, its pictures and colour: {install('report')}"


def can_paint() -> bool:
    """Whether the extra `report` is installed."""
    return all(find_spec(name) is not None for name in ("jinja2", "matplotlib"))


class Ahead:
    """Paints pages while other components are still being checked: a context manager that is told of every result.

    Without a folder, or the extra `report`, nothing is painted.
    """

    def __init__(self, folder: str) -> None:
        self._results: queue.SimpleQueue[ComponentResult | None] = queue.SimpleQueue()
        self._thread = ThreadPoolExecutor(1)
        results = iter(self._results.get, None)
        self._pages = self._thread.submit(_painted, folder, results) if folder and can_paint() else None

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._results.get_nowait()
        self._results.put(None)
        self._thread.shutdown()

    def add(self, result: ComponentResult) -> None:
        """Have the page of a result painted."""
        self._results.put(result)

    def pages(self) -> dict[str, bytes]:
        """Wait for all pages; nothing is added afterwards."""
        self._results.put(None)
        return self._pages.result() if self._pages is not None else {}


def _painted(folder: str, results: Iterable[ComponentResult]) -> dict[str, bytes]:
    from gradcheck.report import html

    return html.painted(folder, results)


def write_report(results: Sequence[ComponentResult], folder: str, ahead: Ahead | None = None) -> list[str]:
    """Write the report with `results` put in, or only its data; return lines to print."""
    if can_paint():
        return paint(folder, results, ahead.pages() if ahead is not None else {})
    for result in results:
        store.save(result, folder)
    return [how_to_paint()]


def forget(folder: str, modules: Sequence[str], found: Collection[str]) -> None:
    """Remove the data of components of `modules` (or below them) that are not among those `found` there.

    A class that was renamed or removed has no place in the report any more.
    """
    data = Path(folder) / "data"
    if not data.is_dir():
        return
    with store.locked(Path(folder)):
        for path in data.glob("*.json"):
            name = _name_of(path)
            if name not in found and any(f"{name}.".startswith(f"{module}.") for module in modules):
                path.unlink(missing_ok=True)


def _name_of(path: Path) -> str:
    """The component that a data file describes, `""` where it describes none."""
    try:
        return from_json(path.read_text(encoding="utf-8")).name
    except ValueError:
        return ""


def paint(folder: str, results: Sequence[ComponentResult] = (), pages: Mapping[str, bytes] | None = None) -> list[str]:
    """Paint the report in `folder` from its data, with `results` put in; return lines to print.

    `pages`: those that are painted already.
    """
    if not can_paint():
        return [how_to_paint()]
    from gradcheck.report import html

    return [*html.render(folder, results, pages), f"report: {os.path.join(folder, store.INDEX)}"]


def repaint(folder: str, date: str = "") -> list[str]:
    """Paint a whole report again from its data, that of `--each` included; return lines to print.

    Raises UsageError where there is no report, or nothing to paint it with.
    """
    each = Path(folder) / store.EACH
    if not each.is_file() and not (Path(folder) / "data").is_dir():
        raise UsageError(f"there is no report in {folder!r}: expected {os.path.join(folder, 'data')} with JSON files")
    if not can_paint():
        raise UsageError(how_to_paint())
    if not each.is_file():
        return paint(folder)
    from gradcheck.report import folders

    try:
        _, table = folders.load(folder)
        lines = [line for one in table if one.page for line in paint(str((Path(folder) / one.page).parent))]
        folders.paint(folder, date)
    except ValueError as error:
        raise UsageError(f"{each} cannot be painted: {error}") from error
    return [*lines, f"report: {os.path.join(folder, store.INDEX)}"]
