"""`--cache` does not ask again what was judged, and asks whenever anything has changed that a verdict follows from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gradcheck.command import cache
from gradcheck.command.cache import Cache
from gradcheck.command.cli import main
from gradcheck.command.outcome import Outcome
from gradcheck.results import ComponentResult
from gradcheck.verdicts import Verdict

RIGHT = """
import numpy as np
from slope import SLOPE

class Line:
    def forward(self, x):
        return SLOPE * np.asarray(x)

    def backward(self, dout):
        return SLOPE * dout
"""


class Asked:
    """Counts how often it was asked."""

    def __init__(self, verdict: Verdict = "correct", then: Callable[[], object] = lambda: None) -> None:
        self.verdict, self.then, self.times = verdict, then, 0

    def __call__(self) -> Outcome:
        self.times += 1
        self.then()
        return Outcome(ComponentResult("line.Line", "line.py:5", self.verdict), 1.0)


@pytest.fixture
def task(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "line.py").write_text(RIGHT)
    (tmp_path / "slope.py").write_text("SLOPE = 2")
    return {"name": "line.Line", "module": "line", "file": str(tmp_path / "line.py"), "options": {"seed": 0}}


def asks(task: dict[str, Any], folder: Path) -> bool:
    """Whether it is asked for this task what was asked before."""
    ask = Asked()
    outcome = Cache(folder).asked(task, ask)
    assert outcome.kept == (not ask.times)
    assert outcome.result.verdict == "correct"
    return bool(ask.times)


def test_what_was_judged_is_not_asked_again(task: dict[str, Any], tmp_path: Path) -> None:
    assert [asks(task, tmp_path / "kept") for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize("name", ["line.py", "slope.py", "kept/examples/line.Line.json"])
def test_a_change_of_a_file_is_asked(name: str, task: dict[str, Any], tmp_path: Path) -> None:
    asks(task, tmp_path / "kept")
    (tmp_path / "unrelated.py").write_text("")
    assert not asks(task, tmp_path / "kept")
    (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
    (tmp_path / name).write_text("SLOPE = 3")
    assert asks(task, tmp_path / "kept")


def test_a_change_of_options_is_asked(task: dict[str, Any], tmp_path: Path) -> None:
    asks(task, tmp_path)
    assert asks({**task, "options": {"seed": 1}}, tmp_path)


def test_a_change_of_versions_is_asked(task: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asks(task, tmp_path)
    monkeypatch.setattr(cache, "_installed", lambda: "numpy 3")
    assert asks(task, tmp_path)


@pytest.mark.parametrize("verdict", ["unresolved", "could not be asked"])
def test_what_was_not_judged_is_asked_again(verdict: Verdict, task: dict[str, Any], tmp_path: Path) -> None:
    ask = Asked(verdict)
    for _ in range(2):
        assert not Cache(tmp_path).asked(task, ask).kept
    assert ask.times == 2


def test_what_changed_while_it_was_asked_is_asked_again(task: dict[str, Any], tmp_path: Path) -> None:
    source = tmp_path / "slope.py"
    Cache(tmp_path).asked(task, Asked(then=lambda: source.write_text("SLOPE = 3")))
    source.write_text("SLOPE = 2")
    assert asks(task, tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"key": 1, "result": {}}', "\xff"])
def test_a_spoilt_file_is_asked_and_replaced(text: str, task: dict[str, Any], tmp_path: Path) -> None:
    asks(task, tmp_path)
    (tmp_path / "cache" / "line.Line.json").write_text(text, encoding="latin-1")
    assert [asks(task, tmp_path) for _ in range(2)] == [True, False]


@pytest.mark.usefixtures("task")
def test_the_command_says_what_was_found_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["line.py", "--cache", "--no-report", "--json", "run.json"]
    told = []
    for _ in range(2):
        assert main(command) == 0
        told.append((capsys.readouterr().out, json.loads(Path("run.json").read_text())))
    (first, fresh), (second, again) = told
    assert "found before" not in first
    assert "1 verdict found before" in second
    assert (fresh["kept"], again["kept"]) == ([], ["line.Line"])
    assert fresh["components"] == again["components"]
