"""`python -m gradcheck TARGET…`: check derivatives, say what is wrong, write a report.

`gradcheck.command.status` says what the exit status means.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from gradcheck import __version__
from gradcheck.command import discover
from gradcheck.command.arguments import Arguments, parse
from gradcheck.command.discover import Place
from gradcheck.command.run import Found, Outcome, Run
from gradcheck.command.seen import FORMS
from gradcheck.command.status import exit_status, fails
from gradcheck.errors import UsageError, shown
from gradcheck.report import writing
from gradcheck.report.printer import Line, Printer
from gradcheck.report.terminal import lines_of, summary
from gradcheck.report.words import clean, one_line
from gradcheck.results import ComponentResult


def console() -> None:
    """Entry point of the `gradcheck` script and of `python -m gradcheck`."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started the command
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 -- as long as the process
    try:
        os.getcwd()
    except FileNotFoundError:
        sys.exit("gradcheck: the current folder does not exist any more: change into one that does")
    status = main()
    sys.stdout.flush()
    sys.exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line (default `sys.argv`) and return the exit status."""
    try:
        return _main(parse(sys.argv[1:] if argv is None else argv))
    except UsageError as error:
        _complain(_short(one_line(str(error))))
        return 2
    except OSError as error:
        _complain(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
        return 2
    except KeyboardInterrupt:
        _complain("interrupted")
        return 130
    except Exception:
        _complain(f"an error in gradcheck itself; please report it with these lines\n{traceback.format_exc().rstrip()}")
        return 3


def _complain(message: str) -> None:
    print(f"gradcheck: {clean(message)}", file=sys.stderr)


def _short(text: str, longest: int = 1000) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


def _main(arguments: Arguments) -> int:
    if arguments.show:
        print(arguments.show)
        return 0
    if arguments.render:
        print("\n".join(writing.repaint(arguments.render)))
        return 0
    printer = Printer(quiet=arguments.quiet)
    try:
        if arguments.each:
            return _each(arguments, printer)
        places = [discover.resolve(target) for target in arguments.targets]
        if not places:
            raise UsageError(
                "expected something to check, such as beras.layers.Dense, layers.py or a folder with beras in it"
            )
        discover.refuse_namesakes(places)
        with Run(places, arguments.settings, os.getcwd()) as run:
            printer.line(_first_line(places, arguments))
            found = [_left_out(one, arguments.exclude) for one in run.find(arguments.wants)]
            return _list(found, printer) if arguments.list else _check(run, found, arguments, printer)
    finally:
        printer.done()


def _left_out(one: Found, names: Sequence[str]) -> Found:
    """Leave a component out that is excluded by its name (`*` stands for anything)."""
    pattern = next((pattern for pattern in names if fnmatchcase(one.name, pattern)), None)
    return one if pattern is None else replace(one, verdict="skipped", reason=f"left out (--exclude {pattern})")


def _each(arguments: Arguments, printer: Printer) -> int:
    from gradcheck.command.each import check_each

    if arguments.list:
        raise UsageError("--list and --each do not go together: list one folder at a time")
    outcomes, notes = check_each(arguments, printer)
    printer.lines([(note, "quiet")] for note in notes)
    return _finish(outcomes, arguments, tuple(arguments.each))


def _first_line(places: Sequence[Place], arguments: Arguments) -> Line:
    """Name the version and the files, so that a verdict about the wrong copy cannot go unnoticed."""
    files = ", ".join(dict.fromkeys(place.shown for place in places))
    return [(f"gradcheck {__version__}", "name"), (f" checks {one_line(files)} (seed {arguments.settings.seed})", "")]


def _list(found: Sequence[Found], printer: Printer) -> int:
    for one in found:
        where: Line = [(one.name, "name"), (f"  {shown(one.module.file)}", "quiet")]
        printer.line([*where, (f"  {one.verdict}: {one.reason}", "skipped")] if one.verdict is not None else where)
    if not found:
        raise _nothing(found)
    return 0


def _nothing(found: Sequence[Found]) -> UsageError:
    why = "; ".join(f"{one.name}: {one.reason}" for one in found if one.reason)
    hint = why or f"expected {FORMS} (see --list and -k)"
    return UsageError(f"there is nothing to check: {hint}")


def _check(run: Run, found: list[Found], arguments: Arguments, printer: Printer) -> int:
    if all(one.verdict in ("not understood", "skipped") for one in found):
        raise _nothing(found)
    start = time.perf_counter()
    if arguments.report:
        writing.preload()
    outcomes: list[Outcome] = []
    for outcome in run.check(found, printer.progress):
        outcomes.append(outcome)
        failed = fails(outcome.result, arguments.strict)
        if not arguments.quiet or failed:
            printer.lines(lines_of(outcome.result, arguments.verbose))
        if arguments.exit_first and failed:
            break
    results = [outcome.result for outcome in outcomes]
    printer.progress("writing the report")
    notes = _report(results, run.places, arguments) if arguments.report else []
    printer.done()
    printer.lines(summary(results, time.perf_counter() - start, notes, arguments.verbose))
    if arguments.apply:
        printer.lines([(line, "")] for line in _apply(results))
    return _finish(outcomes, arguments, tuple(place.shown for place in run.places))


def _apply(results: Sequence[ComponentResult]) -> list[str]:
    """Write the repairs into their files; say what was done."""
    from gradcheck.repair.apply import apply

    found = [claim.repair for result in results for claim in result.claims if claim.repair is not None]
    return apply(found) or ["nothing applied: no repair was found"]


def _report(results: Sequence[ComponentResult], places: Sequence[Place], arguments: Arguments) -> list[str]:
    """Write the report; after a whole module or package was checked, without what is not there any more."""
    if arguments.keyword is None and not arguments.exit_first:
        whole = [place.module for place in places if not place.attribute]
        writing.forget(arguments.report, whole, [result.name for result in results])
    return writing.write_report(results, arguments.report)


def _write(target: str, content: bytes) -> None:
    """Move a file into its place; what is no file of its own (a device, a pipe, a link) is written to as it is."""
    from gradcheck.report import store

    path = Path(target).resolve()
    if path.exists() and not path.is_file():
        path.write_bytes(content)
    else:
        store.replace(path, content)


def _finish(outcomes: Sequence[Outcome], arguments: Arguments, files: tuple[str, ...]) -> int:
    """Write the JSON and the XML that were asked for, each beside its place and then moved there."""
    from gradcheck.report import document, junit

    results = tuple(outcome.result for outcome in outcomes)
    status = exit_status(results, internal=any(one.internal for one in outcomes), strict=arguments.strict)
    seconds = {outcome.result.name: outcome.seconds for outcome in outcomes}
    if arguments.json:
        settings = arguments.settings
        found = document.Document(arguments.targets, files, settings.seed, settings.dtypes, status, results, seconds)
        _write(arguments.json, found.to_json().encode("utf-8", "backslashreplace"))
    if arguments.junit_xml:
        _write(arguments.junit_xml, junit.junit_xml(results, seconds))
    # One mistake of gradcheck's often shows at several components: its traceback is printed once.
    internal = {outcome.internal: outcome.result.name for outcome in reversed(outcomes) if outcome.internal}
    for lines, name in internal.items():
        _complain(f"an error in gradcheck itself, at {name}; please report it with these lines\n{lines.rstrip()}")
    return status
