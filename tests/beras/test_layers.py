import numpy as np
import pytest

from beras import (
    GELU,
    Activation,
    Adam,
    BatchNormalization,
    CategoricalCrossEntropy,
    Dense,
    Dropout,
    Flatten,
    GradientTape,
    LayerNormalization,
    LeakyReLU,
    PReLU,
    Sigmoid,
    Tanh,
    Tensor,
    Variable,
)
from tests.beras.differences import assert_vjp_matches


@pytest.fixture
def x():
    return np.random.default_rng(3).normal(size=(5, 4))


def test_dense_by_hand():
    layer = Dense(2, 3, dtype=np.float64)
    layer.w.assign([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    layer.b.assign([[0.5, 0.0, -0.5]])
    assert layer([[1, 2], [0, 1]]).tolist() == [[9.5, 12.0, 14.5], [4.5, 5.0, 5.5]]
    J = [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]
    assert layer.compose_input_gradients([J])[0].tolist() == [[1.0, 4.0], [5.0, 11.0]]
    by_w, by_b = layer.compose_weight_gradients([J])
    assert by_w.tolist() == [[1.0, 0.0, 0.0], [2.0, 1.0, 1.0]]
    assert by_b.tolist() == [[1.0, 1.0, 1.0]]


def test_dense_agrees_with_central_differences(x):
    assert_vjp_matches(Dense(4, 3, dtype=np.float64, seed=1), x)


def test_local_layouts(x):
    layer = Dense(4, 3, dtype=np.float64, seed=1)
    layer(x)
    [by_x], [by_w, by_b] = layer.get_input_gradients(), layer.get_weight_gradients()
    np.testing.assert_array_equal(by_x, layer.w)
    assert by_w.shape == (5, 4, 3)
    assert all((by_w[n, i] == x[n, i]).all() for n in range(5) for i in range(4))
    assert by_b.tolist() == [[1.0, 1.0, 1.0]]


def test_local_and_composed_weight_gradients_agree(x):
    layer, J = Dense(4, 3, dtype=np.float64, seed=1), np.random.default_rng(4).normal(size=(5, 3))
    layer(x)
    by_w, _ = layer.get_weight_gradients()
    np.testing.assert_allclose(layer.compose_weight_gradients([J])[0], np.einsum("nio,no->io", by_w, J), rtol=1e-13)


def test_a_local_gradient_is_a_copy(x):
    layer = Dense(4, 3, seed=1)
    layer(x)
    layer.get_input_gradients()[0][...] = 0
    assert np.asarray(layer.w).any()


def test_weights_are_variables_and_initialize_weight_sets_nothing():
    layer = Dense(4, 3)
    before = layer.w
    w, b = layer._initialize_weight("zero", 2, 5)
    assert layer.w is before
    assert [type(v) for v in (w, b, layer.w, layer.b)] == [Variable] * 4
    assert (w.shape, b.shape, w.dtype) == ((2, 5), (1, 5), np.float32)
    assert not np.asarray(w).any()
    assert not np.asarray(layer.b).any()
    assert [v is u for v, u in zip(layer.weights, [layer.w, layer.b], strict=True)] == [True, True]


def test_the_default_initializer_is_a_unit_normal():
    w = np.asarray(Dense(300, 500, seed=1).w)
    assert abs(w.std() - 1) < 0.01


def test_the_seed_repeats_the_weights():
    np.testing.assert_array_equal(Dense(4, 3, seed=1).w, Dense(4, 3, seed=1).w)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Dense(2, 3, dtype=int),
        lambda: LayerNormalization(3, dtype=int),
        lambda: BatchNormalization(3, dtype=np.complex64),
        lambda: Adam("0.1"),
        lambda: Adam(0.1, beta_1=True),
        lambda: Dropout("0.5"),
        lambda: LeakyReLU("a"),
        lambda: CategoricalCrossEntropy(None),
    ],
)
def test_an_option_of_another_type_is_refused_by_its_name(make):
    with pytest.raises(TypeError, match=r"expects (a floating-point dtype|\w+ to be a number), got"):
        make()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_type_follows_numpy(dtype):
    layer, x = Dense(4, 3, "xavier", dtype=dtype), np.ones((2, 4), dtype)
    assert layer(x).dtype == dtype
    gradients = [*layer.compose_input_gradients([np.ones((2, 3))]), *layer.compose_weight_gradients([np.ones((2, 3))])]
    assert [g.dtype for g in gradients] == [dtype] * 3
    assert layer(np.ones((2, 4))).dtype == np.float64
    assert layer([[1, 2, 3, 4]]).dtype == np.float64


