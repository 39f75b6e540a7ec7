"""SARIF holds the objects that the standard asks for, and no others.

No package that pip installs has the standard's JSON schema as a file, so the part that is used is written down here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from gradcheck.report.findings import findings
from gradcheck.report.sarif import sarif
from gradcheck.results import ClaimResult, ComponentResult
from tests.gradcheck import report_cases as cases

# The part of SARIF 2.1.0 that gradcheck writes, with sections of the standard: for each property its type, a set of
# words, a list (of one kind of item), or another object. A star: the standard requires it.
MESSAGE = {"text*": str}
ARTIFACT_LOCATION = {"uri*": str, "uriBaseId": {"%SRCROOT%"}}  # 3.4
PHYSICAL_LOCATION = {"artifactLocation*": ARTIFACT_LOCATION, "region": {"startLine*": int}}  # 3.29, 3.30
LOCATION = {"physicalLocation": PHYSICAL_LOCATION, "logicalLocations": [{"fullyQualifiedName": str}]}  # 3.28, 3.33
RESULT = {  # 3.27
    "ruleId": str,
    "ruleIndex": int,
    "level": {"none", "note", "warning", "error"},
    "message*": MESSAGE,
    "locations": [LOCATION],
    "partialFingerprints": {"gradcheck/v1*": str},
    "suppressions": [{"kind*": {"inSource", "external"}, "justification": str}],  # 3.35
}
RULE = {"id*": str, "shortDescription": {"text*": str}}  # 3.49
DRIVER = {"name*": str, "version": str, "rules": [RULE]}  # 3.19
RUN = {"tool*": {"driver*": DRIVER}, "columnKind": {"utf16CodeUnits", "unicodeCodePoints"}, "results": [RESULT]}  # 3.14
LOG = {"$schema": str, "version*": {"2.1.0"}, "runs*": [RUN]}  # 3.13


def violations(value: Any, kind: Any, at: str = "log") -> Iterator[str]:
    """Yield where a value is not what the standard asks for."""
    if isinstance(kind, type):
        if type(value) is not kind or (kind is int and value < at.endswith("Line")):
            yield f"{at} is {value!r}, no {kind.__name__}"
    elif isinstance(kind, set):
        if value not in kind:
            yield f"{at} is {value!r}"
    elif isinstance(kind, list):
        if not isinstance(value, list):
            yield f"{at} is no list"
            return
        for i, item in enumerate(value):
            yield from violations(item, kind[0], f"{at}[{i}]")
    elif not isinstance(value, dict):
        yield f"{at} is no object"
    else:
        inner = {key.rstrip("*"): one for key, one in kind.items()}
        yield from (f"{at} lacks {key[:-1]}" for key in kind if key.endswith("*") and key[:-1] not in value)
        yield from (f"{at} has {key}" for key in value.keys() - inner.keys())
        for key in value.keys() & inner.keys():
            yield from violations(value[key], inner[key], f"{at}.{key}")


def log(*results: ComponentResult, strict: bool = False) -> dict[str, Any]:
    text = sarif(findings(results, strict), Path.cwd())
    read: dict[str, Any] = json.loads(text)
    return read


def test_every_kind_of_result_gives_what_the_standard_asks_for() -> None:
    found = log(*cases.everything(), cases.left_out(), cases.wrong_at("an edge", "at ties"))
    assert list(violations(found, LOG)) == []
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
    assert list(violations(log(cases.hostile(text)), LOG)) == []


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
    assert len(list(violations(found, LOG))) == 1


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
    assert list(violations(log(), LOG)) == []
    assert log()["runs"][0]["results"] == []
