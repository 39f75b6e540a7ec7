"""JUnit XML holds what a CI server needs, whatever the names and messages are."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.report.junit import junit_xml
from gradcheck.results import Branch, ClaimResult, ComponentResult, ContractResult, Coverage
from gradcheck.verdicts import FAILING, Verdict
from tests.gradcheck.test_terminal import component, right, wrong


def test_claims_are_cases_and_verdicts_are_outcomes() -> None:
    waived = ClaimResult("f[x]", "f", "x", "waived", reason="straight-through estimator")
    items = (ContractResult("pure", "kept"), ContractResult("deterministic", "broken", "it is not"))
    hung = ComponentResult("b.Hangs", "b.py", "unresolved", reason="it did not finish")
    gone = ComponentResult("b.Gone", "b.py:3", "could not be asked", reason="no sizes")
    left = ComponentResult("b.Left", "b.py:4", "skipped", reason="left out (--exclude)")
    content = junit_xml([component(wrong(), right(), waived, contract=items), hung, gone, left], {"layers.Dense": 1.5})
    root = ElementTree.fromstring(content)
    assert root.tag == "testsuites"
    assert root.attrib == {
        "name": "gradcheck", "tests": "8", "failures": "3", "errors": "1", "skipped": "2", "time": "1.500",
    }  # fmt: skip
    dense, hangs, unasked, skipped = root.findall("testsuite")
    cases = {case.attrib["name"]: case for case in dense.findall("testcase")}
    failure = cases["get_input_gradients[x]"].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "wrong everywhere: The sign is flipped."
    assert failure.attrib["type"] == "wrong"
    assert "def test_dense" in (failure.text or "")
    assert "claim −1.5, measured 1.5" in (failure.text or "")
    assert [(one.tag, one.text) for one in cases["tape.gradient[x]"]] == [("system-out", "measured")]
    assert cases["tape.gradient[x]"].attrib["classname"] == "layers.Dense"
    assert (cases["tape.gradient[x]"].attrib["file"], cases["tape.gradient[x]"].attrib["line"]) == ("layers.py", "12")
    assert cases["f[x]"].find("skipped") is not None
    assert cases["contract: deterministic"].find("failure") is not None
    assert hangs.find("testcase/error") is not None
    failed = unasked.find("testcase/failure")
    assert failed is not None
    assert failed.attrib == {"message": "no sizes", "type": "could not be asked"}
    reason = skipped.find("testcase/skipped")
    assert reason is not None
    assert reason.attrib["message"] == "left out (--exclude)"


def test_properties_of_a_suite_say_which_branches_were_taken() -> None:
    branch = Branch("layers.py", 8, 11, "x > 9", ("not `x > 9`",), ("`x > 9`",))
    first, second = (component(right(), coverage=Coverage(found)) for found in ((branch,), ()))
    with_branches, without = ElementTree.fromstring(junit_xml([first, second])).findall("testsuite")
    assert with_branches[0].tag == "properties", "a schema wants them before the cases"
    assert {one.attrib["name"]: one.attrib["value"] for one in with_branches[0]} == {
        "branches": "1 of 2 outcomes of decisions seen (50%)",
        "branches-never": "`x > 9` (layers.py:8)",
    }
    assert without.find("properties") is None


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        ("wrong", "failure"),
        ("unresolved", "failure"),
        ("could not be asked", "failure"),
        ("not implemented", "failure"),
        ("not understood", "skipped"),
        ("convention", "system-out"),
        ("waived", "skipped"),
        ("correct", None),
        ("skipped", "skipped"),
    ],
)
def test_every_verdict_of_a_claim_has_its_outcome(verdict: Verdict, outcome: str | None) -> None:
    claim = ClaimResult("f[x]", "f", "x", verdict, reason="for a reason")
    root = ElementTree.fromstring(junit_xml([ComponentResult("b.F", "b.py:3", verdict, claims=(claim,))]))
    (case,) = root.findall("testsuite/testcase")
    assert [child.tag for child in case] == ([] if outcome is None else [outcome])
    if outcome is not None:
        assert "for a reason" in ElementTree.tostring(case, encoding="unicode")
    failed = root.attrib["failures"] != "0"
    assert failed == (outcome == "failure") == (verdict in FAILING)


def test_a_message_of_any_length_is_cut() -> None:
    claim = dataclasses.replace(wrong(), causes=(), reason="y" * 10_000_000)
    content = junit_xml([component(claim), ComponentResult("b.F", "b.py", "unresolved", reason="z" * 10_000_000)])
    assert len(content) < 10_000


@given(st.text(st.characters(codec=None)), st.text())
def test_any_text_gives_xml_that_can_be_read_again(name: str, message: str) -> None:
    claim = ClaimResult(name, name, "x", "wrong", reason=message, counterexample=message)
    root = ElementTree.fromstring(junit_xml([ComponentResult(name, message, "wrong", claims=(claim,))]))
    assert len(root.findall("testsuite/testcase/failure")) == 1


def test_nothing_checked_is_still_a_document() -> None:
    assert ElementTree.fromstring(junit_xml([])).attrib["tests"] == "0"
