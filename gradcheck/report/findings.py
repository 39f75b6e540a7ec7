"""What a reader of the code must be told, an entry for each thing, with its place: for SARIF and annotations."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gradcheck.report.rows import headline, reason
from gradcheck.report.words import one_line
from gradcheck.results import ClaimResult, ComponentResult, said
from gradcheck.verdicts import FAILING, Reach, rank

CONTRACT, NOTE = "contract", "note"
SILENT = ("correct", "skipped")


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    `rule`: a verdict, "contract" or "note". `component`, `about`: where it was found, and in which part ("" for the
    whole). `file`, `line`: where that stands ("" and 0 where nobody knows). `reach`: how far what is wrong
    reaches. `fails`: it makes the exit status 1; `known`: it would, and is in the baseline.
    """

    rule: str
    component: str
    about: str
    file: str
    line: int
    message: str
    fails: bool
    reach: Reach | None = None
    known: bool = False


def findings(results: Iterable[ComponentResult], strict: bool = False) -> list[Finding]:
    """Return everything but what is correct or left out, what fails first, the worst of it first.

    `strict`: whether conventions, waivers, notes and what is not understood fail, too.
    """
    ordered = sorted(results, key=lambda result: rank(result.verdict, result.reach))
    found = [one for result in ordered for one in _of(result, strict)]
    return sorted(found, key=lambda one: not one.fails)


def known(found: Iterable[Finding]) -> set[str]:
    """Return the components all of whose failures are in the baseline."""
    found = list(found)
    return {one.component for one in found if one.known} - {one.component for one in found if one.fails}


def _of(result: ComponentResult, strict: bool) -> Iterator[Finding]:
    def finding(
        rule: str, about: str, text: str, source: str = "", fails: bool = strict, reach: Reach | None = None
    ) -> Finding:
        file, line = _place(source or result.source)
        return Finding(rule, result.name, about, file, line, one_line(text), fails, reach)

    failing = [claim for claim in result.claims if claim.verdict in FAILING]
    broken = [item for item in result.contract if item.verdict == "broken"]
    for claim in failing:
        yield finding(claim.verdict, claim.name, _message(result, claim), claim.source, True, claim.reach)
    for item in broken:
        yield finding(CONTRACT, item.name, f"{result.name} breaks a contract: {item.name}: {item.detail}", fails=True)
    if result.verdict not in SILENT and not (failing or broken) and (not result.claims or result.verdict in FAILING):
        text = f"{result.name}: {said(result.verdict, result.reach, result.where)}: {headline(result)}"
        yield finding(result.verdict, "", text, fails=strict or result.verdict in FAILING, reach=result.reach)
    for claim in result.claims:
        if claim.verdict not in (*FAILING, *SILENT):
            yield finding(claim.verdict, claim.name, _message(result, claim), claim.source)
    for note in result.notes:
        yield finding(NOTE, note.about, f"{result.name}: {note.about}: {note.text}")
    for one in result.unjudged:
        yield finding("not understood", one.name, f"{result.name}: {one.name} is not understood: {one.reason}")


def _message(result: ComponentResult, claim: ClaimResult) -> str:
    verdict = said(claim.verdict, claim.reach, claim.where)
    return f"{result.name}: {claim.name} is {verdict}: {reason(claim)}".removesuffix(": ")


def _place(source: str) -> tuple[str, int]:
    file, _, line = source.rpartition(":")
    return (file, int(line)) if file and line.isdigit() else (source, 0)


def inside(file: str, root: Path) -> str | None:
    """Return a file as it is named from `root`, with slashes; `None` where it is not below it.

    >>> inside("/code/beras/layers.py", Path("/code"))
    'beras/layers.py'
    """
    path = Path(os.path.abspath(file))
    return path.relative_to(root).as_posix() if file and path.is_relative_to(root) else None


def root_of_the_repository() -> Path:
    """Return the nearest folder around the current one that is under version control by git, else the current one."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
