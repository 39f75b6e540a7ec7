"""`--changed BASE` checks what a git diff touches and what imports it, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gradcheck.command import discover
from gradcheck.command.changed import Changed
from gradcheck.command.cli import main
from gradcheck.errors import UsageError

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

FILES = {
    "mine/__init__.py": "",
    "mine/core.py": "SLOPE = 2\n",
    "mine/layers.py": "from .core import SLOPE\n",
    "mine/losses.py": "def loss(x):\n    import mine.layers as layers\n    return layers\n",
    "mine/alone.py": "import numpy\n",
    "mine/deep/__init__.py": "from .. import alone\n",
    "mine/deep/inner.py": "X = 1\n",
}


def git(*words: str) -> None:
    identity = (
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "init.defaultBranch=main",
    )
    subprocess.run(["git", *identity, *words], check=True, capture_output=True)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    git("tag", "base")
    return tmp_path


def touched(base: str = "base") -> set[str]:
    """The modules of `mine` that a change concerns."""
    changed = Changed(base)
    return {
        module.name.removeprefix("mine.")
        for module in discover.modules(discover.resolve("mine"))
        if changed.touches(module)
    }


def test_nothing_is_touched_by_no_change(here: Path) -> None:
    assert touched() == set()


@pytest.mark.parametrize(
    ("name", "concerned"),
    [
        ("mine/core.py", {"core", "layers", "losses"}),
        ("mine/layers.py", {"layers", "losses"}),
        ("mine/losses.py", {"losses"}),
        ("mine/alone.py", {"alone", "deep", "deep.inner"}),
        ("mine/deep/inner.py", {"deep.inner"}),
        ("mine/__init__.py", {"mine", "core", "layers", "losses", "alone", "deep", "deep.inner"}),
        ("README.md", set()),
    ],
)
def test_a_change_concerns_the_module_and_whatever_imports_it(here: Path, name: str, concerned: set[str]) -> None:
    (here / name).write_text("Y = 3\n" + FILES.get(name, ""))
    assert touched() == concerned
    git("add", ".")
    git("commit", "-m", "second")
    assert touched() == concerned
    assert touched("HEAD") == set()


def test_a_module_that_is_gone_or_new_concerns_what_imports_it(here: Path) -> None:
    (here / "mine" / "core.py").rename(here / "mine" / "kernel.py")
    assert touched() == {"kernel", "layers", "losses"}


def test_a_change_on_the_other_side_of_a_merge_concerns_nobody(here: Path) -> None:
    git("checkout", "-b", "other")
    (here / "mine" / "core.py").write_text("SLOPE = 3\n")
    git("commit", "-am", "theirs")
    git("checkout", "-")
    (here / "mine" / "losses.py").write_text("X = 1\n")
    git("commit", "-am", "ours")
    assert touched("other") == {"losses"}


def test_other_options_concern_everybody(here: Path) -> None:
    (here / "pyproject.toml").write_text("[tool.gradcheck]\nseed = 1")
    [module] = discover.modules(discover.resolve("mine/alone.py"))
    assert Changed("HEAD", "pyproject.toml").touches(module)
    assert not Changed("HEAD").touches(module)


def test_the_command_looks_into_nothing_else(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "mine" / "layers.py").write_text("def f(x):\n    return x\n\n\ndef f_grad(x):\n    return 1 + 0 * x\n")
    (here / "mine" / "alone.py").write_text("raise RuntimeError('nobody imports this')\n")
    git("commit", "-am", "second")
    with (here / "mine" / "layers.py").open("a") as file:
        file.write("# more\n")
    assert main(["mine", "--changed", "HEAD", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines
    assert all(line.startswith("mine.layers.") for line in lines)


def test_where_nothing_has_changed_nothing_fails(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mine", "--changed", "HEAD", "--no-report", "--sarif", "out.sarif"]) == 0
    assert (
        "no module of the targets, nor what it imports, has changed since HEAD\nnothing checked"
        in capsys.readouterr().out
    )
    assert (here / "out.sarif").is_file()


def test_a_base_that_git_does_not_know_is_refused_in_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["mine", "--changed", "no-such-branch"]) == 2
    printed = capsys.readouterr().err
    assert "no-such-branch" in printed
    assert "fetch-depth: 0" in printed
    assert printed.count("\n") == 1
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="needs git"):
        Changed("HEAD")


def test_a_base_is_no_option_of_git_and_may_be_any_text(here: Path) -> None:
    for text in ("--output=stolen", "", "\0", "\ud800"):
        with pytest.raises(UsageError):
            Changed(text)
    assert not (here / "stolen").exists()
