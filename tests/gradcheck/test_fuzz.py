"""A thousand malformed command lines and calls: a clear line each, no traceback, no file left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import gradcheck
from gradcheck.command.arguments import parser
from gradcheck.command.cli import main
from gradcheck.verdicts import ORDER

OPTIONS = sorted(option for action in parser()._actions for option in action.option_strings)
VALUED = sorted(o for action in parser()._actions if action.nargs != 0 for o in action.option_strings)
# A machine that is busy with something else is no fault of the cases.
CALLS = settings(max_examples=300, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LINES = settings(
    CALLS,
    max_examples=700,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

# Nothing that can be found: every target is a mistake, so that no line gets as far as a worker process.
NAMES = st.text(st.characters(exclude_characters="/\\.~"), max_size=12).map(lambda text: f"zz{text}")
TARGETS = st.one_of(
    NAMES,
    st.builds(
        lambda name, end: name + end, NAMES, st.sampled_from([".py", ".layers", "/x.py", "::Dense", ".py::", ".."])
    ),
    st.sampled_from(
        ["", ".", "..", "::", ".py", "-", "--", "a b", "-1", "/dev/null", "~", "\udcff", "1.5", "☃", "a\nb"]
    ),
)
VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["-1", "0", "nan", "inf", "1e999", "1e400", "0x10", "9" * 5000, "=", "a=", "=b", "1=2", "no/such/dir/file"]
    ),
    st.sampled_from(
        ["(", ")", "and", "not", "((((a", "a or", "float128", "float64,", ",", "\0", "\udcff", "None", "[[", "-"]
    ),
)
WORDS = st.one_of(
    TARGETS.map(lambda target: [target]),
    st.sampled_from(OPTIONS).map(lambda option: [option]),
    st.builds(lambda option, value: [option, value], st.sampled_from(VALUED), VALUES),
    st.builds(lambda option, value: [f"{option}={value}"], st.sampled_from(OPTIONS), VALUES),
    st.text(max_size=8).map(lambda text: [f"-{text}"]),
)
COMMANDS = st.lists(WORDS, max_size=6).map(lambda words: [word for some in words for word in some])


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    before = Path.cwd()
    # So deep that no number of `..` that is drawn leads to other tests' files.
    folder = tmp_path_factory.mktemp("empty").joinpath(*"abcdefgh")
    folder.mkdir(parents=True)
    os.chdir(folder)
    yield folder
    os.chdir(before)


@LINES
@given(argv=COMMANDS)
@example(argv=[])
@example(argv=["--each", "zz", "zz"])
@example(argv=["--render", "\udcff"])
@example(argv=["zz", "--json", "\udcff"])
@example(argv=["zz", "-k", "(" * 199])
@example(argv=["zz", "--init", "n=" + "(" * 5000])
@example(argv=["--init", "n=9" + "9" * 5000, "zz"])
@example(argv=["z" * 5000])
@example(argv=["z" * 5000 + ".py"])
@example(argv=["zz\ud800.py"])
def test_malformed_command_line_is_one_line(empty: Path, capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    status = main(argv)
    printed = capsys.readouterr()
    if status == 0:
        assert {"-h", "--help", "--version"} & set(argv)
        assert printed.out
    else:
        assert status == 2, printed.err
        assert printed.out == ""
        assert printed.err.startswith("gradcheck: ")
        assert printed.err.count("\n") == 1, printed.err
        assert len(printed.err) < 1500
    assert list(empty.iterdir()) == []


GARBAGE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.lists(
        st.one_of(st.text(max_size=2), st.none(), st.integers(-2, 2), st.lists(st.integers(0, 2), max_size=2)),
        max_size=3,
    ),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.sampled_from(
        [object(), object, int, np.sin, len, print, lambda: 1, lambda x: None, lambda x: "text", lambda x: x[99]]
    ),
    st.sampled_from(
        [np.array(["a"]), np.array([None]), np.array([1 + 2j]), np.zeros(0), np.zeros((2, 0)), np.array(1.0)]
    ),
)
KEYWORDS = st.dictionaries(st.sampled_from(["jac", "vjp", "jvp", "grad", "names", "options"]), GARBAGE, max_size=2)


@CALLS
@given(
    call=st.sampled_from(["check", "assert_correct"]), args=st.lists(GARBAGE, min_size=1, max_size=3), keywords=KEYWORDS
)
@example(call="check", args=[object, False], keywords={"jac": True})
@example(call="assert_correct", args=[object, False], keywords={"jac": True})
def test_malformed_call_is_a_value_error_a_type_error_or_a_verdict(
    call: str, args: list[Any], keywords: dict[str, Any]
) -> None:
    said, verdict = "", ""
    try:
        verdict = getattr(gradcheck, call)(*args, **keywords).verdict
    except (ValueError, TypeError) as error:
        said = str(error).strip()
    except gradcheck.GradcheckFailure as failure:
        verdict = next((known for known in ORDER if str(failure).startswith(f"{known} ")), "")
    assert "\n" not in said
    assert said or verdict in ORDER
