"""Every graph shape that the textbook tape gets wrong, checked against central differences or by hand."""

import gc
import weakref

import numpy as np
import pytest

from beras import (
    Activation,
    Dense,
    Diffable,
    GradientTape,
    MeanSquaredError,
    ReLU,
    Sigmoid,
    Sin,
    Softmax,
    SoftmaxCrossEntropy,
    Tanh,
    Tensor,
)
from beras.core import Upstream, as_gradient
from tests.beras.differences import gradient


class Add(Diffable):
    def forward(self, x, y):
        return np.asarray(x) + np.asarray(y)

    def get_input_gradients(self):
        return [Tensor(np.ones(x.shape)) for x in self.inputs]

    def compose_input_gradients(self, J: Upstream = None):
        [g] = self.upstream(J)
        return [as_gradient(g, x) for x in self.inputs]


class Identity(Activation):
    """Returns its very input, as evaluation-mode dropout does."""

    def forward(self, x):
        return x

    def get_input_gradients(self):
        return [Tensor(np.ones(self.inputs[0].shape))]


def dense(n, m, seed):
    return Dense(n, m, "xavier", dtype=np.float64, seed=seed)


@pytest.fixture
def x():
    return Tensor(np.random.default_rng(0).normal(size=(5, 4)))


def check(f, sources):
    """Compare the tape's gradient of f() by all sources with central differences of it."""
    with GradientTape() as tape:
        target = f()
    gradients = tape.gradient(target, sources)
    for source, g in zip(sources, gradients, strict=True):
        assert type(g) is Tensor
        assert g.shape == source.shape
        np.testing.assert_allclose(g, gradient(lambda: np.asarray(f()).sum(), source), rtol=1e-6, atol=1e-9)
    return gradients


def test_a_chain_by_weights_and_inputs(x):
    layers, loss = [dense(4, 3, 1), Tanh(), dense(3, 2, 2), Softmax()], MeanSquaredError()
    y_true = np.eye(2)[[0, 1, 1, 0, 0]]

    def f():
        h = x
        for layer in layers:
            h = layer(h)
        return loss(h, y_true)

    check(f, [*layers[0].weights, *layers[2].weights, x])


def test_a_layer_called_twice_shares_its_weights(x):
    layer, activation = dense(4, 4, 1), Tanh()
    check(lambda: activation(layer(activation(layer(x)))), [*layer.weights, x])


def test_a_second_call_does_not_overwrite_what_the_first_needs(x):
    layer, other = dense(4, 3, 1), np.full((2, 4), 7.0)
    with GradientTape() as tape:
        first = layer(x)
        layer(other)
    [by_w] = tape.gradient(first, [layer.w])
    np.testing.assert_allclose(by_w, np.tile(np.asarray(x).sum(axis=0)[:, None], 3))


def test_forward_between_recording_and_gradient_changes_nothing(x):
    layer = Sin()
    with GradientTape() as tape:
        y = layer(x)
    layer.forward(np.zeros((2, 2)))
    layer(np.zeros((2, 2)))
    np.testing.assert_array_equal(tape.gradient(y, x), np.cos(np.asarray(x)))


def test_gradients_of_a_tensor_used_by_two_layers_add(x):
    left, right, add = dense(4, 3, 1), dense(4, 3, 2), Add()
    check(lambda: add(Tanh()(left(x)), Sin()(right(x))), [x, *left.weights, *right.weights])


def test_a_residual_connection(x):
    layer, add = dense(4, 4, 1), Add()
    check(lambda: add(x, Tanh()(layer(x))), [x, *layer.weights])


def test_a_tensor_added_to_itself(x):
    add = Add()
    assert check(lambda: add(x, x), [x])[0].tolist() == np.full((5, 4), 2.0).tolist()


def test_a_weight_shared_by_two_layers(x):
    first, second = dense(4, 4, 1), dense(4, 4, 2)
    second.w = first.w
    check(lambda: second(Tanh()(first(x))), [first.w, first.b, second.b])


def test_a_ladder_of_diamonds_visits_each_node_once():
    calls = []

    class Counted(Add):
        def compose_input_gradients(self, J=None):
            calls.append(1)
            return super().compose_input_gradients(J)

    t = source = Tensor([1.0])
    with GradientTape() as tape:
        for _ in range(50):
            t = Counted()(t, t)
    assert tape.gradient(t, source).tolist() == [2.0**50]  # 2^50 paths
    assert len(calls) == 50


def test_a_gradient_by_an_intermediate_tensor(x):
    first, second = Sin(), Tanh()
    with GradientTape() as tape:
        h = first(x)
        y = second(h)
    by_h, by_x = tape.gradient(y, [h, x])
    np.testing.assert_allclose(by_h, 1 - np.tanh(np.asarray(h)) ** 2)
    np.testing.assert_allclose(by_x, by_h * np.cos(np.asarray(x)))


