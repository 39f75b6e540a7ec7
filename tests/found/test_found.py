"""Files as people write them, given to the command without help: each object's verdict, its reach, and its cause.

`answers.toml` says what each must give. What comes out otherwise today has it in `today`, and is expected to fail.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ANSWERS: list[dict[str, str]] = tomllib.loads((HERE / "answers.toml").read_text(encoding="utf-8"))["answer"]

# One file of each way of writing; `tox -e long` runs all of them.
SAMPLE = frozenset(
    {
        "cases/c03/right.py",
        "cases/c19/right.py",
        "cases/c26/wrong.py",
        "cases/c33/right.py",
        "cases/columns/right.py",
        "cases/notebook/hw.ipynb",
        "frameworks/mini_acts.py",
        "frameworks/mini_coursera.py",
        "frameworks/mini_dlfs.py",
        "frameworks/mini_lazy.py",
        "frameworks/mini_objective.py",
    }
)


@functools.cache
def checked(file: str) -> dict[str, dict[str, Any]]:
    """What the command says of each object of a file."""
    path = HERE / file
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        options = ["--no-report", "--dtype", "float64", "--jobs", "1"]
        options += ["--time-limit", "300", "--json", str(out)]
        done = subprocess.run(
            [sys.executable, "-m", "gradcheck", path.name, *options],
            cwd=path.parent,
            env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert out.exists(), done.stderr
        components = json.loads(out.read_text(encoding="utf-8"))["components"]
    return {one["name"].removeprefix(f"{path.stem}."): one for one in components}


def marks(answer: dict[str, str]) -> list[pytest.MarkDecorator]:
    long = [] if answer["file"] in SAMPLE else [pytest.mark.long]
    return [*long, pytest.mark.xfail(strict=True, reason=answer["today"])] if "today" in answer else long


@pytest.mark.parametrize(
    "answer", [pytest.param(one, id=f"{one['file']}::{one['object']}", marks=marks(one)) for one in ANSWERS]
)
def test_an_object_of_a_file_gets_its_answer(answer: dict[str, str]) -> None:
    found = checked(answer["file"]).get(answer["object"])
    assert found is not None, f"{answer['object']} was not found"
    assert found["verdict"] == answer["verdict"], found["reason"]
    assert (found.get("reach") or "") == answer.get("reach", "")
    causes = {cause["name"] for claim in found["claims"] for cause in claim["causes"][:1]}
    assert "cause" not in answer or answer["cause"] in causes


def test_every_file_has_an_answer() -> None:
    files = {path.relative_to(HERE).as_posix() for path in HERE.glob("*/**/*") if path.suffix in (".py", ".ipynb")}
    helpers = {"cases/c13/ex.py"}
    assert {one["file"] for one in ANSWERS} == files - helpers
