"""The call for library authors: functions that draw random numbers draw the same ones in every call."""

from __future__ import annotations

import random

import numpy as np
import pytest

import gradcheck

check = gradcheck.check
X = np.array([0.5, -1.25, 2.0, 0.75])
RNG = np.random.default_rng(7)


def global_noise(x):
    return x * np.random.normal(size=x.shape)  # noqa: NPY002


def global_slope(x):
    return np.random.normal(size=x.shape)  # noqa: NPY002


def pythons_noise(x):
    return x * random.random()


def pythons_slope(x):
    return np.full_like(x, random.random())


def own_noise(x):
    return np.sin(x) * RNG.normal(size=x.shape)


def own_slope(x):
    return np.cos(x) * RNG.normal(size=x.shape)


def dropout(x, p, rng):
    return x * (rng.random(x.shape) >= p) / (1 - p)


def dropout_slope(x, p, rng):
    return (rng.random(x.shape) >= p) / (1 - p)


PAIRS = {
    "NumPy's generator": (global_noise, global_slope, ()),
    "Python's": (pythons_noise, pythons_slope, ()),
    "one beside the function": (own_noise, own_slope, ()),
    "one that is handed over": (dropout, dropout_slope, (0.5, np.random.default_rng(3))),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_derivative_for_the_same_numbers_is_right_and_another_wrong(name):
    f, slope, args = PAIRS[name]
    right = check(f, X, args=args, deriv=slope)
    assert right.verdict == "correct", right
    assert "random numbers are the same in every call" in right.reading
    assert not any(claim.test for claim in right.claims)
    assert check(f, X, args=args, deriv=lambda x, *more: 1.5 * slope(x, *more)).verdict == "wrong"


def test_generators_are_left_as_they_were():
    rng, twin = np.random.default_rng(3), np.random.default_rng(3)
    np.random.seed(3)  # noqa: NPY002
    check(dropout, X, 0.5, rng, deriv=dropout_slope)
    check(global_noise, X, deriv=global_slope)
    assert rng.random() == twin.random()
    assert np.random.random() == np.random.RandomState(3).random()  # noqa: NPY002


def test_a_derivative_that_remembers_the_mask_is_right():
    class Dropout:
        def __init__(self):
            self.rng = np.random.default_rng(1)

        def __call__(self, x):
            self.mask = self.rng.random(x.shape) > 0.5
            return x * self.mask

        def slope(self, x):
            return self.mask * 1.0

    layer = Dropout()
    assert check(layer, X, deriv=layer.slope).verdict == "correct"
    assert check(layer, X, deriv=lambda x: 2 * layer.slope(x)).verdict == "wrong"


def test_what_cannot_be_pinned_is_unresolved():
    fresh = check(lambda x: x * np.random.default_rng().random(4), X, deriv=np.ones_like)
    assert [claim.verdict for claim in fresh.claims] == ["unresolved"]
    assert "forward is random" in fresh.claims[0].reason
    assert [item.name for item in fresh.contract if item.verdict == "broken"] == ["forward is deterministic"]


def test_functions_that_draw_nothing_are_not_said_to():
    assert "random" not in check(np.sin, X, deriv=np.cos).reading
