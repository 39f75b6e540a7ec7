"""`numerical_jacobian` is a pair that says where there is no derivative."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from gradcheck import UsageError, numerical_jacobian


def test_a_kink_is_said_with_both_sides():
    found = numerical_jacobian(lambda x: 3 * x + np.maximum(x, 0), np.array([0.0, 1.0, -1.0]))
    jacobian, bound = found
    assert np.array_equal(found.kink, np.diag([True, False, False]))
    assert not found.jump.any()
    assert (found.left[0, 0], found.right[0, 0]) == (pytest.approx(3), pytest.approx(4))
    assert np.array_equal(found.left[1:], jacobian[1:])
    assert bound.max() < 1e-9


def test_a_jump_is_said_and_has_no_bound():
    found = numerical_jacobian(lambda x: np.where(x >= 0, x + 1.0, x), np.array([0.0, 1.0]))
    assert np.array_equal(found.jump, np.diag([True, False]))
    assert np.isinf(found[1][0, 0])


def test_what_is_smooth_has_neither_and_scalars_have_scalars():
    found = numerical_jacobian(np.sin, 0.5)
    assert found.kink.shape == found.jump.shape == found[0].shape == ()
    assert not found.kink
    assert not found.jump
    assert found.left == found.right == found[0]


@pytest.mark.parametrize("again", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_a_copy_is_the_plain_pair(again):
    found = numerical_jacobian(np.sin, np.array([0.5, 1.0]))
    assert all(np.array_equal(a, b) for a, b in zip(again(found), found, strict=True))


def test_what_is_not_real_is_refused_and_what_is_not_finite_has_an_infinite_bound():
    with pytest.raises(UsageError, match=r"expected a function that returns real numbers, but got .* complex"):
        numerical_jacobian(lambda x: x * 1j, np.ones(2))
    _, bound = numerical_jacobian(lambda x: x * np.nan, np.ones(2))
    assert np.isinf(bound).all()