def test_the_target_as_a_source(x):
    with GradientTape() as tape:
        y = Sin()(x)
    assert tape.gradient(y, y).tolist() == np.ones((5, 4)).tolist()


def test_what_the_target_does_not_depend_on_has_no_gradient(x):
    used, unused = dense(4, 3, 1), dense(4, 3, 2)
    with GradientTape() as tape:
        y = used(x)
        unused(x)
    assert tape.gradient(y, [unused.w, Tensor([1.0])]) == [None, None]
    assert tape.gradient(x, [used.w]) == [None]


def test_a_weight_that_is_not_trainable_has_no_gradient_but_lets_others_through(x):
    first, second = dense(4, 3, 1), dense(3, 2, 2)
    second.trainable = False
    with GradientTape() as tape:
        y = second(first(x))
    by_first, by_second = tape.gradient(y, [first.w, second.w])
    assert by_second is None
    np.testing.assert_allclose(by_first, np.asarray(x).T @ (np.ones((5, 2)) @ np.asarray(second.w).T))


def test_freed_tensors_are_kept_so_that_no_id_is_used_twice():
    with GradientTape() as tape:
        t = source = Tensor(np.full(3, 0.5))
        for _ in range(200):
            t = Sin()(t)  # the previous t is freed here, unless the tape keeps it
    value, slope = 0.5, 1.0
    for _ in range(200):
        slope *= np.cos(value)
        value = np.sin(value)
    np.testing.assert_allclose(tape.gradient(t, source), np.full(3, slope))


def test_a_layer_that_returns_its_very_input(x):
    layer = dense(4, 3, 1)
    check(lambda: Sin()(Identity()(layer(Identity()(x)))), [x, *layer.weights])


def test_a_layer_that_returns_its_very_input_at_both_ends(x):
    with GradientTape() as tape:
        y = Identity()(x)
    assert y is not x
    assert tape.gradient(y, x).tolist() == np.ones((5, 4)).tolist()


@pytest.mark.parametrize("itself", [False, True])
def test_a_tensor_that_is_several_outputs_at_once_has_a_gradient_as_each(x, itself):
    class Thrice(Diffable):
        def forward(self, x):
            y = x if itself else Tensor(np.asarray(x) * 1)
            return [y, y, y]

        def get_input_gradients(self):
            raise NotImplementedError

        def compose_input_gradients(self, J=None):
            a, b, c = self.upstream(J)
            return [as_gradient(a + 10 * b + 100 * c, self.inputs[0])]

    with GradientTape() as tape:
        outputs = Thrice()(x)
        last = Sin()(outputs[2])
    assert len({id(y) for y in (x, *outputs)}) == 4
    for y, factor in zip(outputs, (1, 10, 100), strict=True):
        np.testing.assert_allclose(tape.gradient(y, x), np.full(x.shape, factor))
    np.testing.assert_allclose(tape.gradient(last, x), 100 * np.cos(np.asarray(x)))


def test_a_weight_assigned_before_gradient_is_an_error(x):
    layer = dense(4, 3, 1)
    with GradientTape() as tape:
        y = layer(x)
    layer.w.assign(0.0)
    with pytest.raises(RuntimeError, match="weight of shape \\(4, 3\\) that Dense used was overwritten"):
        tape.gradient(y, [layer.w])
    with pytest.raises(RuntimeError, match="overwritten"):
        tape.gradient(y, [x])


def test_a_weight_assigned_after_gradient_or_elsewhere_is_none_of_the_tapes_business(x):
    layer, other = dense(4, 3, 1), dense(4, 3, 2)
    with GradientTape() as tape:
        y = layer(x)
        other(x)
    other.w.assign(0.0)
    assert tape.gradient(y, [layer.w])[0].shape == (4, 3)
    layer.w.assign(0.0)


def test_output_gradients_weigh_the_entries(x):
    J = np.arange(20.0).reshape(5, 4)
    with GradientTape() as tape:
        y = Sin()(x)
        z = Tanh()(x)
    np.testing.assert_allclose(tape.gradient(y, x, output_gradients=J), J * np.cos(np.asarray(x)))
    both = tape.gradient([y, z], x, output_gradients=[J, None])
    np.testing.assert_allclose(both, J * np.cos(np.asarray(x)) + 1 - np.tanh(np.asarray(x)) ** 2)
    with pytest.raises(ValueError, match="shape"):
        tape.gradient(y, x, output_gradients=J[:2])
    with pytest.raises(ValueError, match="2 target"):
        tape.gradient([y, z], x, output_gradients=[J])


