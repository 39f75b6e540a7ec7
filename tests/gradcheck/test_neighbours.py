"""Targets of one command that stand in different folders: each is checked with what stands in its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.command.cli import main
from tests.gradcheck.foreign import CORE, LAYERS, document, package

TANH = CORE + LAYERS.partition("class Flipped")[0].replace("from .core import", "#")
WRONG = TANH.replace("1 - self.y**2", "2 - self.y**2")
SCALE = (
    CORE.replace("class Diffable(ABC)", "class Base(ABC)") + "\nfrom core import SLOPE\nclass {name}(Base):\n"
    "    def forward(self, x):\n        self.x = x\n        return SLOPE * x\n"
    "    def get_input_gradients(self):\n        return [0 * self.x + 1.0]\n"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for who in ("ada", "bob", "eve"):
        (tmp_path / who).mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("attributes", [("", ""), ("::Tanh", "::Tanh"), ("::Tanh", "::Eve")])
def test_two_files_of_one_name_are_refused(
    here: Path, capsys: pytest.CaptureFixture[str], attributes: tuple[str, str]
) -> None:
    (here / "ada" / "m.py").write_text(TANH)
    (here / "eve" / "m.py").write_text(WRONG)
    assert main([f"ada/m.py{attributes[0]}", f"eve/m.py{attributes[1]}", "--no-report"]) == 2
    said = capsys.readouterr().err
    assert said == "gradcheck: both ada/m.py and eve/m.py are called m: check them with --each, or with two commands\n"


@pytest.mark.parametrize("target", ["beras", "beras/", "beras/layers.py"])
def test_two_packages_of_one_name_are_refused(here: Path, capsys: pytest.CaptureFixture[str], target: str) -> None:
    package(here / "ada")
    package(here / "eve")
    assert main([f"ada/{target}", f"eve/{target}", "--no-report"]) == 2
    assert "both ada/beras" in capsys.readouterr().err


def test_one_file_by_two_names_is_no_conflict(here: Path) -> None:
    package(here / "ada", LAYERS.partition("class Flipped")[0])
    (here / "link").symlink_to(here / "ada")
    assert main(["ada/beras", "link/beras/__init__.py", "ada/beras/layers.py::Tanh", "--no-report"]) == 0


def test_classes_of_one_name_that_come_from_files_of_one_name_are_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for who, core, name in (("ada", TANH, "m"), ("eve", WRONG, "n")):
        (here / who / "core.py").write_text(core)
        (here / who / f"{name}.py").write_text("from core import Tanh")
    assert main(["ada/m.py::Tanh", "eve/n.py::Tanh", "--no-report"]) == 2
    assert "both ada/m.py and eve/n.py have a core.Tanh" in capsys.readouterr().err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_each_folder_has_its_own_modules(here: Path, jobs: str) -> None:
    for who, name, slope in (("ada", "layers", 1.0), ("bob", "layers2", 2.0)):
        (here / who / "core.py").write_text(f"SLOPE = {slope}")
        (here / who / f"{name}.py").write_text(SCALE.format(name=who.title()))
    for targets in (["ada/layers.py", "bob/layers2.py"], ["bob/layers2.py", "ada/layers.py"]):
        assert main([*targets, "--jobs", jobs, "--no-report", "--json", "out.json"]) == 1
        verdicts = {item["name"]: item["verdict"] for item in document(here)["components"]}
        assert verdicts == {"layers.Ada": "correct", "layers2.Bob": "wrong"}


def test_folder_that_a_module_puts_first_is_not_first_for_its_neighbours(here: Path) -> None:
    (here / "core.py").write_text("SLOPE = 1.0")
    (here / "bob" / "core.py").write_text("SLOPE = 2.0")
    (here / "bob" / "a.py").write_text("import sys\nsys.path.insert(0, '..')\nsys.path = ['..', *sys.path]")
    (here / "bob" / "b.py").write_text(SCALE.format(name="Bob"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here / "bob")
        assert main(["a", "b", "--jobs", "1", "--no-report"]) == 1


def test_package_whose_init_adds_its_own_folder_has_it_later_too(here: Path) -> None:
    init = "import os, sys\nsys.path.insert(0, os.path.dirname(__file__))"
    package(here / "ada", LAYERS.partition("class Flipped")[0].replace(".core", "core"), __init__=init)
    assert main(["ada/beras", "--jobs", "1", "--no-report", "--json", "out.json"]) == 0
    assert [item["verdict"] for item in document(here)["components"]] == ["correct"]
