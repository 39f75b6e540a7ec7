"""Nothing of gradcheck's warns, also where warnings are errors; the checked code's warnings change no verdict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.gradcheck.foreign import document, environment
from tests.gradcheck.test_status import CONVENTION, NOTE, STUB, TANH, UNASKED, UNRESOLVED, WRONG, WRONG_NOT_NOTE

OFFSET = """
class Offset:
    def forward(self, x):
        return x + 1e8

    def backward(self, upstream):
        return upstream * 1.005
"""
OLD = TANH.replace("Tanh", "Old").replace("import numpy", "import warnings\nwarnings.warn('old')\nimport numpy")
MODULES = (TANH, WRONG, STUB, UNASKED, UNRESOLVED, CONVENTION, NOTE.replace("Tanh", "Sigmoid"), OFFSET)
MODULES += (WRONG_NOT_NOTE.replace("Tanh", "SigmoidOfItself"),)


def verdicts(folder: Path, *flags: str, **variables: str) -> tuple[dict[str, str], str]:
    """The verdicts of a run, and what it wrote to standard error."""
    done = subprocess.run(
        [sys.executable, *flags, "-m", "gradcheck", "m.py", "old.py", "--json", "out.json"],
        cwd=folder,
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return {one["name"]: one["verdict"] for one in document(folder)["components"]}, done.stderr


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("here")
    (folder / "m.py").write_text("".join(MODULES))
    (folder / "old.py").write_text(OLD)
    return folder


@pytest.fixture(scope="module")
def usual(here: Path) -> dict[str, str]:
    """The verdicts where nobody asks for anything special."""
    found, said = verdicts(here)
    assert said == ""
    assert len(found) == len(MODULES) + 1
    assert len(set(found.values())) == 6
    return found


def test_warnings_as_errors_change_nothing(here: Path, usual: dict[str, str]) -> None:
    assert verdicts(here, "-W", "error") == (usual, "")


def test_environment_in_which_warnings_are_errors_is_the_checked_codes_own(here: Path, usual: dict[str, str]) -> None:
    strict, said = verdicts(here, PYTHONWARNINGS="error")
    assert said == ""
    assert usual["old.Old"] == "correct"
    assert strict.pop("old.line 3") == "could not be asked"  # it warns while it is imported
    assert strict == usual