def test_plain_and_integer_arrays_can_be_sources():
    plain, whole = np.array([[0.5]]), np.array([[1, 2]])
    with GradientTape() as tape:
        y, z = Sin()(plain), Sigmoid()(whole)
    assert tape.gradient(y, plain).tolist() == [[np.cos(0.5)]]
    by_whole = tape.gradient(z, whole)
    assert by_whole.dtype == np.float64
    np.testing.assert_allclose(by_whole, [[0.19661193, 0.10499359]], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_type_stays_to_the_gradient(dtype):
    layer, x = Dense(3, 2, "xavier", dtype=dtype), Tensor(np.ones((2, 3), dtype))
    with GradientTape() as tape:
        loss = MeanSquaredError()(ReLU()(layer(x)), np.eye(2))
    assert loss.dtype == dtype
    assert [g.dtype for g in tape.gradient(loss, [layer.w, layer.b, x])] == [dtype] * 3


def test_mixed_types_give_each_source_its_own():
    layer, x = Dense(3, 2, "xavier", dtype=np.float32), Tensor(np.ones((2, 3)))
    with GradientTape() as tape:
        y = layer(x)
    assert y.dtype == np.float64
    by_w, by_x = tape.gradient(y, [layer.w, x])
    assert (by_w.dtype, by_x.dtype) == (np.float32, np.float64)


def test_forward_alone_is_not_recorded(x):
    layer = Sin()
    with GradientTape() as tape:
        y = layer.forward(x)
    assert tape.gradient(y, x) is None
    assert tape.previous_layers == {}


def test_a_layer_inside_a_layer_is_part_of_it(x):
    class Doubled(Activation):
        def __init__(self):
            self.inner = Sin()

        def forward(self, x):
            return 2 * self.inner(x)

        def get_input_gradients(self):
            return [Tensor(2 * np.cos(np.asarray(self.inputs[0])))]

    with GradientTape() as tape:
        y = Doubled()(x)
    assert len(tape.previous_layers) == 1
    np.testing.assert_allclose(tape.gradient(y, x), 2 * np.cos(np.asarray(x)))


def test_previous_layers_maps_outputs_to_layers(x):
    first, second = Sin(), Tanh()
    with GradientTape() as tape:
        h = first(x)
        y = second(h)
    assert tape.previous_layers == {id(h): first, id(y): second}


def test_a_tape_that_is_open_cannot_be_entered_again(x):
    with GradientTape() as tape:
        with pytest.raises(RuntimeError, match="already open"), tape:
            pass
        y = Sin()(x)
    assert tape.gradient(y, x) is not None


def test_an_exception_in_the_scope_leaves_no_tape_behind(x):
    with pytest.raises(ZeroDivisionError), GradientTape():
        Sin()(x) / (1 // 0)
    with GradientTape() as tape:
        y = Sin()(x)
    assert tape.gradient(y, x) is not None


def test_an_exception_in_forward_leaves_the_tape_open(x):
    with GradientTape() as tape:
        with pytest.raises(ValueError, match="shape"):
            dense(3, 2, 0)(x)
        y = Sin()(x)
    assert tape.gradient(y, x) is not None


def test_nothing_is_recorded_after_the_scope_nor_by_gradient(x):
    class Loud(Activation):
        def forward(self, x):
            return np.sin(np.asarray(x))

        def get_input_gradients(self):
            return [Sin()(self.inputs[0])]

    with GradientTape() as tape:
        y = Loud()(x)
        tape.gradient(y, x)
    Sin()(x)
    assert len(tape.previous_layers) == 1


def test_another_thread_has_a_tape_of_its_own(x):
    import threading

    seen = []

    def other():
        with GradientTape() as tape:
            y = Sin()(x)
        seen.append(tape.gradient(y, x) is not None)

    with GradientTape() as tape:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert seen == [True]
    assert tape.previous_layers == {}


@pytest.mark.parametrize("mixed_in", [False, True])
def test_what_a_subclass_of_a_built_in_layer_composes_is_what_the_tape_uses(mixed_in):
    """Built-in layers have a shortcut for the tape, which the subclass knows nothing of."""

    def scaled(parent):
        class TenTimes(object if mixed_in else parent):
            def compose_input_gradients(self, J=None):
                return [10 * g for g in super().compose_input_gradients(J)]

            def compose_weight_gradients(self, J=None):
                return [10 * g for g in super().compose_weight_gradients(J)]

        return type("Mixed", (TenTimes, parent), {}) if mixed_in else TenTimes

    x, y_true = Tensor(np.random.default_rng(0).normal(size=(5, 4))), np.eye(3)[[0, 1, 2, 0, 1]]

    def gradients(layers, loss):
        with GradientTape() as tape:
            h = x
            for layer in layers:
                h = layer(h)
            target = loss(h, y_true)
        return tape.gradient(target, [x, layers[0].w, layers[0].b])

    right = gradients([dense(4, 3, 1), ReLU()], MeanSquaredError())
    for layers, loss in [
        ([scaled(Dense)(4, 3, "xavier", dtype=np.float64, seed=1), ReLU()], MeanSquaredError()),
        ([dense(4, 3, 1), scaled(ReLU)()], MeanSquaredError()),
        ([dense(4, 3, 1), ReLU()], scaled(MeanSquaredError)()),
    ]:
        for expected, g in zip(right, gradients(layers, loss), strict=True):
            np.testing.assert_allclose(g, 10 * np.asarray(expected), rtol=1e-12)


@pytest.mark.parametrize("mixed_in", [False, True])
def test_nothing_is_recorded_in_the_forward_of_a_subclass_of_a_built_in_layer(x, mixed_in):
    class Doubled(object if mixed_in else Dense):
        def forward(self, x):
            return np.sin(super().forward(2 * x))

    layer = (type("Mixed", (Doubled, Dense), {}) if mixed_in else Doubled)(4, 3)
    with GradientTape() as tape:
        y = layer(x)
        ReLU()(y)
        MeanSquaredError()(y, np.zeros((5, 3)))
        SoftmaxCrossEntropy()(y, Tensor(np.eye(3)[[0, 1, 2, 0, 1]]))
    assert len(tape.previous_layers) == 4


def test_a_shortcut_for_the_tape_may_return_plain_arrays_of_any_type():
    class Twice(Activation):
        def forward(self, x):
            return 2 * np.asarray(x)

        def get_input_gradients(self):
            raise NotImplementedError

        def input_gradients_for(self, J, wanted):
            return [2 * J[0].astype(np.float64) if wanted[0] else None]

    x, layer = Tensor(np.ones((2, 3), np.float32)), Twice()
    with GradientTape() as tape:
        h = layer(x)
        y = layer(h)
    by_x, by_h = tape.gradient(y, [x, h])
    assert (type(by_x), by_x.dtype, by_x.tolist()) == (Tensor, np.float32, [[4.0] * 3] * 2)
    assert (type(by_h), by_h.dtype, by_h.tolist()) == (Tensor, np.float32, [[2.0] * 3] * 2)


def test_on_the_way_back_a_layer_gets_gradients_of_its_outputs_type():
    seen = []

    class Careless(Sin):
        def compose_input_gradients(self, J=None):
            return [np.asarray(g, np.float64) for g in super().compose_input_gradients(J)]

    class Watching(Sin):
        def compose_input_gradients(self, J=None):
            seen.append(J[0].dtype)
            return super().compose_input_gradients(J)

    x = Tensor(np.ones(3, np.float32))
    with GradientTape() as tape:
        y = Careless()(Watching()(x))
    assert tape.gradient(y, x).dtype == np.float32
    assert seen == [np.float32]


def test_wrong_gradients_of_a_layer_are_named():
    class Short(Sin):
        def compose_input_gradients(self, J=None):
            return [np.ones(2)]

    class Few(Sin):
        def compose_input_gradients(self, J=None):
            return []

    x = Tensor(np.ones(3))
    for layer, message in [(Short(), r"Short returned a gradient of shape \(2,\)"), (Few(), r"Few returned 0")]:
        with GradientTape() as tape:
            y = layer(x)
        with pytest.raises(ValueError, match=message):
            tape.gradient(y, x)


def test_sources_and_targets_must_be_arrays(x):
    with GradientTape() as tape:
        y = Sin()(x)
    with pytest.raises(TypeError, match="source"):
        tape.gradient(y, [[1.0]])
    with pytest.raises(TypeError, match="target"):
        tape.gradient([1.0], [x])


def test_a_list_of_tensors_would_lose_gradients_and_is_refused(x):
    with GradientTape(), pytest.raises(TypeError, match="separate arguments"):
        Sin()([Tensor(1.0), Tensor(2.0)])


def test_the_graph_is_freed_with_the_tape():
    gc.disable()
    try:
        with GradientTape() as tape:
            h = Sin()(Tensor(np.ones(3)))
            y = Tanh()(h)
        watch = weakref.ref(h)
        del h
        assert watch() is not None
        del tape, y
        assert watch() is None  # by reference counting alone
    finally:
        gc.enable()


def test_entering_again_starts_anew(x):
    tape = GradientTape()
    with tape:
        y = Sin()(x)
    with tape:
        z = Tanh()(x)
    assert tape.gradient(y, x) is None
    assert tape.gradient(z, x) is not None
