"""Every count in the README is that of the data that a run left, or of the code as it is."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from tests.faults.registry import FAULTS
from tests.gradcheck.foreign import ROOT, command

README = (ROOT / "README.md").read_text(encoding="utf-8")
DATA = ROOT / "reports" / "data"


def data(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return read


def row(start: str) -> str:
    """A row of the table of who checks the checker."""
    [line] = [line for line in README.splitlines() if line.startswith(f"| {start} |")]
    return line


def numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e-\d+)?", text)]


def test_components_are_those_that_there_are() -> None:
    listed = command("beras", "--list", folder=ROOT).stdout.splitlines()
    checked = [line for line in listed if line.startswith("beras.") and ": " not in line]
    assert f"all {len(checked)} components of Beras" in README


def test_planted_faults_are_those_that_there_are() -> None:
    assert f"{len(FAULTS)} wrong classes" in row("planted faults")


def test_mutants_are_those_of_the_last_run() -> None:
    amounts = Counter(one["outcome"] for one in data("mutation")["mutants"])
    assert amounts.keys() == {"caught", "equivalent"}
    assert f"all of {amounts['caught']:,} small slips" in row("mutation score")
    assert f"{amounts['equivalent']} more change nothing" in row("mutation score")


def test_false_alarms_are_those_of_the_last_run() -> None:
    found = data("soak")
    assert found["wrong"] == 0
    [gradients, unresolved, again] = numbers(row("false alarms"))
    assert (gradients, unresolved, again) == (found["gradients"], found["unresolved"], found["gradients"])


def test_bounds_are_those_of_the_last_run() -> None:
    found = data("soundness")
    assert found["violations"] == 0
    entries, share, _ = numbers(row("bounds"))
    assert entries == found["entries"]
    assert share == pytest.approx(found["share"], rel=0.05)


def test_the_arena_is_that_of_the_last_run() -> None:
    """Each line of the table, and the sums below it."""
    found = data("arena")
    lines = README.split("| *wrong gradients*")[1].split("## Who checks")[0].splitlines()
    stated = [[cell.strip(" *") for cell in line.strip("| ").split("|")] for line in lines if "|" in line]
    by_name = {name: cells for name, *cells in stated if any(cells)}
    for case in found["cases"]:
        said = ["–" if one == "not applicable" else one for one in case["found"]]
        assert by_name.pop(case["name"]) == said, case["name"]
    for wrong, right in ((True, "caught"), (False, "accepted")):
        columns = zip(*(case["found"] for case in found["cases"] if case["wrong"] is wrong), strict=True)
        tried = [[one for one in column if one != "not applicable"] for column in columns]
        assert by_name.pop(right) == [f"{column.count(right)} of {len(column)}" for column in tried]
    assert by_name == {}
