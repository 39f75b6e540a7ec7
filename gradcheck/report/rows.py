"""What the pages say, as data: rows first, paint second."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from gradcheck.report.counted import reached, tallied, tally
from gradcheck.report.words import apart, count, number, place, text
from gradcheck.results import AtPoint, ClaimResult, ComponentResult, Entry, Heat
from gradcheck.verdicts import ORDER, PASSING, Reach, Verdict, rank

if TYPE_CHECKING:
    from gradcheck.report.differential import Measurement

DTYPES = ("float64", "float32", "float16")
MOST_POINTS = 60
"""Points of one claim that a page lists, the worst first; the rest is in the data."""


TROUBLES = 8
"""Claims that a page names at its head."""


@dataclass(frozen=True)
class Row:
    """One component, as the index shows it."""

    name: str
    page: str
    data: str
    digest: str
    verdict: Verdict
    where: str
    reach: Reach | None
    rank: int
    headline: str
    claims: int
    points: int
    ratio: float
    resolution: float
    calls: int
    agreement: float
    measured: int


@dataclass(frozen=True)
class Precision:
    """One claim in one dtype: the largest error, and what its tolerance is made of."""

    dtype: str
    points: int
    correct: int
    worst: AtPoint
    resolution: float
    absolute: float


def row(result: ComponentResult, page: str, data: str, digest: str, measurements: Sequence[Measurement]) -> Row:
    """Return the index's row of one component."""
    points = [point for claim in result.claims for point in claim.points]
    return Row(
        name=result.name,
        page=page,
        data=data,
        digest=digest,
        verdict=result.verdict,
        where=result.where if result.reach else "",
        reach=result.reach,
        rank=rank(result.verdict, result.reach),
        headline=headline(result),
        claims=len(result.claims),
        points=len(points),
        ratio=worst_ratio(points),
        resolution=max((r for r in map(resolution, result.claims) if not math.isnan(r)), default=math.nan),
        calls=sum(calls for _, calls in result.calls),
        agreement=max((m.ratio for m in measurements), default=math.nan),
        measured=len(measurements),
    )


def headline(result: ComponentResult) -> str:
    """Return why a component is not correct, in a sentence; where it is, what is wrong with forward ("" if nothing)."""
    if result.verdict == "correct":
        return "; ".join(note.text for note in result.notes if note.about == "forward")
    for claim in result.claims:
        if claim.verdict == result.verdict and claim.reach == result.reach:
            return f"{claim.name}: {reason(claim)}" if reason(claim) else claim.name
    broken = (f"{item.name}: {item.detail}" for item in result.contract if item.verdict == "broken")
    return result.reason or next(broken, "")


def reason(claim: ClaimResult) -> str:
    """Return why a claim is not correct: its diagnosis, else its reason, its first message, its numbers."""
    if claim.causes and claim.verdict == "wrong":
        return claim.causes[0].sentence
    unsettled = (point for point in claim.points if point.verdict == claim.verdict != "correct")
    return claim.reason or next((point.message for point in unsettled if point.message), "") or _numbers(claim)


def _numbers(claim: ClaimResult) -> str:
    worst = claim.worst
    if claim.verdict != "wrong" or worst is None:
        return ""
    said, measured = apart(worst.claim, worst.estimate)
    return f"{spot(worst, claim.wrt)} is claimed to be {said}, and was measured as {measured}"


def spot(entry: Entry, wrt: str) -> str:
    """Return which derivative an entry is.

    >>> spot(Entry((0, 1), (2,), 0.0, 0.0, 0.0, 0.0), "x")
    '∂ output[0, 1] / ∂ x[2]'
    """
    return f"∂ output{place(entry.output)} / ∂ {wrt}{place(entry.index)}"


def first_wrong(claim: ClaimResult) -> str:
    """Return where the wrong entries that are listed were found: the first point that has any."""
    return next((f"{at.point}, {at.dtype}" for at in claim.points if at.verdict == "wrong" and at.entries), "")


