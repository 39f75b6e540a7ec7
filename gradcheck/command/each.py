"""`--each FOLDER… TARGET`, for teachers: the same target in many folders, each isolated, one table for all.

Every folder gets processes of its own, started in that folder, with that folder first on `sys.path`; only
what stands in the folder itself is checked. This *runs* what it is given and is no sandbox.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from gradcheck import __version__
from gradcheck.command import discover
from gradcheck.command.arguments import Arguments
from gradcheck.command.interrupt import Stop, in_order
from gradcheck.command.run import Found, Outcome, Run
from gradcheck.command.screen import Screen
from gradcheck.command.status import fails, unread
from gradcheck.command.written import write
from gradcheck.errors import UsageError, shown
from gradcheck.report import folders
from gradcheck.report.marks import marks_csv
from gradcheck.report.printer import Line
from gradcheck.report.terminal import summary
from gradcheck.report.words import count, one_line
from gradcheck.report.writing import can_paint, write_report
from gradcheck.results import ComponentResult

WARNING = "This runs the code of every folder, with your rights: it is no sandbox."


@dataclass(frozen=True)
class Graded:
    """What was found in one folder, in how many `seconds`; `unread`: the target, if nothing of it was understood."""

    who: str
    folder: str
    outcomes: tuple[Outcome, ...]
    unread: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def results(self) -> list[ComponentResult]:
        """The results alone."""
        return [outcome.result for outcome in self.outcomes]

    @property
    def under_its_name(self) -> list[Outcome]:
        """The outcomes, each under the folder's name, with its files as they are named from here."""
        return [replace(one, result=_from_here(one.result, self.who, self.folder)) for one in self.outcomes]


def _from_here(result: ComponentResult, who: str, folder: str) -> ComponentResult:
    def there(source: str) -> str:
        path = os.path.join(folder, source)
        return shown(path) if source and os.path.exists(path.rpartition(":")[0] or path) else source

    claims = tuple(replace(claim, source=there(claim.source)) for claim in result.claims)
    return replace(result, name=f"{who}: {result.name}", source=there(result.source), claims=claims)


def check_each(arguments: Arguments, screen: Screen, stop: Stop) -> list[Graded]:
    """Check the target in every folder, print the table, and return it; after a `stop`, the folders that are done."""
    missing = [folder for folder in arguments.each if not os.path.isdir(folder)]
    if missing:
        raise UsageError(f"there is no folder {missing[0]!r}: expected --each FOLDER... TARGET")
    names = names_of(arguments.each)
    target = arguments.targets[0]
    where = count(len(names), "folder")
    screen.line([(f"gradcheck {__version__}", "name"), (f" checks {target} in {where}. {WARNING}", "")])
    start = time.perf_counter()
    graded: list[Graded] = []
    width = max(map(len, names))
    live: list[Run] = []

    def grade(i: int) -> Graded:
        def begin(run: Run) -> None:
            live.append(run)
            if stop.signal:  # it came while this one was made
                run.close()

        return _grade(names[i], arguments.each[i], arguments, begin, screen)

    def give_up() -> None:
        for run in live:
            run.close()

    at_once = min(arguments.settings.jobs, len(names))
    for one in in_order(grade, range(len(names)), at_once, stop, give_up):
        graded.append(one)
        screen.lines(_table(one, width, arguments))
    results = [result for one in graded for result in one.results]
    screen.line(summary(results, time.perf_counter() - start)[-1])
    return graded


def names_of(given: Sequence[str]) -> list[str]:
    """Return a name for every folder: its last part where no other folder has it, else the whole path.

    >>> names_of(["submissions/ada/", "submissions/bob/"]), names_of(["a/code", "b/code"])
    (['ada', 'bob'], ['a/code', 'b/code'])
    """
    paths = [os.path.normpath(folder) for folder in given]
    if len(set(paths)) < len(paths):
        raise UsageError("--each was given the same folder twice")
    last = [os.path.basename(os.path.abspath(path)) for path in paths]
    return last if len(set(last)) == len(last) else paths


