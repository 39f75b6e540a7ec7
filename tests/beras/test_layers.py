import numpy as np
import pytest

from beras import (
    Adam,
    BatchNormalization,
    CategoricalCrossEntropy,
    Dense,
    Dropout,
    Flatten,
    LayerNormalization,
    LeakyReLU,
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
