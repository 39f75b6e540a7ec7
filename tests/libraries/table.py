"""What a row of these tables is, and how it is judged and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gradcheck.report.terminal import explain
from gradcheck.results import ComponentResult
from gradcheck.verdicts import PASSING

Call = Callable[[], ComponentResult]
Record = Callable[[str, Any], None]

PAGE = (Path(__file__).parents[2] / "docs" / "libraries.md").read_text(encoding="utf-8")
SAID = "said of derivatives"  # the property in which a test leaves (library, column, how many)
NONE: Mapping[str, Call] = {}
COLUMNS = ("correct", "convention", "unresolved", "a bug", "a difference", "false alarm")


@dataclass(frozen=True)
class Bug:
    """A mistake of a released library: the call that shows it, the claims that it is about, and the right twin.

    `entries`: the places of those in the variable that are wrong, where not all of them are (or nothing is returned).
    """

    wrong: Call
    claims: tuple[str, ...]
    right: Call
    entries: frozenset[tuple[int, ...]] | None = None


def entries(*places: int) -> frozenset[tuple[int, ...]]:
    """The places of entries in a vector."""
    return frozenset((place,) for place in places)


def judges_of(
    library: str, right: Mapping[str, Call], bugs: Mapping[str, Bug], differences: Mapping[str, Call] = NONE
) -> tuple[Callable[..., None], ...]:
    """Return the tests of a library's tables. `differences`: finite differences that it offers as derivatives."""

    @pytest.mark.parametrize("name", right)
    def right_is_right(name: str, record_property: Record) -> None:
        result = right[name]()
        _count(library, result, record_property)
        assert any(claim.points for claim in result.claims), "nothing was judged"
        assert result.verdict in PASSING, explain(result)
        assert not result.unjudged

    @pytest.mark.parametrize("name", bugs)
    def a_bug_is_found_and_its_twin_is_right(name: str, record_property: Record) -> None:
        assert f"| {name} |" in PAGE
        bug = bugs[name]
        found, twin = bug.wrong(), bug.right()
        _count(library, found, record_property, "a bug")
        _count(library, twin, record_property)
        assert tuple(claim.name for claim in found.claims if claim.verdict == "wrong") == bug.claims, explain(found)
        if bug.entries is not None:
            [claim] = [claim for claim in found.claims if claim.verdict == "wrong"]
            assert {entry.index for entry in claim.wrong} == bug.entries
        assert twin.verdict in PASSING, explain(twin)

    @pytest.mark.parametrize("name", differences)
    def a_finite_difference_is_told(name: str, record_property: Record) -> None:
        result = differences[name]()
        _count(library, result, record_property, "a difference")
        wrong = [claim for claim in result.claims if claim.verdict == "wrong"]
        assert [claim.causes[0].name for claim in wrong] == ["difference quotient"], explain(result)

    tables = (
        (right_is_right, right),
        (a_bug_is_found_and_its_twin_is_right, bugs),
        (a_finite_difference_is_told, differences),
    )
    return tuple(test for test, table in tables if table)


def _count(library: str, result: ComponentResult, record: Record, wrong: str = "false alarm") -> None:
    said = Counter(wrong if claim.verdict == "wrong" else claim.verdict for claim in result.claims)
    for verdict, number in said.items():
        record(SAID, (library, verdict, number))
