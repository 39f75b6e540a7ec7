"""`results.json` as Gradescope's autograder reads it: the marks of one submission, and below each its claims.

The format is that of <https://gradescope-autograders.readthedocs.io/en/latest/specs/>. The score is given for the whole
and for each component; claims have a status and no points, and are shown when `marks.visibility` says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from gradcheck.report.marks import Mark, Marking, marks
from gradcheck.report.rows import reason
from gradcheck.report.terminal import claim_text
from gradcheck.report.words import clean
from gradcheck.results import ClaimResult, ComponentResult, said
from gradcheck.verdicts import FAILING


def results_json(results: Sequence[ComponentResult], how: Marking, seconds: float) -> bytes:
    """Return what Gradescope shows of one submission; `seconds` is how long the check took."""
    given = marks(results, how)
    data = {
        "score": round(sum(mark.points for mark in given), 4),
        "execution_time": round(seconds),
        "output": "\n".join(_others(results, how)),
        "tests": [test for number, mark in enumerate(given, 1) for test in _tests(str(number), mark, how)],
    }
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _tests(number: str, mark: Mark, how: Marking) -> Iterator[dict[str, Any]]:
    claims = mark.result.claims if mark.result is not None else ()
    why = "" if claims else mark.why  # claims say why themselves, when they may be seen
    yield {
        "number": number,
        "name": clean(mark.name),
        "score": round(mark.points, 4),
        "max_score": mark.weight,
        "status": "passed" if mark.points == mark.weight else "failed",
        "output": clean(f"{mark.said}: {why}" if why else mark.said),
        "output_format": "text",
        "visibility": "visible",
    }
    for i, claim in enumerate(claims, 1):
        yield {
            "number": f"{number}.{i}",
            "name": clean(claim.name),
            "status": "failed" if claim.verdict in FAILING else "passed",
            "output": clean(_output(claim)),
            "output_format": "text",
            "visibility": how.visibility,
        }


def _output(claim: ClaimResult) -> str:
    if claim.verdict in FAILING:
        return claim_text(claim)
    return f"{said(claim.verdict)}: {reason(claim)}".removesuffix(": ")


def _others(results: Sequence[ComponentResult], how: Marking) -> Iterator[str]:
    """What was found besides what is expected: it has no mark, and may say why something is missing."""
    for one in results:
        if one.name not in how.weights:
            verdict = said(one.verdict, one.reach, one.where)
            yield clean(f"without a mark: {one.name} is {verdict}{f': {one.reason}' if one.reason else ''}")
