"""The report of `--each`: one table for all folders as data, as CSV, and as a page that leads to each folder's own.

DIR/each.csv               one row per component
DIR/each.json              what the page is painted from
DIR/index.html             the table
DIR/<folder>/index.html    the report of one folder
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gradcheck.report import store
from gradcheck.report.rows import counts, headline
from gradcheck.results import ComponentResult
from gradcheck.verdicts import ORDER, rank

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
    """One folder's line on the page. `page` is the folder's own report, or `""` where nothing could be checked."""

    who: str
    page: str
    verdict: str
    counts: Mapping[str, int]
    rows: tuple[Row, ...]


def rows_of(who: str, results: Sequence[ComponentResult]) -> tuple[Row, ...]:
    """Return the rows of one folder, worst first."""
    ordered = sorted(results, key=lambda result: (rank(result.verdict, result.reach), result.name))
    return tuple(Row(who, one.name, one.verdict, one.where if one.reach else "", headline(one)) for one in ordered)


def folder_of(who: str, results: Sequence[ComponentResult]) -> Folder:
    """Return what the page shows of one folder."""
    rows = rows_of(who, results)
    checked = any(result.claims for result in results)
    page = f"{store.stem(who)}/index.html" if checked else ""
    return Folder(
        who,
        page,
        rows[0].verdict if rows else "could not be asked",
        {str(verdict): amount for verdict, amount in counts(results).items()},
        rows,
    )


def csv_text(folders: Sequence[Folder]) -> str:
    """Return the table as CSV: who, component, verdict, where, cause.

    A cell that a spreadsheet would take for a formula is written with an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([field.name for field in dataclasses.fields(Row)])
    for folder in folders:
        writer.writerows([_cell(value) for value in dataclasses.astuple(row)] for row in folder.rows)
    return text.getvalue()


def _cell(value: str) -> str:
    flat = " ".join(value.split())
    return f"'{flat}" if flat.startswith(("=", "+", "-", "@")) else flat


def save(folders: Sequence[Folder], target: str, folder: str) -> None:
    """Write the table's data and its CSV."""
    data = {"schema": SCHEMA, "target": target, "folders": [dataclasses.asdict(one) for one in folders]}
    content = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    store.replace(Path(folder) / store.EACH, content.encode("utf-8", "backslashreplace"))
    store.replace(Path(folder) / "each.csv", csv_text(folders).encode("utf-8", "backslashreplace"))


def load(folder: str) -> tuple[str, list[Folder]]:
    """Read the target and the table's data (ValueError where it is of another schema or malformed)."""
    data = json.loads((Path(folder) / store.EACH).read_text(encoding="utf-8"))
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ValueError(f"expected {store.EACH} of schema {SCHEMA}: run the check again")
    try:
        folders = [Folder(**{**one, "rows": tuple(Row(**row) for row in one["rows"])}) for one in data["folders"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{store.EACH} is malformed ({error}): run the check again") from error
    return str(data["target"]), folders


def paint(folder: str) -> None:
    """Paint the page of the table from its data."""
    from gradcheck.report import html

    target, folders = load(folder)
    ordered = sorted(folders, key=lambda one: (ORDER.index(one.verdict) if one.verdict in ORDER else 0, one.who))
    page = html.paint(
        "folders.html",
        target=target,
        folders=ordered,
        wrong=sum(one.verdict == "wrong" for one in folders),
        page_of=lambda row: f"{store.stem(row.who)}/{store.page(row.component)}",
        key="",
    )
    store.replace(Path(folder) / store.INDEX, page)
