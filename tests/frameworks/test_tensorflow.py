"""TensorFlow: tf.custom_gradient, tf.Module, and functions of tensors, right and wrong."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from tests.frameworks.rules import ROWS, V, W, X, holds
from tests.frameworks.usual import USUAL, Namespace

tf = pytest.importorskip("tensorflow")

check = gradcheck.check

ALL = {**ROWS, **USUAL}
XP = Namespace(
    tf,
    sum=tf.reduce_sum,
    mean=tf.reduce_mean,
    flip=tf.reverse,
    log=tf.math.log,
    log1p=tf.math.log1p,
    swapaxes=lambda x, a, b: tf.transpose(x),
    gather=tf.gather,
    scattered=lambda n, i, g: tf.math.unsorted_segment_sum(g, i, n),
    overwritten=lambda n, i, g: tf.tensor_scatter_nd_update(tf.zeros([n, g.shape[1]], g.dtype), i[:, None], g),
    onehot=lambda i, n, like: tf.one_hot(i, n, dtype=like.dtype),
    largest=lambda x: tf.reduce_max(x, -1, keepdims=True),
)


def made(row, vjp):
    @tf.custom_gradient
    def f(*args):
        return row.forward(XP, *args), lambda *g: vjp(XP, g[0] if len(g) == 1 else g, *args)

    return f


def of(array, dtype=None):
    return tf.constant(array, dtype or tf.float32 if array.dtype.kind == "f" else None)


@pytest.mark.parametrize("name", ALL)
def test_a_right_function_is_right_and_a_wrong_one_wrong(name):
    holds(ALL[name], made, of, check)


def test_methods_compiled_functions_and_dicts():
    class Scale:
        def __init__(self, factor, claimed):
            self.factor, self.claimed = factor, claimed

        @tf.custom_gradient
        def __call__(self, x):
            return self.factor * x, lambda upstream: self.claimed * upstream

        @tf.custom_gradient
        def of_dict(self, p):
            return {"y": self.factor * p["x"], "norm": tf.reduce_sum(p["v"])}, self._by_dict

        def _by_dict(self, *upstream):
            norm, y = upstream  # by their keys in order
            return {"x": self.claimed * y, "v": norm * tf.ones([3, 2], norm.dtype)}

    for claimed, verdict in ((3.0, "correct"), (2.0, "wrong")):
        scale = Scale(3.0, claimed)
        result = check(scale.of_dict, {"x": of(X), "v": of(V)})
        assert result.verdict == verdict, result
        assert {claim.wrt for claim in result.claims} == {"p['x']", "p['v']"}
        assert check(scale.__call__, of(X)).verdict == verdict
        row = ROWS["sin"]
        vjp = row.right if verdict == "correct" else row.wrong
        assert check(tf.function(made(row, vjp)), of(X)).verdict == verdict
    assert not tf.config.functions_run_eagerly()  # what was switched is switched back


def linear(weight, bias, by_weight=1.0):
    @tf.custom_gradient
    def f(x):
        def grad(upstream, variables):
            by = {
                weight.ref(): lambda: by_weight * tf.transpose(x) @ upstream,
                bias.ref(): lambda: tf.reduce_sum(upstream, 0),
            }
            return upstream @ tf.transpose(weight), [by[one.ref()]() for one in variables]

        return x @ weight + bias, grad

    return f


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_variables_are_judged_in_double_precision_and_stay_as_they_are(dtype):
    weight, bias = tf.Variable(W, dtype=dtype, name="weight"), tf.Variable(np.ones(4), dtype=dtype, name="bias")
    for x in (of(X, dtype), X):
        result = check(linear(weight, bias), x)
        assert result.verdict == "correct", result
        assert {claim.wrt for claim in result.claims} == {"weights['weight']", "weights['bias']", "x"}
        assert max(claim.resolution for claim in result.claims) < 1e-10
    wrong = check(linear(weight, bias, 2.0), of(X, dtype))
    assert [claim.wrt for claim in wrong.claims if claim.verdict == "wrong"] == ["weights['weight']"]
    assert weight.dtype == dtype
    assert np.array_equal(weight.numpy(), W.astype(dtype))


def test_modules_by_their_weights_and_inputs():
    class Dense(tf.Module):
        def __init__(self, function):
            super().__init__()
            self.weight, self.calls = tf.Variable(W, dtype=tf.float32), tf.Variable(0, trainable=False)
            self.function = function

        def __call__(self, x):
            self.calls.assign_add(1)
            return self.function(x @ self.weight)

    row = ROWS["tanh"]
    module = Dense(made(row, row.right))
    result = check(module, of(X))
    assert result.verdict == "correct", result
    assert {claim.wrt for claim in result.claims} == {"weights['Variable']", "x"}
    assert module.calls.numpy() == 0
    assert check(Dense(made(row, row.wrong)), of(X)).verdict == "wrong"
    with pytest.raises(gradcheck.UsageError, match=r"expected a layer, but got the class Dense: make one"):
        check(Dense, of(X))


def test_what_grad_says_nothing_about_is_held_fixed_and_named():
    def loss(factor):
        @tf.custom_gradient
        def squared(pred, target, label):
            return tf.reduce_sum((pred - target) ** 2), lambda g: (factor * g * (pred - target), None, None)

        return squared

    point = of(X), of(V), tf.constant([1, 2])
    result = check(loss(2), *point)
    assert result.verdict == "correct", result
    assert [claim.wrt for claim in result.claims] == ["pred"]
    assert "but nothing by target; target, label held fixed" in result.reading
    assert check(loss(1), *point).verdict == "wrong"
    assert check(loss(2), *point, wrt="target").verdict == "wrong"


def test_gradients_by_rows_are_written_out():
    def embedding(factor):
        def by(w, rows, g):
            return tf.IndexedSlices(factor * g, rows, tf.shape(w)), None

        return tf.custom_gradient(lambda w, rows: (tf.gather(w, rows), lambda g: by(w, rows, g)))

    assert check(embedding(1), of(X), tf.constant([2, 0, 2])).verdict == "correct"
    assert check(embedding(2), of(X), tf.constant([2, 0, 2])).verdict == "wrong"


def test_a_straight_through_gradient_is_waived_where_the_function_says_so():
    through = tf.custom_gradient(lambda x: (tf.round(x), lambda g: g))
    assert check(through, of(X)).verdict == "wrong"
    through.gradcheck_waivers = {"vjp[x]": "straight-through estimator"}
    assert check(through, of(X)).verdict == "waived"


def test_functions_of_tensors_are_differentiated_by_tensorflow_or_as_somebody_says():
    def f(x):
        return tf.reduce_sum(tf.sin(x) ** 2)

    assert check(f, of(X)).verdict == "correct"
    assert "tf.GradientTape" in check(tf.function(f), of(X)).reading
    assert check(f, of(X), grad=lambda x: tf.sin(2 * x)).verdict == "correct"
    assert check(f, of(X), grad=lambda x: 2 * tf.sin(x)).verdict == "wrong"
    assert check(lambda x: tf.reduce_sum(tf.stop_gradient(tf.exp(x)) * x), of(X)).verdict == "wrong"
    assert check(lambda i, w: tf.gather(w, i), tf.constant([1, 0, 1]), of(W)).verdict == "correct"
    assert check(lambda x: (tf.argmax(x, 1), x * x), of(X)).verdict == "correct"


def test_complex_gradients_follow_tensorflow():
    z = tf.constant([1 + 2j, 0.5 - 1j])
    assert check(lambda z: tf.reduce_sum(tf.abs(z) ** 2 * tf.math.real(z)), z).verdict == "correct"

    def square(vjp):
        return tf.custom_gradient(lambda z: (z**2, lambda g: vjp(z, g)))

    assert check(square(lambda z, g: 2 * tf.math.conj(z) * g), z).verdict == "correct"
    assert check(square(lambda z, g: 2 * z * g), z).verdict == "wrong"


def test_random_numbers_are_pinned():
    def dropout(kept):
        @tf.custom_gradient
        def f(x):
            mask = tf.cast(tf.random.uniform(x.shape) > 0.5, x.dtype)
            return 2 * mask * x, lambda g: kept * mask * g

        return f

    tf.random.set_seed(5)
    first = tf.random.uniform([2]).numpy()
    assert check(dropout(2), of(X)).verdict == "correct"
    assert check(dropout(1), of(X)).verdict == "wrong"
    tf.random.set_seed(5)
    assert np.array_equal(tf.random.uniform([2]).numpy(), first)


def test_what_is_written_for_float32_alone_is_asked_in_float32():
    def twice(factor):
        table = of(W[0, :2])
        return tf.custom_gradient(lambda x: (x * table, lambda g: factor * g * table))

    result = check(twice(1), of(X))
    assert result.verdict == "correct"
    assert {at.dtype for at in result.claims[0].points} == {"float32"}
    assert check(twice(2), of(X)).verdict == "wrong"


def test_what_cannot_be_asked_is_said():
    function = made(ROWS["sin"], ROWS["sin"].right)
    with pytest.raises(gradcheck.UsageError, match=r"expected the point at which .* it is tf.custom_gradient"):
        check(function)
    with pytest.raises(gradcheck.UsageError, match=r"nothing to differentiate by: .* of dtype <dtype: 'int32'>"):
        check(function, tf.range(3))
    assert check(lambda x: float(tf.reduce_sum(x)), of(X)).verdict == "could not be asked"
    assert check(made(ROWS["product"], ROWS["product"].right), of(X), of(W)).verdict == "could not be asked"


def test_nothing_of_tensorflow_is_needed_where_it_is_loaded_but_not_used():
    assert check(np.sin, X, deriv=np.cos).verdict == "correct"
