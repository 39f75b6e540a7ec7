"""What is printed leads to the mistake, and nothing in somebody else's names can harm the terminal."""

from __future__ import annotations

import dataclasses
import io
import math
import threading
import time

import pytest

from gradcheck.report.terminal import Printer, claim_text, counts, explain, lines_of, summary
from gradcheck.results import (
    AtPoint,
    Cause,
    ClaimResult,
    ComponentResult,
    ContractResult,
    Entry,
    Kink,
    Verdict,
)

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
        points=(at("wrong", ratio=2e9),),
        worst=Entry((0, 1), (2, 3), -1.5, 1.5, 3e-12, 6e-12),
        worst_point="generic, float64",
        causes=(Cause("sign", sentence, "claim ÷ estimate is −1 everywhere"), Cause("else", "Or not.", "")),
        counterexample="x = np.array([[1.0]])",
        test=TEST,
    )


def right() -> ClaimResult:
    return ClaimResult("tape.gradient[x]", "tape.gradient", "x", "correct", points=(at(), at(ratio=0.5)))


def component(*claims: ClaimResult, verdict: Verdict = "wrong", **more: object) -> ComponentResult:
    return ComponentResult("layers.Dense", "layers.py:12", verdict, claims=claims, **more)  # type: ignore[arg-type]


def test_correct_component_is_one_line_with_what_would_have_been_caught() -> None:
    text = explain(component(right(), verdict="correct"))
    assert text == ("correct    layers.Dense  1 claim, 1 point, worst error 0.5 of tolerance, would catch ≥ 3e-12")


def test_wrong_claim_leads_to_the_entry_and_to_a_test() -> None:
    text = explain(component(wrong(), right()))
    for said in (
        "wrong      layers.Dense  layers.py:12",
        "get_input_gradients[x]: The sign is flipped.",
        "claim ÷ estimate is −1 everywhere",
        "∂ output[0, 1] / ∂ x[2, 3] (generic, float64)",
        "claim −1.5, estimate 1.5 ± 3e-12, tolerance 6e-12",
        "x = np.array([[1.0]])",
    ):
        assert said in text
    assert TEST in text + "\n"  # not indented: it can be pasted
    assert "tape.gradient" not in text
    assert "Or not." not in text
    verbose = explain(component(wrong(), right()), verbose=True)
    assert "correct    tape.gradient[x]  1 point, worst error 0.5 of tolerance, would catch ≥ 3e-12" in verbose
    assert "or else   Or not." in verbose


def test_claims_that_are_wrong_for_one_reason_are_told_once() -> None:
    claims = [wrong(), wrong("compose_input_gradients[x]"), wrong("other[x]", "Transposed.")]
    text = explain(component(*claims))
    assert text.count("The sign is flipped.") == 1
    assert "wrong      compose_input_gradients[x]: the same" in text
    assert text.count(TEST) == 2
    assert explain(component(*claims), verbose=True).count(TEST) == 3


@pytest.mark.parametrize("verdict", ["unresolved", "not implemented", "waived"])
def test_any_other_verdict_says_why(verdict: Verdict) -> None:
    claim = ClaimResult("f[x]", "f", "x", verdict, reason="because of that")
    assert f"{verdict:<10} f[x]: because of that" in explain(component(claim, verdict=verdict))


def test_claim_that_raised_shows_what_it_raised() -> None:
    claim = ClaimResult("f[x]", "f", "x", "wrong", points=(at("wrong", message="it raised ValueError: no"),))
    assert "f[x]: it raised ValueError: no" in explain(component(claim))


def test_broken_contract_is_shown_and_a_kept_one_only_when_asked_for() -> None:
    items = (ContractResult("forward is deterministic", "broken", "2 of 3 differ"), ContractResult("pure", "kept"))
    text = explain(component(right(), contract=items))
    assert "broken     forward is deterministic: 2 of 3 differ" in text
    assert "pure" not in text
    assert "kept       pure" in explain(component(right(), contract=items), verbose=True)


