"""Somebody else's `beras` in the current folder is the one that is checked; whichever it is, it is named."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

import pytest

from gradcheck.command.precedence import put_first
from tests.gradcheck.foreign import LAYERS, package, python

MARKED = LAYERS + "\nclass OnlyInTheForeignPackage(Tanh): pass\n"


@pytest.fixture(params=["with __init__", "without"])
def here(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    package(tmp_path, MARKED)
    if request.param == "without":
        (tmp_path / "beras" / "__init__.py").unlink()
    return tmp_path


def plugin() -> list[str]:
    """Return what makes pytest load the plugin where it is not installed as an entry point."""
    installed = any(entry.name == "gradcheck" for entry in importlib.metadata.entry_points(group="pytest11"))
    return [] if installed else ["-p", "gradcheck.pytest_plugin"]


def is_foreign(here: Path) -> None:
    found = json.loads((here / "out.json").read_text())
    assert [item["name"] for item in found["components"]] == ["beras.layers.OnlyInTheForeignPackage"]
    assert found["components"][0]["source"].startswith("beras/layers.py:")
    assert found["verdict"] == "correct"


ARGV = ["-k", "foreign", "--no-report", "--json", "out.json"]


def test_by_the_module(here: Path) -> None:
    done = python("-m", "gradcheck", *ARGV, folder=here)
    assert done.stdout.startswith("gradcheck 0.1.0 checks beras"), done.stderr
    is_foreign(here)


def test_by_the_console_script(here: Path) -> None:
    script = here.parent / f"bin-{here.name}" / "gradcheck"  # a script's sys.path starts in its own folder
    script.parent.mkdir()
    script.write_text("from gradcheck.command.cli import console\nconsole()\n")
    done = python(str(script), *ARGV, folder=here)
    assert done.stdout.startswith("gradcheck 0.1.0 checks beras"), done.stderr
    is_foreign(here)


def test_the_plugin_names_the_copy_that_was_imported(here: Path) -> None:
    tests = here / "tests"
    tests.mkdir()
    (tests / "test_it.py").write_text(
        "import beras.layers\n"
        "def test_it(gradcheck):\n"
        "    found = gradcheck(beras.layers.Tanh if hasattr(beras.layers, 'Tanh') else beras.layers.Dense)\n"
        "    print(beras.layers.__file__)\n"
    )
    # Which one that is, is pytest's business: the plugin leaves sys.path alone.
    done = python("-m", "pytest", "-q", "-rP", "--import-mode=importlib", *plugin(), "tests", folder=here)
    assert done.returncode == 0, done.stdout + done.stderr
    (imported,) = [line for line in done.stdout.splitlines() if line.endswith("layers.py") and os.sep in line[:1]]
    shown = os.path.relpath(imported, here) if imported.startswith(str(here)) else imported
    assert f"gradcheck: 1 checked, of {shown}" in done.stdout


def test_by_the_module_where_python_leaves_the_current_folder_out(here: Path) -> None:
    done = python("-P", "-m", "gradcheck", *ARGV, folder=here)
    assert done.returncode == 0, done.stderr
    is_foreign(here)


def test_editable_install_of_another_beras_supplies_none_of_its_modules(
    here: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = package(tmp_path_factory.mktemp("copy"), gradient_tape="", __init__="")

    class Editable:
        """Answers as the import hook of an editable install does: by name, wherever the parent stands."""

        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
            return PathFinder.find_spec(name, [str(copy if "." not in name else copy / "beras")])

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Editable])
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert sys.meta_path[-1].find_spec("beras.gradient_tape") is not None
    put_first(str(here))
    assert sys.path[0] == str(here)
    assert sys.meta_path[-1].find_spec("beras.gradient_tape") is None
    assert sys.meta_path[-1].find_spec("beras") is None
