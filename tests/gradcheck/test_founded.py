"""The command's own process takes no word for more than its numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gradcheck.command.founded import contradiction
from gradcheck.results import AtPoint, ComponentResult, ContractResult
from tests.gradcheck import report_cases as cases


def test_words_that_follow_from_their_numbers_are_taken() -> None:
    for result in [*cases.everything(), cases.plain(), cases.wrong(), cases.stub()]:
        assert contradiction(result) == ""


def _forged(result: ComponentResult, **claim: object) -> ComponentResult:
    claims = [replace(one, **claim) for one in result.claims]  # type: ignore[arg-type]
    return replace(result, verdict="correct", reach=None, claims=tuple(claims))


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (replace(cases.wrong(), verdict="correct"), "is called correct, and its claims are wrong"),
        (_forged(cases.wrong(), verdict="correct"), "is called correct, and at its points it is wrong"),
        (
            replace(cases.plain(), contract=(ContractResult("purity", "broken", "it changes x"),)),
            "is called correct, and its claims are wrong",
        ),
    ],
)
def test_a_word_that_says_more_is_not(result: ComponentResult, said: str) -> None:
    assert said in contradiction(result)


def test_a_point_that_is_called_right_is_within_its_tolerance() -> None:
    points = (AtPoint("generic", "float64", "correct", ratio=0.5),)
    assert contradiction(_forged(cases.plain(), points=points)) == ""
    points = (replace(points[0], ratio=1.5),)
    assert "“generic”, float64, where its error is 1.5 ×" in contradiction(_forged(cases.plain(), points=points))
