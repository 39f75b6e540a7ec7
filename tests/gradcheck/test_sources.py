"""What is checked is compiled from its source; what is installed, or stands elsewhere, is imported as ever."""

from __future__ import annotations

import os
import py_compile
import sys
from pathlib import Path

import pytest

from gradcheck.command.cli import main
from gradcheck.command.processes.parent import Worker
from gradcheck.command.sources import is_checked
from tests.gradcheck.foreign import LAYERS, package
from tests.gradcheck.test_pool import find, names

RIGHT = LAYERS.replace("self.y**2 - 1", "1 - self.y**2")


def leave_old_bytecode(file: Path, old: str, new: str) -> Path:
    """Write `new` into a file beside bytecode of `old` that passes for current."""
    assert len(old) == len(new)
    file.write_text(old)
    then = file.stat()
    bytecode = Path(py_compile.compile(str(file), doraise=True) or "")
    file.write_text(new)
    os.utime(file, ns=(then.st_atime_ns, then.st_mtime_ns))
    return bytecode


@pytest.mark.parametrize("target", ["beras.layers.Flipped", "beras/layers.py::Flipped"])
def test_folder_that_is_called_site_packages_is_checked_as_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    here = package(tmp_path / "site-packages")
    leave_old_bytecode(here / "beras" / "layers.py", RIGHT, LAYERS)
    monkeypatch.chdir(here)
    assert main(["-q", "--no-report", target]) == 1


@pytest.mark.parametrize("target", ["beras.layers.Flipped", "../elsewhere/beras/layers.py::Flipped"])
def test_target_in_another_folder_is_compiled_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    elsewhere, here = package(tmp_path / "elsewhere"), tmp_path / "here"
    here.mkdir()
    leave_old_bytecode(elsewhere / "beras" / "layers.py", RIGHT, LAYERS)
    monkeypatch.chdir(here)
    monkeypatch.syspath_prepend(str(elsewhere))
    assert main(["-q", "--no-report", target]) == 1


def test_library_beside_the_checked_folder_is_not_compiled_at_every_start(tmp_path: Path) -> None:
    here, library = package(tmp_path / "here", "import library\n" + LAYERS), tmp_path / "libraries"
    library.mkdir()
    leave_old_bytecode(library / "library.py", "x = 1", "raise")  # what is compiled shows itself
    worker = Worker([str(here), str(library), *sys.path], str(here))
    assert names(worker.ask(find(here, "beras.layers"), 30)) == ["beras.layers.Tanh", "beras.layers.Flipped"]
    worker.close()


def test_subject_may_compile_files_and_what_it_starts_leaves_no_bytecode(tmp_path: Path) -> None:
    layers = LAYERS + (
        "\nimport os, py_compile, subprocess, sys\n"
        "py_compile.compile(__file__, cfile='kept.bin', doraise=True)\n"
        "subprocess.run([sys.executable, '-c', 'import helper'], check=True)\n"
    )
    package(tmp_path, layers)
    (tmp_path / "helper.py").write_text("")
    worker = Worker([str(tmp_path), *sys.path], str(tmp_path))
    assert names(worker.ask(find(tmp_path, "beras.layers"), 30)) == ["beras.layers.Tanh", "beras.layers.Flipped"]
    worker.close()
    assert (tmp_path / "kept.bin").is_file()
    assert list(tmp_path.rglob("*.pyc")) == []


def test_what_is_installed_is_not_checked_even_inside_a_checked_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    # Such as a virtual environment in the student's folder.
    monkeypatch.setattr("gradcheck.command.sources._checked", {os.path.join(os.path.realpath(sys.prefix), ""), os.sep})
    assert not is_checked(pytest.__file__)
    assert not is_checked(os.__file__)
    assert is_checked(os.path.abspath("layers.py"))
