"""What a verdict rests on, in a word: proved or measured, at how many points, and how many digits are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gradcheck.report.words import count, number, place
from gradcheck.results import Boxes, ClaimResult, Digits


def basis(claims: Sequence[ClaimResult]) -> str:
    """Return what the verdicts of some claims rest on.

    >>> basis([ClaimResult("f[x]", "f", "x", "correct")])
    'measured'
    """
    asked = [claim for claim in claims if claim.points]
    proved = [claim for claim in asked if claim.basis != "measured"]
    if not proved:
        return "measured"
    if any(claim.verdict == "wrong" for claim in proved):
        return "shown exactly"
    if len(proved) < len(asked):
        return f"{len(proved)} of {len(asked)} proved"
    text = f"proved at {count(min(points(claim) for claim in proved), 'point')}"
    fewest = min(usual(proved), key=lambda one: one.kept, default=None)
    return text + (f", {fewest.kept} of {fewest.of} digits kept" if fewest is not None else "")


def sentence(claim: ClaimResult) -> str:
    """Return what is known exactly of one claim, in a sentence or two."""
    proof = claim.proof
    if proof is None:
        return "It was only measured."
    parts = []
    if proof.points:
        rounded = f" (constants are rounded: they put it off by {number(proof.apart, 2)} of it)" * (
            proof.apart > 2**-60
        )
        parts.append(
            f"Its formula is that of the derivative at {count(proof.points, 'point')}{rounded}, and so for all inputs "
            "that take the same branches."
        )
    if proof.off:
        parts.append(f"It is certainly off by {number(proof.off, 2)} of the derivative's scale at some point.")
    if proof.left:
        parts.append(f"Elsewhere it was only measured: {proof.left}.")
    return " ".join(parts) or "Nothing could be shown."


def points(claim: ClaimResult) -> int:
    """Return at how many points a claim was shown to be the derivative."""
    return claim.proof.points if claim.proof is not None else 0


def usual(claims: Iterable[ClaimResult]) -> list[Digits]:
    """Return the digits that claims keep in the widest type that each was asked in."""
    return [claim.proof.digits[0] for claim in claims if claim.proof is not None and claim.proof.digits]


def lost(digits: Digits, wrt: str) -> str:
    """Return where a claim loses most of its digits, and at which line.

    >>> lost(Digits("float64", 15, 15, 2, "saturation ±40", (0, 1), 40.0, "layers.py:12"), "x")
    'keeps 2 of 15 digits where x[0, 1] is 40 (saturation ±40), lost at layers.py:12'
    """
    where = f"where {wrt}{place(digits.index)} is {number(digits.x)} ({digits.point})"
    line = f", lost at {digits.place}" if digits.place else ""
    return f"keeps {digits.least} of {digits.of} digits {where}{line}"


def losses(claims: Iterable[ClaimResult]) -> dict[str, list[str]]:
    """Return where claims keep less than half of the digits that their type has, and the claims of which that is so."""
    found: dict[str, list[str]] = {}
    for claim in claims:
        for digits in usual([claim]):
            if 2 * digits.least < digits.of:
                found.setdefault(lost(digits, claim.wrt), []).append(claim.name)
    return found


def unproved(claims: Iterable[ClaimResult]) -> dict[str, list[str]]:
    """Return why claims that could be run in part were only measured, and the claims of which that is so."""
    found: dict[str, list[str]] = {}
    for claim in claims:
        if claim.proof is not None and claim.proof.left and claim.basis == "measured":
            found.setdefault(claim.proof.left, []).append(claim.name)
    return found


def between(boxes: Boxes) -> str:
    """Return where a claim is the derivative for every x of an interval, in a sentence.

    >>> between(Boxes(-40.0, 40.0, 1e-9, ((-40.0, 40.0),)))
    'Equal within 1e-9 for all x in [−40, 40].'
    >>> between(Boxes(-40.0, 40.0, 1e-9, ((-40.0, -0.5), (0.5, 40.0)), undecided=((-0.5, 0.5),)))
    'Equal within 1e-9 for all x in [−40, −0.5] and [0.5, 40]; undecided in [−0.5, 0.5].'
    """

    def listed(some: Sequence[tuple[float, float]]) -> str:
        spots = [f"[{number(low)}, {number(high)}]" for low, high in some[:4]]
        more = f" and {count(len(some) - 4, 'more interval')}" if len(some) > 4 else ""
        return (" and ".join(spots) if not more else ", ".join(spots)) + more

    parts = [f"equal within {number(boxes.within)} for all x in {listed(boxes.equal)}"] if boxes.equal else []
    parts += [f"different in {listed(boxes.different)}"] if boxes.different else []
    parts += [f"undecided in {listed(boxes.undecided)}"] if boxes.undecided else []
    sentence = "; ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}." if parts else ""