def test_complex_input_goes_through():
    layer = Dense(2, 1, "xavier", dtype=np.float64)
    y = layer.forward([[1.0 + 1j, 0.0]])
    np.testing.assert_allclose(np.asarray(y), (1 + 1j) * np.asarray(layer.w)[:1])


def test_views_and_read_only_input_are_taken_as_they_come(x):
    layer = Dense(4, 3, seed=1)
    expected = np.asarray(layer(x))
    for variant in (np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], Tensor(x)):
        np.testing.assert_allclose(np.asarray(layer(variant)), expected, rtol=1e-12)
    x.flags.writeable = False
    np.testing.assert_array_equal(np.asarray(layer(x)), expected)


def test_errors_say_what_came_and_what_was_expected():
    layer = Dense(4, 3)
    with pytest.raises(ValueError, match=r"\(batch, 4\), got shape \(2, 5\)"):
        layer(np.ones((2, 5)))
    with pytest.raises(ValueError, match=r"\(batch, 4\), got shape \(4,\)"):
        layer(np.ones(4))
    with pytest.raises(ValueError, match=r"\(0, 4\)"):
        layer(np.ones((0, 4)))
    with pytest.raises(TypeError, match="numbers"):
        layer([["a", "b", "c", "d"]])
    with pytest.raises(ValueError, match="'kaiming'"):
        Dense(4, 3, initializer="he")
    with pytest.raises(ValueError, match="input_size to be at least 1, got 0"):
        Dense(0, 3)
    with pytest.raises(TypeError, match=r"output_size to be an integer, got 3\.0"):
        Dense(4, 3.0)
    with pytest.raises(TypeError, match="floating-point dtype"):
        Dense(4, 3, dtype=int)


def test_flatten():
    layer, x = Flatten(), np.random.default_rng(0).normal(size=(2, 3, 4))
    assert layer(x).shape == (2, 12)
    np.testing.assert_array_equal(np.asarray(layer(x))[1], x[1].ravel())
    assert_vjp_matches(layer, x)
    J = np.random.default_rng(1).normal(size=(2, 12))
    np.testing.assert_array_equal(
        np.tensordot(J, layer.get_input_gradients()[0], 2), layer.compose_input_gradients([J])[0]
    )
    assert layer(np.ones(3)).shape == (3, 1)
    with pytest.raises(ValueError, match="scalar"):
        layer(1.0)


# --- Dense with options


@pytest.mark.parametrize("activation", ["tanh", "relu", "softmax", Sigmoid(), GELU(approximate=True)])
@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4)])
def test_dense_with_an_activation_agrees_with_central_differences(activation, use_bias, shape):
    layer = Dense(4, 3, "xavier", activation=activation, use_bias=use_bias, dtype=np.float64, seed=1)
    assert len(layer.weights) == 1 + use_bias
    x = np.random.default_rng(0).normal(size=shape)
    assert_vjp_matches(layer, x)
    plain = Dense(4, 3, "xavier", dtype=np.float64, seed=1)
    np.testing.assert_allclose(layer(x), layer.activation(plain(x)), rtol=1e-12)
    J = [np.random.default_rng(1).normal(size=(*shape[:-1], 3))]
    by_x, *by_weights = layer.get_input_gradients() + layer.get_weight_gradients()
    assert by_x.shape == (*shape[:-1], 3, *shape)
    for local, composed in zip(by_weights, layer.compose_weight_gradients(J), strict=True):
        np.testing.assert_allclose(np.tensordot(J[0], local, len(shape)), composed, rtol=1e-10, atol=1e-13)


