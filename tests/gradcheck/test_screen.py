"""A long run says what it is doing: on a terminal, in one line that goes away, and nowhere else."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gradcheck.command.screen import ERASE, Screen
from gradcheck.report.printer import Printer
from tests.gradcheck.foreign import LAYERS, command, environment, package


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_progress_is_taken_away_before_a_line_is_printed() -> None:
    both = Terminal()
    screen = Screen(Printer(io.StringIO()), both)
    screen.progress("1 of 2")
    screen.line([("Dense", "")])
    assert both.getvalue() == f"{ERASE}1 of 2{ERASE}"
    screen.line([("Conv", "")])
    screen.done()
    assert both.getvalue() == f"{ERASE}1 of 2{ERASE}"  # there was nothing to take away


def test_progress_is_one_line_and_cannot_move_the_cursor() -> None:
    stream = Terminal()
    Screen(Printer(io.StringIO()), stream).progress("\x1b[2J\n[red]Dense " + "x" * 500)
    shown = stream.getvalue().removeprefix(ERASE)
    assert len(shown) == 79
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert "[red]Dense" in shown


@pytest.mark.parametrize("how", ["quiet", "dumb", "file"])
def test_progress_is_shown_to_nobody_who_does_not_look(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setenv("TERM", "dumb" if how == "dumb" else "xterm")
    stream = io.StringIO() if how == "file" else Terminal()
    screen = Screen(Printer(io.StringIO()), stream, quiet=how == "quiet")
    screen.progress("1 of 2")
    screen.done()
    assert stream.getvalue() == ""


def test_several_threads_do_not_mix_their_lines() -> None:
    stream, out = Terminal(), io.StringIO()
    screen = Screen(Printer(out), stream)

    def report(name: str) -> None:
        for _ in range(200):
            screen.progress(name)
            screen.line([(name, "")])

    threads = [threading.Thread(target=report, args=(letter * 40,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {len(set(line)) for line in out.getvalue().splitlines()} == {1}
    assert {len(set(part)) for part in stream.getvalue().split(ERASE)} == {0, 1}


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
@pytest.mark.parametrize("each", [False, True])
def test_command_on_a_terminal(tmp_path: Path, each: bool) -> None:
    import pty

    package(tmp_path / "ada", LAYERS)
    ours, theirs = pty.openpty()
    arguments = ["--each", "ada", "beras"] if each else ["ada/beras"]
    done = subprocess.run(
        [sys.executable, "-m", "gradcheck", *arguments, "--no-report", "--dtype", "float64", "--jobs", "1"],
        cwd=tmp_path,
        env={**environment(), "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        timeout=120,
        check=False,
    )
    os.close(theirs)
    shown = read(ours)
    assert done.returncode == 1
    assert b"\x1b" not in done.stdout
    assert "looking into beras.layers" in shown
    assert "beras.layers.Tanh: generic" in shown
    assert ("ada: " if each else "1 of 2 checked, ") in shown
    assert shown.endswith(ERASE)


def read(descriptor: int) -> str:
    """What was written to the other end of a pseudo-terminal that is closed by now."""
    chunks = []
    try:
        while chunk := os.read(descriptor, 65536):
            chunks.append(chunk)
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(descriptor)
    return b"".join(chunks).decode()


def test_command_elsewhere_shows_no_progress(tmp_path: Path) -> None:
    package(tmp_path)
    done = command("--no-report", "--dtype", "float64", folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "looking into" not in done.stdout
