"""What is known to fail does not; what is new or worse does; and what is mended is told."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gradcheck.command import baseline
from gradcheck.command.baseline import Baseline
from gradcheck.command.cli import main
from gradcheck.errors import UsageError
from gradcheck.report.findings import findings, known
from gradcheck.report.junit import junit_xml
from gradcheck.report.sarif import sarif
from gradcheck.results import ClaimResult, ComponentResult, ContractResult
from gradcheck.verdicts import Reach, Verdict
from tests.gradcheck import report_cases as cases
from tests.gradcheck.foreign import package


def one(verdict: Verdict, reach: Reach | None = None, name: str = "b.F") -> ComponentResult:
    """A component with one claim."""
    claim = ClaimResult("f[x]", "f", "x", verdict, reach, reason="why")
    return ComponentResult(name, "b.py:3", verdict, reach=reach, claims=(claim,))


def of(*results: ComponentResult) -> Baseline:
    return Baseline().renewed([result.name for result in results], findings(results))


@pytest.mark.parametrize(
    ("was", "now", "fails"),
    [
        (one("wrong", "an edge"), one("wrong", "an edge"), False),
        (one("wrong", "everywhere"), one("wrong", "an edge"), False),
        (one("wrong", "an edge"), one("wrong", "everywhere"), True),
        (one("unresolved"), one("wrong", "ε"), True),
        (one("wrong", "ε"), one("unresolved"), False),
        (one("correct"), one("unresolved"), True),
        (one("wrong", "ε", "b.G"), one("wrong", "ε"), True),
    ],
)
def test_a_failure_is_known_where_it_is_no_worse_than_it_was(
    was: ComponentResult, now: ComponentResult, fails: bool
) -> None:
    [finding] = of(was).applied(findings([now]))
    assert (finding.fails, finding.known) == (fails, not fails)


def test_a_broken_contract_is_known_by_its_name() -> None:
    broken = [
        ComponentResult("b.F", "b.py", "wrong", contract=(ContractResult(n, "broken"),)) for n in ("pure", "linear")
    ]
    known_one = of(broken[0])
    assert not known_one.applied(findings(broken[:1]))[0].fails
    assert known_one.applied(findings(broken[1:]))[0].fails


def test_it_is_the_same_when_it_is_read_again_and_a_line_an_entry(tmp_path: Path) -> None:
    there = of(*cases.everything(), cases.hostile("nul\0 ü \ud800 \n"))
    file = tmp_path / "baseline.json"
    file.write_bytes(there.to_json().encode("utf-8", "backslashreplace"))
    assert baseline.read(str(file)) == there
    lines = file.read_text().splitlines()
    assert sum('"component"' in line for line in lines) == len(there.known) > 4
    assert lines == there.to_json().encode("utf-8", "backslashreplace").decode().splitlines()
    file.write_text(Baseline().to_json())
    assert baseline.read(str(file)) == Baseline()


def test_what_was_not_checked_stays_and_what_is_mended_is_told_and_goes() -> None:
    there = of(one("wrong", "ε", "b.F"), one("wrong", "ε", "b.G"), one("unresolved", name="b.H"))
    now = findings([one("correct", name="b.F"), one("unresolved", name="b.H")])
    assert there.notes(["b.F", "b.H"], now) == ["1 failure in the baseline", "in the baseline, and mended: b.F f[x]"]
    assert {name for name, _ in there.renewed(["b.F", "b.H"], now).known} == {"b.G", "b.H"}


OF_NUMBERS = '{"schema": 1, "known": [{"component": 3, "about": "", "rule": "", "reach": ""}]}'


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 2, "known": []}', '{"schema": 1, "known": [3]}', OF_NUMBERS]
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(UsageError, match="is no baseline"):
        baseline.read(str(tmp_path / "b.json"), may_be_missing=True)


def test_files_for_servers_skip_what_is_known() -> None:
    results = [one("wrong", "ε", "b.F"), one("wrong", "ε", "b.G")]
    told = of(results[0]).applied(findings(results))
    assert known(told) == {"b.F"}
    first, second = ElementTree.fromstring(junit_xml(results, known=known(told)))
    assert [suite.attrib["failures"] for suite in (first, second)] == ["0", "1"]
    skipped = first.find("testcase/skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "in the baseline: wrong ε: why"
    old, new = json.loads(sarif(told, Path.cwd()))["runs"][0]["results"]
    assert (new["level"], "suppressions" in new) == ("error", False)
    assert old["level"] == "note"
    assert [suppression["kind"] for suppression in old["suppressions"]] == ["external"]


def test_the_command_writes_it_once_and_fails_for_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(package(tmp_path))
    quick = ["beras.layers.Flipped", "--dtype", "float64", "--no-report", "-q", "--baseline", "known.json"]
    assert main(quick) == 2
    assert "there is no baseline 'known.json': --write-baseline writes it" in capsys.readouterr().err
    assert main([*quick, "--write-baseline"]) == 0
    assert main([*quick, "--annotate=github"]) == 0
    out = capsys.readouterr().out
    assert "2 failures in the baseline" in out
    assert "::error" not in out
    (tmp_path / "known.json").write_text(Baseline().to_json())
    assert main(quick) == 1


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["t", "--write-baseline"], "expected --baseline FILE with --write-baseline"),
        (["--each", "a", "t", "--baseline", "b"], "--baseline and --each do not go together"),
        (["t", "--baseline", "b", "--json", "b"], "--json and --baseline name the same file"),
    ],
)
def test_misuse_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argv: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    assert said in capsys.readouterr().err
