"""The update rules against the formulas of the assignment's handout, written out once more in plain floats."""

import gc
import math
import weakref

import numpy as np
import pytest

import beras.optimizers
from beras import Adam, BasicOptimizer, RMSProp, Variable
from beras.optimizer import SMALL, Optimizer, elementwise

GRADIENTS = [2.0, -1.0, 0.5, 0.0, 3.0]


def run(optimizer, gradients=GRADIENTS, start=1.0, dtype=np.float64):
    w = Variable([start], dtype=dtype)
    path = []
    for g in gradients:
        optimizer.apply_gradients([w], [np.array([g], dtype)])
        path.append(float(w[0]))
    return path


def test_pairs_of_a_gradient_and_its_variable_are_keras_order() -> None:
    v, w = Variable([1.0]), Variable([2.0, 3.0])
    BasicOptimizer(1.0).apply_gradients(zip([[1.0], None], [v, w], strict=True))
    assert (v.tolist(), w.tolist()) == ([0.0], [2.0, 3.0])
    for given in ([v, w], [(v, [1.0])], [([1.0], v, w)]):
        with pytest.raises(TypeError, match=r"or pairs of a gradient and its variable, apply_gradients\(zip\("):
            BasicOptimizer(1.0).apply_gradients(given)
    assert v.tolist() == [0.0]


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


RULES = {
    "descent": (BasicOptimizer, {}),
    "momentum": (BasicOptimizer, {"momentum": 0.9}),
    "RMSProp": (RMSProp, {}),
    "Adam": (Adam, {}),
    "AMSGrad": (Adam, {"amsgrad": True}),
}


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.0.0",
    reason="NumPy before 2 may round the ends of an array otherwise than its middle, as memory happens to lie",
)
@pytest.mark.parametrize(("rule", "options"), RULES.values(), ids=RULES)
class TestSmallParametersUpdatedAsOne:
    """Each comes out as if the rule had seen it by itself, to the last bit."""

    def both(self, rule, options, updates):
        """Run `updates(optimizer, parameters, gradients)` with the rule, and with one that sees each by itself."""
        seen = []

        class Watched(rule):
            def step(self, parameter, g):
                seen.append(parameter)
                return super().step(parameter, g)

        random = np.random.default_rng(0)
        shapes = [(3, 4), (1, 4), (), (2, 1, 3), (200, 100)]
        starts = [random.normal(size=shape).astype(np.float32) for shape in shapes]
        gradients = [[random.normal(size=shape).astype(np.float32) for shape in shapes] for _ in range(5)]
        results = []
        for optimizer in (rule(0.1, **options), Watched(0.1, **options)):
            parameters = [Variable(start) for start in starts]
            updates(optimizer, parameters, gradients)
            results.append(parameters)
        assert all(isinstance(parameter, Variable) for parameter in seen)
        for start, one, other in zip(starts, *results, strict=True):
            np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
            assert (np.asarray(one) != start).any()

    def test_the_same_ones_every_time(self, rule, options):
        def updates(optimizer, parameters, gradients):
            for gradient in gradients:
                optimizer.apply_gradients(parameters, gradient)

        self.both(rule, options, updates)

    def test_others_every_time(self, rule, options):
        """In each round another one has no gradient; the next round goes on from what the last one left."""

        def updates(optimizer, parameters, gradients):
            for k, gradient in enumerate(gradients):
                optimizer.apply_gradients(parameters, [None if i == k else g for i, g in enumerate(gradient)])

        self.both(rule, options, updates)

    def test_one_by_itself_in_between(self, rule, options):
        def updates(optimizer, parameters, gradients):
            for k, gradient in enumerate(gradients):
                optimizer.apply_gradients(parameters, gradient)
                optimizer.apply_gradients(parameters[k : k + 1], gradient[k : k + 1])

        self.both(rule, options, updates)

    def test_in_another_order(self, rule, options):
        def updates(optimizer, parameters, gradients):
            for gradient in gradients:
                optimizer.apply_gradients(parameters, gradient)
                optimizer.apply_gradients(parameters[::-1], gradient[::-1])

        self.both(rule, options, updates)

    def test_one_of_them_twice(self, rule, options):
        def updates(optimizer, parameters, gradients):
            for gradient in gradients:
                optimizer.apply_gradients([parameters[0], *parameters], [gradient[0], *gradient])

        self.both(rule, options, updates)

    def test_gradients_of_another_type(self, rule, options):
        def updates(optimizer, parameters, gradients):
            for k, gradient in enumerate(gradients):
                wide = [g.astype(np.float64) if i in (k, k + 1) else g for i, g in enumerate(gradient)]
                optimizer.apply_gradients(parameters, wide)

        self.both(rule, options, updates)

    def test_what_is_switched_on_later(self, rule, options):
        def updates(optimizer, parameters, gradients):
            for k, gradient in enumerate(gradients):
                optimizer.amsgrad = k > 1
                optimizer.momentum = 0.5 if k in (2, 4) else 0.0
                optimizer.apply_gradients(parameters[: k + 2], gradient[: k + 2])

        self.both(rule, options, updates)

    def test_parameters_that_come_and_go(self, rule, options):
        """A new one may get the id of one that is gone, but not its state."""

        def updates(optimizer, parameters, gradients):
            for gradient in gradients:
                passing = Variable(np.zeros(4, np.float32))
                optimizer.apply_gradients([passing, *parameters], [np.ones(4, np.float32), *gradient])
                parameters[0].assign(parameters[0] + np.asarray(passing)[0])

        self.both(rule, options, updates)

    def test_a_parameter_is_not_kept_alive(self, rule, options):
        gc.disable()
        try:
            optimizer, parameters = rule(0.1, **options), [Variable([1.0]), Variable([2.0])]
            optimizer.apply_gradients(parameters, [np.ones(1), np.ones(1)])
            watch = weakref.ref(parameters.pop())
            assert watch() is None
            assert len(optimizer.state) == 1
        finally:
            gc.enable()


def test_small_parameters_are_one_to_a_rule_that_is_elementwise_and_large_ones_are_not():
    shapes = []

    class Rule(Optimizer):
        @elementwise
        def step(self, parameter, g):
            shapes.append(g.shape)
            return g

    small, large = [Variable(np.zeros((2, 3))), Variable(np.zeros(4))], Variable(np.zeros(SMALL + 1))
    Rule(0.1).apply_gradients([small[0], large, small[1]], [np.ones((2, 3)), np.ones(SMALL + 1), np.arange(4.0)])
    assert shapes == [(SMALL + 1,), (10,)]
    assert np.asarray(small[0]).tolist() == [[-1, -1, -1], [-1, -1, -1]]
    assert np.asarray(small[1]).tolist() == [0, -1, -2, -3]


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
