"""A teacher's run: many folders, each by itself, one table, one CSV, one report."""

from __future__ import annotations

import csv
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gradcheck.command import discover
from gradcheck.command.cli import main
from gradcheck.command.discover import Place
from gradcheck.command.each import names_of
from gradcheck.errors import UsageError
from gradcheck.report.folders import Folder, Row, table_csv
from tests.gradcheck.foreign import CORE, LAYERS, package

RIGHT = LAYERS.replace("class Flipped(Tanh)", "class Other(Tanh)").replace("self.y**2 - 1", "1 - self.y**2")
HANGS = RIGHT + "\nclass Hangs(Tanh):\n    def forward(self, x):\n        while True: pass\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    submissions = tmp_path / "submissions"
    package(submissions / "ada", RIGHT)
    package(submissions / "bob", LAYERS)
    package(submissions / "cem", HANGS)
    (submissions / "dee").mkdir()
    package(submissions / "eve", "import helpers_of_the_teacher\n" + RIGHT)
    # What stands in the teacher's own folder must not help anybody.
    (tmp_path / "helpers_of_the_teacher.py").write_text("")
    package(tmp_path, RIGHT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for key, value in attrs if tag == "a" and key == "href" and value]


def test_every_folder_is_judged_by_itself(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [f"submissions/{who}/" for who in ("ada", "bob", "cem", "dee", "eve")]
    expected = [word for name in ("Tanh", "Flipped") for word in ("--expect", f"beras.layers.{name}")]
    written = ["--json", "out.json", "--junit-xml", "out.xml", "--sarif", "out.sarif", "--annotate", "github"]
    status = main(["--each", *folders, "beras", "--time-limit", "5", *written, *expected])
    assert status == 1
    out = capsys.readouterr().out
    first, *printed = out.splitlines()
    assert "runs on a copy of its own, " in first
    with (here / "reports" / "each.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    rows = {(row["who"], row["component"]): (row["verdict"], row["cause"]) for row in table}
    assert {row["component"]: row["where"] for row in table if row["where"]} == {"beras.layers.Flipped": "everywhere"}
    assert rows["ada", "beras.layers.Tanh"] == rows["ada", "beras.layers.Other"] == ("correct", "")
    verdict, cause = rows["bob", "beras.layers.Flipped"]
    assert verdict == "wrong"
    assert "sign is flipped" in cause
    assert rows["cem", "beras.layers.Hangs"] == ("unresolved", "it did not finish within 5 s (time limit)")
    assert rows["cem", "beras.layers.Tanh"][0] == "correct"
    assert rows["dee", "beras"] == (
        "could not be asked",
        f"there is no module 'beras' in {here / 'submissions' / 'dee'}",
    )
    verdict, cause = rows["eve", "beras.layers"]
    assert verdict == "could not be asked"
    assert "No module named 'helpers_of_the_teacher'" in cause
    assert "ada  correct    2 of 2 components" in printed
    assert any(line.startswith("bob  wrong      beras.layers.Flipped everywhere: ") for line in printed)
    names = [item["name"] for item in json.loads((here / "out.json").read_text())["components"]]
    assert "bob: beras.layers.Flipped" in names
    flipped = "submissions/bob/beras/layers.py"
    assert any(line.startswith(f"::error file={flipped},line=21,title=wrong%3A bob%3A ") for line in printed)
    assert f'"{flipped}"' in (here / "out.sarif").read_text()
    assert "marks: reports/marks.csv" in printed
    with (here / "reports" / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        marks = {row["who"]: row for row in csv.DictReader(file)}
    assert {who: row["mark"] for who, row in marks.items()} == {
        "(most)": "2", "ada": "1", "bob": "1", "cem": "1", "dee": "0", "eve": "0",
    }  # fmt: skip
    assert marks["bob"]["beras.layers.Flipped: verdict"] == "wrong everywhere"
    assert marks["ada"]["beras.layers.Flipped: verdict"] == "missing"
    assert "No module named 'helpers_of_the_teacher'" in marks["eve"]["beras.layers.Tanh: verdict"]


def test_report_has_a_page_for_every_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    main(["--each", "submissions/ada", "submissions/bob", "submissions/dee", "beras", "--report", "out"])
    index = (here / "out" / "index.html").read_bytes()
    links = Links()
    links.feed(index.decode())
    assert links.found == [
        "bob/index.html", "bob.html", "dee.html", "ada/index.html", "ada.html",  # a line for each folder
        "bob/beras.layers.Flipped.html", "bob/beras.layers.Tanh.html",  # a column for each component
        "ada/beras.layers.Other.html", "ada/beras.layers.Tanh.html",
        "bob/beras.layers.Flipped.html",  # what is not correct
    ]  # fmt: skip
    for link in links.found:
        assert (here / "out" / link).is_file()
    before = {path: path.read_bytes() for path in (here / "out").rglob("*.html")}
    capsys.readouterr()
    assert main(["--render", "out"]) == 0
    assert {path: path.read_bytes() for path in (here / "out").rglob("*.html")} == before
    (here / "out" / "each.json").write_text("{}")
    assert main(["--render", "out"]) == 2
    assert "out/each.json cannot be painted" in capsys.readouterr().err


def test_gradescope_has_a_score_for_a_submission_in_which_nothing_is_found(here: Path) -> None:
    given = ["submissions/dee", "beras", "--gradescope", "results.json", "--expect", "beras.layers.Tanh", "--no-report"]
    assert main(["--each", *given]) == 1
    read = json.loads((here / "results.json").read_text())
    assert read["score"] == 0
    [test] = read["tests"]
    assert (test["max_score"], test["status"]) == (1, "failed")
    assert test["output"].startswith("missing: there is no module 'beras' in ")


def test_keyword_and_quiet_shorten_the_table(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--each", "submissions/ada", "submissions/cem", "beras", "-q", "-k", "tanh", "--no-report"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("2 correct in ")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["submissions/ada", "submissions/nobody", "beras"], "there is no folder 'submissions/nobody'"),
        (["submissions/ada", "submissions/ada/", "beras"], "the same folder twice"),
        (["submissions/ada", "submissions/bob", "beras", "--gradescope", "out"], "expected --each FOLDER TARGET with"),
        (["submissions/ada", "beras", "--gradescope", "out"], "say by --expect NAME"),
        (["submissions/ada", "beras", "--gradescope", "out", "--expect", "A", "-x"], "would give 0 for what was not"),
        (["submissions/ada", "beras", "--list"], "--list and --each do not go together"),
    ],
)
def test_misuse_is_one_line(here: Path, capsys: pytest.CaptureFixture[str], argv: list[str], said: str) -> None:
    assert main(["--each", *argv]) == 2
    assert said in capsys.readouterr().err


def test_folders_of_one_name_are_told_apart() -> None:
    assert names_of(["a/code/", "b/code"]) == ["a/code", "b/code"]
    assert names_of([".", "x"])[1] == "x"
    with pytest.raises(UsageError, match="twice"):
        names_of(["a", "./a"])


def test_spreadsheet_takes_no_cell_for_a_formula() -> None:
    rows = (Row("=cmd()", "+1", "wrong", "at ties", 'a,\n"b"'), Row("ada", "Dense", "correct", "", "", "register"))
    text = table_csv([Folder("x", "", "wrong", {}, rows, notes=("@home",))]).decode("utf-8-sig")
    assert list(csv.reader(text.splitlines())) == [
        ["who", "component", "verdict", "where", "cause", "declares", "notes"],
        ["'=cmd()", "'+1", "wrong", "at ties", 'a, "b"', "", "'@home"],
        ["ada", "Dense", "correct", "", "", "register", "'@home"],
    ]


def test_core_is_the_folders_own(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Two folders with modules of the same names and different contents share no process.
    for who, slope in (("one", "1.0"), ("two", "2.0")):
        core = CORE + f"\nSLOPE = {slope}\n"
        layers = (
            "from .core import Diffable, SLOPE\nclass Scale(Diffable):\n"
            "    def forward(self, x):\n        self.x = x\n        return x * SLOPE\n"
            "    def get_input_gradients(self):\n        return [0 * self.x + 1.0]\n"
        )
        package(here / who, layers, core=core)
    assert main(["--each", "one", "two", "beras.layers.Scale", "--report", "out"]) == 1
    text = (here / "out" / "each.csv").read_text()
    assert "one,beras.layers.Scale,correct,," in text
    assert "two,beras.layers.Scale,wrong,everywhere," in text


METACLASS = """
class Meta(type):
    def __getattribute__(cls, name):
        raise RuntimeError("nobody looks at me")

class Odd(metaclass=Meta):
    pass
"""


def test_class_that_nobody_can_look_at_is_a_row_and_its_neighbours_are_checked(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "submissions" / "bob" / "beras" / "layers.py").write_text(RIGHT + METACLASS)
    assert main(["--each", "submissions/bob", "submissions/ada", "beras", "--report", "out"]) == 1
    text = (here / "out" / "each.csv").read_text()
    unseen = 'could not be asked,,"it cannot be looked at: RuntimeError: nobody looks at me (beras'
    assert f"bob,beras.layers.Odd,{unseen}" in text
    assert "bob,beras.layers.Tanh,correct," in text
    assert "ada,beras.layers.Other,correct," in text
    capsys.readouterr()
    assert main(["submissions/bob/beras/layers.py::Odd"]) == 1
    assert "cannot be looked at: RuntimeError" in capsys.readouterr().out


def test_folder_at_which_gradcheck_itself_fails_is_a_row(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = discover.resolve

    def resolve(target: str, here: str, path: list[str]) -> Place:
        return None.module if here.endswith("bob") else known(target, here, path)  # type: ignore[attr-defined]

    monkeypatch.setattr(discover, "resolve", resolve)
    assert main(["--each", "submissions/bob", "submissions/ada", "beras", "--report", "out"]) == 3
    text = (here / "out" / "each.csv").read_text()
    assert "bob,beras,unresolved,,gradcheck itself failed: AttributeError: 'NoneType' object has no " in text
    assert "ada,beras.layers.Tanh,correct," in text
    assert "an error in gradcheck itself, at bob: beras" in capsys.readouterr().err


def test_folder_that_cannot_be_read_is_a_row_that_is_not_correct(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(target: str, here: str, path: list[str]) -> Place:
        raise PermissionError(13, "Permission denied", here)  # as root, every folder can be read

    monkeypatch.setattr(discover, "resolve", resolve)
    assert main(["--each", "submissions/ada", "beras", "--report", "out"]) == 1
    assert "ada,beras,unresolved,,[Errno 13] Permission denied" in (here / "out" / "each.csv").read_text()


def test_module_that_does_not_import_is_in_the_table_whatever_is_asked_for(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "submissions" / "ada" / "beras" / "dense.py").write_text("class Dense(:")
    assert main(["--each", "submissions/ada", "beras", "-k", "tanh", "--no-report"]) == 1
    assert "could not be asked beras.dense: it cannot be imported: SyntaxError" in capsys.readouterr().out


def test_a_folder_that_is_checked_again_takes_its_place_in_the_table(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = ["--expect", "beras.layers.Tanh", "--expect", "beras.layers.Flipped", "--dtype", "float64"]
    assert main(["--each", "submissions/ada", "submissions/bob", "submissions/dee", "beras", *expected]) == 1
    (here / "submissions" / "bob" / "beras" / "layers.py").write_text(LAYERS.replace("self.y**2 - 1", "1 - self.y**2"))
    assert main(["--each", "submissions/bob", "beras", *expected, "--date", "1 May"]) == 0
    assert "2 folders of earlier runs kept in the table" in capsys.readouterr().out
    with (here / "reports" / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [(row["who"], row["mark"]) for row in csv.DictReader(file)] == [
            ("(most)", "2"), ("ada", "1"), ("bob", "2"), ("dee", "0"),
        ]  # fmt: skip
    pages = here / "reports"
    if (pages / "index.html").exists():  # with the extra `report`
        assert "1 May" in (pages / "bob.html").read_text(encoding="utf-8")
        assert "there is no module" in (pages / "dee.html").read_text(encoding="utf-8")
        assert main(["--each", "submissions/bob", "beras.layers", *expected]) == 0
        with (pages / "each.csv").open(encoding="utf-8-sig", newline="") as file:
            assert {row["who"] for row in csv.DictReader(file)} == {"bob"}  # another target, another table


def test_mistakes_that_several_folders_have_are_counted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package(here / "submissions" / "fay", LAYERS)
    folders = [f"submissions/{who}" for who in ("ada", "bob", "dee", "fay")]
    assert main(["--each", *folders, "beras", "--dtype", "float64", "--no-report"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "in 2 folders: beras.layers.Flipped wrong: sign flipped" in lines
    assert "nothing could be checked in 1 of 4 folders: dee" in lines
