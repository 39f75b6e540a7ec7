"""The files that a run leaves: JSON, XML and SARIF, each made beside its place and then moved there, and the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gradcheck.command.arguments import Arguments
from gradcheck.command.discover import Place
from gradcheck.command.outcome import Outcome
from gradcheck.report import writing
from gradcheck.report.findings import Finding, known, root_of_the_repository


def write_documents(
    outcomes: Sequence[Outcome],
    arguments: Arguments,
    files: tuple[str, ...],
    exit_status: int,
    found: Sequence[Finding],
) -> None:
    """Write the JSON, the XML and the SARIF that were asked for. `files`: those that were checked."""
    from gradcheck.report import document, junit, sarif

    results = tuple(outcome.result for outcome in outcomes)
    seconds = {outcome.result.name: outcome.seconds for outcome in outcomes}
    if arguments.json:
        how = arguments.settings
        kept = tuple(outcome.result.name for outcome in outcomes if outcome.kept)
        whole = document.Document(arguments.targets, files, how.seed, how.dtypes, exit_status, results, seconds, kept)
        write(arguments.json, whole.to_json().encode("utf-8", "backslashreplace"))
    if arguments.junit_xml:
        write(arguments.junit_xml, junit.junit_xml(results, seconds, known(found)))
    if arguments.sarif:
        write(arguments.sarif, sarif.sarif(found, root_of_the_repository()))


def write(target: str, content: bytes) -> None:
    """Move a file into its place; what is no file of its own (a device, a pipe, a link) is written to as it is."""
    from gradcheck.report import store

    path = Path(target).resolve()
    if path.exists() and not path.is_file():
        path.write_bytes(content)
    else:
        store.replace(path, content)


def write_report(
    outcomes: Sequence[Outcome], arguments: Arguments, places: Sequence[Place], ahead: writing.Ahead
) -> list[str]:
    """Write the report that was asked for, and return lines to print.

    `places` are those that were looked into as a whole: what the report has of them and is not there any more goes.
    """
    if not arguments.report or not outcomes:
        return []
    results = [outcome.result for outcome in outcomes]
    modules = [place.module for place in places if not place.attribute]
    writing.forget(arguments.report, modules, [result.name for result in results])
    return writing.write_report(results, arguments.report, ahead)