def places(claim: ClaimResult) -> str:
    """Return the places of the wrong entries that are listed, and how many more there are."""
    pairs = [(place(entry.output), place(entry.index)) for entry in claim.wrong]
    if not any(output for output, _ in pairs):
        what, spots = f"of {claim.wrt}", [index for _, index in pairs]
    elif all(output == index for output, index in pairs):
        what, spots = f"output by {claim.wrt} at the same place", [index for _, index in pairs]
    else:
        what, spots = f"output by {claim.wrt}", [f"{output} by {index or claim.wrt}" for output, index in pairs]
    more = claim.wrong_count - len(pairs)
    return f"{what}: {', '.join(spots)}{f' and {more:,} more' if more > 0 else ''}"


def resolution(claim: ClaimResult) -> float:
    """Return the smallest error, relative to the gradient, that a claim's median float64 point would show."""
    groups = precisions(claim)
    return groups[0].resolution if groups else math.nan


def precisions(claim: ClaimResult) -> list[Precision]:
    """Return a claim's points by dtype, the most precise first."""
    names = sorted({p.dtype for p in claim.points}, key=lambda d: (DTYPES.index(d) if d in DTYPES else 9, d))
    found = []
    for dtype in names:
        points = [p for p in claim.points if p.dtype == dtype]
        seen = [p for p in points if p.scale > 0 and p.verdict == "correct"]
        found.append(
            Precision(
                dtype,
                len(points),
                sum(p.verdict == "correct" for p in points),
                max(judged(points) or points, key=lambda p: _rank(p.ratio)),
                median(p.resolution / p.scale for p in seen) if seen else math.nan,
                median(p.resolution for p in seen) if seen else math.nan,
            )
        )
    return found


def judged(points: Iterable[AtPoint]) -> list[AtPoint]:
    """Return the points at which the measurement was sharp enough to judge the claim."""
    return [point for point in points if point.verdict in ("correct", "wrong", "waived", "convention")]


def worst_ratio(points: Iterable[AtPoint]) -> float:
    """Return the largest error ÷ tolerance of the points that were judged; NaN where none was.

    A point that was not resolved says nothing, however far apart its numbers are. A claim that says NaN
    has no finite error: its ratio counts as infinite.
    """
    ratios = [_rank(point.ratio) for point in judged(points)]
    return max(ratios, default=math.nan)


def listed(claim: ClaimResult, most: int = MOST_POINTS) -> list[AtPoint]:
    """Return a claim's points for its table: worst verdict first, then by ratio."""
    return sorted(claim.points, key=lambda p: (ORDER.index(p.verdict), -_rank(p.ratio)))[:most]


def on_scale(ratio: float, decades: int = 6) -> float:
    """Return where a ratio stands on the bar, in per cent: 1e-6 at 0, the tolerance at 50, 1e6 at 100.

    >>> on_scale(1.0), on_scale(1e-3), on_scale(0.0), on_scale(float("inf"))
    (50.0, 25.0, 0.0, 100.0)
    """
    if not ratio > 0:
        return 0.0
    place = math.log10(ratio) if math.isfinite(ratio) else decades
    return round(50 + 50 * min(max(place / decades, -1), 1), 1)


def is_exact(heat: Heat) -> bool:
    """Whether every entry of a Jacobian agrees exactly: not worth a picture."""
    return bool(heat.ratios and heat.ratios[0]) and all(ratio == 0 for line in heat.ratios for ratio in line)


def paragraphs(doc: str) -> list[tuple[bool, list[str]]]:
    """Return a docstring's paragraphs: `(True, [code])`, or `(False, parts)` where every second part is code.

    >>> paragraphs("`x + b`: a sum.\\n\\n>>> 1 + 1\\n2")
    [(False, ['', 'x + b', ': a sum.']), (True, ['>>> 1 + 1\\n2'])]
    """
    found: list[tuple[bool, list[str]]] = []
    for paragraph in re.split(r"\n\s*\n", text(doc).strip("\n")):
        lines = paragraph.split("\n")
        is_code = lines[0].lstrip().startswith(">>>") or all(line.startswith("  ") for line in lines)
        parts = re.split(r"``?", paragraph)
        # An odd number of backticks is no markup.
        found.append((is_code, [paragraph] if is_code or len(parts) % 2 == 0 else parts))
    return found


