"""Every value on the command line is checked before anything runs, and a mistake is one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradcheck.command.arguments import parse, parser
from gradcheck.command.keyword import Keyword
from gradcheck.command.processes.child import literal
from gradcheck.errors import UsageError
from tests.gradcheck.foreign import ROOT


def test_defaults_are_those_of_the_help() -> None:
    given = parse(["beras.layers.Dense"])
    assert given.targets == ("beras.layers.Dense",)
    assert (given.settings.seed, given.settings.dtypes) == (0, ("float64", "float32"))
    assert (given.settings.budget, given.settings.time_limit) == (10_000_000, 60.0)
    assert (given.report, given.json, given.junit_xml, given.each) == ("reports", "", "", ())
    text = " ".join(parse(["--help"]).show.split())
    for said in ("default 0", "default float64,float32", "default 1e7", "default 60", "default reports"):
        assert said in text


def test_help_says_every_option_and_every_exit_status_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    text = parse(["--help"]).show
    for action in parser()._actions:
        name = action.option_strings[-1] if action.option_strings else str(action.metavar)
        [line] = [line for line in text.splitlines() if re.match(rf"  (-\w, )?{name}( |$)", line)]
        assert line.endswith(str(action.help)), "it takes more than a line"
    assert max(map(len, text.splitlines())) <= 100
    for status in ("0", "1", "2", "3", "130"):
        assert re.search(rf"^  {status} +\w", text, re.MULTILINE)


def test_readme_names_options_that_there_are() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text.partition("## Working on it")[0]))
    others = {
        "--gradcheck-hints",
        "--minutes",
        "--gradcheck-report",
        "--record",
        "--list",
        "--test",
        "--category",
        "--collect-only",
    }  # pytest's, Beras' and those of `gradcheck fuzz`
    there = {option for action in parser()._actions for option in action.option_strings}
    assert {"--each", "--strict", "--exclude", "--no-report"} <= named
    assert named - others <= there


def test_target_is_beras_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse([]).targets == ()
    (tmp_path / "beras").mkdir()
    assert parse([]).targets == ("beras",)
    assert parse(["--seed", "1"]).targets == ("beras",)


def test_options_may_stand_anywhere() -> None:
    given = parse(["-x", "a.py", "--dtype", "float16", "b.C", "-vk", "dense", "--init", "n=3", "--init=kind=big"])
    assert given.targets == ("a.py", "b.C")
    assert given.exit_first
    assert given.verbose
    assert given.settings.dtypes == ("float16",)
    assert given.settings.init == {"n": "3", "kind": "big"}
    assert given.wants("x.Dense")
    assert not given.wants("x.Conv")


INIT = {
    "3": 3,
    "1e-3": 1e-3,
    "[1, 2]": [1, 2],
    "(1, [2])": (1, [2]),
    "{'a': 1}": {"a": 1},
    "None": None,
    "True": True,
    "'3'": "3",
    "relu": "relu",
    "": "",
}
AS_TEXT = ("1 +", "[" * 500, "np.pi")


@pytest.mark.parametrize(("text", "value"), [*INIT.items(), *zip(AS_TEXT, AS_TEXT, strict=True)])
def test_init_reads_what_python_writes_and_takes_the_rest_as_text(text: str, value: object) -> None:
    assert literal(parse(["t", "--init", f"n={text}"]).settings.init["n"]) == value


@pytest.mark.parametrize(("text", "value"), [("1e6", 10**6), ("10_000", 10_000), ("7", 7), ("2.0", 2)])
def test_budget_is_a_number_as_people_write_it(text: str, value: int) -> None:
    assert parse(["t", "--budget", text]).settings.budget == value


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--seed", "x"], "--seed: expected a whole number from 0 up, but got 'x'"),
        (["--seed", "-1"], "--seed: expected a whole number from 0 up"),
        (["--seed", "1e400"], "--seed: expected a whole number"),
        (["--seed", "nan"], "--seed: expected a whole number"),
        (["--seed"], "expected one argument"),
        (["--dtype", "float8"], "expected --dtype float64 or float32 or float16, but got 'float8'"),
        (["--dtype", ""], "but got ''"),
        (["--jobs", "0"], "--jobs: expected a number of processes from 1"),
        (["--time-limit", "0"], "--time-limit: expected a number of seconds above 0"),
        (["--time-limit", "nan"], "--time-limit: expected a number of seconds above 0"),
        (["--budget", "0"], "--budget: expected a number of entries from 1 up"),
        (["--init", "size"], "expected --init NAME=VALUE, such as --init input_size=4, but got 'size'"),
        (["--init", "2x=3"], "expected --init NAME=VALUE"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["--see", "1"], "unrecognized arguments: --see"),
        (["-k", "dense and"], "expected -k such as 'dense and not loss', but got 'dense and'"),
        (["-k", ""], "expected -k such as"),
        (["-k", "(dense"], "expected -k such as"),
        (["-k", "dense dense"], "expected -k such as"),
        (["-k", "not " * 300 + "x"], "at most 200 words"),
        (["-q", "-v"], "-q and -v contradict each other"),
        (["--report", "r", "--no-report"], "--report and --no-report contradict"),
        (["--json", "no/such/folder/out.json"], "there is no folder 'no/such/folder'"),
        (["--json", "."], "expected a file to write, but '.' is a folder"),
        (["--junit-xml", "a\0b"], "cannot name a file: "),
        (["--render", "9" * 5000], "cannot name a file: File name too long"),
        (["--render", "reports", "beras"], "give no target with it"),
        (["--fail-under-branches", "101"], "expected a number from 0 to 100, but got '101'"),
        (["--fail-under-branches", "all"], "expected a number from 0 to 100, but got 'all'"),
        (["--each", "a", "b", "--fail-under-branches", "9"], "--fail-under-branches and --each do not go together"),
        (["--each"], "expected --each FOLDER... TARGET, such as --each submissions/*/ beras"),
        (["--each", "beras"], "expected --each FOLDER... TARGET"),
    ],
)
def test_mistake_is_one_line_that_says_what_to_do(argv: list[str], said: str) -> None:
    argv = argv if "--render" in argv or "--each" in argv else ["target", *argv]
    with pytest.raises(UsageError) as caught:
        parse(argv)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "matching"),
    [
        ("dense", {"a.Dense"}),
        ("not dense", {"a.Conv", "b.Loss"}),
        ("dense or conv", {"a.Dense", "a.Conv"}),
        ("a and not (dense or loss)", {"a.Conv"}),
        ("not not dense", {"a.Dense"}),
        ("loss or a and dense", {"b.Loss", "a.Dense"}),
    ],
)
def test_keyword_selects_as_pytest_does(expression: str, matching: set[str]) -> None:
    names = {"a.Dense", "a.Conv", "b.Loss"}
    assert {name for name in names if Keyword(expression).matches(name)} == matching
