"""The last lines: what fails, what reaches farthest first, and how many of each verdict."""

from __future__ import annotations

import dataclasses

from gradcheck.report.counted import counts
from gradcheck.report.terminal import summary
from gradcheck.results import ComponentResult, Unjudged
from gradcheck.verdicts import Reach, Verdict
from tests.gradcheck.test_terminal import component, right, wrong


def lines(results: list[ComponentResult], *notes: str, verbose: bool = False) -> list[str]:
    return ["".join(part for part, _ in line) for line in summary(results, 1.25, notes, verbose)]


def far(reach: Reach | None, where: str, name: str, verdict: Verdict = "wrong") -> ComponentResult:
    return ComponentResult(name, f"{name}.py:3", verdict, reach=reach, where=where, reason=f"{name} is so")


def test_the_last_line_counts_the_worst_first() -> None:
    verdicts: list[Verdict] = ["correct", "wrong", "correct", "skipped", "unresolved", "not understood"]
    results = [component(verdict=verdict) for verdict in verdicts]
    assert counts(results) == {"wrong": 1, "unresolved": 1, "not understood": 1, "correct": 2, "skipped": 1}
    assert lines(results)[-1] == (
        "1 wrong everywhere, 1 unresolved, 1 seen but not understood, 2 correct, 1 skipped in 1.2 s"
    )
    assert lines([]) == ["nothing checked in 1.2 s"]


def test_what_was_not_judged_inside_of_a_component_is_counted() -> None:
    left = (Unjudged("backward_b", "its weight was not found"), Unjudged("grad_c", "no output goes with it"))
    found = [component(right(), verdict="correct", unjudged=left), far(None, "", "Strange", "not understood")]
    assert lines(found) == ["3 seen but not understood, 1 correct in 1.2 s"]


def test_the_summary_names_what_fails_and_what_reaches_farthest_first() -> None:
    results = [
        far("an edge", "at ties", "Max"), far("everywhere", "everywhere", "Dense"), far(None, "", "Odd", "unresolved"),
        far(None, "", "Strange", "not understood"), component(right(), verdict="correct"), far("ε", "by 1e-7", "Log"),
    ]  # fmt: skip
    assert lines(results, "report: reports/index.html") == [
        "",
        "wrong everywhere  Dense  Dense.py:3  Dense is so",
        "wrong at ties     Max    Max.py:3    Max is so",
        "wrong by 1e-7     Log    Log.py:3    Log is so",
        "unresolved        Odd    Odd.py:3    Odd is so",
        "report: reports/index.html",
        "3 wrong (1 everywhere, 1 at an edge, 1 by an ε), 1 unresolved, 1 seen but not understood, 1 correct in 1.2 s",
    ]


def test_of_one_component_or_of_right_ones_there_is_nothing_to_sum_up() -> None:
    assert lines([far("an edge", "at ties", "Max")]) == ["1 wrong at an edge in 1.2 s"]
    assert lines([component(right(), verdict="correct")] * 2) == ["2 correct in 1.2 s"]


def test_whoever_may_want_more_is_told_how_to_get_it() -> None:
    hint = "-v prints a test to paste, every claim, and tracebacks"
    assert lines([component(wrong())]) == [hint, "1 wrong everywhere in 1.2 s"]
    assert hint not in lines([component(wrong())], verbose=True)
    assert hint not in lines([component(right(), verdict="correct")])


def test_a_long_name_moves_no_other_line_and_a_long_reason_is_cut() -> None:
    long = dataclasses.replace(far("everywhere", "everywhere", "x" * 300), reason="y" * 300)
    first, second = lines([long, far("an edge", "at 0", "Max")])[1:3]
    assert len(first) < 1000
    assert first.endswith("y…")
    assert second.startswith("wrong at 0 ")
    assert len(second) < 120
