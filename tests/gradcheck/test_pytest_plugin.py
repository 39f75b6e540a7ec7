"""The fixture in somebody else's test suite: failures read like assertion errors, the report is written once."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.gradcheck.foreign import ROOT, package, python

SUITE = """
import numpy as np
from beras.layers import Flipped, Tanh

def test_class(gradcheck):
    assert gradcheck(Tanh).verdict == "correct"

def test_instance(gradcheck):
    gradcheck(Tanh())

def test_function(gradcheck):
    gradcheck(np.sin, np.array([0.5, 1.0]), jac=lambda x: np.diag(np.cos(x)))

def test_wrong_class(gradcheck):
    layer = Flipped
    gradcheck(layer)

def test_wrong_function(gradcheck):
    gradcheck(np.sin, np.array([0.5, 1.0]), jac=lambda x: -np.diag(np.cos(x)))
"""


def installed() -> bool:
    return any(entry.name == "gradcheck" for entry in importlib.metadata.entry_points(group="pytest11"))


def run(here: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Where the plugin is not installed as an entry point, pytest is told of it.
    plugin = [] if installed() else ["-p", "gradcheck.pytest_plugin"]
    return python("-m", "pytest", "-p", "no:cacheprovider", *plugin, *arguments, folder=here)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    package(tmp_path).joinpath("test_layers.py").write_text(SUITE)
    return tmp_path


def test_failures_read_like_assertion_errors(here: Path) -> None:
    done = run(here)
    assert done.returncode == 1, done.stderr
    assert "2 failed, 3 passed" in done.stdout
    assert "gradcheck.errors.GradcheckFailure: wrong      beras.layers.Flipped  everywhere  beras/" in done.stdout
    assert "The sign is flipped" in done.stdout
    assert ">       gradcheck(layer)" in done.stdout
    assert "pytest_plugin.py" not in done.stdout, "the failure is at the line of the test"
    assert "gradcheck: 5 checked, of beras/layers.py" in done.stdout
    assert "def test_flipped" not in done.stdout
    assert not (here / "reports").exists()


def test_a_test_to_paste_is_printed_to_whom_wants_more(here: Path) -> None:
    done = run(here, "-v", "-k", "wrong_class")
    assert done.returncode == 1, done.stderr
    assert "def test_flipped_get_input_gradients_by_x():" in done.stdout


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_report_has_a_page_for_every_check(here: Path, workers: list[str]) -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    if workers:
        pytest.importorskip("xdist")
    done = run(here, "--gradcheck-report=out/report", *workers)
    assert done.returncode == 1, done.stderr
    assert "gradcheck: report: " in done.stdout
    data = [json.loads(file.read_text()) for file in (here / "out" / "report" / "data").glob("*.json")]
    assert {item["name"]: item["verdict"] for item in data} == {
        "test_layers.py::test_class": "correct",
        "test_layers.py::test_instance": "correct",
        "test_layers.py::test_function": "correct",
        "test_layers.py::test_wrong_class": "wrong",
        "test_layers.py::test_wrong_function": "wrong",
    }
    index = (here / "out" / "report" / "index.html").read_text()
    assert "test_wrong_class" in index


def test_plugin_is_light_and_silent_where_it_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n"
        "def test_nothing():\n"
        "    heavy = {'numpy', 'jinja2', 'matplotlib', 'rich', 'hypothesis.strategies', 'gradcheck.check'}\n"
        "    assert not heavy & set(sys.modules)\n"
        "    assert 'gradcheck.pytest_plugin' in sys.modules\n"
    )
    done = run(tmp_path, "-p", "no:hypothesispytest", "-W", "error")
    assert done.returncode == 0, done.stdout
    assert "gradcheck:" not in done.stdout


SEEN = """
import json, os, sys

def pytest_collection_finish(session):
    found = {
        "path": sys.path,
        "hooks": [type(hook).__name__ for hook in sys.meta_path],
        "cwd": os.getcwd(),
        "warnings": sys.warnoptions,
        "collected": [item.nodeid for item in session.items],
    }
    with open(os.environ["SEEN"], "w") as file:
        json.dump(found, file)
"""


def flat(folder: Path) -> Path:
    """A project in flat layout whose package was built elsewhere, as an installed one is: only there is its version."""
    package = folder / "project" / "thing"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from thing._version import version\n")
    built = folder / "built" / "thing"
    built.mkdir(parents=True)
    (built / "__init__.py").write_text("from thing._version import version\n")
    (built / "_version.py").write_text("version = '1.0'\n")
    tests = folder / "project" / "tests"
    tests.mkdir()
    (tests / "conftest.py").write_text(SEEN)
    (tests / "test_it.py").write_text("import thing\n\ndef test_it():\n    assert thing.version == '1.0'\n")
    (tests / "test_other.py").write_text("class TestOther:\n    def test_it(self):\n        pass\n")
    return folder / "project"


@pytest.mark.parametrize("option", [[], ["--gradcheck-report=out"]], ids=["unused", "with a report"])
def test_installing_it_changes_neither_paths_nor_hooks_nor_what_is_collected(tmp_path: Path, option: list[str]) -> None:
    project = flat(tmp_path)
    # As the `pytest` script does, and unlike `python -m pytest`, without the current folder on sys.path.
    program = "import sys; sys.path.remove(''); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    seen = {}
    for name, plugin in {
        "without": ["-p", "no:gradcheck"],
        "with": [*([] if installed() else ["-p", "gradcheck.pytest_plugin"]), *option],
    }.items():
        environment = {"SEEN": str(tmp_path / f"{name}.json"), "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path / 'built'}"}
        done = python(
            "-c", program, "-p", "no:cacheprovider", "--import-mode=importlib", *plugin, folder=project, **environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
        seen[name] = json.loads((tmp_path / f"{name}.json").read_text())
    assert seen["with"] == seen["without"]
    assert seen["with"]["collected"] == ["tests/test_it.py::test_it", "tests/test_other.py::TestOther::test_it"]
    assert str(project) not in seen["with"]["path"]


def test_misuse_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(gradcheck):\n    gradcheck(3)\n")
    done = run(tmp_path)
    assert done.returncode == 1
    assert "has no derivative that could be checked" in done.stdout


def test_a_report_that_cannot_be_written_is_said_before_any_test_runs(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    print('it ran')\n")
    (tmp_path / "file").write_text("")
    done = run(tmp_path, "-s", "--gradcheck-report=file/report")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "'file/report' cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert "it ran" not in done.stdout


def test_hints_are_the_cause_unless_more_is_asked_for(here: Path) -> None:
    asked = run(here, "-k", "wrong_class", "--gradcheck-hints=repair")
    assert "one change that makes it right" in asked.stdout
    plain = run(here, "-k", "wrong_class")
    assert "sign" in plain.stdout
    assert "one change that makes it right" not in plain.stdout


def test_the_marker_selects_what_uses_the_fixture_and_the_seed_is_that_of_its_points(here: Path) -> None:
    suite = "\n".join(
        [
            "from beras.layers import Tanh",
            "def test_seed(gradcheck): assert gradcheck(Tanh).seed == 7",
            "def test_other(): pass",
        ]
    )
    (here / "test_layers.py").write_text(suite)
    done = run(here, "-m", "gradcheck", "--strict-markers", "--gradcheck-seed=7")
    assert "1 passed, 1 deselected" in done.stdout
    done = run(here, "-m", "not gradcheck", "--strict-markers")
    assert "1 passed, 1 deselected" in done.stdout
    assert "a whole number from 0 up" in run(here, "--gradcheck-seed=-1").stderr
