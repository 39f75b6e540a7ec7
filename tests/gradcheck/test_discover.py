"""Where a target stands is found without importing it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gradcheck.command.discover import modules, resolve
from gradcheck.errors import UsageError
from tests.gradcheck.foreign import package

BROKEN = "raise RuntimeError('imported in the wrong process')"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package(tmp_path, BROKEN, __init__=BROKEN, losses=BROKEN, __main__=BROKEN)
    (tmp_path / "beras" / "deeper").mkdir()
    (tmp_path / "beras" / "deeper" / "blocks.py").write_text(BROKEN)
    (tmp_path / "beras" / "deeper" / "__init__.py").write_text(BROKEN)
    (tmp_path / "alone.py").write_text(BROKEN)
    for plain in ("plain/sub/inner", "beras/plain"):
        (tmp_path / plain).mkdir(parents=True)
        (tmp_path / plain / "x.py").write_text(BROKEN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("target", "module", "attribute", "file"),
    [
        ("beras", "beras", "", "beras/__init__.py"),
        ("beras.layers", "beras.layers", "", "beras/layers.py"),
        ("beras.layers.Dense", "beras.layers", "Dense", "beras/layers.py"),
        ("beras.Dense", "beras", "Dense", "beras/__init__.py"),
        ("beras.deeper.blocks.Block.inner", "beras.deeper.blocks", "Block.inner", "beras/deeper/blocks.py"),
        ("alone", "alone", "", "alone.py"),
        ("alone.py", "alone", "", "alone.py"),
        ("alone.py::Dense", "alone", "Dense", "alone.py"),
        ("./alone.py::Dense", "alone", "Dense", "alone.py"),
        ("beras/layers.py", "beras.layers", "", "beras/layers.py"),
        ("beras/deeper/blocks.py::Block", "beras.deeper.blocks", "Block", "beras/deeper/blocks.py"),
        ("beras/", "beras", "", "beras"),
        ("beras/__init__.py", "beras", "", "beras"),
        ("beras/deeper", "beras.deeper", "", "beras/deeper"),
        ("plain.sub.inner.x.Tanh", "plain.sub.inner.x", "Tanh", "plain/sub/inner/x.py"),
        ("beras.plain.x.Tanh", "beras.plain.x", "Tanh", "beras/plain/x.py"),
    ],
)
def test_target_is_found_without_being_imported(
    here: Path, target: str, module: str, attribute: str, file: str
) -> None:
    place = resolve(target)
    assert (place.module, place.attribute, place.shown) == (module, attribute, file)


def test_current_folder_comes_before_the_path_and_before_what_is_imported(here: Path) -> None:
    import beras  # this project's own, which must not be taken for the foreign one

    assert "beras" in sys.modules
    assert resolve("beras").file == str(here / "beras" / "__init__.py") != beras.__file__


def test_file_in_another_folder_is_imported_from_there(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = here / "elsewhere"
    inside.mkdir()
    monkeypatch.chdir(inside)
    place = resolve("../beras/layers.py::Dense")
    assert (place.module, place.folder) == ("beras.layers", str(here))


def test_package_holds_every_module_but_its_program(here: Path) -> None:
    names = [module.name for module in modules(resolve("beras"))]
    assert names == [
        "beras",
        "beras.core",
        "beras.deeper",
        "beras.deeper.blocks",
        "beras.layers",
        "beras.losses",
        "beras.plain.x",
    ]
    assert [module.name for module in modules(resolve("beras.layers"))] == ["beras.layers"]


def test_folder_without_init_is_a_package_if_it_holds_python_files(here: Path) -> None:
    (here / "plain" / "layers.py").write_text(BROKEN)
    assert [module.name for module in modules(resolve("plain"))] == ["plain.layers", "plain.sub.inner.x"]
    (here / "empty").mkdir()
    with pytest.raises(UsageError, match="folder without Python files"):
        resolve("empty")


def test_folder_in_a_package_that_holds_itself_or_an_environment_has_an_end(here: Path) -> None:
    before = modules(resolve("beras"))
    (here / "beras" / "plain" / "again").symlink_to(here / "beras")
    (here / "beras" / "env" / "scripts").mkdir(parents=True)
    (here / "beras" / "env" / "scripts" / "activate_this.py").write_text(BROKEN)
    (here / "beras" / "env" / "pyvenv.cfg").write_text("")
    assert modules(resolve("beras")) == before


def test_folder_of_scripts_that_import_each_other_by_name_is_no_package(here: Path) -> None:
    scripts = here / "homework 3"
    scripts.mkdir()
    (scripts / "layers.py").write_text("from core import Diffable")
    (scripts / "core.py").write_text("")
    place = resolve("homework 3/")
    assert (place.module, place.folder) == ("", str(scripts))
    assert [module.name for module in modules(place)] == ["core", "layers"]
    assert resolve("homework 3/layers.py::Dense").module == "layers"


def test_folder_without_init_whose_modules_import_relatively_is_a_package(here: Path) -> None:
    (here / "plain" / "layers.py").write_text("import numpy\nfrom .core import Diffable\n")
    place = resolve("plain/layers.py::Dense")
    assert (place.module, place.folder) == ("plain.layers", str(here))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("bears.layers", "there is no module 'bears'.*did you mean 'beras'"),
        ("alne.py", "there is no file 'alne.py'; did you mean 'alone.py'"),
        ("alone.py::1st", "'1st' in 'alone.py::1st' is not a name"),
        ("no-such-thing", "expected a name such as beras.layers.Dense"),
        ("", "expected a class, module, package or file"),
        ("a\0b", "expected a class, module, package or file"),
        (".::Tanh", r"'.' is a folder of scripts: name the file, such as ./FILE.py::Tanh"),
        ("plain/sub/inner::Tanh", "name the file, such as plain/sub/inner/FILE.py::Tanh"),
        ("beras..layers", "expected a name such as beras.layers.Dense"),
        ("/dev/null", "is none of these"),
    ],
)
def test_what_is_not_there_is_one_clear_line(here: Path, target: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        resolve(target)
    assert "\n" not in str(caught.value)


def test_only_the_given_folder_counts_where_there_is_no_path(here: Path, tmp_path: Path) -> None:
    lonely = tmp_path / "lonely"
    lonely.mkdir()
    with pytest.raises(UsageError, match=r"there is no module 'beras' in .*lonely"):
        resolve("beras", str(lonely), path=[])