def summary(rows: Sequence[Row]) -> str:
    """Return the answer to "is everything right?" in one line."""
    if not rows:
        return "Nothing has been checked yet."
    found, reaches = tally(row.verdict for row in rows), reached(rows)
    worst, amount = found[0]
    everything = count(len(rows), "component")
    if worst == "skipped":
        return f"Nothing was checked: {everything} skipped."
    if worst == "correct" and len(found) == 1:
        return f"All {everything} correct."
    if worst in PASSING:
        passed = [one for one in reversed(found) if one[0] != "skipped"] + [one for one in found if one[0] == "skipped"]
        return f"Everything passes: {', '.join(tallied(verdict, n) for verdict, n in passed)}."
    verb = "" if worst == "could not be asked" else "is " if amount == 1 else "are "
    rest = "".join(f", {tallied(verdict, n)}" for verdict, n in found[1:] if verdict not in (*PASSING, "skipped"))
    return f"{amount} of {everything} {verb}{tallied(worst, None, reaches)}{rest}."


def sharpness(rows: Sequence[Row]) -> str:
    """Return the answer to "how sure are we?" in one sentence ("" where nothing was resolved)."""
    found = [row.resolution for row in rows if row.verdict == "correct" and not math.isnan(row.resolution)]
    if not found:
        return ""
    return f"In what is correct, an error above {number(max(found), 2)} of a gradient would have been found (float64)."


def claim_summary(result: ComponentResult) -> str:
    """Return what was found about one component in a sentence or two."""
    if not result.claims:
        return result.reason or "No claim was checked."
    counts = tally(claim.verdict for claim in result.claims)
    points = sum(len(claim.points) for claim in result.claims)
    found = ", ".join(f"{amount} {verdict}" for verdict, amount in counts)
    first = f"{count(len(result.claims), 'claim')} checked at {count(points, 'point')}: {found}."
    least = max((r for r in map(resolution, result.claims) if not math.isnan(r)), default=math.nan)
    if math.isnan(least) or not any(claim.verdict == "correct" for claim in result.claims):
        return first
    return f"{first} An error above {number(least, 2)} of a gradient would have been found."


def troubles(result: ComponentResult, claims: Sequence[ClaimResult]) -> list[tuple[str, str, str, str, str]]:
    """Return what a page says first: verdict, reach, name, reason and id of what is not plainly correct.

    `claims` are those on the page, in its order; behind them stands what breaks the contract.
    """
    found = [
        (claim.verdict, claim.where if claim.reach else "", claim.name, reason(claim), f"claim-{n}")
        for n, claim in enumerate(claims, 1)
        if claim.verdict not in ("correct", "skipped")
    ]
    broken = [item for item in result.contract if item.verdict == "broken"]
    return [*found[:TROUBLES], *((item.verdict, "", item.name, item.detail, "contract") for item in broken)]


def command(results: Sequence[ComponentResult]) -> str:
    """Return the command that makes these results again.

    Up to four subjects are named one by one; more are named by their packages.
    """
    names = sorted(result.name for result in results)
    if len(names) > 4:
        names = sorted({name.split("::")[0] if "::" in name else name.split(".")[0] for name in names})
    seeds = {result.seed for result in results}
    seed = f" --seed {next(iter(seeds))}" if len(seeds) == 1 and seeds != {0} else ""
    return f"python -m gradcheck {' '.join(map(shlex.quote, names))}{seed}".strip()


def versions(results: Sequence[ComponentResult]) -> list[str]:
    """Return "NumPy 2.1" and the like; several where components were checked under several."""
    found: dict[str, set[str]] = {}
    for result in results:
        for name, version in result.versions:
            found.setdefault(name, set()).add(version)
    return [f"{name} {' and '.join(sorted(found[name]))}" for name in sorted(found)]


def _rank(ratio: float) -> float:
    return math.inf if math.isnan(ratio) else ratio
