"""The command line as a dataclass, every value checked, every mistake one line that says what to do."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from textwrap import indent
from typing import Any, NoReturn

from gradcheck import __version__
from gradcheck.command import configuration, values
from gradcheck.command.keyword import Keyword
from gradcheck.command.run import Settings
from gradcheck.command.status import STATUS
from gradcheck.errors import UsageError
from gradcheck.hints import HINTS, Hints
from gradcheck.report.marks import Marking, marking

DTYPES = ("float64", "float32", "float16")
WANTED = "none, where, cause or repair (default repair; of packages, cause)"
BRANCHES = "fail where fewer than N percent of decisions' outcomes were seen"
BUDGET = "the largest Jacobian compared entry by entry (default 1e7 entries)"
ANNOTATE = "github: failures as its annotations (default in its CI); or none"
USAGE = """python -m gradcheck [OPTION...] [TARGET...]
       python -m gradcheck --each FOLDER... TARGET
       python -m gradcheck fuzz TARGET... [--minutes N]"""
TARGET = "class, function, module, package, file, folder (default: beras)"
EXAMPLES = "beras.layers.Dense   beras/layers.py::Dense   homework/   'week 3/1_layers.py'"


@dataclass(frozen=True)
class Arguments:
    """What the user asked for, typed or in the file `configuration`. `show`: a text to print instead (help, …)."""

    targets: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    keyword: Keyword | None = None
    list: bool = False
    exit_first: bool = False
    strict: bool = False
    fail_under_branches: float = 0.0
    exclude: tuple[str, ...] = ()
    quiet: bool = False
    verbose: bool = False
    json: str = ""
    junit_xml: str = ""
    sarif: str = ""
    annotate: bool = False
    gradescope: str = ""
    baseline: str = ""
    write_baseline: bool = False
    changed: str = ""
    marking: Marking = field(default_factory=Marking)
    configuration: str = ""
    report: str = "reports"
    render: str = ""
    date: str = ""
    distrust: bool = False
    each: tuple[str, ...] = ()
    apply: bool = False
    scheduler: str = ""
    show: str = ""

    def wants(self, name: str) -> bool:
        """Whether `-k` selects a component."""
        return self.keyword is None or self.keyword.matches(name)


class Parser(argparse.ArgumentParser):
    """Refuses in one line what cannot be carried out."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (python -m gradcheck --help)")


def parser() -> argparse.ArgumentParser:
    """Return the parser, whose help is the documentation of the command."""
    made = Parser(
        usage=USAGE,
        add_help=False,
        allow_abbrev=False,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, max_help_position=27),
        description="Check hand-written derivatives: are they right, and if not, what is wrong with them?",
        epilog=f"examples of targets:\n  {EXAMPLES}\n\nexit status:\n{indent(STATUS, '  ')}\n\n"
        "The checked code is run, in processes that can be stopped; with --each, in bwrap where that works.",
    )
    add = made.add_argument_group("what is checked").add_argument
    add("targets", nargs="*", metavar="TARGET", help=TARGET)
    add("-k", dest="keyword", metavar="EXPR", help="only what matches, such as 'dense and not loss'")
    add("--exclude", action="append", metavar="NAME", help="not this, nor what is in it (beras.model); repeatable")
    add("--each", action="store_true", help="FOLDER... TARGET: the same target in many folders, one table")
    add("--changed", metavar="BASE", help="only what has changed since git's BASE, or imports what has")
    add("--list", action="store_true", help="say what would be checked, and check nothing")
    add("--config", metavar="FILE", help="TOML with [tool.gradcheck] (default pyproject.toml, if here)")
    add = made.add_argument_group("how it is checked").add_argument
    add("--init", action="append", metavar="NAME=VALUE", help="an argument for constructors; repeatable")
    add("--dtype", action="append", metavar="NAME", help=f"{', '.join(DTYPES)}; repeatable (default float64,float32)")
    add("--seed", type=values.seed, metavar="N", help="every point follows from it (default 0)")
    add("--budget", type=values.budget, metavar="N", help=BUDGET)
    add("--time-limit", type=values.seconds, metavar="SECONDS", help="for each component (default 60)")
    add("--jobs", type=values.jobs, metavar="N", help="processes at a time (default: as many as processors)")
    add("--scheduler", metavar="ADDRESS", help="hand the work to a Dask cluster (tcp://10.0.0.1:8786)")
    add("--cache", action="store_true", help="do not ask again what was judged before if nothing has changed since")
    add("-x", "--exitfirst", action="store_true", help="stop at the first component that fails")
    add("--baseline", type=values.file, metavar="FILE", help="let only what is not known from this file fail")
    add("--write-baseline", action="store_true", help="write what fails now into the baseline")
    add("--strict", action="store_true", help="let notes, conventions, waivers and what is not understood fail, too")
    add("--fail-under-branches", type=values.percent, metavar="N", help=BRANCHES)
    add(
        "--distrust",
        action="store_true",
        help="with --each: ignore what the code says of itself (gradcheck_example, …)",
    )
    add = made.add_argument_group("what is told").add_argument
    add("-q", "--quiet", action="store_true", help="print what fails, and the summary")
    add("-v", "--verbose", action="store_true", help="print every claim, every contract check, and tests to paste")
    add("--hints", choices=HINTS, metavar="LEVEL", help=WANTED)
    add("--apply", action="store_true", help="write repairs that pass a whole check into the files")
    add("--report", type=values.folder, metavar="DIR", help="folder of the HTML report (default reports)")
    add("--no-report", action="store_true", help="write no report")
    add("--json", type=values.file, metavar="FILE", help="write everything that was found as JSON")
    add("--junit-xml", type=values.file, metavar="FILE", help="write JUnit XML for a CI server")
    add("--sarif", type=values.file, metavar="FILE", help="write SARIF 2.1.0 for code scanning and editors")
    add("--annotate", choices=("github", "none"), metavar="ON", help=ANNOTATE)
    add("--expect", action="append", metavar="NAME", help="with --each: give marks, and 0 where this is missing")
    add("--gradescope", type=values.file, metavar="FILE", help="with --each FOLDER: write Gradescope's results.json")
    add("--date", metavar="TEXT", help="with --each: a date on the pages to hand back")
    add("--render", type=values.folder, metavar="DIR", help="paint a report again from its data, and check nothing")
    add("--version", action="store_true", help="print the version")
    add("-h", "--help", action="store_true", help="print this help")
    return made


