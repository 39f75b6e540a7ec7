"""Notebooks: cells are run in order, magics left out, and what fails hides only what needs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradcheck.adapters import belonging, is_subject, subject_of
from gradcheck.check import Options, check_subject
from gradcheck.command.loading import CannotLoad, get, load, members

IMPORT = "%matplotlib inline\n!pip install nothing\nimport numpy as np"
LINEAR = """def linear_forward(x, w, b):
    return x @ w + b, (x, w)

def linear_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)
"""
MISSING = "data = np.load('data_that_is_not_here.npy')\ndef cube(x):\n    return x**3"
NEEDS = "scale = data.max()\n@np.vectorize(scale)\ndef cube_grad(x):\n    return 3 * x**2"
TRAINS = "%%time\nfor step in range(3):\n    loss = step"
FAST = Options(dtypes=("float64",), evidence=False, fail_fast=True)


def notebook(folder: Path, name: str, *cells: str) -> Path:
    """A notebook with these code cells, after one of text."""
    text = {"cell_type": "markdown", "metadata": {}, "source": ["# Homework"]}
    code = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": cell.splitlines(keepends=True)} for cell in cells
    ]
    file = folder / f"{name}.ipynb"
    file.write_text(json.dumps({"cells": [text, *code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return file


@pytest.mark.parametrize(
    ("name", "old", "new", "verdict"),
    [
        ("wild_nb_right", "", "", "correct"),
        ("wild_nb_mean", "dout.sum(axis=0)", "dout.mean(axis=0)", "wrong"),
        ("wild_nb_input", "x.T @ dout", "x.T @ (dout * dout)", "wrong"),
        ("wild_nb_weights", "dout @ w.T", "dout @ w.T * 2", "wrong"),
    ],
)
def test_a_cell_is_judged(tmp_path: Path, name: str, old: str, new: str, verdict: str) -> None:
    file = notebook(tmp_path, name, IMPORT, LINEAR.replace(old, new) if old else LINEAR, TRAINS)
    module = load(name, str(file))
    assert [(one.attribute, one.verdict) for one in members(module, is_subject, belonging)] == [
        ("linear_forward", None)
    ]
    assert check_subject(subject_of(get(module, "linear_forward")), FAST).verdict == verdict


def test_what_fails_hides_only_what_needs_it(tmp_path: Path) -> None:
    module = load("wild_nb_fails", str(notebook(tmp_path, "wild_nb_fails", IMPORT, MISSING, NEEDS, LINEAR)))
    found = {one.attribute: one for one in members(module, is_subject, belonging)}
    assert found["linear_forward"].verdict is None
    assert found["cell 2"].verdict == "skipped"
    assert "data_that_is_not_here.npy" in found["cell 2"].reason
    assert found["cube_grad"].verdict == "could not be asked"
    assert "cell 3, line" in found["cube_grad"].reason
    with pytest.raises(CannotLoad, match="it is not defined: NameError"):
        get(module, "cube_grad")


def test_what_is_no_notebook_is_said(tmp_path: Path) -> None:
    file = tmp_path / "wild_nb_none.ipynb"
    file.write_text("{}")
    with pytest.raises(CannotLoad, match="it is not a notebook"):
        load("wild_nb_none", str(file))
