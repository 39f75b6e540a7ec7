"""What stands in the current folder is not taken for Python's own modules, however the command is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gradcheck.foreign import ROOT, environment, package

MODULE = ("-m", "gradcheck")
IN_PROCESS = ("-c", "import runpy; runpy.run_module('gradcheck', run_name='__main__', alter_sys=True)")


def start(*arguments: str, folder: Path, path: tuple[str, ...] = (str(ROOT),)) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment(), "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", ["copy", "json"])
@pytest.mark.parametrize(
    ("how", "path"),
    [
        (MODULE, (".",)),
        (("-P", *MODULE), (".",)),
        (MODULE, ("../here",)),
        (IN_PROCESS, ()),
        (("-P", *IN_PROCESS), (".",)),
    ],
)
def test_homework_named_like_a_module_of_pythons_is_not_imported(
    tmp_path: Path, name: str, how: tuple[str, ...], path: tuple[str, ...]
) -> None:
    here = package(tmp_path / "here")
    (here / f"{name}.py").write_text("raise RuntimeError('not the one of Python')")
    program = [argument.replace("import runpy;", f"import runpy, sys; sys.argv[1:] = {TARGET};") for argument in how]
    done = start(*program, *([] if "-c" in how else TARGET), folder=here, path=(*path, str(ROOT)))
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 correct in " in done.stdout


TARGET = ["beras.layers.Tanh", "--no-report"]


def test_other_folders_stay_on_the_path(tmp_path: Path) -> None:
    here = package(tmp_path / "here")
    (tmp_path / "here" / "lib").mkdir()
    (here / "lib" / "helper.py").write_text("")
    (here / "beras" / "core.py").write_text("import helper\n" + (here / "beras" / "core.py").read_text())
    # Started in a script's way, the first entry is another folder, which nobody may take away unlooked at.
    program = f"import runpy, sys; sys.path[0] = {str(here / 'lib')!r}; sys.argv[1:] = {TARGET}; " + IN_PROCESS[1]
    done = start("-c", program, folder=here)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="a folder that is in use cannot be deleted")
def test_current_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = "import os, sys; os.rmdir(os.getcwd()); os.execv(sys.executable, [sys.executable, '-m', 'gradcheck'])"
    done = start("-c", program, folder=gone)
    assert done.returncode == 1
    assert done.stderr == "gradcheck: the current folder does not exist any more: change into one that does\n"