def parse(argv: Sequence[str]) -> Arguments:
    """Return the arguments (`UsageError`, in one line, for anything that cannot be carried out)."""
    made = parser()
    typed = _given(made, argv)
    if "help" in typed:
        return Arguments(show=made.format_help().rstrip())
    if "version" in typed:
        return Arguments(show=f"gradcheck {__version__}")
    table = {} if "render" in typed else configuration.read(typed.get("config", ""))
    file = (typed.get("config") or configuration.FILE) if table else ""
    kept, how = _kept(made, table, file, typed)
    given = argparse.Namespace(**{**_nothing(made), **DEFAULTS, **kept, **typed})
    _refuse_contradictions(given, typed)
    targets, each = _targets(tuple(given.targets), given.each)
    _refuse_marks_that_nobody_gets(given, how, each, "expect" in typed)
    jobs = given.jobs or os.cpu_count() or 1
    hints: Hints | None = given.hints or ("repair" if given.apply else "cause" if given.each else None)
    report = "" if given.no_report or given.list else given.report or "reports"
    return Arguments(
        targets=() if given.render else targets,
        settings=Settings(
            seed=given.seed,
            dtypes=_dtypes(given.dtype),
            budget=given.budget,
            init=_init(given.init),
            jobs=jobs,
            time_limit=given.time_limit,
            hints=hints,
            scan=bool(report or given.json),
            cache=bool(given.cache),
        ),
        keyword=None if given.keyword is None else Keyword(given.keyword),
        list=bool(given.list),
        exit_first=bool(given.exitfirst),
        strict=bool(given.strict),
        fail_under_branches=given.fail_under_branches or 0.0,
        exclude=tuple(given.exclude or ()),
        quiet=bool(given.quiet),
        verbose=bool(given.verbose),
        json=given.json or "",
        junit_xml=given.junit_xml or "",
        sarif=given.sarif or "",
        annotate=(given.annotate or os.environ.get("GITHUB_ACTIONS")) in ("github", "true"),
        gradescope=given.gradescope or "",
        baseline=given.baseline or "",
        write_baseline=bool(given.write_baseline),
        changed=given.changed or "",
        marking=how,
        configuration=file,
        report=report,
        render=given.render or "",
        date=given.date or "",
        distrust=bool(given.distrust),
        each=each,
        apply=bool(given.apply),
        scheduler=given.scheduler or "",
    )


DEFAULTS = {"targets": (), "seed": 0, "budget": 10_000_000, "time_limit": 60.0}
EITHER = (("report", "no_report"), ("quiet", "verbose"))
"""Options of which one takes the place of the other."""


