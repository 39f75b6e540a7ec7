"""A class with all that may happen in one: every cell of its table is true, and no forgery is called correct."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gradcheck.command.cli import main
from gradcheck.command.processes import sandbox
from tests.gradcheck.submissions import WRONG, Submission, submissions, write

NAME = "beras.layers.Tanh"
OPTIONS = ("beras", "--time-limit", "3", "--dtype", "float64", "--expect", NAME)


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as content:
        return list(csv.DictReader(content))


def grade(here: Path, who: list[str], *options: str) -> dict[tuple[str, str], dict[str, str]]:
    assert main(["--each", *(str(here / one) for one in who), *OPTIONS, "--report", str(here / "out"), *options]) == 1
    return {(row["who"], row["component"]): row for row in read(here / "out" / "each.csv")}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("gradcheck.command.each.can_paint", lambda: False)  # other tests look at pages
    monkeypatch.setattr("gradcheck.report.writing.can_paint", lambda: False)
    for one in submissions(str(tmp_path)):
        write(one, tmp_path)
    return tmp_path


def states(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_fourteen_folders_make_one_table_that_is_true(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where bubblewrap runs, nothing outside of the copies is changed."""
    each = submissions(str(here))
    assert len({one.who for one in each}) == 14
    before = states(here)
    rows = grade(here, [one.who for one in each])
    printed = capsys.readouterr().out
    assert {who for who, _ in rows} == {one.who for one in each}
    for one in each:
        row = rows[one.who, one.at]
        assert row["verdict"] == one.verdict, one.who
        assert one.cause in row["cause"], one.who
        assert one.notes in row["notes"], one.who
    marks = {row["who"]: row["mark"] for row in read(here / "out" / "marks.csv")}
    assert marks == {"(most)": "1", **{one.who: str(int(one.verdict == "correct")) for one in each}}
    assert "nothing could be checked in 7 of 14 folders: hang, exits, asks, latin, empty, pipe, overall" in printed
    if not sandbox.why_not():
        assert "in a sandbox (bwrap)" in printed
        assert {path: content for path, content in states(here).items() if path in before} == before


def test_what_a_submission_says_of_itself_is_shown_and_can_be_ignored(here: Path) -> None:
    forged = [one for one in submissions(str(here)) if one.distrusted]
    assert [one.who for one in forged] == ["registers", "constant"]
    rows = grade(here, [one.who for one in forged], "--distrust")
    assert {rows[one.who, one.at]["verdict"] for one in forged} == {"wrong"}
    assert {row["declares"] for row in rows.values()} == {""}


def test_without_a_sandbox_what_is_changed_outside_of_a_copy_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sandbox, "why_not", lambda: "bwrap is not installed")
    rows = grade(here, ["changer", "trains", "exits"])
    victim = here / "trains" / "beras" / "layers.py"
    assert victim.read_text() == ""
    assert rows["changer", NAME]["notes"] == f"while it ran, changed outside of its copy: {victim} (changed)"
    assert rows["trains", NAME]["verdict"] == "correct"  # its copy was made before
    assert "with your rights: there is no sandbox, since bwrap is not installed" in capsys.readouterr().out


FRAMES = """
import json, sys
frame = sys._getframe()
while frame:
    for one in list(frame.f_locals.values()):
        if callable(one) and getattr(one, "func", one).__module__ == "gradcheck.command.processes.child":
            try: one({"found": []})
            except Exception: pass
    frame = frame.f_back
"""
OBJECTS = """
import gc, os
gc.unfreeze()
for one in gc.get_objects():
    if getattr(one, "__qualname__", "").startswith("sealing."):
        for fd in range(3, 40):
            try: os.write(fd, one(b'{"found": []}'))
            except OSError: pass
"""
NUMPY = "np.abs = np.absolute = np.isfinite = lambda *given, **more: np.zeros_like(given[0])\n"
DUMPS = "import json\nknown = json.dumps\njson.dumps = lambda *a, **k: known(*a, **k).replace('wrong', 'correct')\n"
CODE = "import gradcheck.verdicts as v\nv.overall.__code__ = (lambda verdicts: 'correct').__code__\n"
LIMIT = "import gradcheck.comparing.judge as j\nj.DIGITS = j.LOST = 1e300\n"
LATE = """
import sys
def forged(module, known):
    def once(verdicts):
        module.overall = known
        return "correct"
    module.overall = once
def forward(self, x):
    check = sys.modules["gradcheck.check"]
    if check.overall.__name__ == "overall": forged(check, check.overall)
    self.y = np.tanh(x)
    return self.y
Tanh.forward = forward
"""


@pytest.mark.parametrize(
    ("forgery", "said"),
    [
        (FRAMES, "wrote into the pipe"),
        (OBJECTS, "wrote into the pipe"),
        (NUMPY, "replaced numpy."),
        (DUMPS, "replaced json.dumps"),
        (CODE, "replaced gradcheck."),
        (LIMIT, "replaced gradcheck.comparing.judge.LOST"),
        (LATE, "it cannot be trusted: is called correct, and its claims are wrong"),
    ],
    ids=["frames", "objects", "numpy", "dumps", "code", "limit", "late"],
)
def test_other_forgeries_are_noticed(here: Path, forgery: str, said: str) -> None:
    write(Submission("forger", WRONG + forgery, ""), here)
    rows = list(grade(here, ["forger"]).values())
    assert [row["verdict"] for row in rows] == ["could not be asked"]
    assert said in rows[0]["cause"]
