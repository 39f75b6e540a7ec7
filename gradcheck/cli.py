"""`python -m gradcheck TARGET…`: check derivatives, say what is wrong, write a report.

Exit status: 0 everything is correct (or waived, or skipped with a reason); 1 something is wrong, unresolved
or not implemented; 2 bad usage, or nothing could be checked, with one line that says what to do; 3 an error in
gradcheck itself.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from gradcheck import __version__, discover
from gradcheck.arguments import Arguments, parse
from gradcheck.discover import Place
from gradcheck.errors import UsageError
from gradcheck.report.terminal import Line, Printer, lines_of, summary
from gradcheck.results import ComponentResult
from gradcheck.run import Found, Outcome, Run

INSTALL = "for the HTML report, its pictures and colour: pip install 'beras-gradcheck[report]'"
FAILING = ("wrong", "unresolved", "not implemented")


def console() -> None:
    """Entry point of the `gradcheck` script and of `python -m gradcheck`: the current folder comes first."""
    here = os.getcwd()
    if sys.path[:1] not in ([here], [""]):
        sys.path.insert(0, here)
    status = main()
    sys.stdout.flush()
    sys.exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line (default `sys.argv`) and return the exit status."""
    try:
        return _main(parse(sys.argv[1:] if argv is None else argv))
    except UsageError as error:
        _complain(str(error))
        return 2
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # `gradcheck … | head` has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        _complain(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
        return 2
    except KeyboardInterrupt:
        _complain("interrupted")
        return 130
    except Exception:
        _complain(f"an error in gradcheck itself; please report it with these lines\n{traceback.format_exc().rstrip()}")
        return 3


def _complain(message: str) -> None:
    print(f"gradcheck: {message}", file=sys.stderr)


def _main(arguments: Arguments) -> int:
    if arguments.show:
        print(arguments.show)
        return 0
    if arguments.render:
        return _render(arguments.render)
    if arguments.each:
        from gradcheck.each import check_each

        return check_each(arguments)
    places = [discover.resolve(target) for target in arguments.targets]
    printer = Printer(quiet=arguments.quiet)
    with Run(places, arguments.settings, os.getcwd()) as run:
        printer.lines(_first_lines(places, arguments))
        found = [one for one in run.find() if arguments.wants(one.name)]
        if arguments.list:
            return _list(found, printer)
        return _check(run, found, arguments, printer)


def _first_lines(places: Sequence[Place], arguments: Arguments) -> list[Line]:
    """Name the versions and the files, so that a verdict about the wrong copy cannot go unnoticed."""
    files = ", ".join(dict.fromkeys(place.shown for place in places))
    return [[(f"gradcheck {__version__}", "name"), (f" checks {files} (seed {arguments.settings.seed})", "")]]


def _list(found: Sequence[Found], printer: Printer) -> int:
    for one in found:
        where: Line = [(one.name, "name"), (f"  {discover.shown(one.module.file)}", "quiet")]
        printer.line([*where, (f"  skipped: {one.reason}", "skipped")] if one.reason else where)
    return 0 if found else _nothing(found)


def _nothing(found: Sequence[Found]) -> int:
    why = "; ".join(f"{one.name}: {one.reason}" for one in found if one.reason)
    hint = why or "expected a class with forward and derivative methods (see --list and -k)"
    raise UsageError(f"there is nothing to check: {hint}")


def _check(run: Run, found: list[Found], arguments: Arguments, printer: Printer) -> int:
    if all(one.reason for one in found):
        return _nothing(found)
    start = time.perf_counter()
    outcomes: list[Outcome] = []
    for outcome in run.check(found, printer.progress):
        outcomes.append(outcome)
        if not arguments.quiet or outcome.result.verdict in FAILING:
            printer.lines(lines_of(outcome.result, arguments.verbose))
        if arguments.exit_first and outcome.result.verdict in FAILING:
            break
    printer.progress("writing the report")
    results = [outcome.result for outcome in outcomes]
    status = exit_status(outcomes)
    notes = _write(results, outcomes, arguments, run.places, status)
    printer.done()
    printer.line(summary(results, time.perf_counter() - start))
    printer.lines([(note, "quiet")] for note in notes)
    # One mistake of gradcheck's often shows at several components: its traceback is printed once.
    internal = {outcome.internal: outcome.result.name for outcome in reversed(outcomes) if outcome.internal}
    for lines, name in internal.items():
        _complain(f"an error in gradcheck itself, at {name}; please report it with these lines\n{lines.rstrip()}")
    return status


def exit_status(outcomes: Sequence[Outcome]) -> int:
    """Return what the verdicts mean for whoever started the command."""
    verdicts = {outcome.result.verdict for outcome in outcomes}
    if any(outcome.internal for outcome in outcomes):
        return 3
    if verdicts & set(FAILING):
        return 1
    return 0 if verdicts - {"skipped"} else 2


def _write(
    results: Sequence[ComponentResult],
    outcomes: Sequence[Outcome],
    arguments: Arguments,
    places: Sequence[Place],
    status: int,
) -> list[str]:
    """Write what was asked for, each file beside its place and then moved there; return lines that say so."""
    from gradcheck.report import document, junit, store

    seconds = {outcome.result.name: outcome.seconds for outcome in outcomes}
    settings = arguments.settings
    if arguments.json:
        files = tuple(place.shown for place in places)
        found = document.Document(
            tuple(arguments.targets), files, settings.seed, settings.dtypes, status, tuple(results), seconds
        )
        store.replace(Path(arguments.json), found.to_json().encode("utf-8", "backslashreplace"))
    if arguments.junit_xml:
        store.replace(Path(arguments.junit_xml), junit.junit_xml(results, seconds))
    return write_report(results, arguments.report) if arguments.report else []


def write_report(results: Sequence[ComponentResult], folder: str) -> list[str]:
    """Write the report, or only its data where jinja2 or matplotlib are missing; return lines to print."""
    from gradcheck.report import store

    if can_paint():
        return paint(folder, results)
    for result in results:
        store.save(result, folder)
    return [INSTALL]


def paint(folder: str, results: Sequence[ComponentResult] = ()) -> list[str]:
    """Paint the report in `folder`, with `results` put in; return lines to print."""
    if not can_paint():
        return [INSTALL]
    from gradcheck.report import html

    return [*html.render(folder, results), f"report: {os.path.join(folder, 'index.html')}"]


def can_paint() -> bool:
    """Whether the extra `report` is installed."""
    from importlib.util import find_spec

    return all(find_spec(name) is not None for name in ("jinja2", "matplotlib"))


def _render(folder: str) -> int:
    if not can_paint():
        raise UsageError(INSTALL)
    if not (Path(folder) / "data").is_dir():
        raise UsageError(f"there is no report in {folder!r}: expected {os.path.join(folder, 'data')} with JSON files")
    for line in paint(folder):
        print(line)
    return 0