def _given(made: argparse.ArgumentParser, words: Sequence[str]) -> dict[str, Any]:
    """Return what was given, and nothing of what was not."""
    found = vars(made.parse_intermixed_args(list(words), argparse.Namespace(**_nothing(made))))
    return {name: value for name, value in found.items() if value not in (None, [])}


def _nothing(made: argparse.ArgumentParser) -> dict[str, Any]:
    return dict.fromkeys(action.dest for action in made._actions)


def _kept(
    made: argparse.ArgumentParser, table: Mapping[str, Any], file: str, typed: Mapping[str, Any]
) -> tuple[dict[str, Any], Marking]:
    """Return the options that a file says and nobody typed, and how marks are given."""
    try:
        kept = _given(made, configuration.as_arguments(table))
        how = marking(table.get("marks", {}), typed.get("expect", kept.get("expect", ())))
    except UsageError as error:
        raise UsageError(f"{file}: [tool.gradcheck]: {error}") from error
    replaced = {other for pair in EITHER if typed.keys() & set(pair) for other in pair}
    replaced |= {"baseline", "cache", "fail_under_branches"} if "each" in typed else set()
    return {name: value for name, value in kept.items() if name not in replaced}, how


def _refuse_contradictions(given: argparse.Namespace, typed: Mapping[str, Any]) -> None:
    if given.report and given.no_report:
        raise UsageError("--report and --no-report contradict each other: give one of them")
    if given.render and (given.targets or given.each):
        raise UsageError("--render paints a report that is there and checks nothing: give no target with it")
    if given.quiet and given.verbose:
        raise UsageError("-q and -v contradict each other: give one of them")
    if given.apply and (given.each or given.list or given.render or given.hints not in (None, "repair")):
        raise UsageError("--apply writes the repairs of one check: give no --each, --list, --render or other --hints")
    if given.write_baseline and not given.baseline:
        raise UsageError("expected --baseline FILE with --write-baseline: the file that it writes")
    for option in ("--list", "--changed", "--cache", "--baseline", "--fail-under-branches"):
        if given.each and getattr(given, option[2:].replace("-", "_")):
            raise UsageError(f"{option} and --each do not go together: they are for one folder at a time")
    if typed.keys() & {"distrust"} and not given.each:  # in a file, it waits for --each
        raise UsageError("--distrust is about what others wrote: expected --each FOLDER... TARGET with it")
    if given.date and not (given.each or given.render):
        raise UsageError("--date stands on the pages to hand back: expected --each FOLDER... TARGET with it")
    files: dict[str, str] = {}
    for option in ("--json", "--junit-xml", "--sarif", "--gradescope", "--baseline"):
        name = getattr(given, option[2:].replace("-", "_"))
        other = files.setdefault(os.path.realpath(name), option) if name else option
        if other != option:
            raise UsageError(f"{other} and {option} name the same file {name!r}: give each its own")


def _refuse_marks_that_nobody_gets(
    given: argparse.Namespace, how: Marking, each: Sequence[str], expected: bool
) -> None:
    if expected and not each:
        raise UsageError("--expect gives marks, which folders have: expected --each FOLDER... TARGET with it")
    if not given.gradescope:
        return
    if len(each) != 1:
        raise UsageError("expected --each FOLDER TARGET with --gradescope: its results.json is of one submission")
    if not how.weights:
        raise UsageError("--gradescope gives marks: say by --expect NAME, or in [tool.gradcheck.marks], for what")
    if given.keyword is not None or given.exitfirst:
        raise UsageError("--gradescope with -k or -x would give 0 for what was not checked: leave them out")


def _targets(targets: tuple[str, ...], each: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split what was given into targets and folders; without a target, take the `beras` that is here."""
    if each:
        if len(targets) < 2:
            raise UsageError("expected --each FOLDER... TARGET, such as --each submissions/*/ beras")
        return targets[-1:], targets[:-1]
    if targets:
        return targets, ()
    if os.path.isdir("beras") or os.path.isfile("beras.py"):
        return ("beras",), ()
    return (), ()


def _dtypes(given: Sequence[str] | None) -> tuple[str, ...]:
    names = [name.strip() for text in given or ["float64,float32"] for name in text.split(",")]
    for name in names:
        if name not in DTYPES:
            raise UsageError(f"expected --dtype {' or '.join(DTYPES)}, but got {name!r}")
    return tuple(dict.fromkeys(names))


def _init(given: Sequence[str] | None) -> dict[str, str]:
    named: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"expected --init NAME=VALUE, such as --init input_size=4, but got {text!r}")
        named[name] = value
    return named
