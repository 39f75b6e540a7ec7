"""What is printed leads to the mistake, and nothing in somebody else's names can harm the terminal."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

import gradcheck
from gradcheck.errors import UsageError
from gradcheck.report.terminal import EXAMPLE, claim_text, explain, text_of
from gradcheck.results import (
    AtPoint,
    Branch,
    Cause,
    ClaimResult,
    ComponentResult,
    ContractResult,
    Coverage,
    Entry,
    Kink,
    Note,
    Unjudged,
)
from gradcheck.verdicts import Verdict
from tests.gradcheck.report_cases import MATRICES

TEST = "import numpy as np\n\n\ndef test_dense():\n    assert False\n"


def at(verdict: Verdict = "correct", **more: object) -> AtPoint:
    numbers = {"error": 1e-14, "tolerance": 1e-12, "truncation": 1e-13, "rounding": 1e-13, "claim_rounding": 1e-14}
    rest = {"ratio": 0.01, "resolution": 3e-12, "scale": 1.0}
    return AtPoint("generic", "float64", verdict, 4, **{**numbers, **rest, **more})  # type: ignore[arg-type]


def wrong(name: str = "get_input_gradients[x]", sentence: str = "The sign is flipped.") -> ClaimResult:
    return ClaimResult(
        name,
        name.partition("[")[0],
        "x",
        "wrong",
        reach="everywhere",
        where="everywhere",
        points=(at("wrong", ratio=2e9),),
        worst=Entry((0, 1), (2, 3), -1.5, 1.5, 3e-12, 6e-12),
        worst_point="generic, float64",
        causes=(Cause("sign", sentence, "claim ÷ estimate is −1 everywhere"), Cause("else", "Or not.", "")),
        counterexample="x = np.array([[1.0]])",
        test=TEST,
    )


def right() -> ClaimResult:
    return ClaimResult("tape.gradient[x]", "tape.gradient", "x", "correct", points=(at(), at(ratio=0.5)))


def test_branches_that_were_never_taken_are_said_where_everything_is() -> None:
    branch = Branch("layers.py", 8, 11, "x > 9", ("not `x > 9`",), ("`x > 9`",))
    result = component(right(), verdict="correct", coverage=Coverage((branch,)))
    assert "  branches  1 of 2 outcomes of decisions seen (50%); never: `x > 9` (layers.py:8)" in text_of(result, True)
    assert "branches" not in text_of(result)
    assert "branches" not in text_of(component(right(), verdict="correct"), True)


def component(*claims: ClaimResult, verdict: Verdict = "wrong", **more: object) -> ComponentResult:
    far = {"reach": "everywhere", "where": "everywhere"} if verdict == "wrong" else {}
    return ComponentResult("layers.Dense", "layers.py:12", verdict, claims=claims, **{**far, **more})  # type: ignore[arg-type]


def test_correct_component_is_one_line_with_what_would_have_been_caught() -> None:
    text = text_of(component(right(), verdict="correct"))
    assert text == (
        "correct    layers.Dense  1 claim, 1 point, measured, worst error 0.5 of tolerance, would catch ≥ 3e-12"
    )


def test_wrong_claim_leads_to_the_entry_and_to_a_test() -> None:
    text = text_of(component(wrong(), right()))
    for said in (
        "wrong      layers.Dense  everywhere  layers.py:12",
        "get_input_gradients[x] everywhere: The sign is flipped.",
        "claim ÷ estimate is −1 everywhere",
        "∂ output[0, 1] / ∂ x[2, 3] (generic, float64)",
        "claim −1.5, measured 1.5 ± 3e-12, tolerance 6e-12",
        "x = np.array([[1.0]])",
    ):
        assert said in text
    assert "test_dense" not in text
    assert "tape.gradient" not in text
    assert "Or not." not in text
    verbose = explain(component(wrong(), right()))
    assert TEST in verbose  # not indented: it can be pasted
    assert (
        "correct    tape.gradient[x]  1 point, measured, worst error 0.5 of tolerance, would catch ≥ 3e-12" in verbose
    )
    assert "or else   Or not." in verbose


def test_claims_that_are_wrong_for_one_reason_are_told_once() -> None:
    claims = [wrong(), wrong("compose_input_gradients[x]"), wrong("other[x]", "Transposed.")]
    text = text_of(component(*claims))
    assert text.count("The sign is flipped.") == 1
    assert "wrong      compose_input_gradients[x]: the same" in text
    assert "Transposed." in text
    assert explain(component(*claims)).count(TEST) == 3


@pytest.mark.parametrize("verdict", ["unresolved", "could not be asked", "not implemented", "convention", "waived"])
def test_any_other_verdict_says_why(verdict: Verdict) -> None:
    claim = ClaimResult("f[x]", "f", "x", verdict, reason="because of that")
    assert f"{verdict:<10} f[x]: because of that" in text_of(component(claim, verdict=verdict))


def test_claim_that_raised_shows_what_it_raised() -> None:
    claim = ClaimResult("f[x]", "f", "x", "wrong", points=(at("wrong", message="it raised ValueError: no"),))
    assert "f[x]: it raised ValueError: no" in text_of(component(claim))


def test_broken_contract_is_shown_and_a_kept_one_only_when_asked_for() -> None:
    items = (ContractResult("forward is deterministic", "broken", "2 of 3 differ"), ContractResult("pure", "kept"))
    text = text_of(component(right(), contract=items))
    assert "broken     forward is deterministic: 2 of 3 differ" in text
    assert "pure" not in text
    assert "kept       pure" in text_of(component(right(), contract=items), verbose=True)


def test_contract_items_of_one_kind_share_a_line() -> None:
    names = [f"thing number {i} is left alone" for i in range(12)]
    items = [ContractResult(name, "kept") for name in names]
    items += [ContractResult("a", "not tried", "why not"), ContractResult("b", "not tried", "why not")]
    items += [ContractResult("c", "not tried", "other"), ContractResult("d", "noted", "no line: it is a note")]
    rows = explain(component(right(), verdict="correct", contract=tuple(items))).splitlines()[2:]
    assert rows[:2] == ["  contract  not tried  a; b: why not", "  contract  not tried  c: other"]
    assert max(map(len, rows)) < 140
    assert " ".join(row[23:] for row in rows[2:]) == "; ".join(names)
    assert len(rows) == 2 + 4


def test_skipped_component_says_why() -> None:
    assert "because no sizes" in text_of(component(verdict="skipped", reason="no sizes"))


def test_numbers_that_are_not_finite_are_shown() -> None:
    claim = ClaimResult("f[x]", "f", "x", "wrong", worst=Entry((), (), math.nan, math.inf, math.inf, 0.0))
    text = text_of(component(claim))
    assert "∂ output / ∂ x" in text
    assert "claim NaN, measured ∞ ± ∞" in text


def test_kinks_are_shown_when_asked_for() -> None:
    kink = Kink("exact zeros", (0,), 0.0, 1.0, 0.0, "0")
    claim = dataclasses.replace(right(), kinks=(kink, kink))
    assert "kinks     2 entries, where it takes: 0" in text_of(component(claim, verdict="correct"), verbose=True)
    assert "kinks" not in text_of(component(claim, verdict="correct"))


def test_names_and_messages_cannot_move_the_cursor_or_break_a_line() -> None:
    nasty = "\x1b[2J\x1b]0;title\x07<b>[red]\r\nsecond\ud800"
    claim = ClaimResult(nasty, nasty, "x", "wrong", causes=(Cause("", nasty, nasty),), counterexample=nasty, test=nasty)
    result = ComponentResult(nasty, nasty, "wrong", reason=nasty, claims=(claim,))
    text = text_of(result, verbose=True)
    assert not {"\x1b", "\x07", "\r", "\ud800"} & set(text)
    assert text.splitlines()[0].startswith("wrong      ␛[2J")
    text.encode("utf-8")


def test_claim_text_is_the_claim_alone() -> None:
    assert claim_text(wrong()).startswith("wrong      get_input_gradients[x] everywhere: The sign is flipped.")


def test_the_smallest_example_comes_with_claim_measurement_and_difference() -> None:
    shown = dataclasses.replace(wrong(), matrices=MATRICES)
    text = text_of(component(shown))
    assert text[text.index("    smallest") :] == (
        "    smallest  x = np.array([[1.0]])\n"
        "    there         claim                       measured                  difference\n"
        "                  [0, 0]  [0, 1]    [0, 2]    [0, 0]  [0, 1]  [0, 2]    [0, 0]  [0, 1]  [0, 2]\n"
        "              [0]  −0.42*      0         0      0.42       0       0     −0.84*      0       0\n"
        "              [1]      0       1  2.000002*        0       1       2         0       0    2e-6*\n"
        "              (5 columns not shown)"
    )
    assert "measured  " not in text_of(component(wrong()))


def test_a_gradient_is_laid_out_as_its_variable_and_a_right_one_shows_no_matrices() -> None:
    def f(w: np.ndarray) -> float:
        return float((w**2).sum())

    w = np.array([[1.0, 2.0], [3.0, 4.0]])
    result = gradcheck.check(f, w, grad=lambda w: np.where(w == 3.0, 2 * w + 1e-6, 2 * w))
    rows = str(result).splitlines()
    at = next(i for i, row in enumerate(rows) if row.startswith("    there"))
    assert [row.split() for row in rows[at + 2 : at + 4]] == [
        ["[0]", "2", "4", "2", "4", "0", "0"],
        ["[1]", "6.000001*", "8", "6", "8", "1e-6*", "0"],
    ]
    assert "there" not in str(gradcheck.check(f, w, grad=lambda w: 2 * w))


def entries(amount: int) -> ClaimResult:
    found = tuple(Entry((i, 0), (0, i), 3.0, 1.0 + i, 1e-12, 2e-12) for i in range(min(amount, 12)))
    at_once = at("wrong", ratio=2e9)
    return dataclasses.replace(wrong(), points=(at(), at_once), wrong=found, wrong_count=amount)


@pytest.mark.parametrize("amount", [2, 12, 13, 4000])
def test_wrong_entries_are_listed_up_to_a_dozen(amount: int) -> None:
    text = " ".join(text_of(component(entries(amount))).split())
    assert f"entries {amount:,} wrong (generic, float64), output by x: [0, 0] by [0, 0], [1, 0] by [0, 1]" in text
    assert ("[11, 0] by [0, 11]" in text) == (amount >= 12)
    assert (" more" in text) == (amount > 12)
    whole = explain(component(entries(amount)))
    assert whole.count("∂ output[") == 1 + min(amount, 12)
    assert "∂ output[1, 0] / ∂ x[0, 1]: claim 3, measured 2 ± 1e-12, tolerance 2e-12" in whole
    assert (f"and {amount - 12:,} more" in whole) == (amount > 12)


def test_one_wrong_entry_is_the_worst_one_and_needs_no_list() -> None:
    assert "entries" not in text_of(component(entries(1)))


def test_entries_of_a_gradient_and_of_an_elementwise_function_are_said_shortly() -> None:
    gradient = dataclasses.replace(
        entries(3), wrong=tuple(dataclasses.replace(entry, output=()) for entry in entries(3).wrong)
    )
    assert ", of x: [0, 0], [0, 1], [0, 2]" in text_of(component(gradient))
    same = dataclasses.replace(
        entries(3), wrong=tuple(dataclasses.replace(entry, output=entry.index) for entry in entries(3).wrong)
    )
    assert ", output by x at the same place: [0, 0], [0, 1], [0, 2]" in text_of(component(same))


def test_a_claim_without_a_cause_says_what_is_claimed_and_what_was_measured() -> None:
    text = text_of(component(dataclasses.replace(wrong(), causes=())))
    assert "everywhere: ∂ output[0, 1] / ∂ x[2, 3] is claimed to be −1.5, and was measured as 1.5\n" in text


LONG = "y" * 10_000_000


def test_messages_of_any_length_are_cut_and_short_ones_are_not() -> None:
    def text(message: str, verbose: bool = False) -> str:
        claim = dataclasses.replace(
            wrong(message, message), points=(at("wrong", message=message),), causes=(Cause("", message, message),) * 2,
            counterexample=message, worst_point=message, traceback=message,
        )  # fmt: skip
        return text_of(
            component(
                claim, reason=message, reading=message, where=message, notes=(Note(message, message),),
                unjudged=(Unjudged(message, message),), contract=(ContractResult(message, "broken", message),),
            ),
            verbose,
        )  # fmt: skip

    assert len(text(LONG)) < 20_000
    assert len(text(LONG, verbose=True)) < 80_000
    middling = "word " * 40
    assert " … " not in text(middling, verbose=True)
    assert text(middling, verbose=True).count(middling.strip()) >= 10


def test_a_long_example_is_cut_and_is_whole_where_more_is_wanted() -> None:
    long = "x = np.array([" + ", ".join("1.0" for _ in range(300)) + "])"
    claim = dataclasses.replace(wrong(), counterexample=long)
    assert long not in text_of(component(claim))
    assert max(map(len, text_of(component(claim)).splitlines())) < EXAMPLE + 20
    assert long in explain(component(claim))


def test_notes_and_what_was_not_judged_have_a_line_each() -> None:
    text = text_of(
        component(
            right(),
            verdict="correct",
            notes=(Note("forward", "forward is NaN at ±1000"), Note("tape[x]", "n" * 400), Note("contract", "pure")),
            unjudged=(Unjudged("backward_b", "its weight was not found"),),
        )
    )
    head, *rest = text.splitlines()
    assert head.endswith("would catch ≥ 3e-12; forward is NaN at ±1000")
    assert rest[0].startswith("  note      tape[x]: nnn")
    assert rest[0].endswith("n…")
    assert rest[1:] == ["  note      pure", "  not judged  backward_b: its weight was not found"]


def test_a_result_is_explained_as_the_command_explains_it_with_v() -> None:
    result = gradcheck.check(lambda x: x**2, np.array([1.0, 3.0]), jac=lambda x: np.diag(x))
    assert gradcheck.explain(result) == text_of(result, verbose=True)
    assert str(result) == text_of(result)
    with pytest.raises(UsageError, match=r"expected the result of gradcheck\.check, but got ndarray"):
        gradcheck.explain(np.ones(3))  # type: ignore[arg-type]
