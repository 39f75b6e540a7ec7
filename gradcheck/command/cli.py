"""`python -m gradcheck TARGET…`: check derivatives, say what is wrong, write a report.

`gradcheck.command.status` says what the exit status means.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Sequence

from gradcheck import __version__
from gradcheck.command import baseline, discover
from gradcheck.command.arguments import Arguments, parse
from gradcheck.command.baseline import Baseline
from gradcheck.command.changed import Changed
from gradcheck.command.cluster import Cluster
from gradcheck.command.discover import Place
from gradcheck.command.interrupt import Stop, listening
from gradcheck.command.outcome import Outcome
from gradcheck.command.run import Found, Run
from gradcheck.command.screen import Screen
from gradcheck.command.seen import forms
from gradcheck.command.status import exit_status, unread
from gradcheck.command.written import write, write_documents, write_report
from gradcheck.errors import UsageError, shown
from gradcheck.report import branches, writing
from gradcheck.report.annotations import github
from gradcheck.report.findings import Finding, findings, root_of_the_repository
from gradcheck.report.printer import Line, Printer
from gradcheck.report.terminal import lines_of, summary
from gradcheck.report.words import clean, count, one_line
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
        words = sys.argv[1:] if argv is None else argv
        if words[:1] == ["fuzz"]:
            from gradcheck.command import fuzz

            return fuzz.main(words[1:])
        return _main(parse(words))
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
        print("\n".join(writing.repaint(arguments.render, arguments.date)))
        return 0
    screen = Screen(Printer(), quiet=arguments.quiet)
    try:
        if arguments.each:
            return _each(arguments, screen)
        places = [discover.resolve(target) for target in arguments.targets]
        if not places:
            raise UsageError(
                "expected something to check, such as beras.layers.Dense, layers.py or a folder with beras in it"
            )
        discover.refuse_namesakes(places)
        known = baseline.read(arguments.baseline, arguments.write_baseline) if arguments.baseline else Baseline()
        changed = Changed(arguments.changed, arguments.configuration) if arguments.changed else None
        with Run(places, arguments.settings, os.getcwd()) as run:
            screen.line(_first_line(places, arguments))
            concerned = changed.touches if changed else lambda module: True
            found = run.find(arguments.wants, arguments.exclude, screen.progress, concerned)
            if not found and not changed:
                raise UsageError(f"there is nothing to check (see --list and -k): expected {forms()}")
            return _list(found, screen) if arguments.list else _check(run, found, known, arguments, screen)
    finally:
        screen.done()


def _each(arguments: Arguments, screen: Screen) -> int:
    from gradcheck.command import each

    stop = Stop()
    with listening(stop):
        graded = each.check_each(arguments, screen, stop, _cluster(arguments))
        interrupted = stop.signal
        outcomes = [outcome for one in graded for outcome in one.under_its_name]
        nothing_read = [f"{one.who}: {target}" for one in graded for target in one.unread]
        status = _status(outcomes, arguments, nothing_read, interrupted)
        told = findings([outcome.result for outcome in outcomes], arguments.strict)
        write_documents(outcomes, arguments, arguments.each, status, told)
        screen.progress("writing the report")
        notes = each.write_table(graded, arguments)
    screen.lines([(note, "quiet")] for note in notes)
    _annotate(told, arguments, screen)
    if interrupted:
        _complain(f"interrupted: {len(graded)} of {len(arguments.each)} folders were checked")
    _explain(outcomes, nothing_read)
    return status


def _cluster(arguments: Arguments) -> Cluster | None:
    """Who else does the work, if anybody."""
    return Cluster(arguments.scheduler) if arguments.scheduler else None


def _first_line(places: Sequence[Place], arguments: Arguments) -> Line:
    """Name the version and the files, so that a verdict about the wrong copy cannot go unnoticed."""
    files = ", ".join(dict.fromkeys(place.shown for place in places))
    more = f"; options of {arguments.configuration}" if arguments.configuration else ""
    how = f"seed {arguments.settings.seed}{more}"
    return [(f"gradcheck {__version__}", "name"), (f" checks {one_line(files)} ({one_line(how)})", "")]


def _list(found: Sequence[Found], screen: Screen) -> int:
    for one in found:
        where: Line = [(one.name, "name"), (f"  {shown(one.module.file)}", "quiet")]
        screen.line([*where, (f"  {one.verdict}: {one.reason}", "skipped")] if one.verdict is not None else where)
    return 0


def _check(run: Run, found: list[Found], known: Baseline, arguments: Arguments, screen: Screen) -> int:
    start = time.perf_counter()
    outcomes: list[Outcome] = []
    stop = Stop()

    def progress(text: str) -> None:
        screen.progress(f"{len(outcomes)} of {len(found)} checked, {text}")

    with listening(stop), writing.Ahead(arguments.report) as ahead:
        for outcome in run.check(found, progress, stop, _cluster(arguments)):
            outcomes.append(outcome)
            ahead.add(outcome.result)
            failed = any(one.fails for one in known.applied(findings([outcome.result], arguments.strict)))
            if not arguments.quiet or failed:
                screen.lines(lines_of(outcome.result, arguments.verbose))
            if arguments.exit_first and failed:
                break
        # Of what a diff does not touch, nothing was looked at.
        interrupted, nothing_read = stop.signal, [] if arguments.changed else unread(found)
        results = [outcome.result for outcome in outcomes]
        everything = findings(results, arguments.strict)
        if arguments.write_baseline:
            known = known.renewed([result.name for result in results], everything)
            write(arguments.baseline, known.to_json().encode("utf-8", "backslashreplace"))
        told = known.applied(everything)
        failing = {one.component for one in told if one.fails}
        judged = [outcome for outcome in outcomes if outcome.result.name in failing or outcome.internal]
        short = branches.shortfall(results, arguments.fail_under_branches)
        status = _status(judged, arguments, nothing_read, interrupted, bool(short))
        write_documents(outcomes, arguments, tuple(place.shown for place in run.places), status, told)
        screen.progress("writing the report")
        is_part = interrupted or any((arguments.exit_first, arguments.keyword, arguments.exclude, arguments.changed))
        notes = write_report(outcomes, arguments, [] if is_part else run.places, ahead)
    _annotate(told, arguments, screen)
    if arguments.changed and not outcomes:
        notes = [
            *notes,
            f"no module of the targets, nor what it imports, has changed since {one_line(arguments.changed)}",
        ]
    kept = [outcome.result.name for outcome in outcomes if outcome.kept]
    if kept:
        notes = [f"{count(len(kept), 'verdict')} found before: no source, option or version has changed since", *notes]
    notes = [*_hints(results), *known.notes([result.name for result in results], everything), *notes]
    notes = [*notes, short] if short else notes
    screen.lines(summary(results, time.perf_counter() - start, notes, arguments.verbose))
    if arguments.apply:
        screen.lines([(line, "")] for line in _apply(results))
    if interrupted:
        _complain(f"interrupted: {len(outcomes)} of {len(found)} were checked")
    _explain(outcomes, nothing_read)
    return status


def _apply(results: Sequence[ComponentResult]) -> list[str]:
    """Write the repairs into their files; say what was done."""
    from gradcheck.repair.apply import apply

    found = [claim.repair for result in results for claim in result.claims if claim.repair is not None]
    return apply(found) or ["nothing applied: no repair was found"]


def _annotate(told: Sequence[Finding], arguments: Arguments, screen: Screen) -> None:
    if arguments.annotate:
        screen.lines([(line, "")] for line in github(told, root_of_the_repository()))


def _status(
    outcomes: Sequence[Outcome],
    arguments: Arguments,
    nothing_read: Sequence[str],
    interrupted: int,
    short: bool = False,
) -> int:
    return exit_status(
        [outcome.result for outcome in outcomes],
        internal=any(outcome.internal for outcome in outcomes),
        strict=arguments.strict,
        unread=bool(nothing_read),
        short=short,
        interrupted=interrupted,
    )


def _explain(outcomes: Sequence[Outcome], nothing_read: Sequence[str]) -> None:
    """Say what went wrong with gradcheck itself (once, if it shows at several components), and what it understands."""
    internal = {outcome.internal: outcome.result.name for outcome in reversed(outcomes) if outcome.internal}
    for lines, name in internal.items():
        _complain(f"an error in gradcheck itself, at {name}; please report it with these lines\n{lines.rstrip()}")
    if nothing_read:
        _complain(f"{', '.join(nothing_read)}: seen and not understood; expected {forms()}")


def _hints(results: Sequence[ComponentResult]) -> list[str]:
    """Return what to do about what was not judged."""
    lines = []
    if any(result.verdict == "could not be asked" for result in results):
        lines.append(
            'What could not be asked fails: leave it out by --exclude NAME or gradcheck_skip = "why" in its class.'
        )
    if any(result.verdict == "not understood" for result in results):
        lines.append("What is not understood was not checked: gradcheck.check(f, x, jac=df) asks for any function.")
    return lines
