"""The progress line: redrawn in place on a terminal, whole lines in a log file."""

from __future__ import annotations

import io
import os

import pytest

from beras import progress
from beras.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "perf_counter", clock)
    return clock


def test_a_terminal_line_has_rate_and_remaining_time(clock: Clock) -> None:
    terminal = Terminal()
    line = Progress("Epoch 1/2", 1000, "samples", terminal)
    clock.now = 2.0
    line.update(250, lambda: "loss 0.5")
    assert terminal.getvalue() == "\rEpoch 1/2  25 % of 1,000 samples, 125 samples/s, 6.0 s left  loss 0.5"


def test_a_shorter_line_covers_the_longer_one(clock: Clock) -> None:
    terminal = Terminal()
    line = Progress("x", 100, "steps", terminal)
    clock.now = 1.0
    line.update(1, lambda: "a long note that goes away")
    drawn = len(terminal.getvalue()) - 1
    clock.now = 2.0
    line.close(100)
    last = terminal.getvalue().split("\r")[-1]
    assert last.rstrip() == "x 100 steps in 2.0 s, 50 steps/s"
    assert len(last.rstrip("\n")) == drawn
    assert last.endswith("\n")


def test_a_line_is_cut_to_the_terminals_width(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((20, 5)))
    terminal = Terminal()
    line = Progress("a label that is longer than this", 100, "steps", terminal)
    clock.now = 1.0
    line.update(1)
    assert len(terminal.getvalue()) == 1 + 19


def test_a_terminal_is_drawn_ten_times_a_second_at_most(clock: Clock) -> None:
    terminal = Terminal()
    line = Progress("x", 1000, "steps", terminal)
    for step in range(1000):
        clock.now = step / 1000
        line.update(step)
    assert terminal.getvalue().count("\r") == 9


def test_a_log_file_gets_a_line_a_minute_and_the_last_one(clock: Clock) -> None:
    log = io.StringIO()
    line = Progress("x", 1000, "steps", log)
    for step in range(1000):
        clock.now = step * 0.15
        line.update(step)
    line.close(1000)
    assert "\r" not in log.getvalue()
    assert log.getvalue().splitlines() == [
        "x  40 % of 1,000 steps, 7 steps/s, 1:30 left",
        "x  80 % of 1,000 steps, 7 steps/s, 30 s left",
        "x 1,000 steps in 2:30, 7 steps/s",
    ]


def test_the_note_is_built_only_when_it_is_drawn(clock: Clock) -> None:
    line = Progress("x", 10, "steps", io.StringIO())

    def note() -> str:
        raise AssertionError("nobody sees this")

    line.update(1, note)


def test_an_unknown_total_has_no_share(clock: Clock) -> None:
    terminal = Terminal()
    line = Progress("Downloading", None, "bytes", terminal)
    clock.now = 2.0
    line.update(5_000_000)
    assert terminal.getvalue() == "\rDownloading 5.0 MB, 2.5 MB/s"