def _grade(who: str, folder: str, arguments: Arguments, begin: Callable[[Run], None], screen: Screen) -> Graded:
    """Check one folder; whatever goes wrong there is its row, and nobody else's."""
    target = arguments.targets[0]
    start = time.perf_counter()
    found: list[Found] = []
    try:
        here = os.path.abspath(folder)
        place = discover.resolve(target, here, path=[])
        # Not the folder that the command was started in: what a submission lacks must not be found there.
        path = [entry for entry in sys.path if entry not in ("", os.getcwd())]
        with Run([place], replace(arguments.settings, jobs=1), here, path) as run:
            begin(run)

            def progress(text: str) -> None:
                screen.progress(f"{who}: {text}")

            found = run.find(arguments.wants, arguments.exclude, progress)
            outcomes = tuple(_until_first_failure(run.check(found, progress), arguments))
    except UsageError as error:
        outcomes = (_nothing(target, str(error)),)
    except OSError as error:  # a folder that cannot be read, no room for another process
        outcomes = (Outcome(ComponentResult(target, "", "unresolved", reason=str(error))),)
    except Exception:
        lines = traceback.format_exc().rstrip()
        reason = f"gradcheck itself failed: {lines.splitlines()[-1]}"
        outcomes = (Outcome(ComponentResult(target, "", "unresolved", reason=reason), internal=lines),)
    outcomes = outcomes or (_nothing(target, "there is nothing to check"),)
    return Graded(who, folder, outcomes, tuple(unread(found)), time.perf_counter() - start)


def _until_first_failure(outcomes: Iterator[Outcome], arguments: Arguments) -> Iterator[Outcome]:
    for outcome in outcomes:
        yield outcome
        if arguments.exit_first and fails(outcome.result, arguments.strict):
            return


def _nothing(target: str, reason: str) -> Outcome:
    return Outcome(ComponentResult(target, "", "could not be asked", reason=reason))


def _table(one: Graded, width: int, arguments: Arguments) -> list[Line]:
    """The rows of one folder: what is not correct (everything with -v), or a row that says that all is."""
    rows = folders.rows_of(one.who, one.results)
    shown = [row for row in rows if arguments.verbose or row.verdict != "correct"]
    who = f"{one_line(one.who):<{width}}  "
    right = sum(row.verdict == "correct" for row in rows)
    lines: list[Line] = [[(who, "name"), *_row(row)] for row in shown]
    if right and not arguments.verbose and not arguments.quiet:
        lines.append([(who, "name"), (f"{'correct':<10} ", "correct"), (f"{right} of {len(rows)} components", "")])
    return lines


def _row(row: folders.Row) -> Line:
    """Verdict, component and cause of one row."""
    cause = f": {one_line(row.cause)}" if row.cause else ""
    where = f" {one_line(row.where)}" if row.where else ""
    return [(f"{row.verdict:<10} ", row.verdict), (one_line(row.component), "name"), (where, "quiet"), (cause, "")]


def write_table(graded: Sequence[Graded], arguments: Arguments) -> list[str]:
    """Write every folder's own report, the table as data and CSV, marks, and its page; return lines to print."""
    folder = arguments.report
    if arguments.gradescope and graded:
        from gradcheck.report.gradescope import results_json

        [one] = graded
        write(arguments.gradescope, results_json(one.results, arguments.marking, one.seconds))
    if not folder or not graded:
        return []
    table = [folders.folder_of(one.who, one.results) for one in graded]
    lines: list[str] = []
    for one, row in zip(graded, table, strict=True):
        if row.page:
            lines = write_report(one.results, os.path.dirname(os.path.join(folder, row.page)))
    folders.save(table, arguments.targets[0], folder)
    if can_paint():
        folders.paint(folder)
        lines = [f"report: {os.path.join(folder, 'index.html')}"]
    return [f"table: {os.path.join(folder, 'each.csv')}", *_marks(graded, arguments), *lines]


def _marks(graded: Sequence[Graded], arguments: Arguments) -> list[str]:
    """Write the marks, where it is said what is expected."""
    if not arguments.marking.weights:
        return []
    if arguments.keyword is not None or arguments.exit_first:
        return ["no marks: with -k or -x they would be 0 for what was not checked"]
    path = os.path.join(arguments.report, "marks.csv")
    write(path, marks_csv([(one.who, one.results) for one in graded], arguments.marking))
    return [f"marks: {path}"]
