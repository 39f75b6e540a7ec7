"""What would lose a gradient without a word is refused: writes by another name, NumPy's own ways, swapped arguments."""

import inspect

import numpy as np
import pytest

from beras import Dense, GradientTape, MeanSquaredError, SoftmaxCrossEntropy, Tensor, Variable, destinations


def vector():
    return Variable([1.0, 2.0])


def gradient(f, *xs):
    with GradientTape() as tape:
        y = f(*xs)
    return tape.gradient(y, list(xs))


# A call that writes into `y`, however it is told to; `m` is a matrix.
WRITES = {
    "clip, out by position": lambda y, m: np.clip(y, 0, 1, y),
    "sum, out by position": lambda y, m: np.sum(m, 0, None, y),
    "dot, out by position": lambda y, m: np.dot(m, m[0], y),
    "concatenate, out": lambda y, m: np.concatenate([m[0, :1], m[1, :1]], out=y),
    "einsum, out": lambda y, m: np.einsum("ij->j", m, out=y),
    "method sum, out": lambda y, m: m.sum(axis=0, out=y),
    "method sum, out by position": lambda y, m: m.sum(0, None, y),
    "method max, out by position": lambda y, m: m.max(0, y),
    "method cumsum, out": lambda y, m: y.cumsum(out=y),
    "method take, out by position": lambda y, m: m.take([0, 1], None, y),
    "method dot, out": lambda y, m: m.dot(m[0], out=y),
    "method trace, out by position": lambda y, m: m.trace(0, 0, 1, None, y[0]),
    "copyto by name": lambda y, m: np.copyto(dst=y, src=m[0]),
    "put by name": lambda y, m: np.put(a=y, ind=[0], v=[1.0]),
    "nan_to_num": lambda y, m: np.nan_to_num(y, copy=False),
    "nan_to_num by position": lambda y, m: np.nan_to_num(y, False),
    "ufunc": lambda y, m: np.exp(y, out=y),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_writes_inside_a_tape_are_refused_before_anything_is_changed(write):
    y, m = Tensor([1.0, np.nan]), Tensor([[1.0, 2.0], [3.0, 4.0]])
    with GradientTape(), pytest.raises(RuntimeError, match="not written in place"):
        write(y, m)
    np.testing.assert_array_equal(y, [1.0, np.nan])


@pytest.mark.parametrize("write", [f for name, f in WRITES.items() if "trace" not in name])
def test_writes_after_the_tape_are_noticed(write):
    y, m = Tensor([1.0, 2.0]), Tensor([[1.0, 2.0], [3.0, 4.0]])
    with GradientTape() as tape:
        z = (y * y).sum()
    write(y, m)
    with pytest.raises(RuntimeError, match="overwritten"):
        tape.gradient(z, y)


@pytest.mark.parametrize("write", [lambda x, y: np.sum(x, axis=0, out=y), lambda x, y: x.sum(axis=0, out=y)])
def test_whole_numbers_are_written_and_handed_back(write):
    x, y = Tensor([[1, 2], [3, 4]]), Tensor([0, 0])
    with GradientTape():
        assert write(x, y) is y
    assert y.tolist() == [4, 6]


def with_out():
    for name in dir(np):
        function = getattr(np, name)
        if callable(function) and not isinstance(function, type | np.ufunc):
            try:
                parameters = inspect.signature(function).parameters
            except ValueError:  # written in C
                continue
            if "out" in parameters:
                yield name, function, parameters["out"], list(parameters).index("out")


def test_out_is_known_of_all_functions_and_methods_that_have_it():
    assert {"clip", "sum", "take", "trace", "median"} <= {name for name, *_ in with_out()}
    for name, function, parameter, place in with_out():
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            assert destinations.by_function(function, [0] * place + ["out"], {}) == ["out"], name
            if hasattr(np.ndarray, name):  # whose first argument is the array
                assert destinations.by_method(name, [0] * (place - 1) + ["out"], {}) == ["out"], name
        assert destinations.by_function(function, [0], {"out": "out"}) == ["out"], name
        assert destinations.by_function(function, [0], {"out": None}) == [], name


PLAIN = np.array([[1.0, 2.0], [3.0, 4.0]])
UNSEEN = {
    "c_": lambda w: np.c_[w, w],
    "r_": lambda w: np.r_["0,2", w, w],
    "vectorize": lambda w: np.vectorize(lambda a: a * a)(w),
    "asanyarray": lambda w: np.asanyarray(w, dtype=np.float32),
    "array": lambda w: np.array(w, subok=True),
    "Tensor of another type": lambda w: Tensor(w, dtype=np.float32),
    "as_strided": lambda w: np.lib.stride_tricks.as_strided(w, (2, 2), (0, 8), subok=True),
    "dot of a plain array": lambda w: PLAIN.dot(w),
    "bincount": lambda w: np.bincount([0, 1], weights=w),
    "full_like": lambda w: np.full_like(Tensor(PLAIN), w[0]),
    "heaviside": lambda w: np.heaviside(0.0, w),
    "sum of another type": lambda w: np.sum(w, dtype=np.dtype(np.float64)),
}


@pytest.mark.parametrize("f", UNSEEN.values(), ids=UNSEEN)
def test_what_has_no_rule_says_so_only_if_the_target_depends_on_it(f):
    with pytest.raises(NotImplementedError, match="no derivative rule"):
        gradient(lambda w: (f(w) ** 2).sum() + w.sum(), vector())
    [g] = gradient(lambda w: (f(w), w.sum())[1], vector())
    assert g.tolist() == [1.0, 1.0]


def test_nothing_is_noted_of_ordinary_views():
    with GradientTape() as tape:
        w = vector()
        for view in (w[0:1], w.T, w.reshape(1, 2), np.atleast_2d(w), np.ravel(w), w.view(Tensor), w.copy()):
            assert tape.gradient(view.sum(), w) is not None


def test_piecewise_constant_in_the_first_argument():
    [g] = gradient(lambda w: (np.full_like(w, 0.5) * w).sum() + (np.heaviside(w, 0.0) * w).sum(), vector())
    assert g.tolist() == [1.5, 1.5]


def test_sum_in_another_type_is_taken_in_that_type():
    with GradientTape():
        assert np.sum(Tensor(np.full(3, 60000.0, np.float16)), dtype=np.dtype(np.float64)) == 180000


def test_lists_of_tensors_are_refused_at_any_depth():
    w = vector()
    with GradientTape():
        for f in (lambda: Tensor([w[0], w[1]]), lambda: Tensor([[w[0]], [w[1]]]), lambda: Dense(2, 1)([[w[0], w[1]]])):
            with pytest.raises(TypeError, match="lose their gradients"):
                f()
    assert Tensor([w[0], w[1]]).tolist() == [1.0, 2.0]


def test_a_gradient_asked_for_inside_the_tape_is_no_constant():
    w, x = vector(), Tensor([3.0, 4.0])
    with GradientTape() as tape:
        y = (w * w * x).sum()
        penalty = (tape.gradient(y, x) ** 2).sum()
        loss = y + penalty
    assert tape.gradient(loss, w).tolist() == [10.0, 48.0]  # 2 w x + 4 w³
    assert tape.gradient(y, w).tolist() == [6.0, 16.0]


@pytest.mark.parametrize("loss", [MeanSquaredError(), SoftmaxCrossEntropy()])
def test_a_loss_with_its_arguments_in_the_order_of_keras_is_an_error(loss):
    layer, truth = Dense(2, 2, seed=0), Tensor([[0.0, 1.0]])
    with GradientTape() as tape:
        right, swapped = loss(layer([[1.0, 2.0]]), truth), loss(truth, layer([[1.0, 2.0]]))
    assert all(g is not None for g in tape.gradient(right, layer.weights))
    with pytest.raises(ValueError, match=r"holds y_true constant.*order \(y_pred, y_true\)"):
        tape.gradient(swapped, layer.weights)
    assert tape.gradient(right, truth).tolist() == [[0.0, 0.0]]  # asked for itself: zeros


def test_an_empty_index_takes_nothing():
    [g] = gradient(lambda w: w[[]].sum() + w.sum(), vector())
    assert g.tolist() == [1.0, 1.0]


def test_numpy_functions_outside_a_tape_pass_on_no_default_of_their_own():
    t = Tensor([1.0, np.nan, 4.0])
    assert [float(f(t)) for f in (np.nansum, np.nanmean, np.nanprod, np.nanmax)] == [5.0, 2.5, 4.0, 4.0]
    assert float(np.nanvar(t)) == 2.25


@pytest.mark.skipif("correction" not in inspect.signature(np.var).parameters, reason="an older NumPy")
def test_variance_with_a_correction():
    assert float(np.var(Tensor([1.0, 3.0]), correction=1)) == 2.0


def test_pieces_of_many_parts_are_cut_out_at_once(monkeypatch):
    cuts = []
    split = np.split
    monkeypatch.setattr(np, "split", lambda *args, **kwargs: cuts.append(args) or split(*args, **kwargs))
    parts = [Variable([float(k)]) for k in range(300)]
    with GradientTape() as tape:
        y = (np.concatenate(parts) * np.stack(parts)[:, 0]).sum()
    gradients = tape.gradient(y, parts)
    assert [float(g[0]) for g in gradients] == [2.0 * k for k in range(300)]
    assert len(cuts) == 1
