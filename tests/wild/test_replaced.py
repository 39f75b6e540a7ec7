"""NumPy's functions may be replaced for a whole process, by some that answer in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.adapters import subject_of
from gradcheck.check import Options, check_subject
from gradcheck.replaced import precision_of_numpy

_dot = np.dot


def dot_in_float32(*arrays: Any) -> Any:
    """A product that is the same on all machines, its author says."""
    return _dot(*[one.astype("float64") for one in arrays]).astype("float32")


class Softmax:
    """Its backward is of float64, and what it computes with of float32."""

    share = 1.0

    def forward(self, inputs: Any) -> Any:
        """Keep the output."""
        e = np.exp(inputs - inputs.max(axis=1, keepdims=True))
        self.output = e / e.sum(axis=1, keepdims=True)
        return self.output

    def backward(self, dvalues: Any) -> Any:
        """Multiply by the Jacobian of each row."""
        dinputs = np.empty_like(dvalues)
        for row, (y, upstream) in enumerate(zip(self.output, dvalues, strict=True)):
            y = y.reshape(-1, 1)
            dinputs[row] = np.dot(np.diagflat(y) - self.share * np.dot(y, y.T), upstream)
        return dinputs


class Shared(Softmax):
    """A part of the outer product is missing."""

    share = 0.999


def test_what_numpy_itself_rounds_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "dot", dot_in_float32)
    assert precision_of_numpy() == "float32"
    result = check_subject(subject_of(Softmax), Options())
    assert result.verdict == "correct"
    assert any("float32 inside" in note.text for note in result.notes)


def test_a_mistake_is_found_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "dot", dot_in_float32)
    assert check_subject(subject_of(Shared), Options(evidence=False)).verdict == "wrong"


def test_numpy_as_it_is_answers_in_float64() -> None:
    assert precision_of_numpy() == "float64"
