"""Ctrl-C and SIGTERM in the middle of a run: what was found so far is printed and written whole, and nothing else."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gradcheck.command import cli
from gradcheck.command.interrupt import Stop, in_order, listening
from tests.gradcheck.foreign import LAYERS, command, document, environment, is_running, package

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")

TANH = LAYERS.partition("class Flipped")[0]
HANGS = (
    "class {name}(Diffable):\n    def forward(self, x):\n"
    "        import pathlib\n        pathlib.Path('{name} is asked').touch()\n        while True: pass\n"
    "    def get_input_gradients(self): return [self.y]\n"
)
# The first one hangs; when the last one is asked, the one between them has been judged.
FIRST, LAST = HANGS.format(name="First"), HANGS.format(name="Last")
LAYERS_THAT_HANG = TANH.replace("class Tanh", f"{FIRST}\nclass Tanh") + LAST


def interrupt(arguments: list[str], folder: Path, files: list[str], number: int) -> tuple[int, str, str]:
    """Run the command, send a signal when all the files are there, and return status, output and errors.

    Its temporary folder, in which copies are made, is `folder`.
    """
    program = [sys.executable, "-m", "gradcheck", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": {**environment(), "TMPDIR": str(folder)}}
    with subprocess.Popen(program, cwd=folder, text=True, **pipes) as running:  # type: ignore[call-overload]
        end = time.monotonic() + 60
        while not all(any(folder.glob(file)) for file in files):
            assert time.monotonic() < end
            assert running.poll() is None, running.communicate()
            time.sleep(0.02)
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
    return running.returncode, out, err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_was_found_so_far_is_printed_and_written(tmp_path: Path, number: int, status: int) -> None:
    package(tmp_path, TANH.replace("Tanh", "Old"))
    assert command("-q", folder=tmp_path).returncode == 0
    (tmp_path / "beras" / "layers.py").write_text(LAYERS_THAT_HANG)
    arguments = ["--jobs", "2", "--json", "out.json", "--junit-xml", "out.xml"]
    asked = ["First is asked", "Last is asked"]
    ended, out, err = interrupt(arguments, tmp_path, asked, number)
    assert (ended, err) == (status, "gradcheck: interrupted: 1 of 3 were checked\n")
    lines = out.splitlines()
    assert lines[1].startswith("correct    beras.layers.Tanh ")
    assert lines[-1].startswith("1 correct in ")
    found = document(tmp_path)
    assert ([one["name"] for one in found["components"]], found["exit_status"]) == (["beras.layers.Tanh"], status)
    assert ElementTree.parse(tmp_path / "out.xml").getroot().find("testsuite").attrib["name"] == "beras.layers.Tanh"  # type: ignore[union-attr]
    names = {path.name for path in (tmp_path / "reports" / "data").iterdir()}
    assert names == {"beras.layers.Old.json", "beras.layers.Tanh.json"}  # nobody knows whether the old one is gone
    if (tmp_path / "reports" / "index.html").exists():  # with the extra `report`
        assert "beras.layers.Tanh" in (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")


def test_run_that_nobody_interrupts_is_whole(tmp_path: Path) -> None:
    package(tmp_path, TANH)
    done = command("--json", "out.json", "--no-report", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert document(tmp_path)["exit_status"] == 0


def test_folders_that_are_done_are_in_the_table(tmp_path: Path) -> None:
    package(tmp_path / "ada", HANGS.format(name="First").join(["from .core import Diffable\n", ""]))
    package(tmp_path / "bob", LAYERS)
    package(tmp_path / "cem", HANGS.format(name="Last").join(["from .core import Diffable\n", ""]))
    asked = ["gradcheck-*/work/ada/First is asked", "gradcheck-*/work/cem/Last is asked"]
    arguments = ["--each", "ada", "bob", "cem", "beras", "--jobs", "2", "--json", "out.json"]
    ended, out, err = interrupt(arguments, tmp_path, asked, signal.SIGINT)
    assert (ended, err) == (130, "gradcheck: interrupted: 1 of 3 folders were checked\n")
    assert "bob  wrong      beras.layers.Flipped everywhere: " in out
    with (tmp_path / "reports" / "each.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [(row["who"], row["verdict"]) for row in csv.DictReader(file)] == [("bob", "wrong"), ("bob", "correct")]
    assert {one["name"] for one in document(tmp_path)["components"]} == {
        "bob: beras.layers.Flipped",
        "bob: beras.layers.Tanh",
    }


def test_before_anything_was_checked_nothing_is_written(tmp_path: Path) -> None:
    package(tmp_path, TANH, model="import pathlib\npathlib.Path('imported').touch()\nwhile True: pass")
    ended, out, err = interrupt(["--json", "out.json"], tmp_path, ["imported"], signal.SIGINT)
    assert (ended, err) == (130, "gradcheck: interrupted\n")
    assert len(out.splitlines()) == 1
    assert not (tmp_path / "out.json").exists()
    assert not (tmp_path / "reports").exists()


def test_signal_while_files_are_written_leaves_them_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(package(tmp_path, TANH))
    write_report = cli.write_report

    def interrupted(*arguments: Any) -> list[str]:
        signal.raise_signal(signal.SIGINT)
        return write_report(*arguments)

    monkeypatch.setattr(cli, "write_report", interrupted)
    assert cli.main(["--json", "out.json"]) == 0  # everything was checked
    assert document(tmp_path)["exit_status"] == 0
    assert (tmp_path / "reports" / "data" / "beras.layers.Tanh.json").is_file()


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals reach the main thread")
def test_second_signal_does_what_it_always_did() -> None:
    before = signal.getsignal(signal.SIGINT)
    stop = Stop()
    with listening(stop):
        signal.raise_signal(signal.SIGINT)
        assert stop.signal == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_results_come_in_order_and_after_a_stop_those_that_are_there() -> None:
    stop, given_up, release = Stop(), threading.Event(), threading.Event()

    def work(item: int) -> int:
        if item == 1:
            release.wait(30)
        return item

    results = in_order(work, [0, 1, 2, 3], 2, stop, lambda: (given_up.set(), release.set())[0])
    assert next(results) == 0
    while stop.events.qsize() < 2:  # 2 and 3 are done, and 1 is not
        time.sleep(0.01)
    stop(signal.SIGINT)
    assert list(results) == [2, 3]
    assert given_up.is_set()


def test_error_of_one_result_is_raised_in_its_place() -> None:
    def work(item: int) -> float:
        return 1 / item

    results = in_order(work, [1, 0, 2], 2, Stop(), lambda: None)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


FOREVER = LAYERS + (
    "\nclass Hangs(Tanh):\n    def forward(self, x):\n"
    "        import os, pathlib\n        pathlib.Path('pid').write_text(str(os.getpid()))\n        while True: pass\n"
)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_worker_does_not_outlive_the_command(tmp_path: Path, number: int, status: int) -> None:
    package(tmp_path, FOREVER)
    command = [sys.executable, "-m", "gradcheck", "beras.layers.Hangs", "--json", "out.json"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True) as running:
        pid = _wait_for(lambda: int((tmp_path / "pid").read_text() or 0) if (tmp_path / "pid").exists() else 0)
        running.send_signal(number)
        _, said = running.communicate(timeout=30)
    assert running.returncode == status
    assert "Traceback" not in said
    _wait_for(lambda: not is_running(pid))
    assert not (tmp_path / "reports").exists()
    if number == signal.SIGINT:
        assert said == "gradcheck: interrupted: 0 of 1 were checked\n"
        assert (document(tmp_path)["exit_status"], document(tmp_path)["components"]) == (130, [])
    else:
        assert not (tmp_path / "out.json").exists()


def _wait_for(condition: Callable[[], int]) -> int:
    end = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return value
