"""Whether the words of a result follow from its numbers: read in the command's own process, where no checked code is.

The words of a point that is right need an error within its tolerance, those of a claim its points, and those of a
component its claims and its contract.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck.results import AtPoint, ClaimResult, ComponentResult
from gradcheck.verdicts import overall


def contradiction(result: ComponentResult) -> str:
    """Return where a word says more than the numbers below it, `""` where none does."""
    return next(_contradictions(result), "")


def _contradictions(result: ComponentResult) -> Iterator[str]:
    for claim in result.claims:
        yield from (f"{claim.name} {found}" for found in _of_claim(claim))
    broken = any(item.verdict == "broken" for item in result.contract)
    worst = overall([claim.verdict for claim in result.claims] + (["wrong"] if broken else []))
    # What is waived by itself passes less than its claims do; what was not asked has none.
    if result.verdict != worst and result.verdict in ("correct", "convention"):
        yield f"is called {result.verdict}, and its claims are {worst}"


def _of_claim(claim: ClaimResult) -> Iterator[str]:
    if claim.verdict not in ("correct", "convention"):
        return
    worst = overall(point.verdict for point in claim.points)
    if claim.points and worst not in ("correct", "convention"):
        yield f"is called {claim.verdict}, and at its points it is {worst}"
    if claim.verdict == "correct" and worst == "convention":
        yield "is called correct, and at its points it follows a convention"
    yield from (f"is called correct at “{point.point}”, {point.dtype}, {why}" for point, why in _beyond(claim))


def _beyond(claim: ClaimResult) -> Iterator[tuple[AtPoint, str]]:
    for point in claim.points:
        if point.verdict == "correct" and point.ratio > 1:
            yield point, f"where its error is {point.ratio:.3g} × its tolerance"
