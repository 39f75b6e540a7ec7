"""Lines are painted in colour for whoever looks, as plain text for everything else."""

from __future__ import annotations

import io

import pytest

from gradcheck.report.printer import Printer
from gradcheck.report.terminal import lines_of, text_of
from tests.gradcheck.test_terminal import component, right, wrong


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
    assert plain.getvalue() == file.getvalue() == text_of(component(wrong())) + "\n"


def test_markup_in_a_name_is_text_in_colour_too(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Terminal()
    Printer(stream).line([("[red]Dense[/red] :smile:", "name")])
    assert "[red]Dense[/red] :smile:" in stream.getvalue()


def test_ascii_terminal_gets_words_for_signs() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Printer(stream).lines(lines_of(component(right(), verdict="correct")))
    Printer(stream).line([("λ", "")])
    stream.flush()
    assert b"would catch >= 3e-12" in raw.getvalue()
    assert rb"\u03bb" in raw.getvalue()
