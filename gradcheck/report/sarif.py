"""SARIF 2.1.0 (OASIS), as GitHub code scanning, GitLab and editors read it: a result for each finding, at its line.

What fails is of level "error", everything else a "note"; a waiver is suppressed by its source, and
what is in the baseline from outside.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gradcheck import __version__
from gradcheck.report.findings import CONTRACT, NOTE, Finding, inside

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

RULES = {
    "wrong": "A number or a shape of a hand-written derivative is wrong.",
    "unresolved": "The measurement is not sharp enough to tell whether a derivative is right.",
    "could not be asked": "A derivative could not be asked for: a constructor, a call or an import fails.",
    "not implemented": "A derivative is a stub.",
    "not understood": "Something looks like a derivative, and no way of asking for it is known.",
    "convention": "A derivative follows a known convention instead of the definition.",
    "waived": "A derivative differs on purpose, and its class says why.",
    CONTRACT: "A derivative does what it must not: it changes its inputs, or depends on earlier calls.",
    NOTE: "Worth knowing, and no mistake of a derivative.",
}


def sarif(found: Iterable[Finding], root: Path) -> bytes:
    """Return what was found as SARIF; files are named from `root`, the folder of the repository."""
    rules = list(RULES)
    run = {
        "tool": {"driver": {"name": "gradcheck", "version": __version__, "rules": [_rule(rule) for rule in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, rules.index(one.rule), root) for one in found],
    }
    text = json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def _id(rule: str) -> str:
    return rule.replace(" ", "-")


def _rule(rule: str) -> dict[str, Any]:
    return {"id": _id(rule), "shortDescription": {"text": RULES[rule]}}


def _result(one: Finding, index: int, root: Path) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": _id(one.rule),
        "ruleIndex": index,
        "level": "error" if one.fails else "note",
        "message": {"text": one.message},
        "locations": [_location(one, root)],
        # What it is rather than where it stands, so that it stays itself when lines move.
        "partialFingerprints": {"gradcheck/v1": f"{_id(one.rule)} {one.component} {one.about}".rstrip()},
    }
    if one.rule == "waived":
        result["suppressions"] = [{"kind": "inSource", "justification": one.message}]
    if one.known:
        result["suppressions"] = [{"kind": "external", "justification": "It is in the baseline."}]
    return result


def _location(one: Finding, root: Path) -> dict[str, Any]:
    location: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": one.component}]}
    if one.file:
        name = inside(one.file, root)
        base = {"uriBaseId": "%SRCROOT%"} if name else {}
        uri = quote(name, errors="replace") if name else f"file://{quote(os.path.abspath(one.file), errors='replace')}"
        location["physicalLocation"] = {"artifactLocation": {"uri": uri, **base}}
        if one.line:
            location["physicalLocation"]["region"] = {"startLine": one.line}
    return location
