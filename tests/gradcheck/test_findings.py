"""What is told of each result, once: SARIF and annotations say no more and no less."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from gradcheck.command.status import fails
from gradcheck.report.findings import findings, inside, root_of_the_repository
from gradcheck.results import ClaimResult, ComponentResult, ContractResult, Note, Unjudged
from gradcheck.verdicts import Verdict
from tests.gradcheck import report_cases as cases


@pytest.mark.parametrize("verdict", get_args(Verdict))
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("has_claims", [False, True])
def test_something_is_told_to_fail_where_the_exit_status_is_1(verdict: Verdict, strict: bool, has_claims: bool) -> None:
    claim = ClaimResult("f[x]", "f", "x", verdict, reason="for a reason")
    result = ComponentResult("b.F", "b.py:3", verdict, reason="why", claims=(claim,) if has_claims else ())
    found = findings([result], strict)
    assert len(found) == (verdict not in ("correct", "skipped"))
    assert any(one.fails for one in found) == fails(result, strict)


def test_a_component_that_fails_with_right_claims_is_told_all_the_same() -> None:
    right = ClaimResult("f[x]", "f", "x", "correct")
    result = ComponentResult("b.F", "b.py:3", "unresolved", reason="the time was over", claims=(right,))
    [one] = findings([result])
    assert (one.rule, one.about, one.fails) == ("unresolved", "", True)
    assert one.message == "b.F: unresolved: the time was over"


def test_each_claim_contract_and_note_has_its_place() -> None:
    wrong = replace(cases.claim("f[x]", "wrong", points=2), reach="an edge", where="at ties", source="core.py:16")
    result = ComponentResult(
        "b.F",
        "b.py:3",
        "wrong",
        reach="an edge",
        claims=(wrong, ClaimResult("g[x]", "g", "x", "convention", reason="averaged")),
        contract=(ContractResult("pure", "broken", "it writes"), ContractResult("deterministic", "kept")),
        notes=(Note("forward", "it is NaN at ±1000"),),
        unjudged=(Unjudged("h", "nobody knows how"),),
    )
    found = [(one.rule, one.about, one.file, one.line, one.fails) for one in findings([result])]
    assert found == [
        ("wrong", "f[x]", "core.py", 16, True),
        ("contract", "pure", "b.py", 3, True),
        ("convention", "g[x]", "b.py", 3, False),
        ("note", "forward", "b.py", 3, False),
        ("not understood", "h", "b.py", 3, False),
    ]
    assert findings([result])[0].message.startswith("b.F: f[x] is wrong at ties: ")


def test_what_fails_comes_first_and_the_worst_of_it_first() -> None:
    far, near = cases.wrong_at("everywhere", "everywhere"), cases.wrong_at("an edge", "at ties")
    found = findings([cases.averaged(), cases.unasked(), near, far])
    assert [one.component for one in found if one.fails] == ["far.everywhere", "far.at ties", "beras.layers.Odd"]
    assert not found[-1].fails


def test_a_file_is_named_from_the_root_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "code" / "inner"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert root_of_the_repository() == tmp_path
    assert inside("layers.py", tmp_path) == "code/inner/layers.py"
    assert inside("../../layers.py", tmp_path) == "layers.py"
    assert inside("../../../layers.py", tmp_path) is None
    assert inside("", tmp_path) is None
