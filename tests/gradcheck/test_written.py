"""The files that a run leaves: whole, in their place, and refused before anything is checked where they cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gradcheck.command import written
from gradcheck.command.cli import main
from tests.gradcheck.foreign import document, environment, package


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(package(tmp_path))
    return tmp_path


def test_interrupted_json_leaves_the_old_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "out.json").write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", "out.json")

    monkeypatch.setattr("os.replace", fail)
    assert main(["beras.layers.Tanh", "--no-report", "--json", "out.json"]) == 2
    assert (here / "out.json").read_text() == "old"


def test_reader_that_goes_away_does_not_keep_the_files_from_being_written(tmp_path: Path) -> None:
    package(tmp_path)
    command = [sys.executable, "-m", "gradcheck", "beras.layers", "--no-report", "--json", "out.json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), text=True, **pipes) as running:  # type: ignore[call-overload]
        assert running.stdout.readline().startswith("gradcheck 0.1.0")
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 1
    assert document(tmp_path)["verdict"] == "wrong"


def test_json_is_written_through_a_link_and_into_a_device(tmp_path, monkeypatch):
    """What is no file of its own stays what it is."""
    monkeypatch.chdir(tmp_path)
    Path("real.json").write_text("old")
    Path("link.json").symlink_to("real.json")
    written.write("link.json", b"new")
    assert Path("link.json").is_symlink()
    assert Path("real.json").read_bytes() == b"new"
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    written.write("pipe", b"through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert Path("pipe").is_fifo()


def test_two_outputs_into_one_file_are_refused(tmp_path, capsys, monkeypatch):
    """Neither is lost."""
    monkeypatch.chdir(tmp_path)
    assert main(["--json", "same", "--junit-xml", "./same", "layers.py"]) == 2
    assert "name the same file" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_checked(tmp_path, capsys, monkeypatch):
    """One line, and no check that is lost."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    assert main(["--report", "file/reports", "layers.py"]) == 2
    assert "cannot be written" in capsys.readouterr().err
