"""JUnit XML, as CI servers read it (Jenkins, GitLab, GitHub actions, Azure): a suite per component, a case per claim.

What makes the command's exit status 1 is a failure: claims that are wrong, unresolved, not implemented or could not be
asked, and broken contracts; a component that ended or hung before it had any claim is an error. What is waived, left
out, not understood or in the baseline is skipped, with its reason. What passes says in its output whether it is proved
or measured, and which convention it follows. Properties of a suite say how many
outcomes of decisions were seen in forward and derivatives, and which never.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from xml.etree import ElementTree

from gradcheck.report.branches import never, seen
from gradcheck.report.proof import basis
from gradcheck.report.rows import reason
from gradcheck.report.terminal import claim_text
from gradcheck.report.words import one_line
from gradcheck.results import ClaimResult, ComponentResult, ContractResult, said
from gradcheck.verdicts import FAILING


def junit_xml(
    results: Iterable[ComponentResult],
    seconds: Mapping[str, float] | None = None,
    known: Collection[str] = (),
) -> bytes:
    """Return the results as JUnit XML; `seconds`: how long each component took, by name; `known`: in the baseline."""
    took = seconds or {}
    suites = [_suite(result, took.get(result.name, 0.0), result.name in known) for result in results]
    root = ElementTree.Element("testsuites", {"name": "gradcheck", **_totals(suites)})
    root.extend(suites)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _totals(suites: list[ElementTree.Element]) -> dict[str, str]:
    totals = {
        key: str(sum(int(suite.get(key, "0")) for suite in suites))
        for key in ("tests", "failures", "errors", "skipped")
    }
    return {**totals, "time": f"{sum(float(suite.get('time', '0')) for suite in suites):.3f}"}


def _suite(result: ComponentResult, seconds: float, known: bool) -> ElementTree.Element:
    cases = [_claim(result, claim) for claim in result.claims] + [_contract(result, item) for item in result.contract]
    if not result.claims:
        cases.append(_whole(result))
    for outcome in [one for case in cases for one in case if known and one.tag in ("failure", "error")]:
        outcome.tag = "skipped"
        outcome.set("message", f"in the baseline: {outcome.get('message')}")
    # The time is the component's; it is given to its first case, since servers add up the cases.
    for i, case in enumerate(cases):
        case.set("time", f"{seconds if i == 0 else 0.0:.3f}")
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": _xml(result.name),
            "tests": str(len(cases)),
            "failures": str(sum(case.find("failure") is not None for case in cases)),
            "errors": str(sum(case.find("error") is not None for case in cases)),
            "skipped": str(sum(case.find("skipped") is not None for case in cases)),
            "time": f"{seconds:.3f}",
        },
    )
    if result.coverage.branches:
        suite.append(_properties(result))
    suite.extend(cases)
    return suite


def _properties(result: ComponentResult) -> ElementTree.Element:
    properties = ElementTree.Element("properties")
    said = {"branches": seen(result.coverage), "branches-never": never(result.coverage)}
    for name, value in said.items():
        if value:
            ElementTree.SubElement(properties, "property", {"name": name, "value": _xml(one_line(value))})
    return properties


def _case(result: ComponentResult, name: str, source: str = "") -> ElementTree.Element:
    file, _, line = (source or result.source).rpartition(":")
    place = {"file": file, "line": line} if line.isdigit() else {"file": result.source}
    attributes = {"classname": result.name, "name": name, **place}
    return ElementTree.Element("testcase", {key: _xml(value) for key, value in attributes.items()})


def _claim(result: ComponentResult, claim: ClaimResult) -> ElementTree.Element:
    case = _case(result, claim.name, claim.source)
    message = f"{said(claim.verdict, claim.reach, claim.where)}: {reason(claim)}".removesuffix(": ")
    rests = f"; {basis([claim])}" if claim.points else ""
    if claim.verdict in FAILING:
        _add(case, "failure", message, claim.verdict).text = _xml(claim_text(claim))
    elif claim.verdict == "convention":
        ElementTree.SubElement(case, "system-out").text = _xml(one_line(message) + rests)
    elif claim.verdict == "correct" and claim.points:
        ElementTree.SubElement(case, "system-out").text = basis([claim])
    elif claim.verdict != "correct":
        _add(case, "skipped", message)
    return case


def _contract(result: ComponentResult, item: ContractResult) -> ElementTree.Element:
    case = _case(result, f"contract: {item.name}")
    if item.verdict == "broken":
        _add(case, "failure", item.detail or "broken", "contract")
    elif item.verdict == "not tried":
        _add(case, "skipped", item.detail or "not tried")
    return case


def _whole(result: ComponentResult) -> ElementTree.Element:
    """A component without claims: skipped with a reason, or something that stopped the check."""
    case = _case(result, "check")
    message = result.reason or result.verdict
    if result.verdict == "unresolved":
        _add(case, "error", message, result.verdict)
    elif result.verdict in FAILING:
        _add(case, "failure", message, result.verdict)
    elif result.verdict != "correct":
        _add(case, "skipped", message)
    return case


def _add(case: ElementTree.Element, outcome: str, message: str, kind: str = "") -> ElementTree.Element:
    attributes = {"message": _xml(one_line(message)), **({"type": kind} if kind else {})}
    return ElementTree.SubElement(case, outcome, attributes)


def _xml(text: str) -> str:
    """Replace what XML 1.0 cannot hold (control characters, lone surrogates, U+FFFE and U+FFFF).

    >>> _xml("a\\x00b\\ud800")
    'a\\ufffdb\\ufffd'
    """
    return "".join(c if _is_allowed(ord(c)) else "\N{REPLACEMENT CHARACTER}" for c in text)


def _is_allowed(code: int) -> bool:
    return code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
