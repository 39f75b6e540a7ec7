"""Commands that the documentation and the pre-commit hook give can be typed, and their files are there."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from gradcheck.command.arguments import parse
from gradcheck.command.configuration import KEYS
from gradcheck.errors import UsageError
from tests.gradcheck.foreign import ROOT

PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "docs" / "examples").iterdir())]
COMMAND = re.compile(r"(?:^\$ |run: |^)python3? -m gradcheck(?: (.*))?$", re.MULTILINE)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.gradcheck]\nmarks.weights = {"beras.layers.Dense" = 1}')
    return tmp_path


def commands(text: str, here: Path) -> list[list[str]]:
    """Return what follows `python -m gradcheck` on the lines of a text; Gradescope's folders are `here`."""
    found = [shlex.split(words.replace("/autograder/results", str(here))) for words in COMMAND.findall(text)]
    return [words for words in found if words]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_can_be_typed(page: Path, here: Path) -> None:
    for words in commands(page.read_text(encoding="utf-8"), here):
        assert parse(words).show == ""


def test_there_are_commands_and_a_wrong_one_is_noticed(here: Path) -> None:
    found = [words for page in PAGES for words in commands(page.read_text(encoding="utf-8"), here)]
    assert len(found) >= 8
    [words] = commands("$ python -m gradcheck --sarrif x", here)
    with pytest.raises(UsageError):
        parse(words)


def test_the_hook_checks_what_a_commit_touches(here: Path) -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    [words] = re.findall(r"^  entry: gradcheck (.*)$", text, re.MULTILINE)
    given = parse(shlex.split(words))
    assert (given.changed, given.quiet, given.report) == ("HEAD", True, "")
    assert "pass_filenames: false" in text


def test_every_key_of_the_configuration_is_described_and_its_example_is_read(here: Path) -> None:
    page = (ROOT / "docs" / "howto" / "configuration.md").read_text(encoding="utf-8")
    table = "\n".join(line for line in page.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z-]+)`", table)) - {"true", "false"} == set(KEYS)
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    Path("pyproject.toml").write_text(example)
    assert parse([]).targets == tuple(tomllib.loads(example)["tool"]["gradcheck"]["targets"])


def test_the_example_of_marks_is_read(here: Path) -> None:
    page = (ROOT / "docs" / "tutorials" / "class.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    Path("pyproject.toml").write_text(example, encoding="utf-8")
    given = parse(["t"]).marking
    assert dict(given.weights) == {"beras.layers.Dense": 3.0, "beras.activations.Tanh": 1.0}
    assert (given.worth["an edge"], given.worth["ε"], given.worth["everywhere"]) == (0.75, 0.9, 0.0)
