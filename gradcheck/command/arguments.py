"""The command line as a dataclass, every value checked, every mistake one line that says what to do."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import indent
from typing import NoReturn

from gradcheck import __version__
from gradcheck.command.keyword import Keyword
from gradcheck.command.run import Settings
from gradcheck.command.status import STATUS
from gradcheck.errors import UsageError

DTYPES = ("float64", "float32", "float16")
LARGEST_SEED = 2**63 - 1
BUDGET = "the largest Jacobian compared entry by entry (default 1e7 entries)"
USAGE = """python -m gradcheck [OPTION...] [TARGET...]
       python -m gradcheck --each FOLDER... TARGET"""
TARGET = "class, function, module, package, file, folder (default: beras, if here)"
EXAMPLES = "beras.layers.Dense   beras/layers.py::Dense   homework/   'week 3/1_layers.py'"


@dataclass(frozen=True)
class Arguments:
    """What the user asked for. `show` is a text to print instead (help, version)."""

    targets: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    keyword: Keyword | None = None
    list: bool = False
    exit_first: bool = False
    strict: bool = False
    exclude: tuple[str, ...] = ()
    quiet: bool = False
    verbose: bool = False
    json: str = ""
    junit_xml: str = ""
    report: str = "reports"
    render: str = ""
    each: tuple[str, ...] = ()
    show: str = ""

    def wants(self, name: str) -> bool:
        """Whether `-k` selects a component."""
        return self.keyword is None or self.keyword.matches(name)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (python -m gradcheck --help)")


def parser() -> argparse.ArgumentParser:
    """Return the parser, whose help is the documentation of the command."""
    made = _Parser(
        usage=USAGE,
        add_help=False,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Check hand-written derivatives: are they right, and if not, what is wrong with them?",
        epilog=f"examples of targets:\n  {EXAMPLES}\n\nexit status:\n{indent(STATUS, '  ')}\n\n"
        "The checked code is run, in processes that can be stopped. They are no sandbox.",
    )
    add = made.add_argument_group("what is checked").add_argument
    add("targets", nargs="*", metavar="TARGET", help=TARGET)
    add("-k", dest="keyword", metavar="EXPR", help="only what matches, such as 'dense and not loss'")
    add("--exclude", action="append", metavar="NAME", help="not this, nor what is in it (beras.model); repeatable")
    add("--each", action="store_true", help="FOLDER... TARGET: the same target in many folders, one table")
    add("--list", action="store_true", help="say what would be checked, and check nothing")
    add = made.add_argument_group("how it is checked").add_argument
    add("--init", action="append", metavar="NAME=VALUE", help="an argument for constructors; repeatable")
    add("--dtype", action="append", metavar="NAME", help=f"{', '.join(DTYPES)}; repeatable (default float64,float32)")
    add("--seed", type=_seed, default=0, metavar="N", help="every point follows from it (default 0)")
    add("--budget", type=_budget, default=10_000_000, metavar="N", help=BUDGET)
    add("--time-limit", type=_seconds, default=60.0, metavar="SECONDS", help="for each component (default 60)")
    add("--jobs", type=_jobs, default=0, metavar="N", help="processes at a time (default: as many as processors)")
    add("-x", "--exitfirst", action="store_true", help="stop at the first component that fails")
    add("--strict", action="store_true", help="let notes, conventions, waivers and what is not understood fail, too")
    add = made.add_argument_group("what is told").add_argument
    add("-q", "--quiet", action="store_true", help="print what fails, and the summary")
    add("-v", "--verbose", action="store_true", help="print every claim, every contract check, and tests to paste")
    add("--report", type=folder, metavar="DIR", help="folder of the HTML report (default reports)")
    add("--no-report", action="store_true", help="write no report")
    add("--json", type=_file, metavar="FILE", help="write everything that was found as JSON")
    add("--junit-xml", type=_file, metavar="FILE", help="write JUnit XML for a CI server")
    add("--render", type=folder, metavar="DIR", help="paint a report again from its data, and check nothing")
    add("--version", action="store_true", help="print the version")
    add("-h", "--help", action="store_true", help="print this help")
    return made


def parse(argv: Sequence[str]) -> Arguments:
    """Return the arguments (`UsageError`, in one line, for anything that cannot be carried out)."""
    made = parser()
    given = made.parse_intermixed_args(list(argv))
    if given.help:
        return Arguments(show=made.format_help().rstrip())
    if given.version:
        return Arguments(show=f"gradcheck {__version__}")
    if given.report and given.no_report:
        raise UsageError("--report and --no-report contradict each other: give one of them")
    if given.render and (given.targets or given.each):
        raise UsageError("--render paints a report that is there and checks nothing: give no target with it")
    if given.quiet and given.verbose:
        raise UsageError("-q and -v contradict each other: give one of them")
    if given.json and given.junit_xml and os.path.realpath(given.json) == os.path.realpath(given.junit_xml):
        raise UsageError(f"--json and --junit-xml name the same file {given.json!r}: give each its own")
    targets, each = _targets(tuple(given.targets), given.each)
    jobs = given.jobs or os.cpu_count() or 1
    return Arguments(
        targets=() if given.render else targets,
        settings=Settings(given.seed, _dtypes(given.dtype), given.budget, _init(given.init), jobs, given.time_limit),
        keyword=None if given.keyword is None else Keyword(given.keyword),
        list=given.list,
        exit_first=given.exitfirst,
        strict=given.strict,
        exclude=tuple(given.exclude or ()),
        quiet=given.quiet,
        verbose=given.verbose,
        json=given.json or "",
        junit_xml=given.junit_xml or "",
        report="" if given.no_report or given.list else given.report or "reports",
        render=given.render or "",
        each=each,
    )


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
    values: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"expected --init NAME=VALUE, such as --init input_size=4, but got {text!r}")
        values[name] = value
    return values


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = float(text)
    if not number.is_integer():
        raise ValueError(text)
    return int(number)


def _seed(text: str) -> int:
    return _between(text, 0, LARGEST_SEED, "a whole number from 0 up")


def _budget(text: str) -> int:
    return _between(text, 1, 10**15, "a number of entries from 1 up")


def _jobs(text: str) -> int:
    return _between(text, 1, 1024, "a number of processes from 1 to 1024")


def _between(text: str, least: int, most: int, expected: str) -> int:
    try:
        value = _whole(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"expected {expected}, but got {text[:40]!r}") from None
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"expected {expected}, but got {text[:40]}")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1e6:
        raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, but got {text[:40]!r}")
    return value


def _file(text: str) -> str:
    """A file that can be written: found out before anything is checked rather than after it."""
    _can_name_a_file(text)
    parent = os.path.dirname(text) or "."
    if not text or os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"expected a file to write, but {text!r} is a folder")
    if not os.path.isdir(parent):
        raise argparse.ArgumentTypeError(f"there is no folder {parent!r} to write {text!r} in")
    return text


def folder(text: str) -> str:
    """A folder that can be written to, or made."""
    _can_name_a_file(text)
    if not text or os.path.isfile(text):
        raise argparse.ArgumentTypeError(f"expected a folder, but got {text!r}")
    there = os.path.abspath(text)
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there) or not os.access(there, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written: {there!r} is no folder that can be written to")
    return text


def _can_name_a_file(text: str) -> None:
    try:
        os.lstat(text)
    except (FileNotFoundError, NotADirectoryError):
        pass  # it may be made, or is refused in other words
    except (OSError, ValueError) as error:  # too long, or with a NUL character
        why = error.strerror if isinstance(error, OSError) else error
        raise argparse.ArgumentTypeError(f"{text[:40]!r} cannot name a file: {why}") from None
