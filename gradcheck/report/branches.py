"""Branches over several components: how many outcomes of decisions were seen, which never, and whether that is enough.

Components share code. An outcome that one of them has seen is seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from gradcheck.report.words import count
from gradcheck.results import Branch, ComponentResult, Coverage

# Outcomes that a line names.
NAMED = 6


def together(results: Iterable[ComponentResult]) -> Coverage:
    """Return the branches of all components, each once, by file and line.

    >>> lone, both = Branch("f.py", 3, 7, "x > 9", ("not `x > 9`",), ("`x > 9`",)), Branch("g.py", 1, 0, "a", ("`a`",))
    >>> other = Branch("f.py", 3, 7, "x > 9", ("`x > 9`",), ("not `x > 9`",))
    >>> found = together(ComponentResult("", "", "correct", coverage=Coverage((one,))) for one in (lone, other, both))
    >>> found.taken, found.outcomes
    (3, 3)
    """
    found: dict[tuple[str, int, int, str], tuple[dict[str, None], dict[str, None]]] = {}
    for result in results:
        for one in result.coverage.branches:
            taken, missing = found.setdefault((one.file, one.line, one.column, one.text), ({}, {}))
            taken.update(dict.fromkeys(one.taken))
            missing.update(dict.fromkeys(one.missing))
    return Coverage(
        tuple(
            Branch(*place, taken=tuple(taken), missing=tuple(one for one in missing if one not in taken))
            for place, (taken, missing) in sorted(found.items())
        )
    )


def percent(coverage: Coverage) -> float:
    """How many of a hundred outcomes were seen: 100 where there are none to be seen."""
    return 100 * coverage.taken / coverage.outcomes if coverage.outcomes else 100.0


def seen(coverage: Coverage) -> str:
    """Say how many outcomes were seen: rounded down, so that only all of them are 100%.

    >>> seen(Coverage((Branch("f.py", 1, 0, "a", ("`a`",) * 1999, ("not `a`",)),)))
    '1,999 of 2,000 outcomes of decisions seen (99.9%)'
    """
    share = math.floor(10 * percent(coverage)) / 10
    return f"{coverage.taken:,} of {count(coverage.outcomes, 'outcome')} of decisions seen ({share:g}%)"


def never(coverage: Coverage, named: int | None = None) -> str:
    """Say which outcomes were not seen, with their places: all, or the first few and how many more.

    >>> never(Coverage((Branch("f.py", 8, 0, "a > b", (), ("`a > b`", "not `a > b`")),)), 1)
    '`a > b` (f.py:8) and 1 more'
    """
    places = [f"{what} ({one.file}:{one.line})" for one in coverage.branches for what in one.missing]
    more = len(places) - len(places[:named])
    return ", ".join(places[:named]) + (f" and {more:,} more" if more else "")


def shortfall(results: Iterable[ComponentResult], least: float) -> str:
    """Say what is amiss where fewer outcomes were seen than `least` of a hundred; "" where enough were."""
    coverage = together(results)
    if percent(coverage) >= least:
        return ""
    return f"{seen(coverage)}, fewer than --fail-under-branches {least:g}; never: {never(coverage, NAMED)}"
