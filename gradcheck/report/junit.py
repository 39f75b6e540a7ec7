"""JUnit XML, as CI servers read it (Jenkins, GitLab, GitHub actions, Azure): a suite per component, a case per claim.

Wrong and unresolved claims, and what could not be asked, and broken contracts are failures; what is not implemented,
waived, skipped or not understood is skipped, with its reason; an error of gradcheck's own, a crash or a time-out is an
error. A convention passes, with its name in the output.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree import ElementTree

from gradcheck.report.rows import reason
from gradcheck.report.terminal import claim_text
from gradcheck.results import ClaimResult, ComponentResult, ContractResult, said


def junit_xml(results: Iterable[ComponentResult], seconds: Mapping[str, float] | None = None) -> bytes:
    """Return the results as JUnit XML; `seconds` is how long each component took, by name."""
    took = seconds or {}
    suites = [_suite(result, took.get(result.name, 0.0)) for result in results]
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


def _suite(result: ComponentResult, seconds: float) -> ElementTree.Element:
    cases = [_claim(result, claim) for claim in result.claims] + [_contract(result, item) for item in result.contract]
    if not result.claims:
        cases.append(_whole(result))
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
    suite.extend(cases)
    return suite


def _case(result: ComponentResult, name: str) -> ElementTree.Element:
    file, _, line = result.source.rpartition(":")
    place = {"file": file, "line": line} if line.isdigit() else {"file": result.source}
    attributes = {"classname": result.name, "name": name, **place}
    return ElementTree.Element("testcase", {key: _xml(value) for key, value in attributes.items()})


def _claim(result: ComponentResult, claim: ClaimResult) -> ElementTree.Element:
    case = _case(result, claim.name)
    if claim.verdict in ("wrong", "unresolved", "could not be asked"):
        message = f"{said(claim.verdict, claim.reach, claim.where)}: {reason(claim)}".removesuffix(": ")
        failure = ElementTree.SubElement(case, "failure", {"type": claim.verdict, "message": _xml(message)})
        failure.text = _xml(claim_text(claim))
    elif claim.verdict == "convention":
        ElementTree.SubElement(case, "system-out").text = _xml(f"convention: {claim.reason}")
    elif claim.verdict != "correct":
        message = f"{claim.verdict}: {claim.reason}" if claim.reason else claim.verdict
        ElementTree.SubElement(case, "skipped", {"message": _xml(message)})
    return case


def _contract(result: ComponentResult, item: ContractResult) -> ElementTree.Element:
    case = _case(result, f"contract: {item.name}")
    if item.verdict == "broken":
        ElementTree.SubElement(case, "failure", {"type": "contract", "message": _xml(item.detail or "broken")})
    elif item.verdict == "not tried":
        ElementTree.SubElement(case, "skipped", {"message": _xml(item.detail or "not tried")})
    return case


def _whole(result: ComponentResult) -> ElementTree.Element:
    """A component without claims: skipped with a reason, or something that stopped the check."""
    case = _case(result, "check")
    kind = {"skipped": "skipped", "not implemented": "skipped", "not understood": "skipped", "waived": "skipped"}.get(
        result.verdict, "failure" if result.verdict == "could not be asked" else "error"
    )
    if result.verdict != "correct":
        element = ElementTree.SubElement(case, kind, {"message": _xml(result.reason or result.verdict)})
        if kind != "skipped":
            element.set("type", result.verdict)
    return case


def _xml(text: str) -> str:
    """Replace what XML 1.0 cannot hold (control characters, lone surrogates, U+FFFE and U+FFFF).

    >>> _xml("a\\x00b\\ud800")
    'a\\ufffdb\\ufffd'
    """
    return "".join(c if _is_allowed(ord(c)) else "\N{REPLACEMENT CHARACTER}" for c in text)


def _is_allowed(code: int) -> bool:
    return code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
