"""The source of forward and claims, line by line: how often each ran, what was never decided there, what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gradcheck.results import ClaimResult, Coverage, Source, said

State = Literal["", "ran", "partly", "never", "wrong"]


@dataclass(frozen=True)
class Row:
    """A line: its number, its text, how often it ran ("" where there is no code), what was not seen, what is wrong."""

    number: int
    text: str
    count: str
    state: State
    missing: str
    wrong: str = ""


def annotated(coverage: Coverage, claims: Sequence[ClaimResult] = ()) -> list[tuple[Source, list[Row]]]:
    """Return every function that ran, with its lines; `claims`: of which some may be wrong.

    >>> from gradcheck.results import Branch
    >>> branch = Branch("f.py", 2, 7, "x > 9", ("not `x > 9`",), ("`x > 9`",))
    >>> lines = "def f(x):", "    if x > 9:", "        return 1", "    return x"
    >>> source = Source("f", "f.py", 1, lines, (-1, 4, 0, 4))
    >>> [(row.state, row.missing) for row in annotated(Coverage((branch,), (source,)))[0][1]]
    [('', ''), ('partly', '`x > 9`'), ('never', ''), ('ran', '')]
    >>> wrong = ClaimResult("grad[x]", "grad", "x", "wrong", "a branch", "where `x > 9` (f.py, line 2)")
    >>> [(row.number, row.wrong) for row in annotated(Coverage((branch,), (source,)), [wrong])[0][1] if row.wrong]
    [(2, 'grad[x] is wrong where `x > 9` (f.py, line 2)')]
    """
    missing: dict[tuple[str, int], list[str]] = {}
    for branch in coverage.branches:
        missing.setdefault((branch.file, branch.line), []).extend(branch.missing)
    wrong: dict[tuple[str, int], dict[str, None]] = {}
    for place, text in _wrong(coverage, claims):
        wrong.setdefault(place, {})[text] = None
    found = []
    for source in coverage.sources:
        rows = []
        for number, (text, count) in enumerate(zip(source.lines, source.counts, strict=True), start=source.first):
            left_out = missing.get((source.file, number), [])
            amiss = "; ".join(wrong.get((source.file, number), ()))
            state: State = "" if count < 0 else "never" if not count else "partly" if left_out else "ran"
            ran = "" if count < 0 else f"{count:,}"
            rows.append(Row(number, text, ran, "wrong" if amiss else state, "; ".join(left_out), amiss))
        found.append((source, rows))
    return found


def _wrong(coverage: Coverage, claims: Sequence[ClaimResult]) -> Iterator[tuple[tuple[str, int], str]]:
    """Lines that wrong claims hang on: the branch on which one is wrong, or where it begins; what one change mends."""
    for claim in claims:
        if claim.verdict != "wrong":
            continue
        file, _, line = claim.source.rpartition(":")
        begins = [(file, int(line))] if line.isdigit() else []
        at = [(one.file, one.line) for one in coverage.branches if f"({one.file}, line {one.line})" in claim.where]
        for place in at or begins:
            yield place, f"{claim.name} is {said(claim.verdict, claim.reach, claim.where)}"
        if claim.repair is not None:
            first = claim.repair.line
            for number in range(first, first + max(claim.repair.old.count("\n"), 1)):
                yield (claim.repair.file, number), f"one change makes {claim.name} right: {claim.repair.what}"
