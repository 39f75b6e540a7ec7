"""Functions that are rounded to float32 on the way: no value of f shows the derivative between two stairs."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.numerical import estimate


def single(v):
    return np.asarray(v).astype(np.float32).astype(float)


def exact(v):
    return v


def stages(x, a, rounded):
    """Three layers of one tanh unit each, of which every one rounds."""
    h = rounded(np.tanh(x[0]))
    h = rounded(np.tanh(x[1] + a * h))
    return rounded(np.tanh(x[2] + a * h))


def recurrent(x, rounded, w):
    h = np.zeros(len(w), x.dtype)
    for row in np.reshape(x, (-1, len(w))):
        h = rounded(np.tanh(row + w @ h))
    return h


def holds(f, x):
    """Whether every bound holds, against complex steps through the function without its stairs."""
    found = estimate(lambda v: [f(v["x"], single)], {"x": x}, "x")
    truth = np.empty((found.value.shape[1], x.size))
    for i in range(x.size):
        z = x.astype(complex)
        z[i] += 1e-30j
        truth[:, i] = np.ravel(f(z, exact)).imag / 1e-30
    return bool((np.abs(found.dense() - truth) <= found.dense("bound")).all())


@pytest.mark.parametrize(
    ("a", "x"),
    [
        (-1.34, [1.33, 4.69, -5.26]),
        (2.8, [-1.83, -4.04, -1.69]),
        (6.37, [-1.53, -3.78, 2.59]),
        (-2.87, [-0.95, 2.03, -4.35]),
        (-0.39, [-0.27, 1.32, -0.41]),
        (1.3, [-0.98, 3.28, -0.67]),
    ],
)
def test_an_entry_that_rests_on_a_stair_has_the_stair_in_its_bound(a, x):
    assert holds(lambda v, rounded: stages(v, a, rounded), np.array(x))


def test_the_edge_of_a_clip_beside_one_entry_is_no_stair_of_the_others():
    labels = np.array([[1.0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]])
    p = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.5, 0.5], [0.734375, 0.015625, 0.25]])
    found = estimate(lambda v: [-np.sum(labels * np.log(np.maximum(v["p"], 1e-12)))], {"p": p}, "p")
    assert np.allclose(found.value.ravel(), np.where(p > 1e-12, -labels / np.maximum(p, 1e-12), 0).ravel(), atol=1e-9)
    assert found.bound[10, 0] < 1e-9


@pytest.mark.parametrize("x", [2.63, -2.63, 1.1, 7.0])
def test_a_rounded_argument_is_in_the_bound(x):
    assert holds(lambda v, rounded: np.tanh(rounded(v)), np.array([x]))


@pytest.mark.parametrize("seed", [3, 35])
@pytest.mark.parametrize("scale", [1.0, 1e-8])
def test_a_recurrent_layer_with_a_state_in_float32_has_sound_bounds(seed, scale):
    rng = np.random.default_rng(seed)
    w = np.round(rng.normal(size=(4, 4)), 2)
    assert holds(lambda v, rounded: recurrent(v, rounded, w), scale * rng.normal(size=20))
