"""JUnit XML holds what a CI server needs, whatever the names and messages are."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from gradcheck.report.junit import junit_xml
from gradcheck.results import ClaimResult, ComponentResult, ContractResult
from tests.gradcheck.test_terminal import component, right, wrong


def test_claims_are_cases_and_verdicts_are_outcomes() -> None:
    waived = ClaimResult("f[x]", "f", "x", "waived", reason="straight-through estimator")
    items = (ContractResult("pure", "kept"), ContractResult("deterministic", "broken", "it is not"))
    hung = ComponentResult("b.Hangs", "b.py", "unresolved", reason="it did not finish")
    gone = ComponentResult("b.Gone", "b.py:3", "skipped", reason="no sizes")
    content = junit_xml([component(wrong(), right(), waived, contract=items), hung, gone], {"layers.Dense": 1.5})
    root = ElementTree.fromstring(content)
    assert root.tag == "testsuites"
    assert root.attrib == {
        "name": "gradcheck", "tests": "7", "failures": "2", "errors": "1", "skipped": "2", "time": "1.500",
    }  # fmt: skip
    dense, hangs, skipped = root.findall("testsuite")
    cases = {case.attrib["name"]: case for case in dense.findall("testcase")}
    failure = cases["get_input_gradients[x]"].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "The sign is flipped."
    assert "claim −1.5, estimate 1.5" in (failure.text or "")
    assert len(cases["tape.gradient[x]"]) == 0
    assert cases["tape.gradient[x]"].attrib["classname"] == "layers.Dense"
    assert (cases["tape.gradient[x]"].attrib["file"], cases["tape.gradient[x]"].attrib["line"]) == ("layers.py", "12")
    assert cases["f[x]"].find("skipped") is not None
    assert cases["contract: deterministic"].find("failure") is not None
    assert hangs.find("testcase/error") is not None
    reason = skipped.find("testcase/skipped")
    assert reason is not None
    assert reason.attrib["message"] == "no sizes"


@given(st.text(st.characters(codec=None)), st.text())
def test_any_text_gives_xml_that_can_be_read_again(name: str, message: str) -> None:
    claim = ClaimResult(name, name, "x", "wrong", reason=message, counterexample=message)
    root = ElementTree.fromstring(junit_xml([ComponentResult(name, message, "wrong", claims=(claim,))]))
    assert len(root.findall("testsuite/testcase/failure")) == 1


def test_nothing_checked_is_still_a_document() -> None:
    assert ElementTree.fromstring(junit_xml([])).attrib["tests"] == "0"
