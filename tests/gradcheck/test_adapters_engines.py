"""What an operation answers is read as its engine reads it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from gradcheck import check
from gradcheck.check import Options
from gradcheck.results import ComponentResult

ENGINE = """
import numpy as np

class Node:
    def __init__(self, value, inputs=(), settings=(), op=None):
        self.value, self.inputs, self.settings, self.op, self.grad = np.asarray(value), inputs, settings, op, None

    def backward(self, g):
        self.grad = g if self.grad is None else self.grad + g
        if self.op is not None:
            said = self.op.backward(*self.inputs, *self.settings, g)
            {unpacked}
                node.backward(one)

class Part:
    def gradcheck_example(self):
        return np.array([[0.5, -1.0, 2.0], [0.25, 1.5, -0.75]]), (slice(None), slice(0, 2))

    @staticmethod
    def forward(x, part):
        return Node(x.value[part], (x,), (part,), Part)

    @staticmethod
    def backward(x, part, g):
        whole = np.zeros(x.value.shape)
        whole[part] = g
        return {answer}

class Relu:
    @staticmethod
    def forward(x):
        return Node(np.maximum(x.value, 0), (x,), (), Relu)

    @staticmethod
    def backward(x, g):
        return (np.where(x.value > 0, g, 0),)
"""
ZIP = "for node, one in zip(self.inputs, said):"
LENIENT = "for node, one in zip(self.inputs, said if isinstance(said, (tuple, list)) else (said,)):"


def checked(folder: Path, name: str, unpacked: str = ZIP, answer: str = "(whole,)") -> ComponentResult:
    """The result about an operation of an engine."""
    path = folder / f"engine_{folder.name}.py".replace("-", "_")
    path.write_text(ENGINE.format(unpacked=unpacked, answer=answer))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
        return check(getattr(module, name), options=Options(dtypes=("float64",)))
    finally:
        del sys.modules[path.stem]


def test_a_bare_array_is_wrong_where_the_engine_unpacks_it(tmp_path: Path) -> None:
    result = checked(tmp_path, "Part", answer="whole")
    assert result.verdict == "wrong"
    assert result.claims[0].causes[0].name == "array instead of a list"


@pytest.mark.parametrize(("unpacked", "answer"), [(ZIP, "(whole,)"), (LENIENT, "whole"), (LENIENT, "(whole,)")])
def test_a_setting_beside_the_input_has_no_gradient(tmp_path: Path, unpacked: str, answer: str) -> None:
    assert checked(tmp_path, "Part", unpacked, answer).verdict == "correct"


def test_an_upstream_gradient_that_is_no_node_is_not_wrapped(tmp_path: Path) -> None:
    """`np.where` takes a node as well, and returns an array of nodes."""
    assert checked(tmp_path, "Relu").verdict == "correct"
