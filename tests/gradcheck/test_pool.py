"""Worker processes contain whatever other people's modules do: hang, crash, print, exit, start programs."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradcheck.command.processes.parent import Died, Worker
from tests.gradcheck.foreign import LAYERS, is_running, package


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    made = Worker([str(tmp_path), *sys.path], str(tmp_path))
    yield made
    made.close()


def find(folder: Path, module: str, broken: tuple[str, ...] = ()) -> dict[str, Any]:
    file = folder.joinpath(*module.split(".")).with_suffix(".py")
    if not file.exists():
        file = folder.joinpath(*module.split("."), "__init__.py")
    return {"do": "find", "module": module, "file": str(file), "folder": "", "broken": list(broken), "attribute": ""}


def names(answer: dict[str, Any]) -> list[str]:
    return [name for _, name, verdict, _ in answer["found"] if not verdict]


def test_subjects_of_a_module_are_listed_and_its_prints_do_not_disturb(worker: Worker, tmp_path: Path) -> None:
    package(tmp_path)
    assert names(worker.ask(find(tmp_path, "beras.layers"), 30)) == ["beras.layers.Tanh", "beras.layers.Flipped"]
    # Diffable is an abstract base: nothing to check there.
    assert names(worker.ask(find(tmp_path, "beras.core"), 30)) == []


def test_module_is_found_although_its_package_does_not_import(worker: Worker, tmp_path: Path) -> None:
    package(tmp_path, __init__="from .model import Model", model="import a_module_that_is_not_installed")
    answer = worker.ask(find(tmp_path, "beras"), 30)
    assert "No module named 'a_module_that_is_not_installed' (beras/model.py, line 1)" in answer["unasked"]
    assert names(worker.ask(find(tmp_path, "beras.layers"), 30)) == ["beras.layers.Tanh", "beras.layers.Flipped"]
    assert "a_module_that_is_not_installed" in worker.ask(find(tmp_path, "beras.model"), 30)["unasked"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys; sys.exit('trained')", r"it ends the program with sys.exit\(trained\) \(beras/model.py, line 1\)"),
        ("raise KeyError('data')", r"KeyError: 'data' \(beras/model.py, line 1\)"),
        ("x = (", r"SyntaxError: .* \(beras/model.py, line 1\)"),
        ("x = input('epochs? ')", r"EOFError"),
        ("def f(): f()\nf()", "RecursionError"),
        ("import tensorflow_that_is_not_installed", "ModuleNotFoundError"),
    ],
)
def test_module_that_does_not_import_is_a_reason_with_file_and_line(
    worker: Worker, tmp_path: Path, text: str, said: str
) -> None:
    package(tmp_path, model=text)
    answer = worker.ask(find(tmp_path, "beras.model"), 30)
    assert re.search(said, answer["unasked"])
    assert len(names(worker.ask(find(tmp_path, "beras.layers"), 30))) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import os; os._exit(9)", "it ended the process with exit status 9"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", r"it crashed the process \(SIGKILL\)"),
        ("import ctypes; ctypes.string_at(0)", r"it crashed the process \(SIGSEGV\) in string_at"),
        ("import os; os.close(1); os.close(2); os._exit(0)", "it ended the process with exit status 0"),
    ],
)
def test_crash_is_contained_and_the_next_task_finds_a_new_process(
    worker: Worker, tmp_path: Path, text: str, said: str
) -> None:
    package(tmp_path, model=text)
    with pytest.raises(Died, match=said) as caught:
        worker.ask(find(tmp_path, "beras.model"), 30)
    assert caught.value.at == "beras.model"
    assert len(names(worker.ask(find(tmp_path, "beras.layers"), 30))) == 2


def test_hanging_module_is_killed_with_everything_that_it_started(worker: Worker, tmp_path: Path) -> None:
    package(
        tmp_path,
        model="import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('pid', 'w').write(str(child.pid))\n"
        "while True: pass",
    )
    worker.ask(find(tmp_path, "beras.core"), 30)
    with pytest.raises(Died, match=r"it did not finish within 1 s \(time limit\)"):
        worker.ask(find(tmp_path, "beras.model"), 1.0)
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)


def test_package_that_hangs_on_import_does_not_hide_its_modules(worker: Worker, tmp_path: Path) -> None:
    package(tmp_path, __init__="while True: pass")
    with pytest.raises(Died) as caught:
        worker.ask(find(tmp_path, "beras.layers"), 1.0)
    assert caught.value.at == "beras"
    assert len(names(worker.ask(find(tmp_path, "beras.layers", broken=("beras",)), 30))) == 2


def test_flood_of_prints_neither_blocks_nor_fills_the_memory(worker: Worker, tmp_path: Path) -> None:
    package(tmp_path, LAYERS + "\nimport os\nfor i in range(200): print('x' * 100_000); os.write(1, b'y' * 1000)\n")
    assert len(names(worker.ask(find(tmp_path, "beras.layers"), 30))) == 2


def test_module_that_changes_the_process_does_not_change_it_for_its_neighbours(worker: Worker, tmp_path: Path) -> None:
    package(tmp_path, model="import os, sys\nos.chdir('/')\nsys.stdout = None\nsys.stdin = None")
    worker.ask(find(tmp_path, "beras.model"), 30)
    assert len(names(worker.ask(find(tmp_path, "beras.layers"), 30))) == 2


def test_file_with_the_name_of_a_module_in_use_is_imported_all_the_same(worker: Worker, tmp_path: Path) -> None:
    text = LAYERS.replace("from .core", "from core")
    for name, content in {"random": text, "core": package(tmp_path).joinpath("beras/core.py").read_text()}.items():
        (tmp_path / f"{name}.py").write_text(content)
    answer = worker.ask({**find(tmp_path, "random"), "folder": str(tmp_path)}, 30)
    assert names(answer) == ["random.Tanh", "random.Flipped"]


def test_folder_without_init_is_a_package_too(worker: Worker, tmp_path: Path) -> None:
    (package(tmp_path) / "beras" / "__init__.py").unlink()
    assert len(names(worker.ask(find(tmp_path, "beras.layers"), 30))) == 2


def test_re_exports_and_aliases_are_counted_where_they_are_defined(worker: Worker, tmp_path: Path) -> None:
    package(tmp_path, LAYERS + "\nAlias = Tanh\n", __init__="from .layers import Tanh", nn="from .layers import *")
    assert names(worker.ask(find(tmp_path, "beras"), 30)) == []
    assert names(worker.ask(find(tmp_path, "beras.nn"), 30)) == []
    assert names(worker.ask(find(tmp_path, "beras.layers"), 30)) == ["beras.layers.Tanh", "beras.layers.Flipped"]


def test_unfinished_class_is_listed_with_what_is_missing_and_bases_are_left_out(worker: Worker, tmp_path: Path) -> None:
    layers = LAYERS + (
        "\nclass Unfinished(Diffable):\n    def forward(self, x): return x\n"
        "\nclass Activation(Diffable): pass\n"
        "\nclass Half(Activation):\n    def forward(self, x): return x\n"
        "\nclass Base:\n    def forward(self, x): raise NotImplementedError\n    def get_input_gradients(self): ...\n"
        "\nclass Derived(Base):\n    def forward(self, x): return x\n"
    )
    package(tmp_path, layers)
    found = {name: rest for name, _, *rest in worker.ask(find(tmp_path, "beras.layers"), 30)["found"]}
    unfinished = ["not implemented", "not finished: get_input_gradients must be written"]
    assert found == {
        "Tanh": ["", ""],
        "Flipped": ["", ""],
        "Unfinished": unfinished,
        "Half": unfinished,
        "Derived": ["", ""],
    }


def test_closed_worker_stays_closed(tmp_path: Path) -> None:
    worker = Worker(list(sys.path), str(tmp_path))
    worker.close()
    with pytest.raises(Died, match="interrupted"):
        worker.ask(find(package(tmp_path), "beras.layers"), 30)


def test_worker_that_died_on_its_own_is_replaced_and_its_pipe_closed(tmp_path: Path) -> None:
    worker = Worker(list(sys.path), str(tmp_path))
    dead = worker._process
    dead.kill()
    dead.wait()
    worker.ask(find(package(tmp_path), "beras.layers"), 30)
    assert dead.stdin is not None
    assert dead.stdin.closed
    worker.close()


def test_worker_that_cannot_start_is_an_error_of_gradcheck_not_of_the_subject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradcheck.command.processes.parent._PROGRAM", "raise SystemExit('no room')")
    worker = Worker(list(sys.path), str(tmp_path))
    with pytest.raises(RuntimeError, match=r"did not start.*\n.*no room"):
        worker.ask(find(package(tmp_path), "beras.layers"), 30)
    worker.close()
