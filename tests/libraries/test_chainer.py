"""Chainer: two backward passes that write into the gradient they are given.

Not in `tox -e libraries`, as it needs an older NumPy than the others: `pip install numpy==1.26.4 "setuptools<70"
wheel`, `pip install --no-build-isolation chainer`, and `pytest tests/libraries/test_chainer.py`.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("chainer")
    from chainer import Variable
    from chainer.functions.loss.hinge import Hinge
    from chainer.functions.pooling.average_pooling_nd import AveragePoolingND

from gradcheck import check
from gradcheck.results import ComponentResult

X = np.array([[0.5, -1.25, 0.3], [2.0, 0.75, -0.4]])
LABELS = np.array([0, 2], dtype=np.int32)
SIGNAL = np.sin(np.arange(8.0)).reshape(1, 1, 8)
WRITES = "derivatives leave the upstream gradient alone"


def hinge(norm: str, reduce: str) -> ComponentResult:
    def vjp(x: np.ndarray, g: np.ndarray) -> np.ndarray:
        loss = Hinge(norm, reduce)
        loss.forward((x, LABELS))
        return loss.backward((x, LABELS), (g,))[0]

    return check(lambda x: Hinge(norm, reduce).forward((x, LABELS))[0], X, vjp=vjp)


def pooling(pad_value: float | None) -> ComponentResult:
    def node() -> AveragePoolingND:
        return AveragePoolingND(1, 2, 2, 0, False, pad_value)

    def vjp(x: np.ndarray, g: np.ndarray) -> np.ndarray:
        one = node()
        one.apply((x,))
        return one.backward((0,), (Variable(g),))[0].array

    return check(lambda x: node().apply((x,))[0].array, SIGNAL, vjp=vjp)


def said(result: ComponentResult) -> str:
    assert result.verdict == "correct", result
    [item] = [item for item in result.contract if item.name == WRITES]
    return item.verdict


@pytest.mark.parametrize("norm", ["L1", "L2"])
def test_a_mean_hinge_divides_the_gradient_in_place(norm: str) -> None:
    assert said(hinge(norm, "mean")) == "noted"
    assert said(hinge(norm, "no")) == "kept"


def test_average_pooling_without_a_value_for_padding_divides_it_in_place() -> None:
    assert said(pooling(None)) == "noted"
    assert said(pooling(0)) == "kept"
