"""`python -m gradcheck fuzz TARGET… --minutes N`: search on and on for points at which a claim is wrong."""

from __future__ import annotations

import argparse
import importlib.util
import os
from collections.abc import Sequence

from gradcheck.command import discover, values
from gradcheck.command.arguments import Parser
from gradcheck.command.run import Run, Settings
from gradcheck.errors import UsageError
from gradcheck.report.printer import Printer
from gradcheck.report.terminal import lines_of
from gradcheck.report.words import one_line
from gradcheck.results import from_data

SECONDS = 60


def main(words: Sequence[str]) -> int:
    """Search each component of the targets for its share of the time; 1 where something is wrong."""
    made = Parser(prog="python -m gradcheck fuzz", description=__doc__, allow_abbrev=False)
    made.add_argument("targets", nargs="+", metavar="TARGET")
    made.add_argument("--minutes", type=values.minutes, default=1.0, metavar="N", help="for all together (default 1)")
    made.add_argument("--seed", type=values.seed, default=0, metavar="N", help="of what is not drawn (default 0)")
    given: argparse.Namespace = made.parse_args(list(words))
    if importlib.util.find_spec("hypothesis") is None:
        raise UsageError("fuzz searches with Hypothesis: install it by pip install 'beras-gradcheck[fuzz]'")
    places = [discover.resolve(target) for target in given.targets]
    printer, failed = Printer(), False
    with Run(places, Settings(seed=given.seed), os.getcwd()) as run:
        found = [one for one in run.find() if one.verdict is None]
        if not found:
            raise UsageError("there is nothing to check: python -m gradcheck --list TARGET says why")
        for one in found:
            answer = run.fuzz(one, given.minutes * SECONDS / len(found))
            if "result" in answer:
                failed = True
                printer.lines(lines_of(from_data(answer["result"])))
                printer.lines([[(f"  kept in {answer['kept']}: the next check asks it first", "quiet")]])
            else:
                said = f"nothing wrong at {answer['tried']:,} points" if "tried" in answer else answer["unasked"]
                printer.lines([[(one_line(one.name), "name"), (f"  {one_line(said)}", "quiet")]])
    return int(failed)
