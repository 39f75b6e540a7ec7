"""`gradcheck fuzz` finds what no point of a check shows and keeps the smallest example, which the next check asks."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from gradcheck.adapters import subject_of
from gradcheck.check import Options, check_subject
from gradcheck.command.cli import main
from gradcheck.fuzz.kept import LABEL, Kept, read, write
from gradcheck.fuzz.search import Search
from gradcheck.problem import Array, Sizes
from tests.gradcheck.foreign import command

THREE_ROWS = """
class ThreeRows:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, g):
        return 2 * g * self.x * (2 if len(self.x) == 3 else 1)
"""


class Squares:
    def forward(self, x: Array) -> Array:
        self.x = x
        return x**2

    def backward(self, g: Array) -> Array:
        return 2 * g * self.x


class ThreeRows(Squares):
    def backward(self, g: Array) -> Array:
        return super().backward(g) * (2 if len(self.x) == 3 else 1)


def test_the_smallest_example_is_found_kept_and_asked_first(tmp_path: Path) -> None:
    subject = subject_of(ThreeRows)
    assert check_subject(subject).verdict == "correct"
    found = Search(subject, "m.ThreeRows", tmp_path).run(60)
    assert found is not None
    assert found.values["x"].shape == (3, 1)
    assert np.count_nonzero(found.values["x"]) == 1
    write(tmp_path, "m.ThreeRows", found)
    again = read(tmp_path, "m.ThreeRows")
    assert again is not None
    point = again.point(subject)
    assert point is not None
    result = check_subject(subject, Options(first=(point,)))
    assert result.verdict == "wrong"
    assert result.where.startswith("for inputs of shape (3, 1)")
    assert result.claims[0].points[0].point == LABEL


def test_of_what_is_right_nothing_is_found_and_nothing_kept(tmp_path: Path) -> None:
    search = Search(subject_of(Squares), "m.Squares", tmp_path)
    assert search.run(1) is None
    assert search.tried > 1
    assert read(tmp_path, "m.Squares") is None


class Odd(Squares):
    def __init__(self, n_in: int) -> None:
        if n_in % 2:
            raise ValueError("an even number, please")
        self.n_in = n_in

    def forward(self, x: Array) -> Array:
        if x.shape[1] != self.n_in:
            raise ValueError("another number of features")
        return super().forward(x)


class InRange(Squares):
    """Wrong for numbers that its example does not have."""

    def backward(self, g: Array) -> Array:
        return super().backward(g) * (1 if 1 <= self.x.min() <= self.x.max() <= 2 else 2)

    @classmethod
    def gradcheck_example(cls) -> tuple[InRange, list[Array]]:
        return cls(), [np.array([[1.0, 2.0], [1.5, 1.25]])]


@pytest.mark.parametrize("cls", [Odd, InRange])
def test_sizes_that_are_refused_and_numbers_beyond_an_example_are_not_searched(cls: type, tmp_path: Path) -> None:
    search = Search(subject_of(cls), "m.Odd", tmp_path)
    assert search.run(1) is None
    assert search.tried > 1


def test_an_example_that_no_longer_fits_is_passed_over() -> None:
    kept = Kept(Sizes(2, 2, 2), {"x": np.ones((3, 2))})
    assert kept.point(subject_of(Squares)) is None
    assert Kept(Sizes(2, 2, 2), {"other": np.ones((2, 2))}).point(subject_of(Squares)) is None


def test_the_command_keeps_what_it_finds_and_the_next_check_replays_it(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(THREE_ROWS)
    found = command("fuzz", "m.py", "--minutes", "1", folder=tmp_path)
    assert found.returncode == 1, found.stderr
    assert "kept in .gradcheck/examples/m.ThreeRows.json: the next check asks it first" in found.stdout
    checked = command("m.py", "--no-report", folder=tmp_path)
    assert checked.returncode == 1
    assert LABEL in checked.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fuzz"], "the following arguments are required: TARGET"),
        (["fuzz", "beras.activations", "--minutes", "0"], "expected a number of minutes above 0"),
        (["fuzz", "beras.activations"], "install it by pip install 'beras-gradcheck[fuzz]'"),
    ],
)
def test_what_cannot_be_carried_out_is_one_line(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
