"""The source of forward and claims, line by line: how often each ran, and what was decided there at no point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gradcheck.results import Coverage, Source

State = Literal["", "ran", "partly", "never"]


@dataclass(frozen=True)
class Row:
    """A line: its number, its text, how often it ran ("" where there is no code), and what was not seen there."""

    number: int
    text: str
    count: str
    state: State
    missing: str


def annotated(coverage: Coverage) -> list[tuple[Source, list[Row]]]:
    """Return every function that ran, with its lines.

    >>> from gradcheck.results import Branch
    >>> branch = Branch("f.py", 2, 7, "x > 9", ("not `x > 9`",), ("`x > 9`",))
    >>> lines = "def f(x):", "    if x > 9:", "        return 1", "    return x"
    >>> source = Source("f", "f.py", 1, lines, (-1, 4, 0, 4))
    >>> [(row.state, row.missing) for row in annotated(Coverage((branch,), (source,)))[0][1]]
    [('', ''), ('partly', '`x > 9`'), ('never', ''), ('ran', '')]
    """
    missing: dict[tuple[str, int], list[str]] = {}
    for branch in coverage.branches:
        missing.setdefault((branch.file, branch.line), []).extend(branch.missing)
    found = []
    for source in coverage.sources:
        rows = []
        for number, (text, count) in enumerate(zip(source.lines, source.counts, strict=True), start=source.first):
            left_out = missing.get((source.file, number), [])
            state: State = "" if count < 0 else "never" if not count else "partly" if left_out else "ran"
            rows.append(Row(number, text, "" if count < 0 else f"{count:,}", state, "; ".join(left_out)))
        found.append((source, rows))
    return found
