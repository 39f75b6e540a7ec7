"""What does each rule of the numerical Jacobian buy? Every one is switched off in turn, and what breaks is counted.

    python benchmarks/ablation.py [--functions 1000] [--jobs 1] [--only "the certificate"] [--output FILE]

For each rule: the tests of `tests/gradcheck/test_numerical_*.py` that fail without it, and over functions of both
generators (`generator.py`, `generator2.py`; both without long double, where the rules are alone), the entries that are
outside their bound, and those that are unresolved, each less what there is with all rules. `docs/theory/rules.md` says
what every rule catches. One without which nothing fails, and no bound is broken, is one that can go.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import generator2
import numpy as np
import pytest
import soundness

from gradcheck.numerical.evaluation.evaluate import Evaluator

ROOT = Path(__file__).resolve().parent.parent
# gradcheck is imported before pytest would like to.
QUIET = "-W", "ignore::pytest.PytestAssertRewriteWarning"
TESTS = sorted(map(str, (ROOT / "tests" / "gradcheck").glob("test_numerical_*.py")))


@dataclass(frozen=True)
class Rule:
    """What stands for it below `gradcheck.numerical`, and what that becomes where the rule is off."""

    module: str
    name: str
    off: Callable[[Any], Any]

    def switch_off(self) -> None:
        """Take it out, for the rest of this process."""
        owner: Any = importlib.import_module(f"gradcheck.numerical.{self.module}")
        setattr(owner, self.name, self.off(getattr(owner, self.name)))


def silent(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with nothing in its answer: no doubt, nothing to widen by, no."""
    return lambda *args, **kwargs: _nothing(function(*args, **kwargs))


def _nothing(answer: Any) -> Any:
    if isinstance(answer, tuple):
        return tuple(map(_nothing, answer))
    if is_dataclass(answer):
        return type(answer)(*(_nothing(getattr(answer, field.name)) for field in fields(answer)))  # type: ignore[call-arg]
    return np.zeros_like(answer) if isinstance(answer, np.ndarray) else type(answer)()


def to(value: Any) -> Callable[[Any], Any]:
    """A constant with another value."""
    return lambda _: value


RULES = {
    "one long step": Rule("ladders.one_step", "noise", to(lambda *_: None)),
    "the next even order": Rule("ladders.short", "NEXT", to(0.0)),
    "longer steps for small x": Rule("jacobian", "_poor", lambda poor: partial(_never_rounded, poor)),
    "beginning to move": Rule("jacobian", "_begins_to_move", silent),
    "borrowed noise": Rule("evaluation.noise", "borrowed", silent),
    "a kink is no noise": Rule("evaluation.noise", "_shrinks_as_a_kink", silent),
    "the certificate": Rule("evaluation.certificate", "missed", silent),
    "a wrong structure": Rule("evaluation.certificate", "touched_by_others", silent),
    "what stays contradicted": Rule("evaluation.certificate", "reach", silent),
    "finer steps agree on another value": Rule("rules.doubts", "finer_candidate", silent),
    "finer steps are further off than noise": Rule("rules.doubts", "finer_steps", silent),
    "coarser steps agree on another value": Rule("rules.doubts", "coarser_candidate", silent),
    "coarser steps leave a line": Rule("rules.doubts", "coarser_steps", silent),
    "quotients in unison": Rule("rules.doubts", "unison", silent),
    "stairs of rounding": Rule("rules.staircases", "is_rounding", silent),
    "stairs that may be meant": Rule("rules.staircases", "is_staircase", silent),
    "powers and logarithms": Rule("rules.power_laws", "follow", silent),
    "two sides": Rule("rules.kinks", "bent", silent),
    "jumps": Rule("rules.kinks", "jumps", silent),
    "one side that is surer": Rule("ladders.whole", "_take_if_surer", lambda _: lambda *args: None),
    "the last bits": Rule("rules.floors", "last_bits", silent),
    "another entry's stair": Rule("rules.floors", "lent", silent),
    "a row's largest entry": Rule("rules.floors", "hidden", silent),
}


def _never_rounded(poor: Callable[..., Any], around: Any, structure: Any, found: Any, *where: Any) -> Any:
    """What is not resolved well enough; asked only about what is rounded, nothing."""
    answer = poor(around, structure, found, *where)
    return np.zeros_like(answer) if where else answer


@dataclass(frozen=True)
class Outcome:
    """What happens with all rules (`rule` ""), or without one."""

    rule: str
    failing: tuple[str, ...]
    entries: int
    outside: int
    unresolved: int


class _Failing:
    """A plugin of pytest's that remembers which tests fail."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Remember a test that fails."""
        if report.failed:
            self.names.append(report.nodeid.removeprefix("tests/gradcheck/"))


def run(rule: str, functions: int) -> Outcome:
    """Count what happens without a rule, in this process."""
    if rule:
        RULES[rule].switch_off()
    failing = _Failing()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["-q", "-p", "no:cacheprovider", *QUIET, *TESTS], plugins=[failing])
    Evaluator.in_long_double = lambda self: None  # type: ignore[method-assign]
    counts = np.zeros(3, dtype=int)
    for number in range(functions):
        for found in (soundness.run(("generator", 0, number)), generator2.run((0, number, True))):
            if found is not None:
                counts += [found.error.size, int(found.wrong.sum()), int((~found.resolved).sum())]
    return Outcome(rule, tuple(dict.fromkeys(failing.names)), *map(int, counts))


def main() -> None:
    """Run, print a row for each rule, write them all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--functions", type=int, default=1000, help="of each generator")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", choices=RULES, action="append")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    found: list[Outcome] = []
    # A process for each: what is switched off stays so.
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for one in pool.map(partial(run, functions=options.functions), ["", *(options.only or RULES)]):
            found.append(one)
            print(_said(one, found[0]), flush=True)
    if options.output:
        options.output.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n", encoding="utf-8")


def _said(one: Outcome, usual: Outcome) -> str:
    """A line for what a rule buys, and the first tests that fail without it."""
    if not one.rule:
        counted = f"{one.outside} of {one.entries} entries outside, {one.unresolved} unresolved"
        return f"with all rules: {counted}; {len(one.failing)} tests fail"
    outside, unresolved = one.outside - usual.outside, one.unresolved - usual.unresolved
    line = f"{one.rule:40s} {len(one.failing):3d} tests fail, {outside:+5d} outside, {unresolved:+6d} unresolved"
    return "\n    ".join([line, *one.failing[:3]])


if __name__ == "__main__":
    main()