def test_dense_with_an_activation_is_two_layers_on_a_tape_and_on_a_tape_in_a_tape():
    fused = Dense(3, 2, "xavier", activation="tanh", dtype=np.float64, seed=1)
    layer, tanh = Dense(3, 2, "xavier", dtype=np.float64, seed=1), Tanh()
    x = Tensor(np.random.default_rng(0).normal(size=(4, 3)))

    def second(f, weights):
        with GradientTape() as outer:
            with GradientTape() as inner:
                y = f(x)
            g = inner.gradient(y, [x, *weights])
            total = sum((part**2).sum() for part in g)
        return [*g, *outer.gradient(total, [x, *weights])]

    for a, b in zip(second(fused, fused.weights), second(lambda v: tanh(layer(v)), layer.weights), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_an_activation_that_a_tape_cannot_record_is_refused_in_a_second_derivative():
    class Cube(Activation):
        def forward(self, x):
            return np.asarray(x) ** 3

        def get_input_gradients(self):
            return [3 * np.asarray(self.inputs[0]) ** 2]

    layer, x = Dense(3, 2, activation=Cube(), dtype=np.float64), Tensor(np.ones((1, 3)))
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = layer(x)
        g = inner.gradient(y, x)
    with pytest.raises(NotImplementedError, match="the gradient of Dense"):
        outer.gradient(g, x)


def test_one_activation_in_two_layers_and_two_calls_keeps_each_call_apart():
    tanh, x = Tanh(), Tensor(np.random.default_rng(0).normal(size=(4, 3)))
    layers = [Dense(3, 3, "xavier", activation=tanh, dtype=np.float64, seed=k) for k in (1, 2)]
    bare = [Dense(3, 3, "xavier", dtype=np.float64, seed=k) for k in (1, 2)]
    with GradientTape() as tape:
        y = layers[1](layers[0](layers[0](x)))
        z = Tanh()(bare[1](Tanh()(bare[0](Tanh()(bare[0](x))))))
    for a, b in zip(tape.gradient(y, layers[0].weights), tape.gradient(z, bare[0].weights), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_one_size_is_the_output_size_as_in_keras():
    layer = Dense(5, seed=1)
    assert layer.weights == []
    assert layer(np.ones((2, 3), np.float32)).shape == (2, 5)
    assert layer.w.shape == (3, 5)
    assert np.abs(np.asarray(layer.w)).max() <= np.sqrt(6 / 8)
    with pytest.raises(ValueError, match=r"\(batch, 3\), got shape \(2, 4\)"):
        layer(np.ones((2, 4)))
    built = Dense(5, initializer="zero")
    built.build((None, 3))
    assert [w.shape for w in built.weights] == [(3, 5), (1, 5)]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Dense(4, 3, activation="magic"), ValueError, "does not know the activation 'magic'; known are 'relu'"),
        (lambda: Dense(4, 3, activation=Tanh), TypeError, r"got the class Tanh: write Tanh\(\)"),
        (lambda: Dense(4, 3, activation=np.tanh), TypeError, "an activation without weights, or its name, got <ufunc"),
        (lambda: Dense(4, 3, activation=PReLU(shape=(3,))), TypeError, "an activation without weights"),
        (lambda: Dense("64"), TypeError, "output_size to be an integer, got '64'"),
        (lambda: Dense(4, "relu"), TypeError, "output_size to be an integer, got 'relu'"),
    ],
)
def test_options_of_dense_that_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
