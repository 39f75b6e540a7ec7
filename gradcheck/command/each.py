"""`--each FOLDER… TARGET`, for teachers: the same target in many folders, each isolated, one table for all.

Every folder is copied before any code runs. Its copy gets processes of its own, started in there, with the copy first
on `sys.path` and a home of its own; only what stands in it is checked.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from functools import partial

from gradcheck import __version__
from gradcheck.command.arguments import Arguments
from gradcheck.command.cluster import Cluster
from gradcheck.command.copies import Copy
from gradcheck.command.interrupt import Stop, in_order
from gradcheck.command.processes import sandbox
from gradcheck.command.run import Run
from gradcheck.command.screen import Screen
from gradcheck.command.submission import Graded, grade
from gradcheck.command.written import write
from gradcheck.errors import UsageError
from gradcheck.report import folders
from gradcheck.report.marks import marks_csv
from gradcheck.report.printer import Line
from gradcheck.report.terminal import summary
from gradcheck.report.words import count, one_line
from gradcheck.report.writing import can_paint, write_report


def check_each(arguments: Arguments, screen: Screen, stop: Stop, cluster: Cluster | None = None) -> list[Graded]:
    """Check the target in every folder, print the table, and return it; after a `stop`, the folders that are done."""
    missing = [folder for folder in arguments.each if not os.path.isdir(folder)]
    if missing:
        raise UsageError(f"there is no folder {missing[0]!r}: expected --each FOLDER... TARGET")
    names = names_of(arguments.each)
    screen.line(_first_line(arguments, sandbox.why_not() if cluster is None else cluster.no_sandbox))
    start = time.perf_counter()
    graded: list[Graded] = []
    width = max(map(len, names))
    live: list[Run] = []

    def begin(run: Run) -> None:
        live.append(run)
        if stop.signal:  # it came while this one was made
            run.close()

    def give_up() -> None:
        for run in live:
            run.close()

    with ExitStack() as stack:
        copies = [stack.enter_context(Copy(folder)) for folder in arguments.each]
        given = [copy.original for copy in copies]

        def one_by_one(i: int) -> Graded:
            def progress(text: str) -> None:
                screen.progress(f"{names[i]}: {text}")

            with copies[i]:
                return grade(names[i], copies[i], given, arguments, begin, progress)

        def by_threads() -> Iterator[Graded]:
            return in_order(one_by_one, range(len(names)), min(arguments.settings.jobs, len(names)), stop, give_up)

        def by_cluster(workers: Executor) -> Iterator[Graded]:
            alone = partial(_grade_alone, given=given, arguments=arguments)
            return in_order(alone, list(zip(names, copies, strict=True)), workers, stop)

        for one in by_threads() if cluster is None else by_cluster(cluster):
            graded.append(one)
            screen.lines(_table(one, width, arguments))
    results = [result for one in graded for result in one.results]
    screen.lines([(text, "")] for text in folders.about_all([_folder(one) for one in graded]))
    screen.line(summary(results, time.perf_counter() - start)[-1])
    return graded


def _grade_alone(one: tuple[str, Copy], given: Sequence[str], arguments: Arguments) -> Graded:
    """Check one copy, where nobody looks on."""
    name, copy = one
    return grade(name, copy, given, arguments, lambda run: None, lambda text: None)


def _first_line(arguments: Arguments, why_not: str) -> Line:
    how = "in a sandbox (bwrap)" if not why_not else f"with your rights: there is no sandbox, since {one_line(why_not)}"
    where = count(len(arguments.each), "folder")
    text = f" checks {arguments.targets[0]} in {where}. The code of every folder runs on a copy of its own, {how}."
    return [(f"gradcheck {__version__}", "name"), (text, "")]


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


def _folder(one: Graded) -> folders.Folder:
    return folders.folder_of(one.who, one.results, one.notes)


def _table(one: Graded, width: int, arguments: Arguments) -> list[Line]:
    """The rows of one folder: what is not correct (everything with -v), or a row that says that all is; its notes."""
    folder = _folder(one)
    shown = [row for row in folder.rows if arguments.verbose or row.verdict != "correct"]
    who = f"{one_line(one.who):<{width}}  "
    right = [row for row in folder.rows if row.verdict == "correct"]
    lines: list[Line] = [[(who, "name"), *_row(row)] for row in shown]
    if right and not arguments.verbose and not arguments.quiet:
        said = sorted({name for row in right for name in row.declares.split()})
        declares = f", of which some declare {', '.join(said)}" if said else ""
        amount = f"{len(right)} of {len(folder.rows)} components{declares}"
        lines.append([(who, "name"), (f"{'correct':<10} ", "correct"), (amount, "")])
    lines += [[(who, "name"), (one_line(note), "quiet")] for note in folder.notes]
    return lines


def _row(row: folders.Row) -> Line:
    """Verdict, component and cause of one row."""
    cause = f": {one_line(row.cause)}" if row.cause else ""
    where = f" {one_line(row.where)}" if row.where else ""
    declares = f" (declares {row.declares})" if row.declares else ""
    rest = [(where, "quiet"), (cause, ""), (declares, "quiet")]
    return [(f"{row.verdict:<10} ", row.verdict), (one_line(row.component), "name"), *rest]


def write_table(graded: Sequence[Graded], arguments: Arguments) -> list[str]:
    """Write every folder's own report, the table as data and CSV, marks, and its page; return lines to print.

    What an earlier run found in other folders, for the same target, stays in the table.
    """
    folder = arguments.report
    if arguments.gradescope and graded:
        from gradcheck.report.gradescope import results_json

        [one] = graded
        write(arguments.gradescope, results_json(one.results, arguments.marking, one.seconds))
    if not folder or not graded:
        return []
    lines: list[str] = []
    for one in graded:
        row = _folder(one)
        if row.page:
            own = os.path.dirname(os.path.join(folder, row.page))
            folders.forget(own)
            lines = write_report(one.results, own)
    table = folders.merged(folders.known(folder, arguments.targets[0]), [_folder(one) for one in graded])
    folders.save(table, arguments.targets[0], folder)
    if can_paint():
        folders.paint(folder, arguments.date)
        lines = [f"report: {os.path.join(folder, 'index.html')}"]
    kept = len(table) - len(graded)
    before = [f"{count(kept, 'folder')} of earlier runs kept in the table"] if kept else []
    return [f"table: {os.path.join(folder, 'each.csv')}", *before, *_marks(table, arguments), *lines]


def _marks(table: Sequence[folders.Folder], arguments: Arguments) -> list[str]:
    """Write the marks, where it is said what is expected."""
    if not arguments.marking.weights:
        return []
    if arguments.keyword is not None or arguments.exit_first:
        return ["no marks: with -k or -x they would be 0 for what was not checked"]
    path = os.path.join(arguments.report, "marks.csv")
    write(path, marks_csv([(one.who, one.as_results) for one in table], arguments.marking))
    return [f"marks: {path}"]
