"""`[tool.gradcheck]` says what somebody would type, and what is typed goes before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.command import configuration
from gradcheck.command.arguments import parse, parser
from gradcheck.command.cli import main
from gradcheck.errors import UsageError

WHOLE = """
[tool.gradcheck]
targets = ["mine.layers", "mine.losses"]
exclude = ["mine.layers.Old"]
init = {input_size = 4, kind = "big", shape = [2, 3]}
dtype = "float64"
seed = 7
budget = 1e6
time-limit = 2.5
jobs = 3
strict = true
fail-under-branches = 87.5
verbose = true
distrust = true
quiet = false
report = "out"
json = "out.json"
junit-xml = "out.xml"
sarif = "out.sarif"
annotate = "none"
baseline = "known.json"
expect = ["mine.layers.Dense"]
marks.weights = {"mine.layers.Odd" = 2}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str, name: str = "pyproject.toml") -> None:
    Path(name).write_text(text, encoding="utf-8")


def test_every_key_is_read(here: Path) -> None:
    write(WHOLE)
    given = parse([])
    assert given.targets == ("mine.layers", "mine.losses")
    assert given.exclude == ("mine.layers.Old",)
    assert given.settings.init == {"input_size": "4", "kind": "big", "shape": "[2, 3]"}
    assert given.settings.dtypes == ("float64",)
    assert (given.settings.seed, given.settings.budget, given.settings.time_limit) == (7, 10**6, 2.5)
    assert given.settings.jobs == 3
    assert (given.strict, given.verbose, given.quiet, given.annotate) == (True, True, False, False)
    assert given.fail_under_branches == 87.5
    assert (given.report, given.json, given.junit_xml, given.sarif) == ("out", "out.json", "out.xml", "out.sarif")
    assert dict(given.marking.weights) == {"mine.layers.Dense": 1.0, "mine.layers.Odd": 2.0}
    assert (given.configuration, given.baseline) == ("pyproject.toml", "known.json")


def test_the_file_of_this_test_has_every_key_there_is(here: Path) -> None:
    write(WHOLE)
    assert configuration.read("").keys() == set(configuration.KEYS)
    options = {option.removeprefix("--") for action in parser()._actions for option in action.option_strings}
    assert set(configuration.KEYS) - {"targets", "marks"} <= options


def test_what_is_typed_takes_the_place_of_what_is_kept(here: Path) -> None:
    write(WHOLE)
    given = parse(["other.py", "--exclude", "x", "--dtype", "float32", "--seed", "0", "--no-report", "-q", "--jobs=1"])
    assert given.targets == ("other.py",)
    assert given.exclude == ("x",)
    assert given.settings.dtypes == ("float32",)
    assert (given.settings.seed, given.settings.jobs) == (0, 1)
    assert given.report == ""
    assert (given.quiet, given.verbose) == (True, False)
    assert given.strict
    of_folders = parse(["--each", "folder", "t"])
    assert (of_folders.baseline, of_folders.fail_under_branches) == ("", 0)


def test_no_report_can_be_kept_and_replaced(here: Path) -> None:
    write("[tool.gradcheck]\nreport = false")
    assert parse(["t"]).report == ""
    assert parse(["t", "--report", "out"]).report == "out"


def test_a_file_that_is_named_takes_the_place_of_the_project_s(here: Path) -> None:
    write(WHOLE)
    write("[tool.gradcheck]\nseed = 3", "other.toml")
    given = parse(["t", "--config", "other.toml"])
    assert (given.settings.seed, given.strict, given.configuration) == (3, False, "other.toml")


@pytest.mark.parametrize("text", ["", "[project]\nname = 'mine'", "[tool.ruff]\nline-length = 120", "[tool.gradcheck]"])
def test_a_project_that_says_nothing_changes_nothing(here: Path, text: str) -> None:
    plain = parse(["t"])
    write(text)
    assert parse(["t"]) == plain
    assert plain.configuration == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.gradcheck]\nsead = 1", "pyproject.toml: [tool.gradcheck] has no key 'sead'; did you mean 'seed'?"),
        ("[tool.gradcheck]\nzzz = 1", "[tool.gradcheck] has no key 'zzz'; expected some of annotate, "),
        ("[tool.gradcheck]\nrender = 'x'", "has no key 'render'"),
        ("[tool.gradcheck]\nseed = -1", "pyproject.toml: [tool.gradcheck]: argument --seed: expected a whole number"),
        ("[tool.gradcheck]\nseed = [1, 2]", "expected seed to be one value, but got [1, 2]"),
        ("[tool.gradcheck]\nseed = true", "expected seed to be one value, but got True"),
        ("[tool.gradcheck]\nstrict = 1", "expected strict to be true or false, but got 1"),
        ("[tool.gradcheck]\nexclude = [1]", "expected exclude to be a list of names, but got [1]"),
        ("[tool.gradcheck]\ntargets = 1", "expected targets to be a list of names, but got 1"),
        ("[tool.gradcheck]\ninit = ['n=3']", "expected init to be a table such as {input_size = 4}, but got ['n=3']"),
        ("[tool.gradcheck]\ndtype = 'float8'", "but got 'float8'"),
        ("[tool.gradcheck]\nsarif = 'no/such/folder'", "there is no folder 'no/such'"),
        ("[tool.gradcheck]\nmarks.worth.right = 1", "[tool.gradcheck]: marks.worth has no key 'right'"),
        ("[tool.gradcheck]\nmarks = 1", "expected marks to be a table"),
        ("[tool.gradcheck]\nquiet = true\nverbose = true", "-q and -v contradict each other"),
        ("tool = 1", "pyproject.toml: expected TOML with a table [tool.gradcheck], but "),
        ("tool.gradcheck = 1", "pyproject.toml: expected tool.gradcheck to be a table, but got 1"),
        ("[tool.gradcheck", "pyproject.toml: expected TOML with a table [tool.gradcheck], but "),
    ],
)
def test_what_is_not_understood_is_one_line_and_status_2(
    here: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    write(text)
    assert main(["t"]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1


def test_a_file_that_is_no_text_or_is_not_there_is_refused(here: Path) -> None:
    Path("pyproject.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="expected TOML"):
        parse(["t"])
    with pytest.raises(UsageError, match=r"cannot read 'gone.toml': No such file"):
        parse(["t", "--config", "gone.toml"])


def test_help_and_version_need_no_file_that_can_be_read(here: Path) -> None:
    write("[tool.gradcheck")
    assert "usage" in parse(["--help"]).show
    assert parse(["--version"]).show.startswith("gradcheck")


def test_the_first_line_says_whose_options_are_used(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("[tool.gradcheck]\nseed = 3\nreport = false")
    Path("empty.py").write_text("")
    assert main(["empty.py"]) == 2
    assert "(seed 3; options of pyproject.toml)" in capsys.readouterr().out
