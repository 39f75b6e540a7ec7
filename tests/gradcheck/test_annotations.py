"""GitHub reads one line for each failure, whatever the names and messages are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradcheck.command.arguments import parse
from gradcheck.report.annotations import github
from gradcheck.report.findings import findings
from gradcheck.results import ClaimResult, ComponentResult
from tests.gradcheck import report_cases as cases

COMMAND = re.compile(r"::error (?P<properties>[^:\n\r]*)::(?P<message>[^\n\r]*)")


def told(*results: ComponentResult, strict: bool = False) -> list[str]:
    return github(findings(results, strict), Path.cwd())


def test_a_wrong_claim_is_an_error_at_its_line() -> None:
    claim = ClaimResult("f[x, 0]", "f", "x", "wrong", "an edge", "at ties", reason="50 % off", source="code/core.py:16")
    wrong = ComponentResult("b.F", "code/b.py:3", "wrong", reach="an edge", claims=(claim,))
    right = ComponentResult("b.G", "code/b.py:9", "correct")
    assert told(right, wrong) == [
        "::error file=code/core.py,line=16,title=wrong%3A b.F f[x%2C 0]::b.F: f[x, 0] is wrong at ties: 50 %25 off"
    ]


def test_only_what_fails_is_marked() -> None:
    assert told(cases.averaged()) == []
    assert len(told(cases.averaged(), strict=True)) == 5


def test_a_file_outside_the_repository_and_an_unknown_line_are_left_out() -> None:
    outside = ComponentResult("b.F", "/elsewhere/b.py:3", "unresolved", reason="r")
    whole = ComponentResult("b", "b.py", "could not be asked", reason="r")
    assert told(outside)[0].startswith("::error title=unresolved")
    assert told(whole)[0].startswith("::error file=b.py,title=could not be asked")


@pytest.mark.parametrize("text", cases.HOSTILE)
def test_nobody_s_text_ends_a_command_or_begins_another(text: str) -> None:
    results = [cases.hostile(f"{text}\n::warning::%0A"), cases.wrong()]
    lines = told(*results)
    assert len(lines) == sum(one.fails for one in findings(results))
    for line in lines:
        assert COMMAND.fullmatch(line), line
        assert "\x1b" not in line


@pytest.mark.parametrize(
    ("inside", "given", "annotate"),
    [("true", [], True), (None, [], False), (None, ["--annotate=github"], True), ("true", ["--annotate=none"], False)],
)
def test_lines_are_marked_where_github_runs_the_command(
    monkeypatch: pytest.MonkeyPatch, inside: str | None, given: list[str], annotate: bool
) -> None:
    if inside:
        monkeypatch.setenv("GITHUB_ACTIONS", inside)
    assert parse(["t", *given]).annotate == annotate
