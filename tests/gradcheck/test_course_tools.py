"""The examples for Otter and nbgrader do what the tutorial says, in a module that stands for the notebook."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import gradcheck

DOCS = Path(__file__).parents[2] / "docs"


class Dense:
    def __init__(self, input_size: int, output_size: int) -> None:
        self.W = np.random.default_rng(0).normal(size=(input_size, output_size))

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.W

    def backward(self, dout: Any) -> Any:
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class Averaged(Dense):
    def backward(self, dout: Any) -> Any:
        given = super().backward(dout)
        self.dW = self.dW / len(dout)
        return given


@pytest.fixture
def otter(monkeypatch: pytest.MonkeyPatch) -> None:
    """As much of Otter as a test file imports: it calls each function with the notebook's values of its arguments."""
    module = ModuleType("otter.test_files")

    def test_case(points: float) -> Callable[[Any], Any]:
        return lambda function: function

    module.test_case = test_case  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "otter", ModuleType("otter"))
    monkeypatch.setitem(sys.modules, "otter.test_files", module)


@pytest.mark.usefixtures("otter")
def test_the_test_file_of_otter_fails_for_the_wrong_layer_alone() -> None:
    test = runpy.run_path(str(DOCS / "examples" / "otter_dense.py"))["test_dense"]
    test(Dense)
    with pytest.raises(gradcheck.GradcheckFailure, match="averaged over 5 rows"):
        test(Averaged)


def test_the_cells_of_nbgrader_fail_for_the_wrong_layer_alone() -> None:
    section = (DOCS / "tutorials" / "class.md").read_text().partition("## nbgrader and Otter")[2]
    cell = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    marks = re.search(r"`(2 \* bool.*?)`", section)
    assert cell
    assert marks
    exec(cell[1], {"Dense": Dense})
    with pytest.raises(gradcheck.GradcheckFailure, match="averaged over 5 rows"):
        exec(cell[1], {"Dense": Averaged})
    assert eval(marks[1], {"gradcheck": gradcheck, "Dense": Dense, "Tanh": Averaged}) == 2
