"""Functions whose loops end for some values only, or in some types."""

from __future__ import annotations

import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from gradcheck import in_dtype
from gradcheck.adapters import subject_of
from gradcheck.adapters.calls import trial
from gradcheck.check import Options, check_subject
from gradcheck.command.loading import load
from gradcheck.command.processes.parent import Died, Worker
from gradcheck.errors import CannotBuild
from gradcheck.guarded import TooLong, in_time
from gradcheck.problem import Sizes
from gradcheck.results import ComponentResult

LOOPS = textwrap.dedent(
    """
    import numpy as np

    def square(x):
        while np.any(x < -0.5):
            pass
        return x**2

    def square_grad(x):
        return 2 * x

    def cube(x):
        while np.any(x < -0.5):
            pass
        return x**3

    def cube_grad(x):
        return 3 * x**2 + x

    def between(x):
        while np.any((x < 0.25) | (x > 4)):
            pass
        return np.log(x)

    def between_grad(x):
        return 1 / x

    between.input_domains = {"x": (0.5, 2.0)}

    def never(x):
        while True:
            pass

    def never_grad(x):
        return x

    def to_ten_digits(x):
        while np.finfo(x.dtype).eps > 1e-10:
            pass
        return np.sin(x)

    def to_ten_digits_grad(x):
        return np.cos(x)
    """
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "loops.py"
    path.write_text(LOOPS)
    return path


@pytest.fixture(autouse=True)
def waits_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "LONGEST", 0.5)
    monkeypatch.setattr(in_dtype, "LONGEST", 0.5)


def found(file: Path, name: str, fail_fast: bool = False) -> ComponentResult:
    module = load("loops", str(file), str(file.parent), [], lambda _: None)
    options = Options(time_limit=40.0, fail_fast=fail_fast, evidence=not fail_fast)
    return check_subject(subject_of(getattr(module, name), name=name, init={}), options)


def test_where_a_loop_does_not_end_positive_values_are_tried(file: Path) -> None:
    assert found(file, "square").verdict == "correct"
    assert found(file, "cube", fail_fast=True).verdict == "wrong"


def test_values_are_drawn_from_the_domain_that_a_function_declares(file: Path) -> None:
    module = load("loops", str(file), str(file.parent), [], lambda _: None)
    subject = subject_of(module.between, name="between", init={})
    (x,) = subject.build(Sizes(), np.random.default_rng(0)).variables
    assert x.domain == (0.5, 2.0)
    assert ((x.example > 0.5) & (x.example < 2)).all()
    assert check_subject(subject).verdict == "correct"


def test_what_never_ends_cannot_be_asked(file: Path) -> None:
    module = load("loops", str(file), str(file.parent), [], lambda _: None)
    with pytest.raises(CannotBuild, match=r"it does not end within 0.5 s; give it an example"):
        subject_of(module.never, name="never", init={}).build(Sizes(), np.random.default_rng(0))


def test_a_type_in_which_forward_does_not_end_is_noted_and_asked_once(file: Path) -> None:
    result = found(file, "to_ten_digits")
    assert result.verdict == "correct"
    notes = [note.text for note in result.notes]
    assert notes.count("forward does not end within 5 s in float32, where nothing was judged") == 1


def test_a_worker_that_is_given_up_says_how_far_it_was(tmp_path: Path) -> None:
    text = (
        "def f(x):\n    while abs(x).max() > 100:\n        pass\n    return x**2\n\ndef f_grad(x):\n    return 2 * x\n"
    )
    (tmp_path / "slow.py").write_text(text)
    worker = Worker([str(tmp_path), *sys.path], str(tmp_path))
    options = {"seed": 0, "dtypes": ["float64"], "budget": 10**6, "hints": "none", "scan": False}
    task = {"module": "slow", "file": str(tmp_path / "slow.py"), "folder": str(tmp_path), "broken": []}
    asked = {**task, "do": "check", "attribute": "f", "name": "slow.f", "init": {}, "options": options, "keep": "kept"}
    try:
        with pytest.raises(Died, match=r"it did not finish within 4 s \(time limit\), at “saturation ±1000”"):
            worker.ask(asked, 4.0)
    finally:
        worker.close()


def test_a_limit_within_another_leaves_the_outer_one() -> None:
    end = time.process_time() + 3.0

    def both() -> None:
        with in_time(0.2):
            with in_time(10.0):
                pass
            while time.process_time() < end:
                pass

    with pytest.raises(TooLong):
        both()


SLOW = """
import numpy as np

class Slow:
    def forward(self, x):
        while abs(x).max() > 100:
            pass
        self.x = x
        return x**2

    def backward(self, grad):
        return grad * {factor} * self.x
"""


@pytest.mark.parametrize(("factor", "verdict"), [(2, "unresolved"), (3, "wrong")])
def test_what_was_found_until_the_time_was_over_is_said(tmp_path: Path, factor: int, verdict: str) -> None:
    (tmp_path / "slow.py").write_text(SLOW.format(factor=factor))
    module = load("slow", str(tmp_path / "slow.py"), str(tmp_path), [], lambda _: None)
    result = check_subject(subject_of(module.Slow, name="slow.Slow", init={}), Options(time_limit=3.0))
    assert result.verdict == verdict
    assert result.reason == "it did not finish within 3 s (time limit), at “saturation ±1000”"
    assert f"{'  note      ' if verdict == 'wrong' else '  because '}it did not finish" in str(result)
