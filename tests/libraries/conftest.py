"""Leaves what is in here out of usual runs, and prints at the end what was said of how many derivatives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.libraries.table import COLUMNS, SAID


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """The tables take minutes, and some to be made: usual runs leave them out."""
    return True if config.option.markexpr == "not long" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: dict[str, Counter[str]] = {}
    for reports in terminalreporter.stats.values():
        for library, column, number in _said(reports):
            counts.setdefault(library, Counter())[column] += number
    if counts:
        counts["together"] = sum(counts.values(), Counter())
        terminalreporter.section("derivatives of released libraries")
        terminalreporter.line(f"{'library':<14}{'asked':>9}" + "".join(f"{column:>14}" for column in COLUMNS))
        for library, row in sorted(counts.items(), key=lambda pair: (pair[0] == "together", pair[0])):
            numbers = "".join(f"{row[column]:>14,}" for column in COLUMNS)
            terminalreporter.line(f"{library:<14}{row.total():>9,}{numbers}")


def _said(reports: list[object]) -> Iterator[tuple[str, str, int]]:
    for report in reports:
        if getattr(report, "when", "") != "call":  # the teardown's report has the properties as well
            continue
        for key, value in getattr(report, "user_properties", ()):
            if key == SAID:
                yield value
