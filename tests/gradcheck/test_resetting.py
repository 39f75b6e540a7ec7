"""Gradients that add up from one backward to the next, beside gradients that do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck import check
from gradcheck.problem import Array


class Adding:
    """Both gradients add up, as they do in torch."""

    def __init__(self, n_in: int = 4, n_out: int = 3) -> None:
        self.W = np.random.default_rng(0).normal(size=(n_in, n_out))
        self.b = np.zeros(n_out)
        self.zero_grad()

    def zero_grad(self) -> None:
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.asarray(x @ self.W + self.b)

    def backward(self, upstream: Array) -> Array:
        self.dW += self.x.T @ upstream
        self.db += upstream.sum(axis=0)
        return np.asarray(upstream @ self.W.T)


class Overwriting(Adding):
    """Both are those of the last call."""

    def backward(self, upstream: Array) -> Array:
        self.dW = self.x.T @ upstream
        self.db = upstream.sum(axis=0)
        return np.asarray(upstream @ self.W.T)


class Mixed(Adding):
    """One of them forgets the `+`."""

    def backward(self, upstream: Array) -> Array:
        self.dW += self.x.T @ upstream
        self.db = upstream.sum(axis=0)
        return np.asarray(upstream @ self.W.T)


class MixedInDicts(Adding):
    """The same of gradients that stand in a dict."""

    def zero_grad(self) -> None:
        self.grads = {"W": np.zeros_like(self.W), "b": np.zeros_like(self.b)}

    def backward(self, upstream: Array) -> Array:
        self.grads["W"] = self.x.T @ upstream
        self.grads["b"] += upstream.sum(axis=0)
        return np.asarray(upstream @ self.W.T)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (Adding, ""),
        (Overwriting, ""),
        (Mixed, "it adds to dW and overwrites db"),
        (MixedInDicts, "it adds to grads['b'] and overwrites grads['W']"),
    ],
)
def test_a_gradient_that_is_overwritten_beside_one_that_adds_up_is_noted(layer: Any, said: str) -> None:
    result = check(layer)
    assert result.verdict == "correct"
    found = [note.text for note in result.notes if "overwrites" in note.text]
    assert [text.partition(":")[0] for text in found] == ([said] if said else [])