def test_skipped_component_says_why() -> None:
    assert "because no sizes" in explain(component(verdict="skipped", reason="no sizes"))


def test_numbers_that_are_not_finite_are_shown() -> None:
    claim = ClaimResult("f[x]", "f", "x", "wrong", worst=Entry((), (), math.nan, math.inf, math.inf, 0.0))
    text = explain(component(claim))
    assert "∂ output / ∂ x" in text
    assert "claim –, estimate ∞ ± ∞" in text


def test_kinks_are_shown_when_asked_for() -> None:
    kink = Kink("exact zeros", (0,), 0.0, 1.0, 0.0, "0")
    claim = dataclasses.replace(right(), kinks=(kink, kink))
    assert "kinks     2 entries, where it takes: 0" in explain(component(claim, verdict="correct"), verbose=True)
    assert "kinks" not in explain(component(claim, verdict="correct"))


def test_names_and_messages_cannot_move_the_cursor_or_break_a_line() -> None:
    nasty = "\x1b[2J\x1b]0;title\x07<b>[red]\r\nsecond\ud800"
    claim = ClaimResult(nasty, nasty, "x", "wrong", causes=(Cause("", nasty, nasty),), counterexample=nasty, test=nasty)
    result = ComponentResult(nasty, nasty, "wrong", reason=nasty, claims=(claim,))
    text = explain(result, verbose=True)
    assert not {"\x1b", "\x07", "\r", "\ud800"} & set(text)
    assert text.splitlines()[0].startswith("wrong      \ufffd[2J")
    text.encode("utf-8")


def test_claim_text_is_the_claim_alone() -> None:
    assert claim_text(wrong()).startswith("wrong      get_input_gradients[x]: The sign is flipped.")


def test_summary_counts_the_worst_first() -> None:
    results = [component(verdict=v) for v in ("correct", "wrong", "correct", "skipped", "unresolved")]  # type: ignore[arg-type]
    assert dict(counts(results)) == {"wrong": 1, "unresolved": 1, "correct": 2, "skipped": 1}
    text = "".join(part for part, _ in summary(results, 1.25))
    assert text == "1 wrong, 1 unresolved, 2 correct, 1 skipped in 1.2 s"
    assert "nothing checked" in "".join(part for part, _ in summary([], 0.0))


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_colour_on_a_terminal_only_and_never_against_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    lines = lines_of(component(wrong()))
    coloured, plain, file = Terminal(), Terminal(), io.StringIO()
    Printer(coloured).lines(lines)
    Printer(file).lines(lines)
    monkeypatch.setenv("NO_COLOR", "1")
    Printer(plain).lines(lines)
    assert "\x1b[1;31mwrong" in coloured.getvalue()
    assert "\x1b" not in plain.getvalue() + file.getvalue()
    assert plain.getvalue() == file.getvalue() == explain(component(wrong())) + "\n"


def test_markup_in_a_name_is_text_in_colour_too(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Terminal()
    printer = Printer(stream)
    printer.progress("[red]Dense[/red]")
    printer.done()
    printer.line([("[red]Dense[/red] :smile:", "name")])
    assert "[red]Dense[/red] :smile:" in stream.getvalue()


def test_ascii_terminal_gets_words_for_signs() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Printer(stream).lines(lines_of(component(right(), verdict="correct")))
    Printer(stream).line([("λ", "")])
    stream.flush()
    assert b"would catch >= 3e-12" in raw.getvalue()
    assert rb"\u03bb" in raw.getvalue()


def test_progress_of_several_subjects_at_once_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    printer = Printer(Terminal())
    begin = threading.Barrier(8)

    def report() -> None:
        begin.wait()
        printer.progress("Dense")

    before = threading.active_count()
    threads = [threading.Thread(target=report) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    printer.done()
    # Each status that goes on spinning has a thread; one that was stopped ends soon.
    end = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() == before
