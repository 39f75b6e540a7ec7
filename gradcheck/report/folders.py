"""The report of `--each`: one table for all folders as data, as CSV, and as a page that leads to each folder's own.

DIR/each.csv               one row per component
DIR/each.json              what the page is painted from
DIR/index.html             the table
DIR/<folder>/index.html    the report of one folder
DIR/<folder>.html          all of it in one page without links, to hand back
"""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

from gradcheck.report import store
from gradcheck.report.counted import counts, reached, tallied, tally
from gradcheck.report.rows import headline
from gradcheck.report.spreadsheet import csv_bytes
from gradcheck.report.words import count
from gradcheck.results import ComponentResult
from gradcheck.verdicts import FAILING, Reach, Verdict, farthest, overall, rank

SCHEMA = 3
FREQUENT = 10
"""The most frequent mistakes, as many as these at most, that two folders or more have."""


@dataclass(frozen=True)
class Row:
    """One component of one folder.

    `who`: the folder's name. `where`: how far a mistake reaches, in words, which `reach` has a word for. `cause`: why,
    and `mistake` the name of that. `declares`: by which names its code says how it is to be checked.
    """

    who: str
    component: str
    verdict: Verdict
    where: str
    cause: str
    declares: str = ""
    reach: Reach | None = None
    mistake: str = ""


@dataclass(frozen=True)
class Folder:
    """One folder's line on the page. `page` is the folder's own report, or `""` where nothing could be checked.

    `counts`: components by verdict; `reach`: the farthest of a wrong one, `reaches`: how many reach how far. `notes`:
    what else is to be known, such as the files that its code changed.
    """

    who: str
    page: str
    verdict: Verdict
    counts: Mapping[Verdict, int]
    rows: tuple[Row, ...]
    reach: Reach | None = None
    reaches: Mapping[Reach, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def as_results(self) -> list[ComponentResult]:
        """What marks follow from."""
        return [
            ComponentResult(row.component, "", row.verdict, reach=row.reach, where=row.where, reason=row.cause)
            for row in self.rows
        ]

    @property
    def said(self) -> str:
        """How many components have each verdict, in words."""
        return ", ".join(tallied(verdict, amount, self.reaches) for verdict, amount in self.counts.items())


def rows_of(who: str, results: Sequence[ComponentResult]) -> tuple[Row, ...]:
    """Return the rows of one folder, worst first."""
    ordered = sorted(results, key=lambda result: (rank(result.verdict, result.reach), result.name))
    return tuple(_row(who, one) for one in ordered)


def _row(who: str, one: ComponentResult) -> Row:
    where, declares = one.where if one.reach else "", " ".join(one.declares)
    causes = (claim.causes[0].name for claim in one.claims if claim.causes and claim.verdict == "wrong")
    return Row(who, one.name, one.verdict, where, headline(one), declares, one.reach, next(causes, ""))


def folder_of(who: str, results: Sequence[ComponentResult], notes: tuple[str, ...] = ()) -> Folder:
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
        notes=notes,
    )


def about_all(folders: Sequence[Folder]) -> list[str]:
    """Say what is about the class: where nothing could be checked, and which mistakes several folders have."""
    nothing = [folder.who for folder in folders if not folder.page]
    lines = [f"nothing could be checked in {len(nothing)} of {count(len(folders), 'folder')}: {', '.join(nothing)}"]
    return [*(lines if nothing else []), *(f"in {count(many, 'folder')}: {what}" for many, what in frequent(folders))]


def frequent(folders: Sequence[Folder]) -> list[tuple[int, str]]:
    """Return the mistakes that several folders have, and in how many, the most frequent first."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in (row for folder in folders if folder.page for row in folder.rows if row.verdict in FAILING):
        why = row.mistake or row.where
        found[f"{row.component} {row.verdict}{f': {why}' if why else ''}"].add(row.who)
    several = [(len(who), what) for what, who in found.items() if len(who) > 1]
    return sorted(several, key=lambda one: (-one[0], one[1]))[:FREQUENT]


def columns(folders: Sequence[Folder]) -> dict[str, str]:
    """Return the components of all folders, by how short they can be called: without what all names begin with.

    >>> rows = [Row("ada", f"beras.{name}", "correct", "", "") for name in ("layers.Dense", "losses.Huber")]
    >>> columns([Folder("ada", "ada/index.html", "correct", {}, tuple(rows))])
    {'layers.Dense': 'beras.layers.Dense', 'losses.Huber': 'beras.losses.Huber'}
    """
    names = sorted({row.component for folder in folders if folder.page for row in folder.rows})
    parts = [name.split(".")[:-1] for name in names]
    same = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, zip(*parts, strict=False)))
    return {".".join(name.split(".")[same:]): name for name in names}


def merged(before: Sequence[Folder], now: Sequence[Folder]) -> list[Folder]:
    """Return the folders of an earlier table with those in their places that were checked again, then the new ones."""
    fresh = {one.who: one for one in now}
    return [fresh.pop(one.who, one) for one in before] + list(fresh.values())


def known(folder: str, target: str) -> list[Folder]:
    """Return the table that an earlier run left for this target; none where it left another one, or none."""
    try:
        before, folders = load(folder)
    except (OSError, ValueError):
        return []
    return folders if before == target else []


def forget(folder: str) -> None:
    """Remove the data of an earlier run from one folder's own report: a class may be gone."""
    for path in (Path(folder) / "data").glob("*.json"):
        path.unlink()


def table_csv(folders: Sequence[Folder]) -> bytes:
    """Return the table as CSV: who, component, verdict, where, cause, declares, notes (the folder's)."""
    head = ["who", "component", "verdict", "where", "cause", "declares", "notes"]
    return csv_bytes([head, *_csv_rows(folders)])


def _csv_rows(folders: Sequence[Folder]) -> Iterator[list[str]]:
    for folder in folders:
        for row in folder.rows:
            cells = [row.who, row.component, row.verdict, row.where, row.cause, row.declares]
            yield [*cells, "; ".join(folder.notes)]


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
        folders = [
            Folder(**{**one, "rows": tuple(Row(**row) for row in one["rows"]), "notes": tuple(one["notes"])})
            for one in data["folders"]
        ]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{store.EACH} is malformed ({error}): run the check again") from error
    return str(data["target"]), folders


def paint(folder: str, date: str = "") -> None:
    """Paint the page of the table from its data, and for each folder the one to hand back, with a `date` if wanted."""
    from gradcheck.report import html

    target, folders = load(folder)
    for one in folders:
        results = store.read((Path(folder) / one.page).parent).results if one.page else ()
        whole = [result for result, _ in results] or one.as_results
        worst = sorted(whole, key=lambda result: (rank(result.verdict, result.reach), result.name))
        handed = html.paint("handed.html", folder=one, target=target, results=worst, date=date, key="")
        store.replace(Path(folder) / store.page(one.who), handed)
    found, reaches = tally(one.verdict for one in folders), reached(folders)
    ordered = sorted(folders, key=lambda one: (rank(one.verdict, one.reach), one.who))
    page = html.paint(
        "folders.html",
        target=target,
        folders=ordered,
        summary=", ".join(tallied(verdict, amount, reaches) for verdict, amount in found),
        frequent=frequent(folders),
        columns=columns(folders),
        handed=lambda one: store.page(one.who),
        page_of=lambda row: f"{store.stem(row.who)}/{store.page(row.component)}",
        key="",
    )
    store.replace(Path(folder) / store.INDEX, page)
