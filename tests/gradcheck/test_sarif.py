"""SARIF is what the standard's own JSON schema asks for; `sarif-schema-2.1.0.json` is OASIS', as it publishes it."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from gradcheck.report.findings import findings
from gradcheck.report.sarif import sarif
from gradcheck.results import ClaimResult, ComponentResult
from tests.gradcheck import report_cases as cases

SCHEMA = Path(__file__).with_name("sarif-schema-2.1.0.json")


def violations(value: Any) -> list[str]:
    """Return where a log is not what the standard asks for."""
    schema = json.loads(SCHEMA.read_bytes())
    return [error.json_path for error in Draft4Validator(schema).iter_errors(value)]


def log(*results: ComponentResult, strict: bool = False) -> dict[str, Any]:
    text = sarif(findings(results, strict), Path.cwd())
    read: dict[str, Any] = json.loads(text)
    return read


def test_every_kind_of_result_gives_what_the_standard_asks_for() -> None:
    found = log(*cases.everything(), cases.left_out(), cases.wrong_at("an edge", "at ties"))
    assert violations(found) == []
    [run] = found["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert run["results"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
    levels = {result["ruleId"]: result["level"] for result in run["results"]}
    assert levels == {
        "wrong": "error", "contract": "error", "unresolved": "error", "could-not-be-asked": "error",
        "not-implemented": "error", "convention": "note", "not-understood": "note", "note": "note", "waived": "note",
    }  # fmt: skip


@pytest.mark.parametrize("text", cases.HOSTILE)
def test_any_text_gives_a_valid_log(text: str) -> None:
    assert violations(log(cases.hostile(text))) == []


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("version",), "2.0.0"),
        (("runs", 0, "tool"), {}),
        (("runs", 0, "results", 0, "level"), "fatal"),
        (("runs", 0, "results", 0, "message"), "text"),
        (("runs", 0, "results", 0, "line"), 3),
        (("runs", 0, "results", 0, "locations", 0, "physicalLocation", "region", "startLine"), 0),
    ],
)
def test_a_violation_of_the_standard_is_noticed(where: tuple[Any, ...], value: Any) -> None:
    found = deepcopy(log(cases.wrong()))
    inner: Any = found
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    assert len(violations(found)) == 1


def test_a_result_stands_at_the_line_of_its_method_and_stays_itself_when_lines_move() -> None:
    first, second = log(cases.wrong_at("an edge", "at ties")), log(cases.wrong_at("an edge", "at ties"))
    [result] = first["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "far.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 1},
    }
    assert result["partialFingerprints"] == second["runs"][0]["results"][0]["partialFingerprints"]
    assert result["partialFingerprints"]["gradcheck/v1"] == "wrong far.at ties backward[x]"


def test_names_of_files_are_uris() -> None:
    one = ComponentResult("b.F", "week 3/größe.py:4", "unresolved", reason="r")
    other = ComponentResult("b.F", "/else where/b.py:4", "unresolved", reason="r")
    places = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]
        for result in log(one, other)["runs"][0]["results"]
    ]
    assert places == [
        {"uri": "week%203/gr%C3%B6%C3%9Fe.py", "uriBaseId": "%SRCROOT%"},
        {"uri": "file:///else%20where/b.py"},
    ]


def test_a_waiver_is_suppressed_in_the_source_with_its_reason() -> None:
    waived = ClaimResult("f[x]", "f", "x", "waived", reason="straight-through estimator")
    [result] = log(ComponentResult("b.F", "b.py:3", "waived", claims=(waived,)))["runs"][0]["results"]
    [suppression] = result["suppressions"]
    assert suppression["kind"] == "inSource"
    assert "straight-through estimator" in suppression["justification"]


def test_strict_makes_errors_of_notes() -> None:
    assert {one["level"] for one in log(cases.averaged())["runs"][0]["results"]} == {"note"}
    assert {one["level"] for one in log(cases.averaged(), strict=True)["runs"][0]["results"]} == {"error"}


def test_nothing_found_is_still_a_log() -> None:
    assert violations(log()) == []
    assert log()["runs"][0]["results"] == []
