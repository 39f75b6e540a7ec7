"""Nesterov, AdamW, Nadam, clipping and schedules against their formulas in plain floats."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest

from beras import (
    Adam,
    AdamW,
    BasicOptimizer,
    CosineDecay,
    ExponentialDecay,
    Nadam,
    PiecewiseConstantDecay,
    RMSProp,
    Variable,
    WarmUp,
)

GRADIENTS = [2.0, -1.0, 0.5, 0.0, 3.0]


def path(optimizer: Any, start: float = 1.0) -> list[float]:
    w, values = Variable([start]), []
    for g in GRADIENTS:
        optimizer.apply_gradients([w], [np.array([g])])
        values.append(float(w[0]))
    return values


def test_nesterov() -> None:
    w, v, expected = 1.0, 0.0, []
    for g in GRADIENTS:
        v = 0.9 * v - 0.1 * g
        w += 0.9 * v - 0.1 * g
        expected.append(w)
    np.testing.assert_allclose(path(BasicOptimizer(0.1, 0.9, nesterov=True)), expected, rtol=1e-14)
    assert path(BasicOptimizer(0.1, nesterov=True)) == path(BasicOptimizer(0.1))


def test_adamw_decays_the_weight_before_the_step() -> None:
    w, m, v, expected = 1.0, 0.0, 0.0, []
    for t, g in enumerate(GRADIENTS, start=1):
        w -= 0.1 * 0.02 * w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= 0.1 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-7)
        expected.append(w)
    np.testing.assert_allclose(path(AdamW(0.1, 0.02)), expected, rtol=1e-12)
    np.testing.assert_allclose(path(Adam(0.1, weight_decay=0.02)), expected, rtol=1e-12)
    assert AdamW().weight_decay == 0.004


def test_nadam() -> None:
    w, m, v, product, expected = 1.0, 0.0, 0.0, 1.0, []
    for t, g in enumerate(GRADIENTS, start=1):
        now, later = 0.8 * (1 - 0.5 * 0.96**t), 0.8 * (1 - 0.5 * 0.96 ** (t + 1))
        product *= now
        m, v = 0.8 * m + 0.2 * g, 0.99 * v + 0.01 * g * g
        m_hat = later * m / (1 - product * later) + (1 - now) * g / (1 - product)
        w -= 0.1 * m_hat / (math.sqrt(v / (1 - 0.99**t)) + 1e-3)
        expected.append(w)
    np.testing.assert_allclose(path(Nadam(0.1, 0.8, 0.99, 1e-3)), expected, rtol=1e-12)


@pytest.mark.parametrize("make", [lambda: Nadam(0.1), lambda: BasicOptimizer(0.1, 0.9, nesterov=True), AdamW])
def test_several_parameters_go_as_each_by_itself_and_copies_go_on(make: Any) -> None:
    random = np.random.default_rng(0)
    shapes = [(2, 3), (4,), (1, 2)]
    starts = [random.normal(size=shape) for shape in shapes]
    rounds = [[random.normal(size=shape) for shape in shapes] for _ in range(4)]
    together, optimizer = [Variable(s) for s in starts], make()
    for gradients in rounds[:2]:
        optimizer.apply_gradients(together, gradients)
    twins, twin = copy.deepcopy((together, optimizer))
    for gradients in rounds[2:]:
        optimizer.apply_gradients(together, gradients)
        twin.apply_gradients(twins, gradients)
    for k, start in enumerate(starts):
        alone, one = Variable(start), make()
        for gradients in rounds:
            one.apply_gradients([alone], [gradients[k]])
        np.testing.assert_array_equal(together[k], alone)
        np.testing.assert_array_equal(together[k], twins[k])


def taken(**options: float) -> list[np.ndarray[Any, Any]]:
    """What a step of 1 takes off two parameters with gradients of norm 5 and 12."""
    parameters, gradients = [Variable(np.zeros(2)), Variable(np.zeros(1))], [np.array([3.0, -4.0]), np.array([12.0])]
    given = [g.copy() for g in gradients]
    BasicOptimizer(1.0, **options).apply_gradients(parameters, gradients)
    for g, before in zip(gradients, given, strict=True):
        np.testing.assert_array_equal(g, before)
    return [-np.asarray(p) for p in parameters]


def test_clipping() -> None:
    for found, expected in [
        (taken(clipvalue=3.5), [[3, -3.5], [3.5]]),
        (taken(clipnorm=10.0), [[3, -4], [10]]),
        (taken(clipnorm=2.5), [[1.5, -2], [2.5]]),
        (taken(global_clipnorm=6.5), [[1.5, -2], [6]]),
        (taken(global_clipnorm=13.0), [[3, -4], [12]]),
    ]:
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-14)


def test_clipping_keeps_the_type() -> None:
    w = Variable(np.zeros(2, np.float32))
    for options in ({"clipvalue": 0.1}, {"clipnorm": 0.1}, {"global_clipnorm": 0.1}):
        BasicOptimizer(1.0, **options).apply_gradients([w], [np.ones(2, np.float32)])
        assert w.dtype == np.float32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "one way of clipping, got clipnorm and clipvalue"),
        ({"clipnorm": 0.0}, "<= clipnorm <"),
        ({"weight_decay": -1.0}, "<= weight_decay <"),
    ],
)
def test_options_that_are_refused(options: Any, message: str) -> None:
    for make in (BasicOptimizer, RMSProp, Adam, AdamW, Nadam):
        if make is AdamW and "weight_decay" not in options:
            continue
        with pytest.raises(ValueError, match=message):
            make(0.1, **options)


# --- schedules


def test_a_schedule_is_asked_at_every_step() -> None:
    optimizer = BasicOptimizer(lambda step: 0.1 / (step + 1))
    w, expected = 1.0, []
    for t, g in enumerate(GRADIENTS, start=1):
        w -= 0.1 / t * g
        expected.append(w)
    np.testing.assert_allclose(path(optimizer), expected, rtol=1e-14)
    assert (optimizer.iterations, optimizer.learning_rate) == (5, 0.1 / 5)


def test_a_schedule_that_returns_no_rate_is_named() -> None:
    with pytest.raises(TypeError, match="function expects learning_rate to be a number, got None"):
        Adam(lambda step: None)
    with pytest.raises(ValueError, match="learning_rate"):
        Adam(lambda step: -1.0)


def test_schedules_by_their_formulas() -> None:
    steps = range(0, 31, 3)
    exponential = ExponentialDecay(0.1, 10, 0.5)
    assert [exponential(s) for s in steps] == pytest.approx([0.1 * 0.5 ** (s / 10) for s in steps])
    stairs = ExponentialDecay(0.1, 10, 0.5, staircase=True)
    assert [stairs(s) for s in (0, 9, 10, 19, 20)] == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.025])
    cosine = CosineDecay(0.1, 20, alpha=0.1)
    expected = [0.1 * (0.9 * (1 + math.cos(math.pi * min(s, 20) / 20)) / 2 + 0.1) for s in steps]
    assert [cosine(s) for s in steps] == pytest.approx(expected)
    warm = CosineDecay(0.0, 20, warmup_target=0.1, warmup_steps=5)
    assert [warm(s) for s in (0, 1, 5, 15, 25, 99)] == pytest.approx([0.0, 0.02, 0.1, 0.05, 0.0, 0.0])
    pieces = PiecewiseConstantDecay([3], [0.1, 0.01])
    assert [pieces(s) for s in (2, 3, 4)] == [0.1, 0.1, 0.01]
    assert [WarmUp(exponential, 5)(s) for s in (0, 1, 5, 15)] == pytest.approx([0.0, 0.02, 0.1, 0.05])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PiecewiseConstantDecay([3, 2], [1.0, 2.0, 3.0]), "boundaries that ascend and one value more"),
        (lambda: PiecewiseConstantDecay([3], [1.0]), "got 1 boundaries and 1 values"),
        (lambda: ExponentialDecay(0.1, 0, 0.5), "decay_steps to be at least 1"),
        (lambda: CosineDecay(0.1, 10, alpha=-1.0), "<= alpha <"),
        (lambda: WarmUp(0.1, 0), "steps to be at least 1"),
    ],
)
def test_schedules_that_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
