"""At ties a claim may be any derivative that f has next to them, and no other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck import check

TIED = np.array([0.75, -1.25, 0.75, 0.75])


def ordered(x: Any) -> Any:
    """The middle ones of equal numbers do not move with any of them alone."""
    return np.sort(x)


def by_permutation(x: Any, g: Any) -> Any:
    dx = np.zeros(x.shape)
    dx[np.argsort(x, kind="stable")] = g
    return dx


def to_all_winners(x: Any, g: Any) -> Any:
    return (np.sort(x)[None, :] == x[:, None]) @ g


def to_the_smallest(x: Any, g: Any) -> Any:
    dx = np.zeros(x.shape)
    dx[np.argmin(x)] = g.sum()
    return dx


@pytest.mark.parametrize(("vjp", "wrong"), [(by_permutation, False), (to_all_winners, True), (to_the_smallest, True)])
def test_a_sort_at_ties(vjp: Any, wrong: bool) -> None:
    assert (check(ordered, TIED, vjp=vjp).verdict == "wrong") == wrong


class Sort:
    """Along the rows."""

    def forward(self, x: Any) -> Any:
        self.order = np.argsort(x, axis=-1, kind="stable")
        return np.take_along_axis(x, self.order, axis=-1)

    def backward(self, upstream: Any) -> Any:
        dx = np.empty_like(upstream)
        np.put_along_axis(dx, self.order, upstream, axis=-1)
        return dx


def test_a_layer_that_sorts_is_correct() -> None:
    assert check(Sort).verdict == "correct"
