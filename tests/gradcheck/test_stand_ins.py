"""A number that stands for −∞ masks nothing where scores lie below it: no question of the derivative."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck import Options
from gradcheck.problem import Array

QUICK = Options(dtypes=("float64",), hints="none")
HIDDEN = -1e9


def softmax(scores: Array) -> Array:
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


class Causal:
    """What comes back does not know the mask: a masked share of 0 lets nothing through."""

    factor = 1.0

    def hide(self, scores: Array) -> Array:
        return np.where(np.tril(np.ones(scores.shape[-2:], dtype=bool)), scores, -1e9)

    def forward(self, q: Array, k: Array) -> Array:
        self.q, self.k = q, k
        self.a = softmax(self.hide(q @ np.swapaxes(k, -1, -2)))
        return self.a

    def backward(self, g: Array) -> tuple[Array, Array]:
        ds = self.factor * self.a * (g - (g * self.a).sum(-1, keepdims=True))
        return ds @ self.k, np.swapaxes(ds, -1, -2) @ self.q


class Written(Causal):
    def hide(self, scores: Array) -> Array:
        scores = scores.copy()
        scores[..., np.triu(np.ones(scores.shape[-2:], dtype=bool), 1)] = HIDDEN
        return scores


class Wrong(Causal):
    factor = 1.0001


class ClipsFarOut:
    """Its slope beyond −1e5 is 0, and 1 is claimed: a number that is put in place, and stands for nothing else."""

    def forward(self, x: Array) -> Array:
        return np.where(x < -1e5, -1e5, x)

    def backward(self, g: Array) -> Array:
        return g


@pytest.mark.parametrize("cls", [Causal, Written])
def test_scores_below_what_stands_for_infinity_are_passed_over_and_said(cls: type) -> None:
    result = gradcheck.check(cls, options=QUICK)
    assert result.verdict == "correct", result
    (note,) = {note.text for note in result.notes if "stands for −∞" in note.text and "huge" in note.text}
    assert "−1e9 (tests/gradcheck/test_stand_ins.py, line" in note


@pytest.mark.parametrize("cls", [Wrong, ClipsFarOut])
def test_what_is_wrong_with_it_stays_wrong(cls: type) -> None:
    assert gradcheck.check(cls, options=QUICK).verdict == "wrong"
