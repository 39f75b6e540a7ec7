"""The update rules against the formulas of seed 002, written out once more in plain floats."""

import gc
import math
import weakref

import numpy as np
import pytest

import beras.optimizers
from beras import Adam, BasicOptimizer, RMSProp, Variable

GRADIENTS = [2.0, -1.0, 0.5, 0.0, 3.0]


def run(optimizer, gradients=GRADIENTS, start=1.0, dtype=np.float64):
    w = Variable([start], dtype=dtype)
    path = []
    for g in gradients:
        optimizer.apply_gradients([w], [np.array([g], dtype)])
        path.append(float(w[0]))
    return path


def test_basic():
    w, expected = 1.0, []
    for g in GRADIENTS:
        w = w - g * 0.1
        expected.append(w)
    assert run(BasicOptimizer(0.1)) == pytest.approx(expected, rel=1e-14)


def test_momentum():
    w, v, expected = 1.0, 0.0, []
    for g in GRADIENTS:
        v = 0.9 * v + 0.1 * g
        w = w - v
        expected.append(w)
    assert run(BasicOptimizer(0.1, momentum=0.9)) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("make", "switch"), [(lambda: BasicOptimizer(0.1), "momentum"), (lambda: Adam(0.1), "amsgrad")]
)
def test_what_is_switched_on_later_starts_from_zero(make, switch):
    """With the gradients so far taken without it: none in the velocity, no larger `v` than the present one."""
    optimizer, w = make(), Variable([1.0], dtype=np.float64)
    optimizer.apply_gradients([w], [[2.0]])
    before = float(w[0])
    setattr(optimizer, switch, 0.5)
    optimizer.apply_gradients([w], [[3.0]])
    optimizer.apply_gradients([w], [[3.0]])
    if switch == "momentum":
        assert float(w[0]) == pytest.approx(before - 0.1 * 3 - 0.1 * (0.5 * 3 + 3), rel=1e-14)
    else:  # `v` has grown at every step, so that the largest is the last
        assert float(w[0]) == pytest.approx(run(Adam(0.1), [2.0, 3.0, 3.0])[-1], rel=1e-14)


@pytest.mark.parametrize("make", [lambda: BasicOptimizer(0.1), lambda: BasicOptimizer(0.1, 0.9), lambda: Adam(0.1)])
def test_gradients_stay_as_they_were(make):
    optimizer, w, g = make(), Variable([1.0, 2.0]), np.array([3.0, 4.0])
    optimizer.apply_gradients([w], [g])
    optimizer.apply_gradients([w], [g])
    np.testing.assert_array_equal(g, [3.0, 4.0])


def test_rmsprop():
    w, v, expected = 1.0, 0.0, []
    for g in GRADIENTS:
        v = 0.9 * v + (1 - 0.9) * g**2
        w = w - 0.1 / (math.sqrt(v) + 1e-6) * g
        expected.append(w)
    assert run(RMSProp(0.1)) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam(amsgrad):
    w, m, v, largest, expected = 1.0, 0.0, 0.0, 0.0, []
    for t, g in enumerate(GRADIENTS, start=1):
        m = m * 0.9 + (1 - 0.9) * g
        v = v * 0.999 + (1 - 0.999) * g**2
        largest = max(largest, v)
        m_hat, v_hat = m / (1 - 0.9**t), (largest if amsgrad else v) / (1 - 0.999**t)
        w = w - 0.1 * m_hat / (math.sqrt(v_hat) + 1e-7)
        expected.append(w)
    assert run(Adam(0.1, amsgrad=amsgrad)) == pytest.approx(expected, rel=1e-12)


def test_amsgrad_differs_where_gradients_shrink():
    gradients = [5.0] + [0.01] * 20
    plain, ams = (run(Adam(0.1, beta_2=0.5, amsgrad=flag), gradients) for flag in (False, True))
    assert abs(plain[-1] - plain[0]) > 2 * abs(ams[-1] - ams[0])


def test_adam_counts_a_step_once_for_all_parameters():
    optimizer, w = Adam(0.1), [Variable([1.0]), Variable([1.0])]
    optimizer.apply_gradients(w, [np.ones(1), np.ones(1)])
    assert optimizer.t == 1
    assert w[0] == w[1] == pytest.approx(0.9)


@pytest.mark.parametrize("make", [lambda: BasicOptimizer(0.1, 0.9), lambda: RMSProp(0.1), lambda: Adam(0.1)])
class TestEveryOptimizer:
    def test_state_is_kept_per_parameter(self, make):
        optimizer, a, b = make(), Variable([1.0]), Variable([1.0])
        for _ in range(3):
            optimizer.apply_gradients([a, b], [np.array([1.0]), np.array([-2.0])])
        alone = make()
        c = Variable([1.0])
        for _ in range(3):
            alone.apply_gradients([c], [np.array([-2.0])])
        assert float(b[0]) == float(c[0])

    def test_no_parameter_is_kept_alive(self, make):
        gc.disable()
        try:
            optimizer, w = make(), Variable([1.0])
            optimizer.apply_gradients([w], [np.ones(1)])
            watch = weakref.ref(w)
            assert len(optimizer.state) == 1
            del w
            assert watch() is None
            assert len(optimizer.state) == 0
        finally:
            gc.enable()

    def test_a_gradient_that_is_none_is_stepped_over(self, make):
        optimizer, a, b = make(), Variable([1.0]), Variable([1.0])
        optimizer.apply_gradients([a, b], [None, np.ones(1)])
        assert float(a[0]) == 1.0
        assert float(b[0]) < 1.0

    def test_the_update_is_in_place_and_keeps_the_type(self, make):
        optimizer, w = make(), Variable(np.ones((2, 3), np.float32))
        memory = np.asarray(w)
        optimizer.apply_gradients([w], [np.ones((2, 3))])
        assert (memory < 1).all()
        assert w.dtype == np.float32

    def test_a_gradient_is_not_changed(self, make):
        optimizer, g = make(), np.ones(2)
        for _ in range(2):
            optimizer.apply_gradients([Variable(np.ones(2))], [g])
        assert g.tolist() == [1.0, 1.0]

    def test_errors_come_before_any_change(self, make):
        optimizer, a, b = make(), Variable([1.0]), Variable([1.0])
        with pytest.raises(ValueError, match="2 parameter"):
            optimizer.apply_gradients([a, b], [np.ones(1)])
        with pytest.raises(ValueError, match=r"shape \(2,\) came for a parameter of shape \(1,\)"):
            optimizer.apply_gradients([a, b], [np.ones(1), np.ones(2)])
        with pytest.raises(TypeError, match="Variables, got ndarray"):
            optimizer.apply_gradients([a, np.ones(1)], [np.ones(1), np.ones(1)])
        assert float(a[0]) == 1.0


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: BasicOptimizer(-1.0), "learning_rate"),
        (lambda: BasicOptimizer(math.nan), "learning_rate"),
        (lambda: BasicOptimizer(0.1, momentum=1.0), "momentum"),
        (lambda: RMSProp(0.1, beta=1.5), "beta"),
        (lambda: Adam(0.1, beta_1=1.0), "beta_1"),
        (lambda: Adam(0.1, beta_2=-0.1), "beta_2"),
        (lambda: Adam(0.1, epsilon=-1e-7), "epsilon"),
    ],
)
def test_arguments_out_of_range_are_named(make, name):
    with pytest.raises(ValueError, match=name):
        make()


def test_the_keras_spelling_is_the_same_module():
    assert beras.optimizers.Adam is Adam
