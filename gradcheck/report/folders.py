"""The report of `--each`: one table for all folders as data, as CSV, and as a page that leads to each folder's own.

DIR/each.csv               one row per component
DIR/each.json              what the page is painted from
DIR/index.html             the table
DIR/<folder>/index.html    the report of one folder
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gradcheck.report import store
from gradcheck.report.counted import counts, reached, tallied, tally
from gradcheck.report.rows import headline
from gradcheck.report.spreadsheet import csv_bytes
from gradcheck.results import ComponentResult
from gradcheck.verdicts import Reach, Verdict, farthest, overall, rank

SCHEMA = 2


@dataclass(frozen=True)
class Row:
    """One component of one folder. `who` is the folder's name, `where` how far a mistake reaches, `cause` why."""

    who: str
    component: str
    verdict: str
    where: str
    cause: str


@dataclass(frozen=True)
class Folder:
    """One folder's line on the page. `page` is the folder's own report, or `""` where nothing could be checked.

    `counts`: components by verdict; `reach`: the farthest of a wrong one, `reaches`: how many reach how far.
    """

    who: str
    page: str
    verdict: Verdict
    counts: Mapping[Verdict, int]
    rows: tuple[Row, ...]
    reach: Reach | None = None
    reaches: Mapping[Reach, int] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """How many components have each verdict, in words."""
        return ", ".join(tallied(verdict, amount, self.reaches) for verdict, amount in self.counts.items())


def rows_of(who: str, results: Sequence[ComponentResult]) -> tuple[Row, ...]:
    """Return the rows of one folder, worst first."""
    ordered = sorted(results, key=lambda result: (rank(result.verdict, result.reach), result.name))
    return tuple(Row(who, one.name, one.verdict, one.where if one.reach else "", headline(one)) for one in ordered)


def folder_of(who: str, results: Sequence[ComponentResult]) -> Folder:
    """Return what the page shows of one folder."""
    checked = any(result.claims for result in results)
    return Folder(
        who,
        page=f"{store.stem(who)}/index.html" if checked else "",
        verdict=overall(result.verdict for result in results) if results else "could not be asked",
        counts=counts(results),
        rows=rows_of(who, results),
        reach=farthest(result.reach for result in results),
        reaches=reached(results),
    )


def table_csv(folders: Sequence[Folder]) -> bytes:
    """Return the table as CSV: who, component, verdict, where, cause."""
    head = [field.name for field in dataclasses.fields(Row)]
    return csv_bytes([head, *(dataclasses.astuple(row) for folder in folders for row in folder.rows)])


def save(folders: Sequence[Folder], target: str, folder: str) -> None:
    """Write the table's data and its CSV."""
    data = {"schema": SCHEMA, "target": target, "folders": [dataclasses.asdict(one) for one in folders]}
    content = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    store.replace(Path(folder) / store.EACH, content.encode("utf-8", "backslashreplace"))
    store.replace(Path(folder) / "each.csv", table_csv(folders))


def load(folder: str) -> tuple[str, list[Folder]]:
    """Read the target and the table's data (ValueError where it is of another schema or malformed)."""
    data = json.loads((Path(folder) / store.EACH).read_text(encoding="utf-8"))
    found = data.get("schema") if isinstance(data, dict) else None
    if found != SCHEMA:
        raise ValueError(f"expected {store.EACH} of schema {SCHEMA}, but found {found!r}: run the check again")
    try:
        folders = [Folder(**{**one, "rows": tuple(Row(**row) for row in one["rows"])}) for one in data["folders"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{store.EACH} is malformed ({error}): run the check again") from error
    return str(data["target"]), folders


def paint(folder: str) -> None:
    """Paint the page of the table from its data."""
    from gradcheck.report import html

    target, folders = load(folder)
    found, reaches = tally(one.verdict for one in folders), reached(folders)
    ordered = sorted(folders, key=lambda one: (rank(one.verdict, one.reach), one.who))
    page = html.paint(
        "folders.html",
        target=target,
        folders=ordered,
        summary=", ".join(tallied(verdict, amount, reaches) for verdict, amount in found),
        page_of=lambda row: f"{store.stem(row.who)}/{store.page(row.component)}",
        key="",
    )
    store.replace(Path(folder) / store.INDEX, page)
